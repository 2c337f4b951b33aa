//! Analytics of an account, and of the whole market for operators.

use common::limits::{ANALYTICS_DAYS_MAX, ANALYTICS_HOURS_MAX, REBUILD_DAYS_MAX};

use super::operation::{Operation, get, post};
use crate::access::Access::{Operator, SignedIn};
use crate::routes::{admin, analytics};

pub fn operations() -> Vec<Operation> {
    let own = own().tagged("analytics");
    let operators = operators().into_iter().map(|row| row.tagged("operators"));
    [own].into_iter().chain(operators).collect()
}

/// What ranges there are.
fn ranges() -> String {
    format!(
        "Periods are whole hours or days in UTC, at most {ANALYTICS_HOURS_MAX} hours or {ANALYTICS_DAYS_MAX} days: by default the last \
         24 hours or 30 days."
    )
}

fn own() -> Operation {
    get(
        "/api/ai/analytics",
        analytics::get_analytics,
        SignedIn,
        "Get the analytics of your account",
    )
    .about(format!(
        "Your uploads and sales, and the webhooks sent to your endpoints. {}",
        ranges()
    ))
    .gives(200, "The periods, the earliest first, and their total.")
}

fn operators() -> Vec<Operation> {
    vec![
        get(
            "/admin/analytics",
            admin::get_market_analytics,
            Operator,
            "Get the analytics of the market",
        )
        .about(format!("Or those of one account. {}", ranges()))
        .gives(200, "The periods, the earliest first, and their total."),
        get(
            "/admin/analytics/active-accounts",
            admin::list_active_accounts,
            Operator,
            "List how many accounts are active",
        )
        .about("Accounts that made a request on a day, or within the 7 or 30 days that end with it.")
        .gives(200, "The days, the earliest first."),
        get(
            "/admin/analytics/searches-without-results",
            admin::list_searches_without_results,
            Operator,
            "List searches without results",
        )
        .about("Of searches without filters, the most frequent term first.")
        .gives(200, "The terms."),
        post(
            "/admin/analytics/rebuild",
            admin::rebuild_analytics,
            Operator,
            "Rebuild analytics",
        )
        .about(format!(
            "The scheduler recounts whole days, at most {REBUILD_DAYS_MAX}, from the rows of their facts."
        ))
        .gives(202, "The hours wait to be recounted."),
        get(
            "/admin/analytics/rebuild",
            admin::get_rebuild,
            Operator,
            "Get the progress of a rebuild",
        )
        .gives(200, "How many hours wait to be counted."),
    ]
}
