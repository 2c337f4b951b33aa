-- What a receiver was promised: one delivery per event and address, with the exact bytes that are
-- signed. Retries are the job's; each HTTP request leaves an attempt.
create table webhook_deliveries (
    id            uuid        primary key,
    message_id    text        not null,
    owner_id      uuid        not null references users,
    api_key_id    uuid        not null references api_keys,
    subject       uuid        not null,
    event_type    text        not null,
    url           text        not null,
    body          bytea       not null,
    trace         text        not null,
    state         text        not null default 'pending',
    attempts      integer     not null default 0,
    created_at    timestamptz not null default now(),
    finished_at   timestamptz,
    constraint webhook_deliveries_message_id_key unique (message_id),
    constraint webhook_deliveries_once unique (subject, event_type),
    constraint webhook_deliveries_state_known check (state in ('pending', 'delivered', 'failed')),
    constraint webhook_deliveries_finished_has_time check ((state = 'pending') = (finished_at is null))
);
create index webhook_deliveries_owner_id on webhook_deliveries (owner_id, created_at);
create index webhook_deliveries_api_key_id on webhook_deliveries (api_key_id);

create table webhook_attempts (
    delivery_id   uuid        not null references webhook_deliveries on delete cascade,
    attempt       integer     not null,
    outcome       text        not null,
    status_code   smallint,
    duration_ms   integer     not null,
    response      text        not null,
    at            timestamptz not null default now(),
    primary key (delivery_id, attempt)
);
