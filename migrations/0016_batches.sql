-- Up to ten uploads that came together. What becomes of each is its own affair; the batch tells of all.
create table upload_batches (
    id         uuid        primary key,
    public_id  text        not null,
    owner_id   uuid        not null references users,
    request_id text        not null,
    items      jsonb       not null,
    created_at timestamptz not null default now(),
    constraint upload_batches_public_id_key unique (public_id)
);
create index upload_batches_owner_id on upload_batches (owner_id, created_at);
alter table uploads
    add column batch_id uuid references upload_batches;
create index uploads_batch_id on uploads (batch_id) where batch_id is not null;
