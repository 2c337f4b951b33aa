//! Buying: the requests of a client and their repeats, and what the answers mean.

use std::time::Duration;

use common::ids::PurchaseId;
use common::money::decimal_text;
use common::purchases::PurchaseState;
use common::reqwest::Method;
use futures::future::join_all;
use serde_json::{Value, json};

use super::client::{AGAIN_AFTER, Client};
use super::ground::{Listing, Reply};
use super::history::{Answer, Buy, Sight, Told};

/// The longest that a client stays which does not wait for its answer.
const HANGS_UP_MS_MAX: u64 = 40;

/// A request to buy.
#[derive(Debug, Clone)]
pub struct Order<'a> {
    pub(super) listing: &'a Listing,
    pub(super) key: Option<String>,
    pub(super) expected_minor: Option<i64>,
    pub(super) wait_seconds: u64,
    /// The client does not stay for the first answer.
    pub(super) hangs_up_after: Option<Duration>,
}

impl Client<'_> {
    /// Wants to buy something: with a key or without, expecting the right price, another or none,
    /// once or twice at the same time.
    pub(super) async fn buy(&mut self) {
        let listing = self.random.one_of(&self.ground.listings);
        let expected_minor = if self.random.per_cent(60) {
            // Now and then a cent too much.
            let surplus = i64::from(self.random.per_cent(15));
            self.price_of(listing).await.map(|price| price + surplus)
        } else {
            None
        };
        let key = self.random.per_cent(70).then(|| {
            self.keys += 1;
            format!("{}-{}", self.user.name, self.keys)
        });
        let order = Order {
            listing,
            expected_minor,
            wait_seconds: *self.random.one_of(&[0, 1, 2]),
            hangs_up_after: self.random.per_cent(10).then(|| {
                let ms = self.random.below(HANGS_UP_MS_MAX);
                Duration::from_millis(1 + ms)
            }),
            key,
        };
        let at_once = if order.key.is_some() && self.random.per_cent(15) {
            2
        } else {
            1
        };
        let answers = join_all((0..at_once).map(|_| self.order(&order))).await;
        self.history.buys.push(Buy {
            buyer: self.user.id,
            listing: listing.id,
            key: order.key.clone(),
            expected_minor: order.expected_minor,
            answers: Vec::new(),
        });
        self.orders.push(order);
        self.keep(self.orders.len() - 1, answers);
    }

    /// Sends an earlier request again, with its key.
    pub(super) async fn buy_again(&mut self) {
        let places: Vec<usize> = (0..self.orders.len())
            .filter(|place| self.orders[*place].key.is_some())
            .collect();
        if places.is_empty() {
            return;
        }
        let place = *self.random.one_of(&places);
        let order = self.orders[place].clone();
        let answers = self.order(&order).await;
        self.keep(place, vec![answers]);
    }

    fn keep(&mut self, place: usize, answers: Vec<(Vec<Answer>, Vec<String>)>) {
        for (answers, faults) in answers {
            self.history.faults.extend(faults);
            for answer in answers {
                let mut tally = self.ground.tally.lock().unwrap();
                *tally.outcomes.entry(label_of(&answer.told)).or_default() += 1;
                if let Told::Purchase { id, .. } | Told::BoughtBefore(id) = answer.told {
                    self.purchases.push(id);
                }
                self.history.buys[place].answers.push(answer);
            }
        }
    }

    /// Sends the request; with a key, as often as it takes to be told.
    async fn order(&self, order: &Order<'_>) -> (Vec<Answer>, Vec<String>) {
        let mut body = json!({
            "packageType": "vector",
            "packageId": order.listing.public_id,
            "paymentMethod": "credits",
        });
        if let Some(price) = order.expected_minor {
            let price: serde_json::Number = decimal_text(price).parse().unwrap();
            body["expectedPrice"] = json!(price);
        }
        let (mut answers, mut faults) = (Vec::new(), Vec::new());
        loop {
            let path = "/api/ai/purchase-package";
            let mut request = self
                .ground
                .request(Method::POST, path, &self.user.key)
                .header("prefer", format!("wait={}", order.wait_seconds))
                .json(&body);
            if let Some(key) = &order.key {
                request = request.header("idempotency-key", key);
            }
            if let Some(time) = order.hangs_up_after.filter(|_| answers.is_empty()) {
                request = request.timeout(time);
            }
            let reply = self.ground.send(request).await;
            let told = told(&reply).unwrap_or_else(|| {
                faults.push(format!("buying was answered {reply:?}"));
                Told::Unknown
            });
            let is_over = told != Told::Unknown || order.key.is_none();
            answers.push(Answer {
                request_id: reply.request_id,
                told,
            });
            if is_over || !faults.is_empty() {
                return (answers, faults);
            }
            tokio::time::sleep(AGAIN_AFTER).await;
        }
    }

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
}

fn state_of(data: &Value) -> Option<PurchaseState> {
    serde_json::from_value(data["status"].clone()).ok()
}

fn id_of(object: &Value) -> Option<PurchaseId> {
    PurchaseId::parse(object["purchaseId"].as_str()?)
}

/// What an answer to a purchase means; none if it must not be.
fn told(reply: &Reply) -> Option<Told> {
    let (data, error) = (&reply.body["data"], &reply.body["error"]);
    let details = &error["details"];
    let message = error["message"].as_str().unwrap_or_default();
    match reply.status {
        None | Some(503 | 504) => Some(Told::Unknown),
        Some(200 | 202) => Some(Told::Purchase {
            id: id_of(data)?,
            state: state_of(data)?,
            price_minor: Some(data["priceMinor"].as_i64()?),
        }),
        Some(409) => match id_of(details) {
            Some(id) if details["reason"].is_string() => Some(Told::Purchase {
                id,
                state: PurchaseState::Failed,
                price_minor: None,
            }),
            Some(id) => Some(Told::BoughtBefore(id)),
            None if details["currentPrice"].is_string() => Some(Told::Refused("price changed")),
            None if message.contains("sold out") => Some(Told::Refused("sold out")),
            None if message.contains("not for sale") => Some(Told::Refused("paused")),
            None => None,
        },
        Some(402) => Some(Told::Refused("not enough credits")),
        Some(403) => Some(Told::Refused("own package")),
        Some(_) => None,
    }
}

fn label_of(told: &Told) -> &'static str {
    match told {
        Told::Purchase { state, .. } => state.as_str(),
        Told::BoughtBefore(_) => "bought before",
        Told::Refused(why) => why,
        Told::Unknown => "unknown",
    }
}
