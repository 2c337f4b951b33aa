-- Answers to writes that keep no answer of their own (quotes, refunds, renewals, what operators do), by the key
-- that came with them. A row without a status is a request under way, or one whose process died.
create table replays (
    -- Digest of who asked, and what for.
    scope       bytea       not null,
    key         text        not null,
    fingerprint bytea       not null,
    status      smallint,
    body        jsonb,
    begun_at    timestamptz not null default now(),
    primary key (scope, key),
    constraint replays_key_length check (length(key) between 1 and 255),
    constraint replays_answered_whole check ((status is null) = (body is null))
);
create index replays_begun_at on replays (begun_at);
grant select, delete on replays to awareness_app;
grant insert (scope, key, fingerprint) on replays to awareness_app;
grant update (fingerprint, status, body, begun_at) on replays to awareness_app;
