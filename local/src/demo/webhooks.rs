//! An endpoint that fails, is tried again, recovers, and catches up on what it did not hear.

use std::time::Duration;

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::caller::Caller;
use super::client::ApiClient;
use super::packages::DemoPackage;
use super::{DemoError, DemoReport};
use crate::receiver::{Received, Reply, Signature};
use crate::stack::Stack;

const ENDPOINTS: &str = "/api/ai/webhooks/endpoints";
/// Where the endpoint of the demo listens at the sandbox receiver.
const PATH: &str = "/endpoint";
/// The first retry comes after at most eight seconds.
const ARRIVAL_MAX: Duration = Duration::from_secs(30);
/// Bytes that no validation lets in: what they cause is `upload.failed`.
const REFUSED: &[u8] = b"\x80\x04\x95\x1a\x00\x00\x00\x00\x00\x00\x00";

/// Shows it.
pub(super) async fn fail_and_catch_up(
    stack: &Stack,
    client: &ApiClient,
    package: &DemoPackage,
    report: &mut DemoReport,
) -> Result<(), DemoError> {
    let seller = Caller::new(stack, &stack.keys.seller);
    let endpoint = register(stack, &seller, report).await?;
    retry(stack, client, package, report).await?;
    catch_up(stack, &seller, client, package, &endpoint, report).await?;
    seller.delete(&format!("{ENDPOINTS}/{endpoint}")).await
}

async fn register(
    stack: &Stack,
    seller: &Caller,
    report: &mut DemoReport,
) -> Result<String, DemoError> {
    let body = json!({
        "url": format!("{}{PATH}", stack.receiver.url()),
        "eventTypes": ["upload.failed"],
        "description": "the demo",
    });
    let created = seller.post(ENDPOINTS, &body).await?;
    let endpoint = created.text("endpointId").to_owned();
    stack.receiver.trust_standard_secret(created.text("secret"));
    let trial = json!({ "eventType": "upload.failed" });
    let tried = seller
        .post(&format!("{ENDPOINTS}/{endpoint}/test"), &trial)
        .await?;
    let timeline = &tried.body["data"]["timeline"][0];
    let detail = format!(
        "{endpoint} hears of upload.failed; a trial is {} after {:.1} ms",
        tried.text("status"),
        timeline["durationMs"].as_f64().unwrap_or(f64::NAN),
    );
    stack.terminal.line("endpoint", &detail);
    let as_expected = created.status == 201 && tried.text("status") == "delivered";
    report.add(
        "an endpoint is registered and tried".to_owned(),
        as_expected,
        detail,
    );
    Ok(endpoint)
}

/// The receiver is down for one try, and hears the same message by the next.
async fn retry(
    stack: &Stack,
    client: &ApiClient,
    package: &DemoPackage,
    report: &mut DemoReport,
) -> Result<(), DemoError> {
    let down = Reply::of(StatusCode::SERVICE_UNAVAILABLE);
    stack.receiver.set_reply_at(PATH, down);
    let key = common::ids::new_request_id();
    let upload = client.upload_json(package, REFUSED, &key).await?.upload_id;
    let first = arrival(stack, &upload, |it| it.answered == 503).await?;
    let detail = format!(
        "the receiver answers 503 to attempt {} of {}",
        first.headers["x-awareness-attempt"], first.headers["x-awareness-delivery"],
    );
    stack.terminal.line("fails", &detail);
    stack.receiver.set_reply_at(PATH, Reply::default());
    let second = arrival(stack, &upload, |it| it.answered == 200).await?;
    let waited = second.received_at - first.received_at;
    let detail = format!(
        "the same message {} s later, as attempt {}, signature {}",
        waited.num_seconds(),
        second.headers["x-awareness-attempt"],
        match second.standard_signature {
            Signature::Valid => "verified",
            Signature::Invalid | Signature::Missing => "NOT VERIFIED",
        }
    );
    stack.terminal.line("recovers", &detail);
    let as_expected = second.webhook_id == first.webhook_id
        && second.text == first.text
        && second.standard_signature == Signature::Valid;
    report.add(
        "a failed delivery arrives by its next try".to_owned(),
        as_expected,
        detail,
    );
    Ok(())
}

/// What happens while it is disabled is held, and sent once it is enabled.
async fn catch_up(
    stack: &Stack,
    seller: &Caller,
    client: &ApiClient,
    package: &DemoPackage,
    endpoint: &str,
    report: &mut DemoReport,
) -> Result<(), DemoError> {
    let path = format!("{ENDPOINTS}/{endpoint}");
    let off = json!({ "reason": "the demo" });
    seller.post(&format!("{path}/disable"), &off).await?;
    let key = common::ids::new_request_id();
    let upload = client.upload_json(package, REFUSED, &key).await?.upload_id;
    client.ended(&upload).await?;
    let held = format!("/api/ai/webhooks/deliveries?endpointId={endpoint}&status=held");
    let held = seller.get(&held).await?;
    let held = held.body["data"]["deliveries"]
        .as_array()
        .map_or(0, Vec::len);
    let enabled = seller
        .post(&format!("{path}/enable"), &json!({ "held": "replay" }))
        .await?;
    let received = arrival(stack, &upload, |_| true).await?;
    let recovery = seller.get(enabled.text("recoveryUrl")).await?;
    let queued: &Value = &recovery.body["data"]["queued"];
    let detail = format!(
        "{held} held while it was disabled, {queued} sent once it was enabled ({})",
        received.event.as_deref().unwrap_or_default()
    );
    stack.terminal.line("catches up", &detail);
    let as_expected = held == 1 && *queued == json!(1);
    report.add(
        "an endpoint catches up on what was held for it".to_owned(),
        as_expected,
        detail,
    );
    Ok(())
}

/// The next webhook about an upload at the endpoint's path.
async fn arrival(
    stack: &Stack,
    upload: &str,
    wanted: impl Fn(&Received) -> bool,
) -> Result<Received, DemoError> {
    let is_it =
        |it: &Received| it.path == PATH && it.upload_id.as_deref() == Some(upload) && wanted(it);
    tokio::time::timeout(ARRIVAL_MAX, stack.receiver.wait_for(is_it))
        .await
        .map_err(|_| DemoError::Late("a webhook", ARRIVAL_MAX))
}
