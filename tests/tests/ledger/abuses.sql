-- What wrong code would do. Each case is a claim, the constraint that refuses it, what the services'
-- login hears (denied: it may not even try; refused: it may do this rightly, and is refused as anybody),
-- and one transaction that must not commit. The words are those of market.sql.

-- an overdraft by a bare update
-- accounts_no_overdraft, denied
update accounts set balance_minor = -1, held_minor = 0 where id = credits();

-- a balance that moves without an entry
-- accounts_move_by_entries, denied
update accounts set balance_minor = balance_minor + 1 where id = credits();

-- a version that counts without an entry
-- accounts_move_by_entries, denied
update accounts set version = version + 1 where id = credits();

-- a balance that moves and is put back
-- accounts_move_by_entries, denied
update accounts set balance_minor = balance_minor + 1 where id = credits();
update accounts set balance_minor = balance_minor - 1 where id = credits();

-- a hot balance that moves by a bare update
-- accounts_move_by_entries, denied
update accounts set balance_minor = balance_minor + 1 where id = earnings();

-- a delta that nobody's entry left
-- account_deltas_come_from_entries, denied
insert into account_deltas (account_id, amount_minor) values (earnings(), 1);

-- a delta that is edited
-- account_deltas_come_from_entries, denied
update account_deltas set amount_minor = 1;

-- deltas that vanish
-- account_deltas_come_from_entries, denied
truncate account_deltas;

-- an account that is opened with money in it
-- accounts_begin_empty, denied
insert into accounts (owner_id, kind, currency, balance_minor) values (rival(), 'buyer_credits', 'USD', 1);

-- an account that is opened with a version
-- accounts_begin_empty, denied
insert into accounts (owner_id, kind, currency, version) values (rival(), 'buyer_credits', 'USD', 1);

-- an account that changes hands
-- accounts_keep_identity, denied
update accounts set owner_id = rival() where id = credits();

-- an account that becomes another kind
-- accounts_keep_identity, denied
update accounts set kind = 'seller_earnings', held_minor = 0 where id = credits();

-- an account that gets a new number
-- accounts_keep_identity, denied
update accounts set id = default where id = earnings();

-- an account that is deleted
-- accounts_append_only, denied
delete from accounts where id = earnings();

-- an account of a kind that there is not
-- accounts_kind_known, refused
select ledger_account(buyer(), 'pocket', 'USD');

-- an account of the platform with an owner
-- accounts_platform_is_nil, refused
select ledger_account(buyer(), 'platform_fees', 'USD');

-- a currency that is none
-- accounts_currency_shape, refused
select ledger_account(buyer(), 'buyer_credits', 'usd');

-- a hold of more than there is
-- accounts_no_overdraft, refused
select ledger_hold(gen_random_uuid(), buyer(), 'USD', 3001);

-- a hold of less than nothing
-- holds_amount_positive, refused
select ledger_hold(gen_random_uuid(), buyer(), 'USD', -1);

-- a second hold for one purchase
-- holds_pkey, refused
select ledger_hold(waiting(), buyer(), 'USD', 1);

-- a hold that the account does not know of
-- accounts_held_is_sum_of_holds, denied
insert into holds (id, account_id, amount_minor) values (gen_random_uuid(), credits(), 1);

-- an account that holds back without a hold
-- accounts_held_is_sum_of_holds, denied
update accounts set held_minor = held_minor + 1 where id = credits();

-- an account that forgets what it holds back
-- accounts_held_is_sum_of_holds, denied
update accounts set held_minor = 0 where id = credits();

-- a hold of earnings
-- accounts_hold_only_credits, denied
update accounts set held_minor = 1 where id = earnings();

-- a hold that begins as posted
-- holds_begin_pending, denied
insert into holds (id, account_id, amount_minor, state, resolved_at) values (gen_random_uuid(), credits(), 1,
    'posted', now());

-- a hold that is resolved twice
-- holds_resolve_once, denied
update holds set state = 'posted' where id = failed();

-- a hold that is opened again
-- holds_resolve_once, denied
update holds set state = 'pending', resolved_at = null where id = failed();
update accounts set held_minor = held_minor + 1000 where id = credits();

-- a hold that shrinks
-- holds_resolve_once, denied
update holds set amount_minor = 1 where id = waiting();
update accounts set held_minor = 1 where id = credits();

-- a hold that is resolved without a time
-- holds_resolved_has_time, denied
update holds set state = 'voided' where id = waiting();

-- a hold that is deleted
-- holds_append_only, denied
delete from holds where id = waiting();

-- holds that vanish
-- holds_append_only, denied
truncate holds;

-- a transfer that does not balance
-- transfers_balance, denied
select write_legs(new_transfer(), leg(1, fees(), 5), leg(2, clearing(), -4));

-- a transfer with one leg
-- transfers_balance, denied
select write_legs(new_transfer(), leg(1, fees(), 5));

