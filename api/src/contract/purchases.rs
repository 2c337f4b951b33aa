//! Purchases: from the request to the bytes, and what follows.

use common::identity::Permission::{Download, Purchase};
use common::webhooks::EventType;

use super::operation::{Operation, delete, get, post};
use crate::access::Access::{May, Operator, SignedIn};
use crate::limits::Kind;
use crate::openapi::Modes;
use crate::routes::{admin, downloads, purchases};

/// What a buyer is sent about a purchase.
const EVENTS: [EventType; 7] = [
    EventType::PurchaseCompleted,
    EventType::PurchaseFailed,
    EventType::ListingAvailable,
    EventType::PurchaseRefunded,
    EventType::DisputeOpened,
    EventType::DisputeMeasured,
    EventType::DisputeResolved,
];
const UNDER_WAY: &str = "The purchase is under way, or waits for its payment. Follow `statusUrl`.";

pub fn operations() -> Vec<Operation> {
    let buyers = [purchase(), afterwards(), bytes()];
    let buyers = buyers
        .into_iter()
        .flatten()
        .map(|row| row.tagged("purchases"));
    let operators = operators().into_iter().map(|row| row.tagged("operators"));
    buyers.chain(operators).collect()
}

/// Until it is paid and settled.
fn purchase() -> Vec<Operation> {
    vec![
        post("/api/ai/purchase-package", purchases::purchase_package, May(Purchase), "Buy a package")
            .about(
                "The purchase goes on whether or not the request waits for it. A listing that is reserved for somebody who is \
                 paying answers 409 with `reservedUntil`. With `Prefer: wait=N` the request waits for it and tries again; \
                 `listing.available` is sent once it is free.",
            )
            .waiting()
            .limited_as(Some(Kind::Purchase))
            .tool("purchase_package", "Buy a package. Quote it first, and pass the quote's id.")
            .gives(200, "The purchase is settled.")
            .gives(202, UNDER_WAY)
            .faults(&[402, 404])
            .calls_back("webhookUrl", Modes::Plain, &EVENTS),
        get("/api/ai/purchases", purchases::list_purchases, SignedIn, "List your purchases or sales")
            .gives(200, "A page, newest first."),
        get("/api/ai/purchases/{purchase_id}", purchases::get_purchase, SignedIn, "Get a purchase")
            .waiting()
            .gives(200, "The purchase."),
        get(
            "/api/ai/purchases/{purchase_id}/events",
            purchases::stream_purchase,
            SignedIn,
            "Follow a purchase as a stream of events",
        )
        .streaming(),
        delete("/api/ai/purchases/{purchase_id}", purchases::cancel_purchase, May(Purchase), "Cancel an unpaid purchase")
            .about(
                "Its supply is free at once, and its payment is cancelled at the card provider. A purchase whose money may be on \
                 its way is not cancelled: wait for its outcome.",
            )
            .waiting()
            .gives(200, "The purchase, which has failed.")
            .faults(&[409]),
        post(
            "/api/ai/purchases/{purchase_id}/pay",
            purchases::pay_purchase,
            May(Purchase),
            "Pay an unpaid purchase by another method",
        )
        .about("Its terms stay, and the payment that it waited for is cancelled.")
        .waiting()
        .limited_as(Some(Kind::Purchase))
        .gives(200, "The purchase is settled.")
        .gives(202, UNDER_WAY)
        .faults(&[402, 409]),
    ]
}

/// Once it is settled.
fn afterwards() -> Vec<Operation> {
    vec![
        get("/api/ai/purchases/{purchase_id}/receipt", purchases::get_receipt, SignedIn, "Get the signed receipt of a purchase")
            .gives(200, "The receipt."),
        post(
            "/api/ai/purchases/{purchase_id}/renew",
            purchases::renew_purchase,
            May(Download),
            "Renew the download link for seven days",
        )
        .replayed()
        .gives(200, "The purchase."),
        post("/api/ai/purchases/{purchase_id}/refund", purchases::refund_purchase, May(Purchase), "Return a package within seven days")
            .about(
                "Without a download it needs no reason. After one it needs both a code and words, and an account does it three \
                 times in 30 days; then open a dispute.",
            )
            .replayed()
            .gives(200, "The purchase, which is refunded."),
    ]
}

/// The files of a package.
fn bytes() -> Vec<Operation> {
    vec![
        get("/api/ai/download-package", downloads::download_package, May(Download), "Get the addresses of a package's files")
            .tool("get_download", "Get the addresses of the files of a package that you bought.")
            .gives(200, "The addresses, which work for minutes.")
            .faults(&[404, 409]),
        get(
            "/api/packages/download/{package_type}/{package_id}",
            downloads::follow_download_link,
            May(Download),
            "Download a file of a package",
        )
        .about(
            "The link of a purchase. `Accept: application/json` gets the address in the answer, for clients that repeat their \
             `Authorization` when they are redirected: S3 refuses it beside a signed address. `HEAD` answers size and digest, and \
             is not counted as a download; neither is a `Range` that continues one.",
        )
        .answers::<downloads::FileAddress>()
        .gives(200, "The address, for clients that accept JSON.")
        .empty(303, "A redirect to the bytes.")
        .faults(&[409]),
    ]
}

fn operators() -> Vec<Operation> {
    vec![
        post(
            "/admin/purchases/{purchase_id}/refund",
            admin::refund_any_purchase,
            Operator,
            "Refund a purchase of any age",
        )
        .gives(200, "The purchase is refunded."),
        post(
            "/admin/purchases/{purchase_id}/cancel",
            admin::cancel_any_purchase,
            Operator,
            "Cancel an unpaid purchase of any buyer",
        )
        .gives(200, "The purchase has failed."),
    ]
}
