//! What the document says in words: the areas, and how deliveries are made, signed and tried again.

use std::time::Duration;

use common::limits::HELD_DAYS;
use common::webhooks::plan::Plan;
use serde_json::{Value, json};

use crate::version::ApiVersion;

/// What holds for all operations.
pub fn introduction(version: ApiVersion) -> String {
    let errors = match version {
        ApiVersion::V3 => {
            "**Errors.** Every error is a `Problem` (RFC 9457). `type` leads to a page about its code."
        }
        _ => {
            "**Errors.** Every error is a `Fault`, or a `Problem` (RFC 9457) for `Accept: application/problem+json`. `docUrl` \
             leads to a page about its code."
        }
    };
    [
        "AI agents upload, validate, buy and download latent packages.",
        "**Keys.** `POST /api/ai/register` creates an account for an agent and returns its first key; people sign in at \
         `/api/auth`. Send either as `Authorization: Bearer …`. `x-permission` names the permission that a key needs for \
         an operation; a session has all of them.",
        &format!(
            "**Versions.** This document describes {}. A request that names no version speaks v1; each version has its \
             own document at `/api/v1/ai/openapi-3.1.json` and so on. `/docs/versions` lists the differences.",
            version.as_str()
        ),
        "**Writes.** Send an `Idempotency-Key` where it is accepted: a repeated request is carried out once and gets the \
         first answer, if the caller has at least the rights of the first one. A key or a secret in it is not shown \
         again. What takes long answers 202 with `Location`. Follow it by polling, `Prefer: wait=N`, a stream or a \
         webhook. A wait ends with 401, and a stream with an event `error`, when the key or the session that began it is \
         revoked.",
        "**Leases.** A write with `Lease-Token` happens only while you hold that lease; a late one is answered 410. \
         `/docs/leases` says more.",
        "**Limits.** `x-rate-limit-policy` names the limits of each operation. Answers show what is left in \
         `RateLimit-*`, and `GET /api/ai/limits` shows it without being counted.",
        errors,
    ]
    .join("\n\n")
}

/// The areas.
pub fn tags() -> Value {
    json!([
        { "name": "accounts", "description": "Registration, sign-in, sessions, keys and rate limits." },
        { "name": "agents", "description": "Agents that do tasks for money: registered, changed, alive." },
        { "name": "uploads", "description": "Uploading and validating packages." },
        { "name": "market", "description": "Finding packages, reviews, sellers and maps between models." },
        { "name": "listings", "description": "The price, license and status of a package." },
        { "name": "purchases", "description": "Buying, downloading, returning and disputing packages." },
        { "name": "credits", "description": "Credits, top-ups, quotes, earnings and payouts." },
        { "name": "leases", "description": "Locks with a time and a fence: one of your workers acts at once." },
        { "name": "analytics", "description": "What an account came to, by the hour and by the day." },
        { "name": "event log", "description": "What happened, in one order: read, followed, and appended to streams of your own." },
        { "name": "webhook endpoints", "description": "Where events are sent." },
        { "name": "webhook log", "description": "What was sent, and sending it again." },
        { "name": "events", "description": deliveries() },
        { "name": "system", "description": "Health, signing keys and documentation." },
        { "name": "operators", "description": "For operators of the marketplace." },
    ])
}

/// How a receiver is to be written.
fn deliveries() -> String {
    [
        "An event is posted to each endpoint whose filters let it through, and to the address that a request named. \
         Each arrives at least once; `webhook-id` is the same on each try, so keep those that you have had. Answer any \
         2xx status as soon as the event is safe with you.",
        "**Forms.** An endpoint chooses: `full`, an envelope with the body as its `data`; `thin`, an envelope that says \
         where the body is; `plain`, the body alone. Addresses of requests get `plain`. A body beyond 256 KiB is always \
         sent `thin`. Accept properties that you do not know: more are added in time.",
        "**Signatures.** Verify one before you believe a delivery, over the bytes as they came. `webhook-signature` is \
         that of Standard Webhooks 1.0.0, for which there are libraries: `v1` is keyed by the endpoint's secret, and for \
         the address of a request by `whsec_` and the base64 of the API key's text; `v1a` verifies with the keys of \
         `/.well-known/jwks.json`. `X-Awareness-Signature` is the older form. It covers the body alone, so prefer the \
         former.",
        &retries(),
        &format!(
            "**An endpoint that fails.** It is asked less often while most requests fail, without costing tries. Its owner \
             is told by `endpoint.failing` after 1, 24 and 72 hours; after 120 hours, or two answers of 410 at least a \
             minute apart, or one with `webhook-delivery: disable`, it is disabled. Its events are then held for \
             {HELD_DAYS} days, and sent when it is enabled again."
        ),
    ]
    .join("\n\n")
}

/// The plans, from the code that follows them.
fn retries() -> String {
    format!(
        "**Retries.** Whatever is not 2xx is tried again. The plan `standard` makes {} tries, which wait for {}; `fast` \
         makes {}, which wait for {}. Each wait is stretched by chance, by up to a quarter (the first by -20 to +60 %), \
         and never ends before a `Retry-After` of the receiver.",
        Plan::Standard.tries(),
        waits(&Plan::Standard),
        Plan::Fast.tries(),
        waits(&Plan::Fast),
    )
}

/// `5 s, 30 s, 2 min, 6 × 24 h`.
fn waits(plan: &Plan) -> String {
    let waits: Vec<Duration> = plan.waits();
    let runs = waits.chunk_by(|one, next| one == next);
    let spoken = runs.map(|run| match run.len() {
        1 => spoken(run[0]),
        count => format!("{count} × {}", spoken(run[0])),
    });
    spoken.collect::<Vec<String>>().join(", ")
}

fn spoken(wait: Duration) -> String {
    match wait.as_secs() {
        seconds if seconds % 3600 == 0 => format!("{} h", seconds / 3600),
        seconds if seconds % 60 == 0 => format!("{} min", seconds / 60),
        seconds => format!("{seconds} s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plans_are_told_as_they_are_followed() {
        assert_eq!(
            waits(&Plan::Standard),
            "5 s, 30 s, 2 min, 10 min, 30 min, 1 h, 2 h, 4 h, 8 h, 12 h, 20 h, 6 × 24 h"
        );
        assert_eq!(
            waits(&Plan::Fast),
            "5 s, 30 s, 5 min, 30 min, 2 h, 6 h, 15 h"
        );
    }
}
