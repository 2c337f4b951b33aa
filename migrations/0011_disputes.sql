-- Disputes: a buyer says that a settled purchase is not what was sold. The seller's share of that
-- sale is frozen, the package is measured again, and the measurement or an operator decides.
--
--   open ──▶ measured ──▶ resolved_refund | resolved_release
--     └──────────────────────▲  (an operator need not wait for the measurement)
--
-- One dispute per purchase, for ever. A purchase is `disputed` exactly while its dispute is not resolved;
-- both sides check that at the end of their transaction.
create table disputes (
    id          uuid        primary key,
    purchase_id uuid        not null references purchases,
    reason      text        not null,
    description text        not null,
    request_id  text        not null,
    state       text        not null default 'open',
    finding     text,
    report      jsonb,
    decided_by  text,
    note        text,
    version     bigint      not null default 1,
    opened_at   timestamptz not null default now(),
    measured_at timestamptz,
    resolved_at timestamptz,
    constraint disputes_one_per_purchase unique (purchase_id),
    constraint disputes_reason_known check (reason in ('epsilon_too_high', 'corrupt', 'not_as_described', 'other')),
    constraint disputes_description_length check (length(description) between 1 and 2000),
    constraint disputes_state_known check (state in ('open', 'measured', 'resolved_refund', 'resolved_release')),
    constraint disputes_finding_known check (
        finding in ('as_listed', 'bytes_differ', 'validation_fails', 'epsilon_worse')
    ),
    constraint disputes_measured_has_report check (
        (measured_at is null) = (report is null) and (measured_at is null) = (finding is null)
    ),
    constraint disputes_state_has_measurement check (
        case state when 'open' then measured_at is null when 'measured' then measured_at is not null else true end
    ),
    constraint disputes_decider_known check (decided_by in ('measurement', 'operator')),
    constraint disputes_measurement_decides_measured check (
        decided_by is distinct from 'measurement' or measured_at is not null
    ),
    constraint disputes_resolved_has_decider check (
        (state in ('resolved_refund', 'resolved_release')) = (resolved_at is not null)
        and (resolved_at is null) = (decided_by is null)
    )
) with (fillfactor = 80);
-- What waits for an operator, newest first.
create index disputes_unresolved on disputes (id) where resolved_at is null;

create function check_dispute_change() returns trigger language plpgsql
    security definer set search_path = public, pg_temp as $$
begin
    if tg_op = 'INSERT' then
        if new.state <> 'open' then
            raise exception 'a dispute begins open'
                using errcode = 'check_violation', constraint = 'disputes_state_order';
        end if;
        return new;
    end if;
    if (new.id, new.purchase_id, new.reason, new.description, new.opened_at)
       is distinct from (old.id, old.purchase_id, old.reason, old.description, old.opened_at)
       or (old.measured_at is not null
           and (new.measured_at, new.finding, new.report) is distinct from (old.measured_at, old.finding, old.report)) then
        raise exception 'what a dispute is about, and what was measured, does not change'
            using errcode = 'check_violation', constraint = 'disputes_keep_claim';
    end if;
    if old.resolved_at is not null
       or (new.state <> old.state and (old.state, new.state) not in (
           ('open', 'measured'),
           ('open', 'resolved_refund'), ('open', 'resolved_release'),
           ('measured', 'resolved_refund'), ('measured', 'resolved_release')
       )) then
        raise exception 'a dispute does not go from % to %', old.state, new.state
            using errcode = 'check_violation', constraint = 'disputes_state_order';
    end if;
    return new;
end
$$;
create trigger disputes_keep_order before insert or update on disputes
    for each row execute function check_dispute_change();
create trigger disputes_never_deleted before delete or truncate on disputes
    for each statement execute function refuse_change();

-- A dispute ends as its purchase does.
create function check_dispute_matches(purchase uuid) returns void language plpgsql
    security definer set search_path = public, pg_temp as $$
begin
    if exists (
        select
        from disputes
        join purchases on purchases.id = disputes.purchase_id
        where purchase_id = purchase
          and (
              (resolved_at is null) <> (purchases.state = 'disputed')
              or (disputes.state = 'resolved_refund' and purchases.state <> 'refunded')
          )
    ) then
        raise exception 'a purchase is disputed exactly while its dispute is not resolved'
            using errcode = 'check_violation', constraint = 'disputes_match_purchase';
    end if;
end
$$;
create function check_dispute() returns trigger language plpgsql as $$
begin
    perform check_dispute_matches(new.purchase_id);
    return null;
end
$$;
create function check_disputed_purchase() returns trigger language plpgsql as $$
begin
    perform check_dispute_matches(new.id);
    return null;
end
$$;
create constraint trigger disputes_match_purchase after insert or update of state on disputes
    deferrable initially deferred
    for each row execute function check_dispute();
create constraint trigger purchases_match_dispute after update of state on purchases
    deferrable initially deferred
    for each row when (old.state = 'disputed' and new.state <> 'disputed') execute function check_disputed_purchase();

revoke update, delete, truncate on disputes from awareness_app;
grant update (state, finding, report, decided_by, note, version, measured_at, resolved_at) on disputes to awareness_app;
revoke execute on all functions in schema public from public;
grant execute on all functions in schema public to awareness_app;
