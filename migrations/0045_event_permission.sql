-- To append to event streams is a permission of its own. Keys that may do all that there was keep doing all.
alter table api_keys
    drop constraint api_keys_permissions_known,
    add constraint api_keys_permissions_known check (
        cardinality(permissions) > 0
        and permissions <@ array['upload', 'purchase', 'download', 'account', 'webhooks', 'agents', 'events']
    );
update api_keys
set permissions = array_append(permissions, 'events')
where is_own
   or permissions @> array['upload', 'purchase', 'download', 'account', 'webhooks', 'agents'];
