//! Payers: top-ups, purchases by card, and notices of the card provider that a test writes itself.

use common::ledger::audit::audit;
use common::reqwest::Method;
use hmac::{Hmac, KeyInit as _, Mac as _};
use scheduler::sweeps::sweep_payments;
use serde_json::{Value, json};
use sha2::Sha256;

use crate::client::{Answer, send};
use crate::{Client, World, eventually};

/// Where payers buy credits.
pub const TOP_UPS: &str = "/api/ai/credits/top-ups";
/// What the sandbox signs with.
const WEBHOOK_SECRET: &str = "whsec_sandbox";

impl Client {
    /// 20.00 dollars of credits with that card.
    pub async fn top_up(&self, method: &str) -> Answer {
        self.post(TOP_UPS, &top_up_of(method)).await
    }

    /// Looks once, waiting for the end: the data of the status.
    pub async fn payment_ended(&self, status_url: &str) -> Value {
        let get = self.request(Method::GET, status_url);
        send(get.header("prefer", "wait=45")).await.data()
    }

    /// Waits for the end of a purchase or top-up, from the answer to its request: 202, or 200 if it was
    /// quick.
    pub async fn followed(&self, answer: &Answer) -> Value {
        let status_url = answer.data()["statusUrl"].as_str().unwrap().to_owned();
        self.payment_ended(&status_url).await
    }

    /// The purchase of a package with that card.
    pub async fn buy_by_card(&self, package: &str, method: &str) -> Answer {
        self.purchase(&card_purchase_of(package, method)).await
    }

    /// The same, and an answer at once.
    pub async fn buy_by_card_without_waiting(&self, package: &str, method: &str) -> Answer {
        let post = self.request(Method::POST, "/api/ai/purchase-package");
        let request = card_purchase_of(package, method);
        send(post.header("prefer", "wait=0").json(&request)).await
    }
}

/// A request for 20.00 dollars.
pub fn top_up_of(method: &str) -> Value {
    json!({ "amount": 20.00, "paymentMethodId": method })
}

/// The seed's request, paid by that card.
pub fn card_purchase_of(package: &str, method: &str) -> Value {
    json!({
        "packageType": "vector",
        "packageId": package,
        "paymentMethod": "stripe",
        "paymentMethodId": method,
    })
}

/// `Stripe-Signature` of a body, signed that many seconds ago.
pub fn signature(secret: &str, body: &str, seconds_ago: i64) -> String {
    let at = chrono::Utc::now().timestamp() - seconds_ago;
    let mut code = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    code.update(format!("{at}.{body}").as_bytes());
    format!("t={at},v1={}", hex::encode(code.finalize().into_bytes()))
}

/// A notice about an intent, as the provider writes it.
pub fn notice(id: &str, kind: &str, intent: &str) -> String {
    json!({
        "id": id,
        "object": "event",
        "type": kind,
        "created": chrono::Utc::now().timestamp(),
        "data": { "object": { "id": intent, "object": "payment_intent", "status": "succeeded" } },
    })
    .to_string()
}

impl World {
    /// Sweeps the payment that is open, once no job looks after it: the sweep leaves it to one that does.
    pub async fn sweep_the_open_payment(&self) {
        let looking = "select count(*) from jobs where name = 'process_payment' and state in ('ready', 'running')";
        self.counts(looking, 0).await;
        self.change("update payments set next_look_at = now()")
            .await;
        sweep_payments(&self.outbox().await).await.expect("a sweep");
    }

    /// Delivers a notice with that signature.
    pub async fn give_notice_signed(&self, body: &str, signature: &str) -> Answer {
        let post = self
            .anonymous
            .request(Method::POST, "/api/webhooks/stripe")
            .header("stripe-signature", signature)
            .header("content-type", "application/json")
            .body(body.to_owned());
        send(post).await
    }

    /// Delivers a notice as the provider does.
    pub async fn give_notice(&self, body: &str) -> Answer {
        self.give_notice_signed(body, &signature(WEBHOOK_SECRET, body, 0))
            .await
    }

    /// The provider's id of the one payment that it knows.
    pub fn only_intent(&self) -> String {
        let intents = self.cards().intents();
        assert_eq!(intents.len(), 1, "{intents:?}");
        intents[0].id.clone()
    }

    /// Waits until there are that many rows.
    pub async fn counts(&self, query: &'static str, expected: i64) {
        eventually(&format!("{expected} of {query}"), || async {
            (self.count(query).await == expected).then_some(())
        })
        .await;
    }

    /// Changes rows behind the public API: how many.
    pub async fn change(&self, statement: &'static str) -> u64 {
        let done = sqlx::query(statement).execute(&self.pool).await.unwrap();
        done.rows_affected()
    }

    /// What is true at the end of every story: the books are sound, and the provider charged what was
    /// credited.
    pub async fn assert_money_is_right(&self) {
        let audit = audit(&self.pool).await.unwrap();
        assert!(audit.is_sound(), "{:#?}", audit.findings);
        let credited = self
            .count(
                "select coalesce(sum(amount_minor), 0)::bigint
                 from payments
                 where state = 'succeeded'",
            )
            .await;
        let charges = self.cards().charges();
        let charged: i64 = charges.iter().map(|charge| charge.amount_minor).sum();
        assert_eq!(credited, charged, "{charges:?}");
    }
}