-- a transfer without legs
-- transfers_have_legs, denied
select new_transfer();

-- a transfer between currencies
-- entries_fit, denied
select write_legs(new_transfer(), leg(1, fees(), 5), leg(2, (select id from accounts where currency = 'EUR'),
    -5));

-- a transfer in a currency that is not its accounts'
-- entries_fit, denied
select write_legs(new_transfer('EUR'), leg(1, fees(), 5), leg(2, clearing(), -5));

-- a transfer to an account that is not there
-- entries_fit, denied
select write_legs(new_transfer(), leg(1, fees(), 5), leg(2, 0, -5));

-- a transfer of nothing
-- entries_move_something, denied
select write_legs(new_transfer(), leg(1, fees(), 0), leg(2, clearing(), 0));

-- a transfer of a kind that there is not
-- transfers_kind_known, refused
select ledger_post('gift', gen_random_uuid(), 'USD', 'r', array[buyer(), nobody()], array['buyer_credits',
    'payments_clearing'], array[1, -1]);

-- two legs for one account
-- entries_come_at_once, denied
select write_legs(new_transfer(), leg(1, fees(), 5), leg(2, fees(), -5));

-- legs that come in a second statement
-- entries_come_at_once, denied
create temporary table late on commit drop as select new_transfer() as id;
select write_legs(id, leg(1, fees(), 5), leg(2, clearing(), -5)) from late;
select write_legs(id, leg(3, fees(), 5), leg(4, clearing(), -5)) from late;

-- legs that are added after the commit
-- entries_fit, denied
select write_legs(id, leg(8, fees(), 5), leg(9, clearing(), -5)) from transfers where subject = sale();

-- an entry of yesterday
-- entries_fit, denied
select write_legs(new_transfer(), leg(1, fees(), 5, at => now() - interval '1 day'), leg(2, clearing(), -5));

-- credits that move by an entry without a version
-- entries_fit, denied
select write_legs(new_transfer(), leg(1, credits(), 5), leg(2, clearing(), -5));

-- an entry whose account did not move
-- entries_fit, denied
select write_legs(new_transfer(), leg(1, credits(), 5, 5, 4005), leg(2, clearing(), -5));

-- an account version that is used again
-- entries_one_per_version, denied
select write_legs(new_transfer(), leg(1, credits(), 5, 4, 4005), leg(2, clearing(), -5));

-- an account version before the first
-- entries_version_counts, denied
select write_legs(new_transfer(), leg(1, credits(), 5, 0, 4005), leg(2, clearing(), -5));

-- an entry that lies about the balance after it
-- accounts_move_by_entries, denied
update accounts set balance_minor = balance_minor + 5, version = version + 1 where id = credits();
select write_legs(new_transfer(), leg(1, credits(), 5, 5, 9999), leg(2, clearing(), -5));

-- a balance that moves by more than its entry
-- accounts_move_by_entries, denied
update accounts set balance_minor = balance_minor + 50, version = version + 1 where id = credits();
select write_legs(new_transfer(), leg(1, credits(), 5, 5, 4050), leg(2, clearing(), -5));

-- an entry that is edited
-- entries_append_only, denied
update entries set amount_minor = 2 where leg = 1;

-- an entry that is deleted
-- entries_append_only, denied
delete from entries where leg = 1;

-- entries that vanish
-- entries_append_only, denied
truncate entries cascade;

-- a transfer that is edited
-- transfers_append_only, denied
update transfers set trace = 'other';

-- a transfer that is deleted
-- transfers_append_only, denied
delete from transfers where subject = sale();

-- transfers that vanish
-- transfers_append_only, denied
truncate transfers cascade;

-- a second settlement
-- transfers_once, refused
select ledger_post('settlement', sale(), 'USD', 'r', array[buyer(), seller()], array['buyer_credits',
    'seller_earnings'], array[-1000, 1000]);

-- a second refund
-- transfers_once, refused
select ledger_post('refund', returned(), 'USD', 'r', array[buyer(), seller()], array['buyer_credits',
    'seller_earnings'], array[1000, -1000]);

-- credits that are spent and not there
-- accounts_no_overdraft, refused
select ledger_post('adjustment', gen_random_uuid(), 'USD', 'r', array[buyer(), nobody()], array['buyer_credits',
    'payments_clearing'], array[-3001, 3001]);

-- earnings that are drawn and not there
-- accounts_seller_below_zero, refused
select ledger_post('payout', gen_random_uuid(), 'USD', 'r', array[seller(), nobody()], array['seller_earnings',
    'payouts'], array[-851, 851]);

-- supply that is kept without an end
-- purchases_reservation_ends, refused
select attempt(rare_package(), rival(), 'exclusive', attempt_state => 'awaiting_payment');

