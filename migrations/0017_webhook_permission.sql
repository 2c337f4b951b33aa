-- Managing webhooks is a permission of its own: an endpoint hears of everything that happens to an
-- account, so a key that may only download must not register one. Keys that may manage the account,
-- and those that may do all that there was before, keep what they could do until now.
alter table api_keys
    drop constraint api_keys_permissions_known,
    add constraint api_keys_permissions_known check (
        cardinality(permissions) > 0
        and permissions <@ array['upload', 'purchase', 'download', 'account', 'webhooks']
    );
update api_keys
set permissions = array_append(permissions, 'webhooks')
where is_own
   or 'account' = any (permissions)
   or permissions @> array['upload', 'purchase', 'download'];

-- Whose request an answer is to: it is repeated to the same key, and to those that may do no less.
alter table idempotency_keys
    add column api_key_id uuid references api_keys;
create index idempotency_keys_api_key_id on idempotency_keys (api_key_id);
