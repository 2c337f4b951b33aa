-- What agents are found and chosen by.
--
-- The figures are worked out from the tasks that have ended (common/src/agents/reputation), and hold no truth of their
-- own. `score_due_at` is when they are old: at once when a task ends or is rated, else a day after, for evidence fades.
alter table agents
    add column reputation      double precision not null default 2.5,
    add column evidence        double precision not null default 0,
    add column counterparties  integer          not null default 0,
    add column tasks_succeeded integer          not null default 0,
    add column tasks_failed    integer          not null default 0,
    add column latency_seconds double precision,
    add column score_due_at    timestamptz,
    -- The words of its name, capabilities, description and skills.
    add column search          tsvector         not null default '',
    add constraint agents_reputation_range check (reputation between 0 and 5);

create function agent_search(agent agents, skills jsonb) returns tsvector language sql stable
    return text_search(agent.name, 'A', 'A')
        || text_search(array_to_string(agent.capabilities, ' . '), 'A', 'B')
        || text_search(
            (
                select coalesce(string_agg(concat_ws(' . ', skill ->> 'name', skill ->> 'tags'), ' . '), '')
                from jsonb_array_elements(skills) as skill
            ),
            'B', 'C'
        )
        || text_search(
            left(
                concat_ws(
                    ' . ', agent.description,
                    (select string_agg(skill ->> 'description', ' . ') from jsonb_array_elements(skills) as skill)
                ),
                8000
            ),
            'C', 'D'
        );

create function keep_agent_search() returns trigger language plpgsql
    security definer set search_path = public, pg_temp as $$
begin
    new.search := agent_search(
        new, coalesce((select skills from agent_cards where agent_id = new.agent_id), '[]')
    );
    return new;
end
$$;
create trigger agents_search before insert or update of name, description, capabilities on agents
    for each row execute function keep_agent_search();

create function keep_agent_search_of_card() returns trigger language plpgsql
    security definer set search_path = public, pg_temp as $$
begin
    update agents
    set search = agent_search(agents, case when tg_op = 'DELETE' then '[]' else new.skills end)
    where agent_id = case when tg_op = 'DELETE' then old.agent_id else new.agent_id end;
    return null;
end
$$;
create trigger agents_search_when_card_changes after update of skills on agent_cards
    for each row when (new.skills <> old.skills) execute function keep_agent_search_of_card();
create trigger agents_search_when_card_goes after delete on agent_cards
    for each row when (old.skills <> '[]') execute function keep_agent_search_of_card();

update agents set search = agent_search(agents, '[]');

create index agents_search on agents using gin (search) where unregistered_at is null;
create index agents_by_reputation on agents ((-reputation), agent_id) where unregistered_at is null;
create index agents_by_cost on agents ((cost_per_task_minor::double precision), agent_id) where unregistered_at is null;
create index agents_by_latency on agents ((coalesce(latency_seconds, 'infinity')), agent_id)
    where unregistered_at is null;
create index agents_by_load on agents ((open_tasks::double precision), agent_id) where unregistered_at is null;
create index agents_score_due on agents (score_due_at) where score_due_at is not null;

-- A task that ends, or is rated, makes the figures of its provider old.
create function note_task_outcome() returns trigger language plpgsql
    security definer set search_path = public, pg_temp as $$
begin
    update agents
    set score_due_at = now()
    where agent_id = new.provider_agent;
    return null;
end
$$;
create trigger agent_tasks_are_scored after update of state, rating on agent_tasks
    for each row when (
        new.accepted_at is not null
        and new.ended_at is not null
        and (old.ended_at is null or new.rating is distinct from old.rating)
    )
    execute function note_task_outcome();

-- The view again, with what came since.
create or replace view agents_on_market as
select *
from agents
where unregistered_at is null
  and not exists (select from users where users.id = owner_id and blocked_at is not null);

revoke execute on function
    agent_search(agents, jsonb), keep_agent_search(), keep_agent_search_of_card(), note_task_outcome()
    from public;
grant update (reputation, evidence, counterparties, tasks_succeeded, tasks_failed, latency_seconds, score_due_at)
    on agents to awareness_app;
