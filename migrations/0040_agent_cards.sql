-- Where the A2A card of an agent is, and what was found there.
alter table agents
    add column card_url text,
    add constraint agents_card_url_length check (length(card_url) between 1 and 2048);
grant insert (card_url), update (card_url) on agents to awareness_app;

create table agent_cards (
    agent_id     text        primary key references agents,
    -- The last fetch that was asked for. What an earlier one finds comes too late.
    fetch_id     uuid        not null unique,
    state        text        not null default 'pending',
    fault        text,
    -- As it came, so that its signatures hold.
    document     text,
    skills       jsonb       not null default '[]',
    requested_at timestamptz not null default now(),
    checked_at   timestamptz,
    constraint agent_cards_state_known check (state in ('pending', 'verified', 'refused')),
    constraint agent_cards_document_if_verified check ((document is not null) = (state = 'verified')),
    constraint agent_cards_fault_if_refused check ((fault is not null) = (state = 'refused')),
    constraint agent_cards_document_length check (length(document) <= 65536)
);
create index agent_cards_requested_at on agent_cards (requested_at);
grant select, delete on agent_cards to awareness_app;
grant insert (agent_id, fetch_id) on agent_cards to awareness_app;
grant update (fetch_id, state, fault, document, skills, requested_at, checked_at) on agent_cards to awareness_app;

-- Agents that others are shown: registered, by somebody who is not blocked.
create view agents_on_market as
select *
from agents
where unregistered_at is null
  and not exists (select from users where users.id = owner_id and blocked_at is not null);
grant select on agents_on_market to awareness_app;
