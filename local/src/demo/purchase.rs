//! A buyer's way: credits by card, a quote, the purchase, the bytes, the receipt, and back again.

use std::time::Instant;

use common::signatures::{Jwks, Receipt, Verifier};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use tokio::process::Command;

use super::caller::Caller;
use super::{DemoError, DemoReport};
use crate::stack::Stack;

/// A card of the sandbox that pays, and one that is declined.
const GOOD_CARD: &str = "pm_card_visa";
const DECLINED_CARD: &str = "pm_card_chargeDeclined";

/// What the buyer wants.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted<'a> {
    pub(super) package_id: &'a str,
    pub(super) package_type: &'a str,
    pub(super) price: f64,
}

/// Buys it, from the card to the checked bytes: the purchase's id.
pub(super) async fn buy(
    stack: &Stack,
    buyer: &Caller,
    wanted: Wanted<'_>,
    report: &mut DemoReport,
) -> Result<String, DemoError> {
    top_up(stack, buyer, wanted.price, report).await?;
    let quote = buyer
        .post(
            "/api/ai/quotes",
            &json!({ "packageType": wanted.package_type, "packageId": wanted.package_id }),
        )
        .await?;
    let start = Instant::now();
    let bought = buyer
        .post(
            "/api/ai/purchase-package",
            &json!({
                "packageType": wanted.package_type,
                "packageId": wanted.package_id,
                "paymentMethod": "credits",
                "quoteId": quote.text("quoteId"),
            }),
        )
        .await?;
    let detail = format!(
        "{} for {} by quote {}, settled after {} ms",
        bought.text("purchase"),
        bought.body["data"]["price"],
        quote.text("quoteId"),
        start.elapsed().as_millis()
    );
    stack.terminal.line("purchase", &detail);
    report.add(
        "a purchase by quote settles".to_owned(),
        bought.status == 200 && bought.text("status") == "settled",
        detail,
    );
    let sha256 = quote.text("packageSha256").to_owned();
    download(stack, buyer, wanted, &sha256, report).await?;
    let purchase = bought.text("purchase").to_owned();
    check_receipt(stack, buyer, &purchase, &sha256, report).await?;
    Ok(purchase)
}

/// One card pays, another is declined.
async fn top_up(
    stack: &Stack,
    buyer: &Caller,
    price: f64,
    report: &mut DemoReport,
) -> Result<(), DemoError> {
    let path = "/api/ai/credits/top-ups";
    let paid = json!({ "amount": price.max(1.0), "paymentMethodId": GOOD_CARD });
    let paid = buyer.post(path, &paid).await?;
    let declined = json!({ "amount": 1, "paymentMethodId": DECLINED_CARD });
    let declined = buyer.post(path, &declined).await?;
    let detail = format!(
        "{} of {}; another card: {} {}",
        paid.text("status"),
        paid.body["data"]["amount"],
        declined.status,
        declined.body["error"]["message"]
            .as_str()
            .unwrap_or_default()
    );
    stack.terminal.line("top-up", &detail);
    report.add(
        "a card becomes credits, a declined one does not".to_owned(),
        paid.status == 200 && declined.status == 402,
        detail,
    );
    Ok(())
}

/// Downloads with curl, as anybody would, and compares the bytes with what the quote promised.
async fn download(
    stack: &Stack,
    buyer: &Caller,
    wanted: Wanted<'_>,
    sha256: &str,
    report: &mut DemoReport,
) -> Result<(), DemoError> {
    let path = format!(
        "{}/api/packages/download/{}/{}",
        stack.base_url, wanted.package_type, wanted.package_id
    );
    let output = Command::new("curl")
        .args([
            "--silent",
            "--show-error",
            "--fail",
            "--location",
            "--header",
        ])
        .arg(format!("Authorization: Bearer {}", buyer.key()))
        .arg(&path)
        .output()
        .await
        .map_err(DemoError::Curl)?;
    let digest = hex::encode(Sha256::digest(&output.stdout));
    let detail = format!("curl got {} bytes, SHA-256 {digest}", output.stdout.len());
    stack.terminal.line("download", &detail);
    report.add(
        "the bytes are those that were quoted".to_owned(),
        output.status.success() && digest == sha256,
        detail,
    );
    Ok(())
}

/// Checks the receipt with nothing but the published keys.
async fn check_receipt(
    stack: &Stack,
    buyer: &Caller,
    purchase: &str,
    sha256: &str,
    report: &mut DemoReport,
) -> Result<(), DemoError> {
    let keys = buyer.get("/.well-known/jwks.json").await?;
    let answer = buyer
        .get(&format!("/api/ai/purchases/{purchase}/receipt"))
        .await?;
    let verified = Jwks::parse(&keys.body.to_string())
        .and_then(|keys| Verifier::try_from(&keys))
        .map_err(|error| error.to_string())
        .and_then(|verifier| {
            verifier
                .verify::<Receipt>(Receipt::TYP, answer.text("receipt"))
                .map_err(|error| error.to_string())
        });
    let (is_good, detail) = match verified {
        Ok(receipt) => (
            receipt.purchase_id == purchase && receipt.package_sha256 == sha256,
            format!(
                "{} {} for {} at {}",
                receipt.price, receipt.currency, receipt.package_id, receipt.settled_at
            ),
        ),
        Err(error) => (false, error),
    };
    stack.terminal.line("receipt", &detail);
    report.add(
        "the receipt is verified offline".to_owned(),
        is_good,
        detail,
    );
    Ok(())
}

/// Hands the purchase back: the credits return, the link closes.
pub(super) async fn refund(
    stack: &Stack,
    buyer: &Caller,
    purchase: &str,
    wanted: Wanted<'_>,
    report: &mut DemoReport,
) -> Result<(), DemoError> {
    // It was downloaded, so it takes a reason; and after a few runs of the demo in one month an operator.
    let why = json!({ "reasonCode": "bought_by_mistake", "reason": "the demo" });
    let own = format!("/api/ai/purchases/{purchase}/refund");
    let mut refunded = buyer.post(&own, &why).await?;
    if refunded.body["error"]["details"]["reason"] == "TOO_MANY_RETURNS" {
        let why = json!({ "reason": "the demo" });
        let path = format!("/admin/purchases/{purchase}/refund");
        refunded = Caller::operator(stack).post(&path, &why).await?;
    }
    let download = format!(
        "/api/ai/download-package?packageType={}&packageId={}",
        wanted.package_type, wanted.package_id
    );
    let closed = buyer.get(&download).await?;
    let detail = format!(
        "{} is {}, its download answers {}",
        purchase,
        refunded.text("status"),
        closed.status
    );
    stack.terminal.line("refund", &detail);
    report.add(
        "a refund returns the credits and closes the link".to_owned(),
        refunded.text("status") == "refunded" && closed.status == 404,
        detail,
    );
    Ok(())
}
