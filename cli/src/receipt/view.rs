//! The verdict on a receipt, for people and for programs.

use std::error::Error as _;

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::json;

use super::files::Blob;
use super::{Refusal, Valid};
use crate::table::{Table, visible};

/// What was bought, for how much, when, and under which key; or why it is refused.
pub(super) fn table(verdict: &Result<Valid, Refusal>) -> String {
    let Valid { receipt, compared } = match verdict {
        Ok(valid) => valid,
        Err(refusal) => {
            // A stranger may have written part of the reason.
            let reason = visible(&with_causes(refusal)).replace('\n', "\\n");
            let pairs = [("receipt", "REFUSED".to_owned()), ("reason", reason)];
            return Table::of_pairs(pairs).to_string();
        }
    };
    let claims = &receipt.claims;
    let digest = |blob: Blob, sha256: &str| {
        let note = if compared.contains(&blob) {
            "the file is the same"
        } else {
            "no file compared"
        };
        format!("{sha256} ({note})")
    };
    let package = format!("{}, {}", claims.package_id, claims.package_type);
    let time = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::Secs, true);
    let mut settled = time(claims.settled_at);
    if let Some(refunded_at) = claims.refunded_at {
        settled = format!("{settled}, REFUNDED {}", time(refunded_at));
    }
    let pairs = [
        ("receipt", "VALID".to_owned()),
        ("purchase", claims.purchase_id.clone()),
        ("package", package),
        ("license", claims.license_mode.clone()),
        ("paid", format!("{} {}", claims.price, claims.currency)),
        ("settled", settled),
        ("buyer", claims.buyer_id.to_string()),
        ("seller", claims.seller_id.to_string()),
        ("issuer", claims.iss.clone()),
        ("signed with", receipt.key_id.clone()),
        (
            "package sha256",
            digest(Blob::Package, &claims.package_sha256),
        ),
        (
            "w-matrix sha256",
            digest(Blob::WMatrix, &claims.w_matrix_sha256),
        ),
    ];
    Table::of_pairs(pairs).to_string()
}

/// `valid`, and either the claims, their key and the files that were compared, or the reason.
pub(super) fn json(verdict: &Result<Valid, Refusal>) -> String {
    let value = match verdict {
        Ok(Valid { receipt, compared }) => json!({
            "valid": true,
            "receipt": receipt.claims,
            "keyId": receipt.key_id,
            "compared": compared,
        }),
        Err(refusal) => json!({ "valid": false, "reason": with_causes(refusal) }),
    };
    format!("{value:#}\n")
}

fn with_causes(refusal: &Refusal) -> String {
    let mut text = refusal.to_string();
    let mut cause = refusal.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
