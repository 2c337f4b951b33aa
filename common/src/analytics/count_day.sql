-- Recounts the day that begins at $1, from its hours. A buyer of several hours is one of the day.
with bought as (
    select coalesce(seller_id, '00000000-0000-0000-0000-000000000000') as account_id,
           count(distinct buyer_id) as buyers
    from purchases
    where settled_at >= $1
      and settled_at < $1 + interval '24 hours'
    group by grouping sets ((seller_id), ())
)
insert into roll_ups as known (
    account_id, period, starts_at, uploads_completed, uploads_failed, views, searches_without_results, quotes,
    purchases, buyers, revenue_minor, fees_minor, refunds, refunded_minor, refunded_fees_minor, downloads,
    webhook_attempts_succeeded, webhook_attempts_failed, counted_at
)
select account_id, 'day', $1, sum(uploads_completed), sum(uploads_failed), sum(views),
       sum(searches_without_results), sum(quotes), sum(purchases), coalesce(max(bought.buyers), 0),
       sum(revenue_minor), sum(fees_minor), sum(refunds), sum(refunded_minor), sum(refunded_fees_minor),
       sum(downloads), sum(webhook_attempts_succeeded), sum(webhook_attempts_failed), now()
from roll_ups
left join bought using (account_id)
where period = 'hour'
  and starts_at >= $1
  and starts_at < $1 + interval '24 hours'
group by account_id
on conflict (account_id, period, starts_at) do update
set uploads_completed = excluded.uploads_completed,
    uploads_failed = excluded.uploads_failed,
    views = excluded.views,
    searches_without_results = excluded.searches_without_results,
    quotes = excluded.quotes,
    purchases = excluded.purchases,
    buyers = excluded.buyers,
    revenue_minor = excluded.revenue_minor,
    fees_minor = excluded.fees_minor,
    refunds = excluded.refunds,
    refunded_minor = excluded.refunded_minor,
    refunded_fees_minor = excluded.refunded_fees_minor,
    downloads = excluded.downloads,
    webhook_attempts_succeeded = excluded.webhook_attempts_succeeded,
    webhook_attempts_failed = excluded.webhook_attempts_failed,
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
