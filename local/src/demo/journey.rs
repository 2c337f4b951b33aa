//! The journey itself, step by step, with what was measured on the way.

use std::time::{Duration, Instant};

use futures::future::try_join;
use serde_json::Value;

use super::caller::Caller;
use super::client::{Accepted, ApiClient};
use super::packages::{self, DemoPackage};
use super::purchase::{self, Wanted};
use super::{DemoError, DemoReport, agents, market, race, webhooks};
use crate::receiver::{Received, Signature};
use crate::stack::Stack;

/// A webhook that takes longer is a failed step.
const WEBHOOK_WAIT_MAX: Duration = Duration::from_secs(30);

/// The ways into the API.
#[derive(Debug, Clone, Copy)]
enum Form {
    Json,
    Multipart,
    Presigned,
}

impl Form {
    fn name(self) -> &'static str {
        match self {
            Self::Json => "JSON",
            Self::Multipart => "multipart",
            Self::Presigned => "presigned",
        }
    }
}

/// Makes the journey.
pub async fn run(stack: &Stack) -> Result<DemoReport, DemoError> {
    let client = ApiClient::new(
        &stack.base_url,
        &stack.keys.seller,
        format!("{}/webhook", stack.receiver.url()),
    );
    let mut report = DemoReport::default();
    let packages = packages::all()?;
    // The first package goes in twice at the end, so it needs a key that no other run has used.
    let key = format!("demo-{}", common::ids::random_hex::<8>());
    let forms = [Form::Json, Form::Json, Form::Multipart, Form::Presigned];
    let mut first = None;
    for (package, form) in packages.iter().zip(forms.into_iter().cycle()) {
        let key = if first.is_none() {
            key.clone()
        } else {
            common::ids::new_request_id()
        };
        let accepted = upload(stack, &client, package, form, &key, &mut report).await?;
        first.get_or_insert((package, accepted.upload_id));
    }
    if let Some((package, upload_id)) = first {
        repeat(stack, &client, package, &key, &upload_id, &mut report).await?;
        send_hostile_bytes(stack, &client, package, &mut report).await?;
        trade(stack, &client, package, &upload_id, &mut report).await?;
        webhooks::fail_and_catch_up(stack, &client, package, &mut report).await?;
        market::explore(stack, package, &mut report).await?;
        agents::hire(stack, &mut report).await?;
    }
    Ok(report)
}

/// What was published is sold: to one buyer and back, then to one of ten; the audit closes the books.
async fn trade(
    stack: &Stack,
    client: &ApiClient,
    package: &DemoPackage,
    upload_id: &str,
    report: &mut DemoReport,
) -> Result<(), DemoError> {
    let status = client.ended(upload_id).await?;
    let wanted = Wanted {
        package_id: status["packageId"].as_str().unwrap_or_default(),
        package_type: &package.package_type,
        price: package.price,
    };
    let buyer = Caller::new(stack, &stack.keys.buyer);
    let purchase = purchase::buy(stack, &buyer, wanted, report).await?;
    purchase::refund(stack, &buyer, &purchase, wanted, report).await?;
    let seller = Caller::new(stack, &stack.keys.seller);
    race::race(stack, &seller, wanted, report).await?;
    race::audit(stack, report).await
}

async fn upload(
    stack: &Stack,
    client: &ApiClient,
    package: &DemoPackage,
    form: Form,
    key: &str,
    report: &mut DemoReport,
) -> Result<Accepted, DemoError> {
    let start = Instant::now();
    let accepted = match form {
        Form::Json => client.upload_json(package, package.w_matrix(), key).await?,
        Form::Multipart => client.upload_form(package).await?,
        Form::Presigned => client.upload_presigned(package).await?,
    };
    let accepted_after = start.elapsed();
    let watching = try_join(
        client.ended(&accepted.upload_id),
        client.stages(&accepted.upload_id),
    );
    let (status, stages) = watching.await?;
    let ended_after = start.elapsed();
    let size = package.package().len() + package.w_matrix().len();
    stack.terminal.line(
        "upload",
        &format!(
            "{} ({}, {}, {} KB)",
            package.name,
            package.package_type,
            form.name(),
            size / 1000
        ),
    );
    stack.terminal.detail("progress", &stages.join(" > "));
    stack.terminal.detail("verdict", &verdict(&status));
    stack.terminal.detail(
        "accepted / ended after",
        &format!("{} / {} ms", ms(accepted_after), ms(ended_after)),
    );
    let as_expected = status["status"] == package.expected.as_str()
        && status["error"].as_str() == package.expected_error.as_deref()
        && (status["packageId"].is_string() == (package.expected == "completed"));
    report.add(
        format!("{} is {}", package.name, package.expected),
        as_expected,
        verdict(&status),
    );
    expect_webhook(stack, &accepted.upload_id, &status, report).await?;
    Ok(accepted)
}

