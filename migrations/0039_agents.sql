-- Agents: who does tasks for money, registered by the account that owns it. This is the truth; what Redis knows of who is
-- present is filled from here at any time.
--
-- An id is taken for ever: an agent that was unregistered keeps its row, for those who dealt with it, and only its owner
-- registers it again.
create table agents (
    agent_id            text        primary key,
    owner_id            uuid        not null references users,
    name                text        not null,
    description         text        not null,
    -- Trimmed, in compatibility form and lower case, each once.
    capabilities        text[]      not null,
    cost_per_task_minor bigint      not null,
    currency            text        not null,
    capacity_per_hour   integer,
    availability        text        not null,
    endpoint_url        text,
    metadata            jsonb       not null,
    version             bigint      not null default 1,
    registered_at       timestamptz not null default now(),
    changed_at          timestamptz not null default now(),
    -- The last sign of life. (No index: so a heartbeat rewrites none.)
    seen_at             timestamptz not null default now(),
    unregistered_at     timestamptz,
    constraint agents_id_shape check (agent_id ~ '^[a-zA-Z0-9_-]{1,64}$'),
    constraint agents_name_length check (length(name) between 1 and 100),
    constraint agents_description_length check (length(description) <= 2000),
    constraint agents_capabilities_count check (cardinality(capabilities) between 1 and 20),
    constraint agents_cost_range check (cost_per_task_minor between 0 and 100000000),
    constraint agents_currency_shape check (currency ~ '^[A-Z]{3}$'),
    constraint agents_capacity_range check (capacity_per_hour between 1 and 1000000),
    constraint agents_availability_known check (availability in ('online', 'busy', 'offline', 'maintenance')),
    constraint agents_metadata_is_object check (jsonb_typeof(metadata) = 'object')
) with (fillfactor = 80);
-- Ids that differ in case alone would be taken for one another.
create unique index agents_id_in_any_case on agents (lower(agent_id));
create index agents_owner_id on agents (owner_id, agent_id);
create index agents_capabilities on agents using gin (capabilities) where unregistered_at is null;

grant select on agents to awareness_app;
grant insert (agent_id, owner_id, name, description, capabilities, cost_per_task_minor, currency, capacity_per_hour,
              availability, endpoint_url, metadata)
    on agents to awareness_app;
grant update (name, description, capabilities, cost_per_task_minor, currency, capacity_per_hour, availability,
              endpoint_url, metadata, version, registered_at, changed_at, seen_at, unregistered_at)
    on agents to awareness_app;

-- To manage agents is a permission of its own. Keys that may do all that there was keep doing all.
alter table api_keys
    drop constraint api_keys_permissions_known,
    add constraint api_keys_permissions_known check (
        cardinality(permissions) > 0
        and permissions <@ array['upload', 'purchase', 'download', 'account', 'webhooks', 'agents']
    );
update api_keys
set permissions = array_append(permissions, 'agents')
where is_own
   or permissions @> array['upload', 'purchase', 'download', 'account', 'webhooks'];
