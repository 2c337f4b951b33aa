-- Fairness by cost. A job knows what it will cost a worker's slot, and in the bulk lane it has a place in a
-- common order, so that tenants take turns by what their work costs and not by how much of it they sent.
--
-- `cost_ms`: what its run is expected to take, from above. A tenant with more than a second of work
-- outstanding takes the bulk lane, and so does each job that is heavy by itself.
--
-- `turn`: the bulk lane is leased in this order (self-clocked fair queueing; only the order counts, it is a
-- time so that it needs no start). A job comes after the one that is foremost, and after all that its
-- tenant has in the lane, by its own cost. So a tenant that sent nothing lately comes next, and nobody
-- waits for ever: what comes later never stands before what is foremost.
alter table jobs
    add column cost_ms integer not null default 60,
    add column turn timestamptz not null default now(),
    add constraint jobs_cost_positive check (cost_ms > 0);

-- What a tenant has outstanding in a queue, and the last of its turns.
drop index jobs_tenant;
create index jobs_tenant on jobs (queue, tenant, turn) where state in ('ready', 'running');
-- Whose turn it is in the bulk lane.
create index jobs_turn on jobs (queue, turn, id) where state in ('ready', 'running') and lane = 'bulk';
