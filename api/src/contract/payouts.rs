//! Payouts: sellers ask for their earnings, operators pay them out.

use common::identity::Permission::Upload;

use super::operation::{Operation, get, post};
use crate::access::Access::{May, Operator};
use crate::routes::{admin, payouts};

pub fn operations() -> Vec<Operation> {
    let sellers = sellers().into_iter().map(|row| row.tagged("credits"));
    let operators = operators().into_iter().map(|row| row.tagged("operators"));
    sellers.chain(operators).collect()
}

fn sellers() -> Vec<Operation> {
    vec![
        get(
            "/api/ai/payouts",
            payouts::list_payouts,
            May(Upload),
            "List your payouts",
        )
        .gives(200, "A page, newest first."),
        post(
            "/api/ai/payouts",
            payouts::request_payout,
            May(Upload),
            "Request a payout",
        )
        .gives(201, "The payout."),
        get(
            "/api/ai/payouts/{payout_id}",
            payouts::get_payout,
            May(Upload),
            "Get a payout",
        )
        .gives(200, "The payout."),
    ]
}

fn operators() -> Vec<Operation> {
    vec![
        get(
            "/admin/payouts",
            admin::list_all_payouts,
            Operator,
            "List the payouts of all sellers",
        )
        .gives(200, "A page, newest first."),
        post(
            "/admin/payouts/{payout_id}/paid",
            admin::pay_payout,
            Operator,
            "Record that a payout was paid",
        )
        .gives(200, "The payout.")
        .faults(&[409]),
        post(
            "/admin/payouts/{payout_id}/returned",
            admin::return_payout,
            Operator,
            "Record that a payout was returned",
        )
        .about("The seller's earnings have the amount again.")
        .gives(200, "The payout.")
        .faults(&[409]),
    ]
}
