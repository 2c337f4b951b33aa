-- A refresh token that comes twice at nearly the same moment (two tabs, a retry after a lost answer) gets the same
-- pair again: it is kept sealed, under the token that it followed, and erased with the session's next refresh.
alter table refresh_tokens
    add column sealed_successor bytea;
grant update (sealed_successor) on refresh_tokens to awareness_app;
