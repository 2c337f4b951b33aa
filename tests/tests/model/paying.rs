//! Where a client's credits come from: an operator, or a card.

use common::ids::PaymentId;
use common::money::decimal_text;
use common::reqwest::Method;
use serde_json::{Number, Value, json};
use uuid::Uuid;

use super::client::{AGAIN_AFTER, Client, is_unknown};
use super::history::{Adjustment, TopUp};

/// Cards, and how often each is used: one that pays, one that does not.
pub const CARDS: [&str; 4] = [
    "pm_card_visa",
    "pm_card_visa",
    "pm_card_visa",
    "pm_card_chargeDeclined",
];
/// A card whose payer never does what its bank asks: the purchase waits until it is cancelled, paid
/// otherwise or asked for anew.
pub const CARD_THAT_WAITS: &str = "pm_card_authenticationRequired";
/// The least and the most that a card is charged at once.
const CARD_MINOR: [u64; 2] = [50, 3_000];

impl Client<'_> {
    /// Is given credits by an operator, or has them taken; as often as it takes to be told, and once
    /// more now and then.
    pub(super) async fn adjust(&mut self, amount_minor: i64) {
        let id = Uuid::new_v4();
        let body = json!({
            "userId": self.user.id,
            "amount": decimal_text(amount_minor),
            "reason": "the model",
            "id": id,
        });
        let repeats = 1 + usize::from(self.random.per_cent(20));
        let mut is_made = false;
        for _ in 0..repeats {
            let reply = self.until_told("/admin/credits", &body).await;
            match reply.status {
                Some(200 | 201) => is_made = true,
                Some(409) if !is_made => {}
                _ => self.history.faults.push(format!("{body}: {reply:?}")),
            }
        }
        self.history.adjustments.push(Adjustment {
            id,
            user: self.user.id,
            amount_minor,
            is_made,
        });
    }

    /// Buys credits with a card; as often as it takes to be told which payment it is.
    pub(super) async fn top_up(&mut self) {
        let amount_minor = (CARD_MINOR[0] + self.random.below(CARD_MINOR[1])) as i64;
        let amount: Number = decimal_text(amount_minor).parse().unwrap();
        let body = json!({
            "amount": amount,
            "paymentMethodId": self.random.one_of(&CARDS),
        });
        let key = Uuid::new_v4().to_string();
        let wait = format!("wait={}", self.random.below(3));
        let path = "/api/ai/credits/top-ups";
        let repeats = 1 + usize::from(self.random.per_cent(20));
        for _ in 0..repeats {
            let reply = loop {
                let request = self
                    .ground
                    .request(Method::POST, path, &self.user.key)
                    .header("idempotency-key", &key)
                    .header("prefer", &wait)
                    .json(&body);
                let reply = self.ground.send(request).await;
                if !is_unknown(&reply) {
                    break reply;
                }
                tokio::time::sleep(AGAIN_AFTER).await;
            };
            let named = match reply.status {
                Some(200 | 202) => payment_of(&reply.body["data"]),
                Some(402) => payment_of(&reply.body["error"]["details"]),
                _ => None,
            };
            match named {
                Some(id) => self.history.top_ups.push(TopUp {
                    id,
                    user: self.user.id,
                    amount_minor,
                    is_paid: reply.status == Some(200),
                }),
                None => self.history.faults.push(format!("{path}: {reply:?}")),
            }
        }
    }
}

fn payment_of(object: &Value) -> Option<PaymentId> {
    PaymentId::parse(object["topUpId"].as_str()?)
}
