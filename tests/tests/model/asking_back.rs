//! Money that goes back to a card after it had come.

use serde_json::Value;

use super::client::Client;

impl Client<'_> {
    /// A cardholder disputes a payment of anybody, somebody refunds it at the provider, or a bank decides. The
    /// notice may meet a dead API; then it comes again, or the books know nothing of it.
    pub(super) async fn ask_back(&mut self) {
        let all = self.ground.sandbox("payment_intents").await;
        let reversals = all["reversals"].as_array().cloned().unwrap_or_default();
        let open: Vec<&str> = reversals
            .iter()
            .filter(|it| it["status"] == "needs_response")
            .filter_map(|it| it["id"].as_str())
            .collect();
        if !open.is_empty() && self.random.per_cent(50) {
            let outcome = *self.random.one_of(&["outcome=won", "outcome=lost"]);
            let path = format!("disputes/{}/close", self.random.one_of(&open));
            self.ground.change_sandbox(&path, outcome).await;
            return;
        }
        let intents = all["paymentIntents"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        let untouched = |intent: &&Value| {
            let is_asked_back = |it: &Value| it["payment_intent"] == intent["id"];
            intent["status"] == "succeeded" && !reversals.iter().any(is_asked_back)
        };
        let paid: Vec<&str> = intents
            .iter()
            .filter(untouched)
            .filter_map(|intent| intent["id"].as_str())
            .collect();
        if paid.is_empty() {
            return;
        }
        let verb = *self.random.one_of(&["dispute", "dispute", "refund"]);
        let path = format!("payment_intents/{}/{verb}", self.random.one_of(&paid));
        self.ground.change_sandbox(&path, "").await;
    }
}
