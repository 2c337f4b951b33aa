//! Ten buyers want the one exclusive license; and the audit that closes the demo.

use futures::future::try_join_all;
use serde_json::json;

use super::caller::Caller;
use super::purchase::Wanted;
use super::{DemoError, DemoReport};
use crate::stack::Stack;

const BUYERS: usize = 10;

/// Makes the listing exclusive and lets ten buyers race for it.
pub(super) async fn race(
    stack: &Stack,
    seller: &Caller,
    wanted: Wanted<'_>,
    report: &mut DemoReport,
) -> Result<(), DemoError> {
    let listing = format!("/api/ai/listings/{}", wanted.package_id);
    let seen = seller.get(&listing).await?;
    let exclusive = json!({ "licenseMode": "exclusive" });
    seller
        .patch(&listing, &seen.body["data"]["version"], &exclusive)
        .await?;
    let buyers = try_join_all((0..BUYERS).map(|number| rich_buyer(stack, number, wanted))).await?;
    let request = json!({
        "packageType": wanted.package_type,
        "packageId": wanted.package_id,
        "paymentMethod": "credits",
    });
    let path = "/api/ai/purchase-package";
    let answers = try_join_all(buyers.iter().map(|buyer| buyer.post(path, &request))).await?;
    let held = try_join_all(buyers.iter().map(|buyer| buyer.get("/api/ai/credits"))).await?;
    let count = |status| {
        answers
            .iter()
            .filter(|answer| answer.status == status)
            .count()
    };
    let still_held: i64 = held
        .iter()
        .filter_map(|credits| credits.body["data"]["heldMinor"].as_i64())
        .sum();
    let detail = format!(
        "{BUYERS} buyers at once: {} bought it, {} were told it is sold out, {still_held} still held",
        count(200),
        count(409)
    );
    stack.terminal.line("race", &detail);
    report.add(
        "an exclusive package is sold once".to_owned(),
        count(200) == 1 && count(409) == BUYERS - 1 && still_held == 0,
        detail,
    );
    Ok(())
}

/// A buyer to whom an operator gave the price.
async fn rich_buyer(stack: &Stack, number: usize, wanted: Wanted<'_>) -> Result<Caller, DemoError> {
    let user = format!("demo-buyer-{number}");
    let (buyer, id) = Caller::buyer(stack, &user).await?;
    let gift = json!({ "userId": id, "amount": format!("{:.2}", wanted.price.max(1.0)), "reason": "the demo's race" });
    Caller::operator(stack)
        .post("/admin/credits", &gift)
        .await?;
    Ok(buyer)
}

/// The books after all of it.
pub(super) async fn audit(stack: &Stack, report: &mut DemoReport) -> Result<(), DemoError> {
    let audit = Caller::operator(stack)
        .post("/admin/ledger/audit", &json!({}))
        .await?;
    let data = &audit.body["data"];
    let books = &data["audit"];
    let findings = books["findings"].as_array().map_or(0, Vec::len);
    let detail = format!(
        "{findings} invariants hold over {} transfers and {} entries",
        books["figures"]["transfers"], books["figures"]["entries"]
    );
    stack.terminal.line("audit", &detail);
    report.add(
        "the ledger is exact".to_owned(),
        findings > 0 && data["isSound"] == true,
        detail,
    );
    Ok(())
}
