//! Selling: a listing changes under its version.

use common::reqwest::Method;
use serde_json::Value;
use uuid::Uuid;

use super::client::{AGAIN_AFTER, Client, is_unknown};
use super::ground::Listing;
use super::history::Change;

impl Client<'_> {
    /// As the seller of some listing, changes what it has just seen of it.
    pub(super) async fn change(&mut self, change: impl FnOnce(&Value) -> Value) {
        let listing = self.random.one_of(&self.ground.listings);
        let Some(seen) = self.listing(listing).await else {
            return;
        };
        let path = format!("/api/ai/listings/{}", listing.public_id);
        let body = change(&seen);
        let key = Uuid::new_v4().to_string();
        let reply = loop {
            let seller = &self.ground.users[listing.seller].key;
            let request = self
                .ground
                .request(Method::PATCH, &path, seller)
                .header("if-match", format!("\"{}\"", seen["version"]))
                .header("idempotency-key", &key)
                .json(&body);
            let reply = self.ground.send(request).await;
            if !is_unknown(&reply) {
                break reply;
            }
            tokio::time::sleep(AGAIN_AFTER).await;
        };
        let data = &reply.body["data"];
        match (
            reply.status,
            data["version"].as_i64(),
            data["priceMinor"].as_i64(),
        ) {
            (Some(200), Some(version), Some(price_minor)) => self.history.changes.push(Change {
                listing: listing.id,
                version,
                price_minor,
            }),
            (Some(412), ..) => {}
            _ => self
                .history
                .faults
                .push(format!("{path}: {body}: {reply:?}")),
        }
    }

    pub(super) async fn price_of(&self, listing: &Listing) -> Option<i64> {
        self.listing(listing).await?["priceMinor"].as_i64()
    }

    /// What anybody sees of a listing; none if nobody answers.
    async fn listing(&self, listing: &Listing) -> Option<Value> {
        let path = format!("/api/ai/listings/{}", listing.public_id);
        let request = self.ground.request(Method::GET, &path, &self.user.key);
        let mut reply = self.ground.send(request).await;
        (reply.status == Some(200)).then(|| reply.body["data"].take())
    }
}