-- a sale that takes no supply
-- purchases_paid_takes_supply, refused
update purchases set takes_supply = false where id = waiting();

-- a reason to return what was not handed back
-- purchases_returned_is_refunded, refused
update purchases set return_reason = 'other' where id = sale();

-- bytes that another seller published first
-- packages_of_first_seller, refused
insert into packages (id, public_id, owner_id, upload_id, package_type, name, description, source_model,
    target_model, epsilon_declared, evidence_level, package_key, w_matrix_key, report, line_id) select
    gen_random_uuid(), 'pkg_copy', rival(), gen_random_uuid(), 'vector', 'copy', 'a copy', 'a', 'b', 0.01,
    'declared', 'packages/a', 'packages/a', '{}', gen_random_uuid();

-- bytes whose first seller is somebody else now
-- originals_append_only, denied
update originals set owner_id = rival();

-- a posting that does not balance
-- transfers_balance, refused
select ledger_post('adjustment', gen_random_uuid(), 'USD', 'r', array[buyer(), nobody()], array['buyer_credits',
    'payments_clearing'], array[2, -1]);

-- credits that a temporary table pretends
-- accounts_no_overdraft, refused
create temporary table accounts (like public.accounts) on commit drop;
insert into pg_temp.accounts values (4, buyer(), 'buyer_credits', 'USD', 1000000, 0, 4, now());
select ledger_hold(gen_random_uuid(), buyer(), 'USD', 100000);

-- a second live sale of an exclusive listing
-- purchases_exclusive_once, refused
select attempt(rare_package(), rival(), 'exclusive');

-- an exclusive listing that is bought as unlimited
-- purchases_as_listed, refused
select attempt(rare_package(), rival(), 'unlimited');

-- one sale more than a limited listing has
-- listings_not_oversold, refused
select attempt(single_package(), buyer(), 'limited'), attempt(single_package(), rival(), 'limited');

-- a second live purchase by one buyer
-- purchases_one_per_buyer, refused
select attempt(open_package(), buyer());

-- a price that the listing never had
-- purchases_as_listed, refused
select attempt(open_package(), rival(), price => 999);

-- a seller that is not the listing's
-- purchases_as_listed, refused
select attempt(open_package(), rival(), from_seller => buyer());

-- parts that do not sum to the price
-- purchases_parts_sum_to_price, refused
insert into purchases (id, package_id, buyer_id, seller_id, api_key_id, listing_version, license_mode,
    price_minor, fee_minor, net_minor, currency, payment_method, request_id, state, expires_at) select
    gen_random_uuid(), open_package(), rival(), seller(), api_key(), 1, 'unlimited', 1000, 150, 851, 'USD',
    'credits', 'r', 'pending', now();

-- a fee below zero
-- purchases_parts_sum_to_price, refused
select attempt(open_package(), rival(), fee => -1);

-- a seller that buys the own listing
-- purchases_not_from_oneself, refused
select attempt(open_package(), seller());

-- a purchase that begins as settled
-- purchases_state_order, refused
select attempt(open_package(), rival(), attempt_state => 'settled');

-- a purchase that is paid and waits again
-- purchases_keep_terms, denied
update purchases set state = 'pending', settlement_id = null, settled_at = null, grant_expires_at = null where
    id = sale();

-- a purchase that failed and waits again
-- purchases_state_order, refused
update purchases set state = 'pending', reason_code = null where id = failed();

-- a refund that is taken back
-- purchases_state_order, refused
update purchases set state = 'settled' where id = returned();

-- a sale that fails after all
-- purchases_state_order, denied
update purchases set state = 'failed', reason_code = 'x', settled_at = null, grant_expires_at = null,
    finished_at = now() where id = sale();

-- a sale without its settlement
-- purchases_settled_has_transfer, denied
update purchases set state = 'settled', settled_at = now(), grant_expires_at = now() where id = waiting();

-- a settlement that serves two sales
-- purchases_settlement_once, denied
update purchases set state = 'settled', settled_at = now(), grant_expires_at = now(), settlement_id = (select
    settlement_id from purchases where id = sale()) where id = waiting();

-- a price that changes after the purchase
-- purchases_keep_terms, denied
update purchases set price_minor = 1, fee_minor = 0, net_minor = 1 where id = waiting();

-- a purchase that changes hands
-- purchases_keep_terms, denied
update purchases set buyer_id = rival() where id = sale();

-- a purchase that is deleted
-- purchases_append_only, denied
delete from purchases where id = failed();

-- a price that changes without a version
-- listings_version_counts, refused
update listings set price_minor = 1 where package_id = open_package();

-- a price history that is edited
-- listing_versions_append_only, denied
update listing_versions set price_minor = 1;

-- a mode that changes after a sale
-- listings_sold_as_listed, refused
update listings set license_mode = 'exclusive', supply = 1, version = version + 1 where package_id =
    open_package();
