-- Recounts the hours from $1 to $2. Each fact is one row, of its account or, if it is no account's, of the market alone.
-- What was counted before takes part without an amount, so that an hour whose facts are gone becomes zero, and the market
-- has a row for each hour. Before $3, $4 and $5 not all rows of a source are kept: what was counted of them stays.
with facts (account_id, at, measure, amount, buyer_id) as (
    select nullif(account_id, '00000000-0000-0000-0000-000000000000'), starts_at, null, 0, null::uuid
    from roll_ups
    where period = 'hour'
      and starts_at >= $1
      and starts_at < $2
    union all
    select owner_id, finished_at, 'uploads_' || status, 1, null
    from uploads
    where finished_at >= $1
      and finished_at < $2
      and status in ('completed', 'failed')
    union all
    select packages.owner_id, starts_at, 'views', requests, null
    from request_counts
    left join packages on packages.public_id = key
    where kind = 'view'
      and starts_at >= greatest($1, $3)
      and starts_at < $2
    union all
    select null, starts_at, kind, requests, null
    from request_counts
    where kind = 'search_without_results'
      and starts_at >= greatest($1, $3)
      and starts_at < $2
    union all
    select seller_id, quotes.created_at, 'quotes', 1, null
    from quotes
    join listings using (package_id)
    where quotes.created_at >= greatest($1, $4)
      and quotes.created_at < $2
    union all
    select seller_id, settled_at, measure, amount, buyer_id
    from purchases
    cross join lateral (
        values ('purchases', 1), ('revenue_minor', price_minor), ('fees_minor', fee_minor)
    ) as part (measure, amount)
    where settled_at >= $1
      and settled_at < $2
    union all
    select seller_id, finished_at, measure, amount, null
    from purchases
    cross join lateral (
        values ('refunds', 1), ('refunded_minor', price_minor), ('refunded_fees_minor', fee_minor)
    ) as part (measure, amount)
    where finished_at >= $1
      and finished_at < $2
      and state = 'refunded'
    union all
    select packages.owner_id, at, 'downloads', 1, null
    from downloads
    join packages on packages.id = package_id
    where at >= $1
      and at < $2
    union all
    select owner_id, at,
           case webhook_attempts.outcome
               when 'delivered' then 'webhook_attempts_succeeded'
               else 'webhook_attempts_failed'
           end,
           1, null
    from webhook_attempts
    join webhook_deliveries on webhook_deliveries.id = delivery_id
    where at >= greatest($1, $5)
      and at < $2
),
counted as (
    select coalesce(account_id, '00000000-0000-0000-0000-000000000000') as account_id,
           date_trunc('hour', at, 'UTC') as starts_at,
           sum(amount) filter (where measure = 'uploads_completed') as uploads_completed,
           sum(amount) filter (where measure = 'uploads_failed') as uploads_failed,
           sum(amount) filter (where measure = 'views') as views,
           sum(amount) filter (where measure = 'search_without_results') as searches_without_results,
           sum(amount) filter (where measure = 'quotes') as quotes,
           sum(amount) filter (where measure = 'purchases') as purchases,
           count(distinct buyer_id) as buyers,
           sum(amount) filter (where measure = 'revenue_minor') as revenue_minor,
           sum(amount) filter (where measure = 'fees_minor') as fees_minor,
           sum(amount) filter (where measure = 'refunds') as refunds,
           sum(amount) filter (where measure = 'refunded_minor') as refunded_minor,
           sum(amount) filter (where measure = 'refunded_fees_minor') as refunded_fees_minor,
           sum(amount) filter (where measure = 'downloads') as downloads,
           sum(amount) filter (where measure = 'webhook_attempts_succeeded') as webhook_attempts_succeeded,
           sum(amount) filter (where measure = 'webhook_attempts_failed') as webhook_attempts_failed
    from facts
    group by grouping sets ((date_trunc('hour', at, 'UTC'), account_id), (date_trunc('hour', at, 'UTC')))
    having grouping(account_id) = 1 or account_id is not null
)
insert into roll_ups as known (
    account_id, period, starts_at, uploads_completed, uploads_failed, views, searches_without_results, quotes,
    purchases, buyers, revenue_minor, fees_minor, refunds, refunded_minor, refunded_fees_minor, downloads,
    webhook_attempts_succeeded, webhook_attempts_failed, counted_at
)
select account_id, 'hour', starts_at, coalesce(uploads_completed, 0), coalesce(uploads_failed, 0),
       coalesce(views, 0), coalesce(searches_without_results, 0), coalesce(quotes, 0), coalesce(purchases, 0),
       buyers, coalesce(revenue_minor, 0), coalesce(fees_minor, 0), coalesce(refunds, 0),
       coalesce(refunded_minor, 0), coalesce(refunded_fees_minor, 0), coalesce(downloads, 0),
       coalesce(webhook_attempts_succeeded, 0), coalesce(webhook_attempts_failed, 0), now()
from counted
on conflict (account_id, period, starts_at) do update
set uploads_completed = excluded.uploads_completed,
    uploads_failed = excluded.uploads_failed,
    views = case when known.starts_at >= $3 then excluded.views else known.views end,
    searches_without_results = case
        when known.starts_at >= $3 then excluded.searches_without_results
        else known.searches_without_results
    end,
    quotes = case when known.starts_at >= $4 then excluded.quotes else known.quotes end,
    purchases = excluded.purchases,
    buyers = excluded.buyers,
    revenue_minor = excluded.revenue_minor,
    fees_minor = excluded.fees_minor,
    refunds = excluded.refunds,
    refunded_minor = excluded.refunded_minor,
    refunded_fees_minor = excluded.refunded_fees_minor,
    downloads = excluded.downloads,
    webhook_attempts_succeeded = case
        when known.starts_at >= $5 then excluded.webhook_attempts_succeeded
        else known.webhook_attempts_succeeded
    end,
    webhook_attempts_failed = case
        when known.starts_at >= $5 then excluded.webhook_attempts_failed
        else known.webhook_attempts_failed
    end,
    counted_at = excluded.counted_at
-- What has not changed is not written again, but for the time at which the market was counted.
where known.account_id = '00000000-0000-0000-0000-000000000000'
   or (
       known.uploads_completed, known.uploads_failed, known.views, known.searches_without_results, known.quotes,
       known.purchases, known.buyers, known.revenue_minor, known.fees_minor, known.refunds, known.refunded_minor,
       known.refunded_fees_minor, known.downloads, known.webhook_attempts_succeeded, known.webhook_attempts_failed
   ) is distinct from (
       excluded.uploads_completed, excluded.uploads_failed, excluded.views, excluded.searches_without_results,
       excluded.quotes, excluded.purchases, excluded.buyers, excluded.revenue_minor, excluded.fees_minor,
       excluded.refunds, excluded.refunded_minor, excluded.refunded_fees_minor, excluded.downloads,
       excluded.webhook_attempts_succeeded, excluded.webhook_attempts_failed
   )
