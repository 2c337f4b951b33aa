//! Buying: the requests of a client and their repeats, and what the answers mean.

use std::time::Duration;

use common::money::decimal_text;
use common::reqwest::Method;
use futures::future::join_all;
use serde_json::json;

use super::answers::{label_of, told};
use super::client::{AGAIN_AFTER, Client};
use super::ground::Listing;
use super::history::{Answer, Buy, Told};
use super::paying::{CARD_THAT_WAITS, CARDS};

/// The longest that a client stays which does not wait for its answer.
const HANGS_UP_MS_MAX: u64 = 40;

/// A price that was promised.
#[derive(Debug, Clone)]
pub struct Quote {
    id: String,
    price_minor: i64,
}

/// A request to buy.
#[derive(Debug, Clone)]
pub struct Order<'a> {
    pub(super) listing: &'a Listing,
    pub(super) key: Option<String>,
    pub(super) expected_minor: Option<i64>,
    pub(super) quote: Option<Quote>,
    pub(super) card: Option<&'static str>,
    pub(super) wait_seconds: u64,
    /// The client does not stay for the first answer.
    pub(super) hangs_up_after: Option<Duration>,
}

impl Client<'_> {
    /// Wants to buy something: with a key or without, by a quote or expecting the right price, another
    /// or none, once or twice at the same time.
    pub(super) async fn buy(&mut self) {
        let listing = self.random.one_of(&self.ground.listings);
        let quote = if self.random.per_cent(20) {
            match self.quote(listing).await {
                Some(quote) => Some(quote),
                None => return,
            }
        } else {
            None
        };
        let expected_minor = if quote.is_none() && self.random.per_cent(60) {
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
            quote,
            card: match self.random.below(100) {
                0..10 => Some(*self.random.one_of(&CARDS)),
                10..16 => Some(CARD_THAT_WAITS),
                _ => None,
            },
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
            quoted_minor: order.quote.as_ref().map(|quote| quote.price_minor),
            answers: Vec::new(),
        });
        self.orders.push(order);
        self.keep(self.orders.len() - 1, answers);
    }

    /// Asks for a promise of the price; none if nothing is for sale here, or nobody answers.
    async fn quote(&mut self, listing: &Listing) -> Option<Quote> {
        let body = json!({ "packageType": "vector", "packageId": listing.public_id });
        let path = "/api/ai/quotes";
        let request = self.ground.request(Method::POST, path, &self.user.key);
        let reply = self.ground.send(request.json(&body)).await;
        let data = &reply.body["data"];
        match reply.status {
            Some(201) => Some(Quote {
                id: data["quoteId"].as_str()?.to_owned(),
                price_minor: data["priceMinor"].as_i64()?,
            }),
            // The own package, a paused one, one that is sold out.
            None | Some(403 | 409 | 503 | 504) => None,
            Some(_) => {
                let fault = format!("{path} was answered {reply:?}");
                self.history.faults.push(fault);
                None
            }
        }
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
        if let Some(card) = order.card {
            body["paymentMethod"] = json!("stripe");
            body["paymentMethodId"] = json!(card);
        }
        if let Some(quote) = &order.quote {
            body["quoteId"] = json!(quote.id);
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
}
