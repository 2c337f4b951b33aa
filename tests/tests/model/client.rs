//! One of the clients: does one random thing after the other, and writes down what it is told.

use std::time::Duration;

use common::ids::PurchaseId;
use common::money::decimal_text;
use scheduler::sweeps::sweep_purchases;
use serde_json::{Value, json};
use tests::random::Random;
use uuid::Uuid;

use super::buying::Order;
use super::ground::{Ground, Reply, User};
use super::history::{Adjustment, History};

/// What a client can do. A new kind of operation is a line here, and a method.
#[derive(Debug, Clone, Copy)]
enum Operation {
    Buy,
    BuyAgain,
    Look,
    Download,
    Adjust,
    Reprice,
    PauseOrResume,
    Expire,
}

/// Each with its weight.
const OPERATIONS: [(Operation, u64); 8] = [
    (Operation::Buy, 53),
    (Operation::BuyAgain, 10),
    (Operation::Look, 8),
    (Operation::Download, 8),
    (Operation::Adjust, 10),
    (Operation::Reprice, 8),
    (Operation::PauseOrResume, 5),
    (Operation::Expire, 4),
];

/// Before the same request is sent again.
pub const AGAIN_AFTER: Duration = Duration::from_millis(200);
/// The longest pause between two operations: the faults need time to happen meanwhile.
const PAUSE_MS_MAX: u64 = 400;
/// What each client begins with: some run out.
const CREDITS_MINOR_AT_FIRST: i64 = 6_000;
/// The most that an operator gives or takes at once.
const CREDITS_MINOR_MAX: u64 = 5_000;
/// The most that a seller asks.
const PRICE_MINOR_MAX: u64 = 2_000;

/// A client at work.
#[derive(Debug)]
pub struct Client<'a> {
    pub(super) ground: &'a Ground,
    pub(super) user: &'a User,
    pub(super) random: Random,
    pub(super) keys: u64,
    pub(super) history: History,
    /// The requests of the intentions to buy, by their place in the history.
    pub(super) orders: Vec<Order<'a>>,
    /// What it was told of.
    pub(super) purchases: Vec<PurchaseId>,
}

impl<'a> Client<'a> {
    /// The client of that number.
    pub fn new(ground: &'a Ground, number: usize, seed: u64) -> Self {
        Self {
            ground,
            user: &ground.users[number],
            random: Random::stream(seed, number as u64),
            keys: 0,
            history: History::default(),
            orders: Vec::new(),
            purchases: Vec::new(),
        }
    }

    /// Does that many random things.
    pub async fn work(mut self, operations: usize) -> History {
        self.adjust(CREDITS_MINOR_AT_FIRST).await;
        for _ in 0..operations {
            let operation = self.next();
            let label = operation.label();
            self.run(operation).await;
            *(self.ground.tally.lock().unwrap().operations)
                .entry(label)
                .or_default() += 1;
            let pause = Duration::from_millis(self.random.below(PAUSE_MS_MAX));
            tokio::time::sleep(pause).await;
        }
        self.history
    }

    fn next(&mut self) -> Operation {
        let total: u64 = OPERATIONS.iter().map(|(_, weight)| weight).sum();
        let mut place = self.random.below(total);
        for (operation, weight) in OPERATIONS {
            if place < weight {
                return operation;
            }
            place -= weight;
        }
        unreachable!("a place below the sum of all weights")
    }

    async fn run(&mut self, operation: Operation) {
        match operation {
            Operation::Buy => self.buy().await,
            Operation::BuyAgain => self.buy_again().await,
            Operation::Look => self.look().await,
            Operation::Download => self.download().await,
            Operation::Adjust => {
                let amount = self.random.below(CREDITS_MINOR_MAX) as i64 + 1;
                let is_taken = self.random.per_cent(20);
                self.adjust(if is_taken { -amount } else { amount }).await;
            }
            Operation::Reprice => {
                let price = decimal_text(self.random.below(PRICE_MINOR_MAX) as i64);
                let price: serde_json::Number = price.parse().unwrap();
                self.change(|_| json!({ "price": price })).await;
            }
            Operation::PauseOrResume => {
                let is_tired = self.random.per_cent(20);
                self.change(|listing| {
                    let is_active = listing["status"] == "active";
                    json!({ "status": if is_active && is_tired { "paused" } else { "active" } })
                })
                .await;
            }
            Operation::Expire => self.expire().await,
        }
    }

    /// Is given credits by an operator, or has them taken; as often as it takes to be told, and once
    /// more now and then.
    async fn adjust(&mut self, amount_minor: i64) {
        let id = Uuid::new_v4();
        let body = json!({
            "user": self.user.name,
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

    /// The answer of the operators' API to a request that bears repeating.
    async fn until_told(&self, path: &str, body: &Value) -> Reply {
        loop {
            let reply = self.ground.send(self.ground.operator(path, body)).await;
            if !is_unknown(&reply) {
                return reply;
            }
            tokio::time::sleep(AGAIN_AFTER).await;
        }
    }

    /// The time of all pending purchases is over now, behind the back of the services; then a sweep.
    async fn expire(&self) {
        let expired = sqlx::query(
            "update purchases
             set expires_at = now() - interval '1 second'
             where state = 'pending'",
        )
        .execute(&self.ground.test.pool)
        .await;
        // PostgreSQL may be away; then nothing expires.
        if expired.is_ok() {
            let _ = sweep_purchases(&self.ground.outbox).await;
        }
    }
}

impl Operation {
    fn label(self) -> &'static str {
        match self {
            Self::Buy => "buy",
            Self::BuyAgain => "buy again by key",
            Self::Look => "look",
            Self::Download => "download",
            Self::Adjust => "give or take credits",
            Self::Reprice => "reprice",
            Self::PauseOrResume => "pause or resume",
            Self::Expire => "expire",
        }
    }
}

pub fn is_unknown(reply: &Reply) -> bool {
    matches!(reply.status, None | Some(503 | 504))
}
