//! What a client does with what it bought.

use common::ids::{DisputeId, PurchaseId};
use common::purchases::PurchaseState;
use common::reqwest::Method;
use serde_json::{Value, json};

use super::answers::{id_of, state_of};
use super::client::Client;
use super::history::{Dispute, Download, Ending, Sight, Told};
use super::paying::CARDS;

impl Client<'_> {
    /// Looks at a purchase of its own.
    pub(super) async fn look(&mut self) {
        let Some(purchase) = self.some_purchase() else {
            return;
        };
        let path = format!("/api/ai/purchases/{purchase}");
        let request = self.ground.request(Method::GET, &path, &self.user.key);
        let reply = self.ground.send(request).await;
        match (reply.status, state_of(&reply.body["data"])) {
            (Some(200), Some(state)) => self.history.sights.push(Sight {
                buyer: self.user.id,
                purchase,
                state,
            }),
            (None | Some(503 | 504), _) => {}
            _ => self
                .history
                .faults
                .push(format!("{path} was answered {reply:?}")),
        }
    }

    /// Asks for the goods of something that it wanted to buy at some time.
    pub(super) async fn download(&mut self) {
        if self.orders.is_empty() {
            return;
        }
        let listing = self.random.one_of(&self.orders).listing;
        let owned = self.history.buys.iter().filter_map(|buy| {
            let told = buy.answers.iter().find_map(|answer| match answer.told {
                Told::Purchase {
                    id,
                    state: PurchaseState::Settled,
                    ..
                } => Some(id),
                _ => None,
            });
            told.filter(|_| buy.listing == listing.id)
        });
        let owned = owned.collect();
        let path = format!(
            "/api/ai/download-package?packageType=vector&packageId={}",
            listing.public_id
        );
        let request = self.ground.request(Method::GET, &path, &self.user.key);
        let reply = self.ground.send(request).await;
        let handed = id_of(&reply.body["data"]);
        let is_seller = self.ground.users[listing.seller].id == self.user.id;
        match reply.status {
            Some(200) if handed.is_some() != is_seller => {}
            // 402: who owes after a chargeback gets nothing that was paid for.
            None | Some(402 | 404 | 503 | 504) if !is_seller => {}
            None | Some(503 | 504) => {}
            _ => {
                let fault = format!("{path} was answered {reply:?}");
                self.history.faults.push(fault);
            }
        }
        self.history.downloads.push(Download {
            buyer: self.user.id,
            listing: listing.id,
            owned,
            is_known: matches!(reply.status, Some(200 | 404)),
            handed,
        });
    }

    /// Hands something back.
    pub(super) async fn refund(&mut self) {
        let Some(purchase) = self.some_purchase() else {
            return;
        };
        self.history.returns.push(purchase);
        let path = format!("/api/ai/purchases/{purchase}/refund");
        let mut request = self.ground.request(Method::POST, &path, &self.user.key);
        let is_explained = self.random.per_cent(70);
        if is_explained {
            request = request.json(&json!({ "reasonCode": "other", "reason": "the model" }));
        }
        let reply = self.ground.send(request).await;
        let details = &reply.body["error"]["details"];
        match (reply.status, state_of(&reply.body["data"])) {
            (Some(200), Some(state)) => self.saw(purchase, state),
            // Failed, pending, disputed, too old, or one too many after a download.
            (None | Some(409 | 503 | 504), _) => {}
            // It was downloaded.
            (Some(400), _) if !is_explained && details["reasonCode"].is_string() => {}
            _ => self.history.faults.push(format!("{path}: {reply:?}")),
        }
    }

    /// Cancels something, which it may have paid, or which ended.
    pub(super) async fn cancel(&mut self) {
        let Some(purchase) = self.some_purchase() else {
            return;
        };
        let path = format!("/api/ai/purchases/{purchase}");
        let request = self.ground.request(Method::DELETE, &path, &self.user.key);
        let reply = self.ground.send(request).await;
        match (reply.status, state_of(&reply.body["data"])) {
            (Some(200), Some(state @ PurchaseState::Failed)) => self.saw(purchase, state),
            (None | Some(409 | 503 | 504), _) => {}
            _ => self.history.faults.push(format!("{path}: {reply:?}")),
        }
    }

    /// Pays something otherwise: with credits or another card.
    pub(super) async fn pay_otherwise(&mut self) {
        let Some(purchase) = self.some_purchase() else {
            return;
        };
        let body = if self.random.per_cent(50) {
            json!({ "paymentMethod": "credits" })
        } else {
            json!({ "paymentMethod": "stripe", "paymentMethodId": self.random.one_of(&CARDS) })
        };
        let path = format!("/api/ai/purchases/{purchase}/pay");
        let request = self.ground.request(Method::POST, &path, &self.user.key);
        let request = request.header("prefer", "wait=1").json(&body);
        let reply = self.ground.send(request).await;
        match (reply.status, state_of(&reply.body["data"])) {
            (Some(200 | 202), Some(state)) => self.saw(purchase, state),
            // Too few credits, a card that was declined, not unpaid, sold out or reserved.
            (None | Some(402 | 409 | 503 | 504), _) => {}
            _ => self.history.faults.push(format!("{path}: {reply:?}")),
        }
    }

    fn saw(&mut self, purchase: PurchaseId, state: PurchaseState) {
        self.history.sights.push(Sight {
            buyer: self.user.id,
            purchase,
            state,
        });
    }

    /// Disputes something.
    pub(super) async fn dispute(&mut self) {
        let Some(purchase) = self.some_purchase() else {
            return;
        };
        self.history.returns.push(purchase);
        let reason = self.random.one_of(&["corrupt", "other"]);
        let path = format!("/api/ai/purchases/{purchase}/disputes");
        let request = self.ground.request(Method::POST, &path, &self.user.key);
        let body = json!({ "reason": reason, "description": "the model" });
        let reply = self.ground.send(request.json(&body)).await;
        let shown = dispute_of(&reply.body["data"]);
        let earlier = dispute_of(&reply.body["error"]["details"]);
        match (reply.status, shown.or(earlier)) {
            (Some(201 | 409), Some(id)) => self.history.disputes.push(Dispute {
                id,
                purchase,
                buyer: self.user.id,
            }),
            // Failed, pending or handed back.
            (None | Some(409 | 503 | 504), None) => {}
            _ => self.history.faults.push(format!("{path}: {reply:?}")),
        }
    }

    /// An operator decides a dispute of this client; perhaps the measurement or another did before.
    pub(super) async fn decide(&mut self) {
        if self.history.disputes.is_empty() {
            return;
        }
        let id = self.random.one_of(&self.history.disputes).id;
        let decision = self.random.one_of(&["refund", "release"]);
        let path = format!("/admin/disputes/{id}/decide");
        let body = json!({ "decision": decision, "note": "the model" });
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

    fn some_purchase(&mut self) -> Option<PurchaseId> {
        if self.purchases.is_empty() {
            return None;
        }
        Some(*self.random.one_of(&self.purchases))
    }
}

fn dispute_of(object: &Value) -> Option<DisputeId> {
    DisputeId::parse(object["disputeId"].as_str()?)
}
