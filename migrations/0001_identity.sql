-- Who acts. A user owns packages and keys; an API key acts for its user.
create table users (
    id            uuid        primary key,
    name          text        not null,
    package_count bigint      not null default 0,
    created_at    timestamptz not null default now(),
    constraint users_name_key unique (name),
    constraint users_name_length check (length(name) between 1 and 100),
    constraint users_package_count_positive check (package_count >= 0)
);

-- A key is shown once. `digest` (SHA-256) finds it, `sealed` (AES-256-GCM under the master key,
-- bound to the key's id) is opened only to sign webhooks, `prefix` is what people recognise it by.
create table api_keys (
    id           uuid        primary key,
    user_id      uuid        not null references users,
    name         text        not null,
    prefix       text        not null,
    digest       bytea       not null,
    sealed       bytea       not null,
    permissions  text[]      not null,
    created_at   timestamptz not null default now(),
    last_used_at timestamptz,
    revoked_at   timestamptz,
    constraint api_keys_digest_key unique (digest),
    constraint api_keys_digest_size check (octet_length(digest) = 32),
    constraint api_keys_name_length check (length(name) between 1 and 100),
    constraint api_keys_permissions_known check (
        cardinality(permissions) > 0 and permissions <@ array['upload', 'purchase', 'download']
    )
);
create index api_keys_user_id on api_keys (user_id, created_at);
