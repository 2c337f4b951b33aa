//! Disputes: opened by buyers, decided by a measurement or by operators.

use common::identity::Permission::Purchase;

use super::operation::{Operation, get, post};
use crate::access::Access::{May, Operator, SignedIn};
use crate::routes::{admin, disputes};

pub fn operations() -> Vec<Operation> {
    let buyers = buyers().into_iter().map(|row| row.tagged("purchases"));
    let operators = operators().into_iter().map(|row| row.tagged("operators"));
    buyers.chain(operators).collect()
}

fn buyers() -> Vec<Operation> {
    vec![
        post(
            "/api/ai/purchases/{purchase_id}/disputes",
            disputes::open_dispute,
            May(Purchase),
            "Dispute a purchase",
        )
        .about("Within 30 days of its settlement, and once. The package is then measured again.")
        .replayed()
        .gives(201, "The dispute."),
        get(
            "/api/ai/disputes/{dispute_id}",
            disputes::get_dispute,
            SignedIn,
            "Get a dispute",
        )
        .waiting()
        .gives(200, "The dispute."),
    ]
}

fn operators() -> Vec<Operation> {
    vec![
        get(
            "/admin/disputes",
            admin::list_disputes,
            Operator,
            "List disputes",
        )
        .gives(200, "A page, newest first."),
        get(
            "/admin/disputes/{dispute_id}",
            admin::get_any_dispute,
            Operator,
            "Get a dispute of any buyer",
        )
        .gives(200, "The dispute."),
        post(
            "/admin/disputes/{dispute_id}/decide",
            admin::decide_dispute,
            Operator,
            "Decide a dispute",
        )
        .about("The first decision stands.")
        .gives(200, "The dispute."),
    ]
}