/// The receiver must have got the event, with both signatures good.
async fn expect_webhook(
    stack: &Stack,
    upload_id: &str,
    status: &Value,
    report: &mut DemoReport,
) -> Result<(), DemoError> {
    let waiting = stack.receiver.wait_for_upload(upload_id);
    let received: Received = tokio::time::timeout(WEBHOOK_WAIT_MAX, waiting)
        .await
        .map_err(|_| DemoError::Late("a webhook", WEBHOOK_WAIT_MAX))?;
    let event = received.event.clone().unwrap_or_default();
    let verified = |signature| match signature {
        Signature::Valid => "verified",
        Signature::Invalid => "INVALID",
        Signature::Missing => "MISSING",
    };
    let detail = format!(
        "{event}; X-Awareness-Signature {}, Standard Webhooks {}",
        verified(received.awareness_signature),
        verified(received.standard_signature),
    );
    stack.terminal.detail("webhook", &detail);
    let as_expected = received.awareness_signature == Signature::Valid
        && received.standard_signature == Signature::Valid
        && event == format!("upload.{}", status["status"].as_str().unwrap_or_default())
        && received.body["packageId"].as_str() == status["packageId"].as_str()
        && received.body["error"].as_str() == status["error"].as_str();
    report.add(
        format!("its webhook says {event}, signed twice"),
        as_expected,
        detail,
    );
    Ok(())
}

/// The same request again, as a client whose connection broke would send it.
async fn repeat(
    stack: &Stack,
    client: &ApiClient,
    package: &DemoPackage,
    key: &str,
    upload_id: &str,
    report: &mut DemoReport,
) -> Result<(), DemoError> {
    let again = client.upload_json(package, package.w_matrix(), key).await?;
    let detail = format!("the same Idempotency-Key answers {}", again.upload_id);
    stack.terminal.line("repeat", &detail);
    let as_expected = again.is_replay && again.upload_id == upload_id;
    report.add(
        "a repeated request makes no second upload".to_owned(),
        as_expected,
        detail,
    );
    Ok(())
}

/// A pickle where the W-matrix should be.
async fn send_hostile_bytes(
    stack: &Stack,
    client: &ApiClient,
    package: &DemoPackage,
    report: &mut DemoReport,
) -> Result<(), DemoError> {
    let pickle = b"\x80\x04\x95\x1a\x00\x00\x00\x00\x00\x00\x00\x8c\x05posix\x8c\x06system\x93\x8c\x02id\x85R.";
    let key = common::ids::new_request_id();
    let accepted = client.upload_json(package, pickle, &key).await?;
    let status = client.ended(&accepted.upload_id).await?;
    stack.terminal.line(
        "hostile",
        &format!("a pickle as W-matrix: {}", verdict(&status)),
    );
    let as_expected = status["status"] == "failed" && status["packageId"].is_null();
    report.add(
        "a pickle is refused by name".to_owned(),
        as_expected,
        verdict(&status),
    );
    expect_webhook(stack, &accepted.upload_id, &status, report).await
}

/// One line about a status.
fn verdict(status: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    if let Some(error) = status["error"].as_str() {
        return format!("{}: {error}", text(&status["status"]));
    }
    let epsilon = &status["verdict"]["epsilon"];
    format!(
        "{}: epsilon {:.4} measured on {} held-out anchors, declared {}, tier {}, {}",
        text(&status["status"]),
        epsilon["measured"].as_f64().unwrap_or(f64::NAN),
        epsilon["anchors"],
        epsilon["declared"],
        text(&status["verdict"]["tier"]),
        text(&status["verdict"]["evidenceLevel"]),
    )
}

fn ms(duration: Duration) -> u128 {
    duration.as_millis()
}
