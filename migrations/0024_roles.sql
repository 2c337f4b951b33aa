-- Who may do what in the database: the whole list. It is the last migration on purpose.
--
-- The programs log in as awareness_app, or as a login of their own that is a member of it. It owns nothing,
-- creates nothing but temporary tables, and has no role to fall back on. Migrations run as another login,
-- the owner of the schema, which no program of the marketplace is given (MIGRATION_DATABASE_URL).
--
-- All is taken back first, so what is not named below is refused, column by column: a table or a column
-- that a later migration adds is the services' only with a line here, or in that migration. The test
-- `the_services_may_do_what_their_statements_need_and_no_more` reads every statement of theirs, and names
-- the right that is missing, and the one too many. `the_api_s_login_is_refused_what_is_not_its_business`
-- tries the rest with the very address that the API is given.

-- Nothing is granted by itself.
alter default privileges in schema public revoke all on tables from awareness_app;
alter default privileges in schema public revoke all on functions from awareness_app;
revoke all on all tables in schema public from awareness_app, public;
revoke all on all sequences in schema public from awareness_app, public;
revoke all on all functions in schema public from awareness_app, public;
revoke create on schema public from public, awareness_app;
grant usage on schema public to awareness_app;

-- People and their keys. Roles and blocks change by set_user_role and set_user_blocked alone.
grant select on users, api_keys, sessions, refresh_tokens, oauth_attempts, sign_in_devices, password_salts to
    awareness_app;
grant insert (id, name, kind, email, password_hash, github_id, agent_type, metadata) on users to awareness_app;
grant update (
    name, package_count, password_hash, github_id, about, profile_version, password_version
) on users to awareness_app;
grant insert (
    id, user_id, name, prefix, digest, sealed, permissions, line_id, is_own, budget_day_minor,
    budget_purchase_minor, package_types, expires_at
) on api_keys to awareness_app;
grant update (last_used_at, revoked_at, expires_at) on api_keys to awareness_app;
grant insert (
    id, user_id, user_agent, address, expires_at, network, password_version
) on sessions to awareness_app;
grant update (
    last_used_at, expires_at, revoked_at, revoked_because, password_version
) on sessions to awareness_app;
grant insert (digest, session_id, expires_at) on refresh_tokens to awareness_app;
grant update (used_at) on refresh_tokens to awareness_app;
grant insert (state_digest, browser_digest, verifier, expires_at) on oauth_attempts to awareness_app;
grant insert (user_id, digest) on sign_in_devices to awareness_app;
grant update (last_used_at) on sign_in_devices to awareness_app;
grant insert (email, salt) on password_salts to awareness_app;
grant delete on sessions, oauth_attempts, sign_in_devices to awareness_app;

-- The log of operators only grows; its guards let an open row be completed once.
grant select on audit_log to awareness_app;
grant insert (actor, actor_id, action, target, address, request_id, actor_role, status) on audit_log to awareness_app;
grant update (status, reason, amount_minor, currency, recipient_id) on audit_log to awareness_app;

-- The pipeline.
grant select on jobs, job_faults, workers, queue_controls, quarantined_payloads, events, idempotency_keys to
    awareness_app;
grant insert (
    id, name, queue, lane, tenant, subject, trace, state, run_at, cost_ms
) on jobs to awareness_app;
grant update (
    lane, state, fence, attempts, snoozes, crashes, worker, reason, cancel_requested, run_at, started_at,
    finished_at, rung, rests_until, turn
) on jobs to awareness_app;
grant insert (job_id, fence, outcome, reason, worker) on job_faults to awareness_app;
grant insert (id, name, queues, alive_until) on workers to awareness_app;
grant update (alive_until) on workers to awareness_app;
grant insert (queue, paused, reason) on queue_controls to awareness_app;
grant update (paused, reason, changed_at) on queue_controls to awareness_app;
grant insert (queue, task_id, bytes, reason) on quarantined_payloads to awareness_app;
grant insert (subject, kind, trace, data) on events to awareness_app;
grant insert (user_id, endpoint, key, fingerprint, status, body, api_key_id) on idempotency_keys to awareness_app;
grant delete on jobs, workers, quarantined_payloads, idempotency_keys to awareness_app;

