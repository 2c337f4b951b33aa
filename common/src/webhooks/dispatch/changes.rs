//! What follows from an answer: for the delivery, for the endpoint, and for its owner to hear.

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::claims::Due;
use super::finishes::Finish;
use super::open::Rules;
use crate::ids::{DeliveryId, EndpointId};
use crate::jobs::Lease;
use crate::limits::ORDERED_HOURS_MAX;
use crate::outbox::Outbox;
use crate::telemetry::metrics;
use crate::webhooks::announce::NewEvent;
use crate::webhooks::catalogue::EventType;
use crate::webhooks::client::{Attempt, Outcome};
use crate::webhooks::endpoints::{Ordering, commands};
use crate::webhooks::health::Change;
use crate::webhooks::state::DeliveryState;
use crate::webhooks::timing::Timings;
use crate::webhooks::verdict::{Chain, End, Options, decide};

/// News of a delivery that was given up.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DeliveryExhausted<'a> {
    event: &'static str,
    delivery_id: DeliveryId,
    endpoint_id: EndpointId,
    url: &'a str,
    event_type: &'a str,
    event_id: String,
    attempts: i32,
    last_outcome: &'a str,
    last_status: Option<i16>,
    ordering_gap: bool,
}

/// The attempt as it is recorded, with what becomes of its delivery.
pub(super) fn finish(
    lease: &Lease,
    rules: &Rules,
    due: &Due,
    attempt: &Attempt,
    now: DateTime<Utc>,
) -> Finish {
    let chain = Chain {
        tries: due.tries,
        holds: due.holds,
        trigger: due.trigger,
        ended_as: due.ended_as,
        accepted_at: due.accepted_at,
        hours_max: (rules.ordering == Ordering::Subject).then_some(ORDERED_HOURS_MAX),
    };
    let options = Options {
        stop_on_client_error: rules.stop_on_client_error,
    };
    let verdict = decide(&chain, &rules.plan, attempt, options, now, rand::random());
    let (outcome, status_code, detail) = describe(attempt);
    let is_given_up = matches!(verdict.ended, Some(End::Exhausted | End::Stopped));
    let mut finish = Finish {
        delivery: due.id,
        endpoint: rules.id,
        job: lease.job,
        fence: lease.fence,
        worker: lease.worker,
        attempts: due.attempts,
        trigger: due.trigger,
        next_trigger: verdict.trigger,
        ended_as: verdict.ended_as,
        state: verdict.state,
        tries: verdict.tries,
        holds: verdict.holds,
        next_in: verdict.next_in.unwrap_or_default(),
        outcome,
        status_code,
        detail,
        timings_ms: phases(&attempt.timings),
        duration_ms: attempt.timings.total.as_secs_f32() * 1e3,
        response: attempt.response_excerpt.clone().unwrap_or_default(),
        news: None,
    };
    if is_given_up && !due.is_test {
        finish.news = exhausted(rules, due, &finish);
    }
    finish
}

fn describe(attempt: &Attempt) -> (&'static str, Option<i16>, String) {
    let (class, status, detail) = match &attempt.outcome {
        Outcome::Delivered { status } => ("delivered", Some(*status), String::new()),
        Outcome::Refused {
            class,
            status,
            detail,
            ..
        } => (class.as_str(), *status, detail.clone()),
    };
    (class, status.map(u16::cast_signed), detail)
}

fn phases(timings: &Timings) -> [Option<f32>; 4] {
    [
        timings.resolve,
        timings.connect,
        timings.first_byte,
        timings.body,
    ]
    .map(|phase| phase.map(|time| time.as_secs_f32() * 1e3))
}

