-- Buyers who were refused because the last licence of a listing was reserved for somebody else, and want a
-- webhook as soon as it is free (`listing.available`). A row is deleted in the transaction that sends it.
create table supply_watchers (
    package_id  uuid        not null references packages,
    user_id     uuid        not null references users,
    -- Where the refused request wanted to hear of its outcome, and the key that signs; the account's own
    -- endpoints are notified in any case.
    api_key_id  uuid        not null references api_keys,
    webhook_url text,
    created_at  timestamptz not null default now(),
    primary key (package_id, user_id)
);
create index supply_watchers_user_id on supply_watchers (user_id);
create index supply_watchers_api_key_id on supply_watchers (api_key_id);
create index supply_watchers_created_at on supply_watchers (created_at);
grant select, delete on supply_watchers to awareness_app;
grant insert (package_id, user_id, api_key_id, webhook_url) on supply_watchers to awareness_app;