-- What is uploaded and sold. Figures of reviews and stars, versions of listings, the count of what is taken, and the
-- shelf are written by triggers.
grant select on objects, uploads, upload_batches, packages, listings, listing_versions, reviews, stars,
    package_days, package_deltas, package_downloaders, originals, shelf, shelf_words, shelf_word_packages, downloads
    to awareness_app;
grant insert (key, sha256, size_bytes, state) on objects to awareness_app;
grant update (state, touched_at) on objects to awareness_app;
grant insert (
    id, public_id, owner_id, api_key_id, request_id, package_type, name, description, source_model, target_model,
    epsilon, price_minor, webhook_url, package_bytes, package_sha256, package_parts, w_matrix_bytes,
    w_matrix_sha256, w_matrix_parts, status, stage, progress, committed_at, licence_mode, supply, category, tags,
    semver, line_id, is_draft
) on uploads to awareness_app;
grant update (
    status, stage, progress, attempts, report, error_code, error_message, package_id, version, committed_at,
    validating_at, publishing_at, finished_at, staging_swept_at, batch_id
) on uploads to awareness_app;
grant insert (id, public_id, owner_id, request_id, items) on upload_batches to awareness_app;
grant insert (
    id, public_id, owner_id, upload_id, package_type, name, description, source_model, target_model,
    epsilon_declared, epsilon_measured, evidence_level, tier, package_key, w_matrix_key, report, category, tags,
    semver, line_id, source_dimension, target_dimension, is_latest
) on packages to awareness_app;
grant update (name, description, category, tags, is_latest, details_version) on packages to awareness_app;
grant insert (
    package_id, seller_id, api_key_id, price_minor, currency, licence_mode, supply, status, webhook_url
) on listings to awareness_app;
grant update (
    api_key_id, price_minor, licence_mode, supply, status, webhook_url, version, updated_at
) on listings to awareness_app;
grant insert (id, package_id, buyer_id, stars, body) on reviews to awareness_app;
grant update (stars, body, reply, replied_at, version, updated_at) on reviews to awareness_app;
grant insert (package_id, user_id) on stars to awareness_app;
grant insert (package_id, sales, downloads, downloaders, recent) on package_deltas to awareness_app;
grant insert (package_id, purchase_id) on package_downloaders to awareness_app;
grant update (counted_on) on package_downloaders to awareness_app;
grant insert (purchase_id, package_id, blob) on downloads to awareness_app;
grant delete on objects, reviews, stars to awareness_app;

-- Money. The ledger is written by its functions; `settled_at` and `settlement_id` by settle_purchases.
grant select on accounts, transfers, entries, account_deltas, holds, quotes, purchases, disputes, payouts, payments,
    payment_notices to awareness_app;
grant insert (
    id, buyer_id, package_id, listing_version, price_minor, currency, package_sha256, w_matrix_sha256, token,
    expires_at
) on quotes to awareness_app;
grant insert (
    id, package_id, buyer_id, seller_id, api_key_id, listing_version, licence_mode, price_minor, fee_minor,
    net_minor, currency, payment_method, quote_id, request_id, webhook_url, state, expires_at, takes_supply
) on purchases to awareness_app;
grant update (
    state, reason_code, reason, grant_expires_at, expires_at, version, finished_at, payment_method,
    payer_key_id, quote_id, takes_supply, reserved_until, return_reason
) on purchases to awareness_app;
grant insert (id, purchase_id, reason, description, request_id) on disputes to awareness_app;
grant update (
    state, finding, report, decided_by, note, version, measured_at, resolved_at
) on disputes to awareness_app;
grant insert (id, seller_id, amount_minor, currency, request_id) on payouts to awareness_app;
grant update (state, reference, reason, version, finished_at) on payouts to awareness_app;
grant insert (
    id, user_id, api_key_id, purpose, purchase_id, amount_minor, currency, method_id, state, request_id,
    webhook_url, next_look_at, expires_at
) on payments to awareness_app;
grant update (
    state, provider_id, client_secret, reason_code, decline_code, message, version, looks, next_look_at,
    sent_at, finished_at, called_off_at
) on payments to awareness_app;
grant insert (id, payment_id, kind) on payment_notices to awareness_app;
grant delete on quotes, payment_notices to awareness_app;