/// Of news about endpoints and deliveries no news is made, so that a dead endpoint breeds none.
fn exhausted(rules: &Rules, due: &Due, finish: &Finish) -> Option<NewEvent<'static>> {
    let about = due.event_type.parse::<EventType>().ok()?;
    if about.is_about_delivery() {
        return None;
    }
    let message = DeliveryExhausted {
        event: EventType::DeliveryExhausted.as_str(),
        delivery_id: due.id,
        endpoint_id: rules.id,
        url: &rules.url,
        event_type: &due.event_type,
        event_id: due.event_id.to_string(),
        attempts: finish.attempts + 1,
        last_outcome: finish.outcome,
        last_status: finish.status_code,
        ordering_gap: rules.ordering == Ordering::Subject,
    };
    Some(NewEvent {
        owner: rules.owner,
        subject: due.id.0,
        event_type: EventType::DeliveryExhausted,
        occasion: Some(finish.attempts.to_string().into()),
        body: serde_json::to_vec(&message).expect("plain text serialises"),
        trace: due.trace.clone().into(),
        address: None,
    })
}

/// One wide line for each attempt, and its metrics.
pub(super) fn report(rules: &Rules, due: &Due, attempt: &Attempt, finish: &Finish, lease: &Lease) {
    let metrics = metrics();
    let outcome = &[finish.outcome];
    metrics.webhook_attempts.with_label_values(outcome).inc();
    let timings = &attempt.timings;
    for (phase, time) in [
        ("resolve", timings.resolve),
        ("connect", timings.connect),
        ("first_byte", timings.first_byte),
        ("body", timings.body),
        ("total", Some(timings.total)),
    ] {
        if let Some(time) = time {
            let histogram = &metrics.webhook_attempt_seconds;
            histogram
                .with_label_values(&[phase])
                .observe(time.as_secs_f64());
        }
    }
    if finish.state == DeliveryState::Delivered {
        let age = (Utc::now() - due.occurred_at).to_std().unwrap_or_default();
        metrics.webhook_age_seconds.observe(age.as_secs_f64());
    }
    let step = match finish {
        finish if finish.state != DeliveryState::Pending => finish.state.as_str(),
        finish if finish.holds > due.holds => "hold",
        _ => "retry",
    };
    metrics.webhook_deliveries.with_label_values(&[step]).inc();
    tracing::info!(
        webhook.delivery = %due.id,
        webhook.message = %due.event_id,
        webhook.event = due.event_type,
        webhook.endpoint = %rules.id,
        webhook.attempt = due.attempts + 1,
        webhook.trigger = %due.trigger,
        webhook.outcome = finish.outcome,
        webhook.status = finish.status_code,
        webhook.detail = finish.detail,
        webhook.step = step,
        webhook.next_in_seconds = finish.next_in.as_secs_f64(),
        webhook.tries = finish.tries,
        webhook.holds = finish.holds,
        duration_ms = finish.duration_ms,
        resolve_ms = finish.timings_ms[0],
        connect_ms = finish.timings_ms[1],
        first_byte_ms = finish.timings_ms[2],
        body_ms = finish.timings_ms[3],
        request.id = due.trace,
        job.fence = lease.fence,
        "delivery.attempted"
    );
}

/// Tells the owner what became of the endpoint. True if it takes nothing more for now.
pub(super) async fn tell(
    outbox: &Outbox,
    rules: &Rules,
    change: &Change,
) -> Result<bool, sqlx::Error> {
    match change {
        Change::Opened => {
            metrics().webhook_breakers_opened.inc();
            tracing::warn!(webhook.endpoint = %rules.id, "Stopped sending to an endpoint that fails, for a while");
            Ok(true)
        }
        Change::Closed => Ok(false),
        Change::Failing { since, hours } => {
            commands::tell_failing(outbox, rules.id, *since, *hours).await?;
            Ok(false)
        }
        Change::Recovered { since } => {
            commands::tell_recovered(outbox, rules.id, *since).await?;
            Ok(false)
        }
        Change::Disable(reason) => {
            commands::disable_by_worker(outbox, rules.id, reason.as_str()).await?;
            Ok(true)
        }
    }
}
