//! What a client does with what it bought.

use common::purchases::PurchaseState;
use common::reqwest::Method;

use super::answers::{id_of, state_of};
use super::client::Client;
use super::history::{Download, Sight, Told};

impl Client<'_> {
    /// Looks at a purchase of its own.
    pub(super) async fn look(&mut self) {
        if self.purchases.is_empty() {
            return;
        }
        let purchase = *self.random.one_of(&self.purchases);
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
            None | Some(404 | 503 | 504) if !is_seller => {}
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
}
