-- A small market for the tests of the ledger, written by the schema's owner. The words below are its
-- people and things; they are functions, so that a case reads as what it does.
alter default privileges grant execute on functions to public;
create function seller()  returns uuid language sql immutable return '00000000-0000-0000-0000-00000000005e'::uuid;
create function buyer()   returns uuid language sql immutable return '00000000-0000-0000-0000-00000000000b'::uuid;
create function rival()   returns uuid language sql immutable return '00000000-0000-0000-0000-00000000000c'::uuid;
create function nobody()  returns uuid language sql immutable return '00000000-0000-0000-0000-000000000000'::uuid;
create function api_key() returns uuid language sql immutable return '00000000-0000-0000-0000-0000000000a1'::uuid;
-- Packages: sold without limit, once, and to one buyer at a time; and one that costs nothing.
create function open_package()    returns uuid language sql immutable return '00000000-0000-0000-0000-000000000a01'::uuid;
create function rare_package()    returns uuid language sql immutable return '00000000-0000-0000-0000-000000000a02'::uuid;
create function single_package()  returns uuid language sql immutable return '00000000-0000-0000-0000-000000000a03'::uuid;
create function free_package()    returns uuid language sql immutable return '00000000-0000-0000-0000-000000000a04'::uuid;
-- Purchases of the buyer: settled, pending, refunded, failed.
create function sale()     returns uuid language sql immutable return '00000000-0000-0000-0000-00000000f001'::uuid;
create function waiting()  returns uuid language sql immutable return '00000000-0000-0000-0000-00000000f002'::uuid;
create function returned() returns uuid language sql immutable return '00000000-0000-0000-0000-00000000f003'::uuid;
create function failed()   returns uuid language sql immutable return '00000000-0000-0000-0000-00000000f004'::uuid;

create function account_of(owner uuid, purpose text) returns bigint language sql stable
    return (select id from accounts where owner_id = owner and kind = purpose and currency = 'USD');
create function credits()  returns bigint language sql stable return account_of(buyer(), 'buyer_credits');
create function earnings() returns bigint language sql stable return account_of(seller(), 'seller_earnings');
create function fees()     returns bigint language sql stable return account_of(nobody(), 'platform_fees');
create function clearing() returns bigint language sql stable return account_of(nobody(), 'payments_clearing');

-- A transfer as wrong code would write it: a row, and then its legs in one statement.
create function new_transfer(money text default 'USD') returns bigint language sql volatile as $$
    insert into transfers (kind, subject, currency, trace)
    values ('adjustment', gen_random_uuid(), money, 'req_abuse')
    returning id
$$;
create function leg(
    number integer, account bigint, amount bigint,
    version bigint default null, balance_after bigint default null, at timestamptz default now()
) returns entries language sql stable
    return row(0, number::smallint, account, amount, version, balance_after, at)::entries;
create function write_legs(transfer bigint, variadic legs entries[]) returns void language sql volatile as $$
    insert into entries
    select transfer, leg, account_id, amount_minor, account_version, balance_after_minor, at
    from unnest(legs)
$$;
-- An attempt to buy at 10.00, with a fee of 1.50.
create function attempt(
    package uuid, by uuid, mode text default 'unlimited', price bigint default 1000, fee bigint default 150,
    attempt_state text default 'pending', from_seller uuid default seller(), attempt_id uuid default gen_random_uuid()
) returns uuid language sql volatile as $$
    insert into purchases (id, package_id, buyer_id, seller_id, api_key_id, listing_version, license_mode,
                           price_minor, fee_minor, net_minor, currency, payment_method, request_id, state, expires_at)
    values (attempt_id, package, by, from_seller, api_key(), 1, mode,
            price, fee, price - fee, 'USD', 'credits', 'req_market', attempt_state, now() + interval '1 hour')
    returning id
$$;
-- Settles pending purchases as a worker does.
create function settle(variadic ids uuid[]) returns bigint language plpgsql volatile as $$
declare
    me uuid := gen_random_uuid();
    settled bigint;
begin
    insert into jobs (id, name, queue, lane, subject, trace)
    select gen_random_uuid(), 'settle_purchase', 'settle', 'fast', id, 'req_market'
    from unnest(ids) as id;
    update jobs
    set state = 'running', worker = me, fence = 1
    where subject = any(ids)
      and name = 'settle_purchase'
      and state = 'ready';
    select count(*) into settled
    from settle_purchases(
        (select array_agg(id) from jobs where jobs.worker = me),
        (select array_agg(1) from unnest(ids)), me, 604800
    )
    where outcome = 'settled';
    return settled;
end
$$;

insert into users (id, name)
values (seller(), 'seller'), (buyer(), 'buyer'), (rival(), 'rival');
insert into api_keys (id, user_id, name, prefix, digest, sealed, permissions, line_id)
values (api_key(), buyer(), 'test', 'ak_ai_', sha256('key'), '', '{purchase}', api_key());
insert into objects (key, sha256, size_bytes)
values ('packages/a', sha256('a'), 1);
insert into packages (id, public_id, owner_id, upload_id, package_type, name, description, source_model,
                      target_model, epsilon_declared, evidence_level, package_key, w_matrix_key, report, line_id)
select id, 'pkg_' || id, seller(), id, 'vector', 'sample', 'a sample', 'a', 'b', 0.01, 'declared',
       'packages/a', 'packages/a', '{}', id
from unnest(array[open_package(), rare_package(), single_package(), free_package()]) as id;
insert into listings (package_id, seller_id, api_key_id, price_minor, license_mode, supply)
values (open_package(), seller(), api_key(), 1000, 'unlimited', null),
       (rare_package(), seller(), api_key(), 1000, 'exclusive', 1),
       (single_package(), seller(), api_key(), 1000, 'limited', 1),
       (free_package(), seller(), api_key(), 0, 'unlimited', null);

select ledger_account(seller(), 'seller_earnings', 'USD'), ledger_account(nobody(), 'platform_fees', 'USD'),
       ledger_account(nobody(), 'payments_clearing', 'EUR');
select ledger_post('top_up', gen_random_uuid(), 'USD', 'req_market', array[buyer(), nobody()],
                   array['buyer_credits', 'payments_clearing'], array[5000, -5000]);
-- Bought and returned; bought; failed; and one that waits.
select attempt(single_package(), buyer(), 'limited', attempt_id => returned()),
       ledger_hold(returned(), buyer(), 'USD', 1000);
select attempt(open_package(), buyer(), attempt_id => sale()), ledger_hold(sale(), buyer(), 'USD', 1000);
select settle(returned(), sale());
select ledger_post('refund', returned(), 'USD', 'req_market', array[buyer(), seller(), nobody()],
                   array['buyer_credits', 'seller_earnings', 'platform_fees'], array[1000, -850, -150]);
update purchases
set state = 'refunded'
where id = returned();
select attempt(rare_package(), buyer(), 'exclusive', attempt_id => failed()),
       ledger_hold(failed(), buyer(), 'USD', 1000);
update purchases
set state = 'failed', reason_code = 'EXPIRED'
where id = failed();
select ledger_release(failed(), 'voided');
select attempt(rare_package(), buyer(), 'exclusive', attempt_id => waiting()),
       ledger_hold(waiting(), buyer(), 'USD', 1000);
-- Half of the history is folded, half waits.
select ledger_fold(3);
