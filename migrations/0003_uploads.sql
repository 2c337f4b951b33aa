-- What happened, in order, for ever: one row per change of state of an upload, a package, a purchase.
create table events (
    id      bigint      generated always as identity primary key,
    subject uuid        not null,
    kind    text        not null,
    trace   text        not null,
    data    jsonb       not null default '{}',
    at      timestamptz not null default now()
);
create index events_subject on events (subject, id);

-- Bytes under a content-addressed key. A row is written before the bytes are, and taken away after
-- they are gone, so that no object is without a row; `deleting` keeps a new upload of the same
-- bytes waiting until the sweep is through.
create table objects (
    key        text        primary key,
    sha256     bytea       not null,
    size_bytes bigint      not null,
    state      text        not null default 'live',
    touched_at timestamptz not null default now(),
    constraint objects_state_known check (state in ('live', 'deleting')),
    constraint objects_sha256_size check (octet_length(sha256) = 32),
    constraint objects_size_positive check (size_bytes > 0)
);
create index objects_touched_at on objects (touched_at);

-- What is for sale. `report` is the verdict that let it in.
create table packages (
    id               uuid        primary key,
    public_id        text        not null,
    owner_id         uuid        not null references users,
    upload_id        uuid        not null,
    package_type     text        not null,
    name             text        not null,
    description      text        not null,
    source_model     text        not null,
    target_model     text        not null,
    epsilon_declared double precision not null,
    epsilon_measured double precision,
    evidence_level   text        not null,
    tier             text,
    price_minor      bigint      not null,
    currency         text        not null,
    package_key      text        not null references objects,
    w_matrix_key     text        not null references objects,
    report           jsonb       not null,
    status           text        not null default 'active',
    downloads        bigint      not null default 0,
    created_at       timestamptz not null default now(),
    constraint packages_public_id_key unique (public_id),
    constraint packages_one_per_upload unique (upload_id),
    constraint packages_type_known check (package_type in ('vector', 'memory', 'chain')),
    constraint packages_status_known check (status in ('active', 'paused', 'removed')),
    constraint packages_price_range check (price_minor between 0 and 100000000)
);
create index packages_owner_id on packages (owner_id, created_at);
create index packages_package_key on packages (package_key);
create index packages_w_matrix_key on packages (w_matrix_key);

-- An attempt to publish a package.
--
--   awaiting ──commit──▶ pending ──▶ processing ──▶ completed
--      │ (presigned form)    └────────────┴───────▶ failed
--      └──▶ expired
--
-- Bytes wait in the staging area under keys made of the id: `staging/<id>.<blob>.<part>`.
create table uploads (
    id               uuid        primary key,
    public_id        text        not null,
    owner_id         uuid        not null references users,
    api_key_id       uuid        not null references api_keys,
    request_id       text        not null,
    package_type     text        not null,
    name             text        not null,
    description      text        not null,
    source_model     text        not null,
    target_model     text        not null,
    epsilon          double precision not null,
    price_minor      bigint      not null,
    currency         text        not null default 'USD',
    webhook_url      text,
    package_bytes    bigint      not null,
    package_sha256   bytea,
    package_parts    smallint    not null,
    w_matrix_bytes   bigint      not null,
    w_matrix_sha256  bytea,
    w_matrix_parts   smallint    not null,
    status           text        not null,
    stage            text        not null,
    progress         smallint    not null default 0,
    attempts         integer     not null default 0,
    report           jsonb,
    error_code       text,
    error_message    text,
    package_id       uuid        references packages,
    version          bigint      not null default 1,
    created_at       timestamptz not null default now(),
    committed_at     timestamptz,
    validating_at    timestamptz,
    publishing_at    timestamptz,
    finished_at      timestamptz,
    staging_swept_at timestamptz,
    constraint uploads_public_id_key unique (public_id),
    constraint uploads_type_known check (package_type in ('vector', 'memory', 'chain')),
    constraint uploads_status_known check (
        status in ('awaiting', 'pending', 'processing', 'completed', 'failed', 'expired')
    ),
    constraint uploads_progress_range check (progress between 0 and 100),
    constraint uploads_name_length check (length(name) between 3 and 100),
    constraint uploads_description_length check (length(description) between 10 and 1000),
    constraint uploads_price_range check (price_minor between 0 and 100000000),
    constraint uploads_completed_has_package check ((status = 'completed') = (package_id is not null)),
    constraint uploads_failed_has_reason check ((status = 'failed') = (error_code is not null)),
    constraint uploads_digests_known check (
        status in ('awaiting', 'expired')
        or (octet_length(package_sha256) = 32 and octet_length(w_matrix_sha256) = 32)
    )
);
create index uploads_owner_id on uploads (owner_id, created_at);
create index uploads_api_key_id on uploads (api_key_id);
create index uploads_package_id on uploads (package_id);
-- The sweeps: sessions nobody committed, and ended uploads whose staged bytes can go.
create index uploads_awaiting on uploads (created_at) where status = 'awaiting';
create index uploads_to_sweep on uploads (finished_at)
    where finished_at is not null and staging_swept_at is null;

-- The first answer to a request that carried an Idempotency-Key, written in the transaction of its
-- effect. The same key with the same content gets this answer again, with another content a refusal.
create table idempotency_keys (
    user_id     uuid        not null references users,
    endpoint    text        not null,
    key         text        not null,
    fingerprint bytea       not null,
    status      smallint    not null,
    body        jsonb       not null,
    created_at  timestamptz not null default now(),
    primary key (user_id, endpoint, key),
    constraint idempotency_keys_key_length check (length(key) between 1 and 255),
    constraint idempotency_keys_fingerprint_size check (octet_length(fingerprint) = 32)
);
create index idempotency_keys_created_at on idempotency_keys (created_at);