-- Webhooks. Partitions are reached through their parents.
grant select on webhook_endpoints, webhook_secrets, webhook_health, webhook_events, webhook_bodies,
    webhook_deliveries, webhook_attempts, webhook_recoveries to awareness_app;
grant insert (
    id, owner_id, source, url, description, api_key_id, event_types, payload, ordering, plan, plan_seconds,
    stop_on_client_error, rate_per_second, concurrency, timeout_seconds, header_names, sealed_headers
) on webhook_endpoints to awareness_app;
grant update (
    url, description, api_key_id, event_types, payload, ordering, plan, plan_seconds, stop_on_client_error,
    rate_per_second, concurrency, timeout_seconds, header_names, sealed_headers, state, disabled_reason,
    disabled_at, version, changed_at, deleted_at
) on webhook_endpoints to awareness_app;
grant insert (id, endpoint_id, sealed, created_at) on webhook_secrets to awareness_app;
grant update (expires_at) on webhook_secrets to awareness_app;
grant insert (endpoint_id, failing_since, memory) on webhook_health to awareness_app;
grant update (failing_since, memory, updated_at) on webhook_health to awareness_app;
grant insert (id, owner_id, subject, event_type, dedupe, trace) on webhook_events to awareness_app;
grant update (expunged_at) on webhook_events to awareness_app;
grant insert (event_id, day, body) on webhook_bodies to awareness_app;
grant insert (
    id, event_id, endpoint_id, owner_id, event_type, subject, sequence, state, ordered, trigger, recovery_id,
    next_at, accepted_at
) on webhook_deliveries to awareness_app;
grant update (
    state, trigger, ended_as, attempts, tries, holds, outcome, status_code, recovery_id, next_at, accepted_at,
    finished_at
) on webhook_deliveries to awareness_app;
grant insert (
    delivery_id, attempt, trigger, outcome, status_code, detail, resolve_ms, connect_ms, first_byte_ms, body_ms,
    duration_ms, response
) on webhook_attempts to awareness_app;
grant update (detail, response) on webhook_attempts to awareness_app;
grant insert (id, owner_id, endpoint_id, mode, since, until, total, trace) on webhook_recoveries to awareness_app;
grant update (state, queued, reached, version, finished_at) on webhook_recoveries to awareness_app;
grant delete on webhook_secrets, webhook_health, webhook_events, webhook_bodies, webhook_deliveries to
    awareness_app;

-- Which migrations there were: for /readyz.
grant select on _sqlx_migrations to awareness_app;

-- A function that runs with the rights of its caller gives none: all of those may be called. Those that run
-- with the rights of the owner are the doors, and stand here by name.
do $$
declare
    harmless regprocedure;
begin
    for harmless in
        select oid::regprocedure
        from pg_proc
        where pronamespace = 'public'::regnamespace
          and not prosecdef
          and prorettype <> 'trigger'::regtype
          and pg_has_role(proowner, 'usage')
    loop
        execute format('grant execute on function %s to awareness_app', harmless);
    end loop;
end
$$;
grant execute on function set_user_role(bigint, uuid, text) to awareness_app;
grant execute on function set_user_blocked(bigint, uuid, text) to awareness_app;
grant execute on function set_package_taken_down(bigint, uuid, text, boolean) to awareness_app;
grant execute on function fold_counters(bigint) to awareness_app;
grant execute on function sweep_words(bigint) to awareness_app;
grant execute on function ledger_account(uuid, text, text) to awareness_app;
grant execute on function ledger_post(text, uuid, text, text, uuid[], text[], bigint[]) to awareness_app;
grant execute on function ledger_hold(uuid, uuid, text, bigint) to awareness_app;
grant execute on function ledger_release(uuid, text) to awareness_app;
grant execute on function ledger_fold(integer) to awareness_app;
grant execute on function settle_purchases(uuid[], integer[], uuid, double precision) to awareness_app;
grant execute on function check_dispute_matches(uuid) to awareness_app;
grant execute on function lock_earnings(uuid, text) to awareness_app;
grant execute on function keep_webhook_partitions(integer, integer) to awareness_app;
