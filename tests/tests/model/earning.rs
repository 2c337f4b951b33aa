//! What sellers do with their earnings, and what operators do with payouts.

use common::ids::PayoutId;
use common::money::decimal_text;
use common::reqwest::Method;
use serde_json::{Number, json};
use uuid::Uuid;

use super::client::{AGAIN_AFTER, Client, is_unknown};
use super::history::{Ending, Payout};

/// The most that a seller asks for at once.
const PAYOUT_MINOR_MAX: u64 = 1_500;

impl Client<'_> {
    /// Some seller asks for earnings, in the hands of this client; as often as it takes to be told.
    pub(super) async fn ask_payout(&mut self) {
        let seller = self.random.one_of(&self.ground.listings).seller;
        let seller = &self.ground.users[seller];
        let amount_minor = 1 + self.random.below(PAYOUT_MINOR_MAX) as i64;
        let amount: Number = decimal_text(amount_minor).parse().unwrap();
        let key = Uuid::new_v4().to_string();
        let path = "/api/ai/payouts";
        let reply = loop {
            let request = self
                .ground
                .request(Method::POST, path, &seller.key)
                .header("idempotency-key", &key)
                .json(&json!({ "amount": amount }));
            let reply = self.ground.send(request).await;
            if !is_unknown(&reply) {
                break reply;
            }
            tokio::time::sleep(AGAIN_AFTER).await;
        };
        let id = reply.body["data"]["payoutId"]
            .as_str()
            .and_then(PayoutId::parse);
        match (reply.status, id) {
            (Some(201), Some(id)) => self.history.payouts.push(Payout {
                id,
                seller: seller.id,
                amount_minor,
            }),
            // There is not so much yet.
            (Some(409), _) => {}
            _ => self.history.faults.push(format!("{path}: {reply:?}")),
        }
    }

    /// An operator pays a payout that this client asked for, or gives it back; perhaps another did the
    /// opposite before.
    pub(super) async fn end_payout(&mut self) {
        if self.history.payouts.is_empty() {
            return;
        }
        let id = self.random.one_of(&self.history.payouts).id;
        let (verb, body) = if self.random.per_cent(60) {
            ("paid", json!({ "reference": "the bank's" }))
        } else {
            ("returned", json!({ "reason": "the model" }))
        };
        let path = format!("/admin/payouts/{id}/{verb}");
        let reply = self.until_told(&path, &body).await;
        let shown = reply.body["data"]["status"].as_str();
        let before = reply.body["error"]["details"]["status"].as_str();
        match (reply.status, shown.or(before)) {
            (Some(200 | 409), Some(state)) => self.history.endings.push(Ending {
                id: id.0,
                state: state.to_owned(),
            }),
            _ => self.history.faults.push(format!("{path}: {reply:?}")),
        }
    }

    /// Makes a third of the settlements 32 days older, as time would: their buyers can neither hand them
    /// back nor dispute them any more, and their sellers can draw what they brought.
    pub(super) async fn age(&self) {
        // PostgreSQL may be away; then nothing ages.
        let _ = sqlx::query(
            "update purchases
             set settled_at = settled_at - interval '32 days'
             where state = 'settled'
               and settled_at > now() - interval '1 day'
               and hashtext(id::text) % 3 = 0",
        )
        .execute(&self.ground.test.pool)
        .await;
    }
}
