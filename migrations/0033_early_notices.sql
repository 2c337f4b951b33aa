-- A notice may come before the answer that says what its payment is called at the provider: it is kept, and
-- found when that is known.
alter table payment_notices
    alter column payment_id drop not null,
    add column provider_id text;
create index payment_notices_early on payment_notices (provider_id) where payment_id is null;
grant insert (provider_id), update (payment_id) on payment_notices to awareness_app;
