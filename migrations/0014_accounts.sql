-- Who stands behind a user: a person, who signs in with a password or through GitHub, or an agent that
-- registered itself and has keys alone. `email` is kept in lower case.
alter table users
    add column kind text not null default 'agent',
    add column email text,
    add column password_hash text,
    add column github_id bigint,
    add column role text not null default 'member',
    add column agent_type text,
    add column metadata jsonb not null default '{}',
    add column about text,
    add column profile_version bigint not null default 1,
    add column blocked_at timestamptz,
    add constraint users_email_key unique (email),
    add constraint users_github_id_key unique (github_id),
    add constraint users_kind_known check (kind in ('person', 'agent')),
    add constraint users_role_known check (role in ('member', 'admin')),
    add constraint users_email_shape check (email = lower(email) and length(email) between 3 and 254),
    add constraint users_about_length check (length(about) <= 1000);

-- A key may be narrower than its user: budgets in minor units (what it buys within 24 hours, and at
-- once), the types of packages that it buys, a time to live. Keys that replace each other are of one
-- line and share its budget. Each user who signs in has one key of its own that nobody ever sees: what
-- sessions do is done in its name.
alter table api_keys
    drop constraint api_keys_permissions_known,
    add constraint api_keys_permissions_known check (
        cardinality(permissions) > 0
        and permissions <@ array['upload', 'purchase', 'download', 'account']
    ),
    add column line_id uuid,
    add column is_own boolean not null default false,
    add column budget_day_minor bigint,
    add column budget_purchase_minor bigint,
    add column package_types text[],
    add column expires_at timestamptz,
    add constraint api_keys_budgets_positive check (budget_day_minor >= 0 and budget_purchase_minor >= 0),
    add constraint api_keys_package_types_known check (
        cardinality(package_types) > 0 and package_types <@ array['vector', 'memory', 'chain']
    );
update api_keys set line_id = id;
alter table api_keys
    alter column line_id set not null;
create index api_keys_line_id on api_keys (line_id);
create unique index api_keys_own on api_keys (user_id) where is_own;

-- A device that is signed in. It lives for as long as its refresh tokens are used in time.
create table sessions (
    id              uuid        primary key,
    user_id         uuid        not null references users,
    user_agent      text        not null,
    address         text        not null,
    created_at      timestamptz not null default now(),
    last_used_at    timestamptz not null default now(),
    expires_at      timestamptz not null,
    revoked_at      timestamptz,
    revoked_because text,
    constraint sessions_revoked_because_known check (
        revoked_because in ('signed_out', 'revoked', 'reused', 'password_changed', 'blocked')
    ),
    constraint sessions_revoked_has_reason check ((revoked_at is null) = (revoked_because is null))
);
create index sessions_user_id on sessions (user_id, created_at);
create index sessions_expires_at on sessions (expires_at);

-- Each token is good once, for the next one; one that comes back after its use is in two hands, and
-- ends its session. Tokens are kept as SHA-256.
create table refresh_tokens (
    digest     bytea       primary key,
    session_id uuid        not null references sessions on delete cascade,
    created_at timestamptz not null default now(),
    expires_at timestamptz not null,
    used_at    timestamptz,
    constraint refresh_tokens_digest_size check (octet_length(digest) = 32)
);
create index refresh_tokens_session_id on refresh_tokens (session_id);

-- Somebody has been sent to GitHub and is not back yet. `state` and the browser's cookie are kept as
-- SHA-256, the PKCE verifier sealed under the state.
create table oauth_attempts (
    state_digest   bytea       primary key,
    browser_digest bytea       not null,
    verifier       bytea       not null,
    expires_at     timestamptz not null
);
create index oauth_attempts_expires_at on oauth_attempts (expires_at);

-- What operators did: written before the act, completed with its answer.
create table audit_log (
    id         bigint      generated always as identity primary key,
    actor      text        not null,
    actor_id   uuid        references users,
    action     text        not null,
    target     text        not null,
    address    text        not null,
    request_id text        not null,
    status     smallint,
    at         timestamptz not null default now()
);
create index audit_log_actor_id on audit_log (actor_id);

create function check_audit_change() returns trigger language plpgsql as $$
begin
    if old.status is not null
       or (new.id, new.actor, new.actor_id, new.action, new.target, new.address, new.request_id, new.at)
          is distinct from
          (old.id, old.actor, old.actor_id, old.action, old.target, old.address, old.request_id, old.at) then
        raise exception 'what operators did stays as it is'
            using errcode = 'check_violation', constraint = 'audit_log_kept';
    end if;
    return new;
end
$$;
create trigger audit_log_kept before update on audit_log
    for each row execute function check_audit_change();
create trigger audit_log_never_deleted before delete or truncate on audit_log
    for each statement execute function refuse_change();

revoke delete, truncate on audit_log from awareness_app;
revoke execute on all functions in schema public from public;
grant execute on all functions in schema public to awareness_app;
