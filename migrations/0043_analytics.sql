-- Analytics: the uploads, sales and webhooks of the market and of each account, by the hour and by the day, in UTC.
--
-- A roll-up is recounted as a whole from the rows of its facts, never added to: so it may be recounted at any time, and any
-- number of times (`a_rebuild_counts_what_came_too_late_and_a_second_one_changes_nothing`). Money is in minor units of the
-- one currency that is traded.

-- What requests do that leaves no row of its own: views of packages (the key is the package's public id) and searches
-- that found nothing (the key is the term). Each API process counts in memory and writes its totals of an hour again and
-- again, so a write that is repeated counts nothing twice. An empty key stands for all keys beyond the limit of
-- a process.
create table request_counts (
    starts_at  timestamptz not null,
    kind       text        not null,
    key        text        not null,
    process_id uuid        not null,
    requests   bigint      not null,
    primary key (starts_at, kind, key, process_id),
    constraint request_counts_kind_known check (kind in ('view', 'search_without_results')),
    constraint request_counts_positive check (requests > 0)
) with (fillfactor = 80);

-- The accounts that made a request on a day. (No foreign key: users are never deleted.)
create table active_days (
    day        date not null,
    account_id uuid not null,
    primary key (day, account_id)
);

-- The roll-ups. The nil account is the whole market; it has a row for each hour, with the time at which the hour was last
-- counted, or none while the hour waits to be. The row of a day is counted from those of its hours, but for buyers: each
-- counts once in a period.
create table roll_ups (
    account_id                uuid        not null,
    period                    text        not null,
    starts_at                 timestamptz not null,
    uploads_completed         bigint      not null default 0,
    uploads_failed            bigint      not null default 0,
    views                     bigint      not null default 0,
    searches_without_results  bigint      not null default 0,
    quotes                    bigint      not null default 0,
    purchases                 bigint      not null default 0,
    buyers                    bigint      not null default 0,
    revenue_minor             bigint      not null default 0,
    fees_minor                bigint      not null default 0,
    refunds                   bigint      not null default 0,
    refunded_minor            bigint      not null default 0,
    refunded_fees_minor       bigint      not null default 0,
    downloads                 bigint      not null default 0,
    webhook_attempts_succeeded bigint     not null default 0,
    webhook_attempts_failed   bigint      not null default 0,
    counted_at                timestamptz,
    primary key (account_id, period, starts_at),
    constraint roll_ups_period_known check (period in ('hour', 'day')),
    constraint roll_ups_start_at_their_period check (starts_at = date_trunc(period, starts_at, 'UTC'))
) with (fillfactor = 80);
-- Recounting reads all accounts of a few hours.
create index roll_ups_starts_at on roll_ups (starts_at, period);

-- How many accounts of people and of agents were active on a day, and within the 7 and 30 days that end with it.
create table active_accounts (
    day          date   primary key,
    people_day   bigint not null,
    people_week  bigint not null,
    people_month bigint not null,
    agents_day   bigint not null,
    agents_week  bigint not null,
    agents_month bigint not null
);

-- Facts are found by their time. Rows of these tables come in the order of it, so a few bytes for each 32 pages are
-- enough, and writers pay nearly nothing.
create index uploads_finished on uploads using brin (finished_at) with (pages_per_range = 32, autosummarize);
create index quotes_created on quotes using brin (created_at) with (pages_per_range = 32, autosummarize);
create index purchases_times on purchases using brin (settled_at, finished_at)
    with (pages_per_range = 32, autosummarize);
create index downloads_at on downloads using brin (at) with (pages_per_range = 32, autosummarize);
create index webhook_attempts_at on webhook_attempts using brin (at) with (pages_per_range = 32, autosummarize);

grant select, delete on request_counts, active_days, roll_ups to awareness_app;
grant insert (starts_at, kind, key, process_id, requests) on request_counts to awareness_app;
grant update (requests) on request_counts to awareness_app;
grant insert (day, account_id) on active_days to awareness_app;
grant insert (
    account_id, period, starts_at, uploads_completed, uploads_failed, views, searches_without_results, quotes, purchases,
    buyers, revenue_minor, fees_minor, refunds, refunded_minor, refunded_fees_minor, downloads,
    webhook_attempts_succeeded, webhook_attempts_failed, counted_at
) on roll_ups to awareness_app;
grant update (
    uploads_completed, uploads_failed, views, searches_without_results, quotes, purchases, buyers, revenue_minor,
    fees_minor, refunds, refunded_minor, refunded_fees_minor, downloads, webhook_attempts_succeeded,
    webhook_attempts_failed, counted_at
) on roll_ups to awareness_app;
grant select, delete on active_accounts to awareness_app;
grant insert (
    day, people_day, people_week, people_month, agents_day, agents_week, agents_month
) on active_accounts to awareness_app;
grant update (
    people_day, people_week, people_month, agents_day, agents_week, agents_month
) on active_accounts to awareness_app;
