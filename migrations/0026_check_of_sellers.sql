-- The check that no seller's earnings fall below zero, for less: with sequential scans forbidden its second
-- look, over the unfolded changes, had a cost at which PostgreSQL compiles a query, 50 ms each time, and it
-- took that look at whoever's balance fell. Now it ends unless a seller's did.
create or replace function check_sellers() returns trigger language plpgsql
    set jit = off
    security definer set search_path = public, pg_temp as $$
declare
    debited bigint[];
begin
    select array_agg(account_id)
    into debited
    from fresh
    where amount_minor < 0
      and account_version is null;
    if debited is null then
        return null;
    end if;
    perform from accounts
    where id = any(debited)
      and kind = 'seller_earnings'
    order by id
    for no key update;
    if not found then
        return null;
    end if;
    if exists (
        select
        from accounts
        where id = any(debited)
          and kind = 'seller_earnings'
          and balance_minor + coalesce((
                  select sum(amount_minor)
                  from account_deltas
                  where account_id = accounts.id
              ), 0) < 0
    ) then
        raise exception 'a seller''s earnings do not cover this'
            using errcode = 'check_violation', constraint = 'accounts_seller_below_zero';
    end if;
    return null;
end
$$;
