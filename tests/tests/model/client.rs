//! One of the clients: does one random thing after the other, and writes down what it is told.

use std::time::Duration;

use common::ids::PurchaseId;
use common::money::decimal_text;
use scheduler::sweeps::sweep_purchases;
use serde_json::{Value, json};
use tests::random::Random;

use super::buying::Order;
use super::ground::{Ground, Reply, User};
use super::history::History;

/// What a client can do. A new kind of operation is a line in each list here, and a method.
#[derive(Debug, Clone, Copy)]
enum Operation {
    Buy,
    BuyAgain,
    Look,
    Download,
    Refund,
    Cancel,
    PayOtherwise,
    Dispute,
    Decide,
    Adjust,
    TopUp,
    AskBack,
    Reprice,
    PauseOrResume,
    AskPayout,
    EndPayout,
    Expire,
    Age,
    Hire,
    ActOnTask,
    ResolveTask,
    HurryTasks,
}

/// Each with its name in the table and its weight.
const OPERATIONS: [(Operation, &str, u64); 22] = [
    (Operation::Buy, "buy", 45),
    (Operation::BuyAgain, "buy again by key", 8),
    (Operation::Look, "look", 6),
    (Operation::Download, "download", 6),
    (Operation::Refund, "refund", 6),
    (Operation::Cancel, "cancel", 3),
    (Operation::PayOtherwise, "pay otherwise", 3),
    (Operation::Dispute, "dispute", 4),
    (Operation::Decide, "decide a dispute", 3),
    (Operation::Adjust, "give or take credits", 5),
    (Operation::TopUp, "top up by card", 5),
    (Operation::AskBack, "a card asks money back", 3),
    (Operation::Reprice, "reprice", 8),
    (Operation::PauseOrResume, "pause or resume", 3),
    (Operation::AskPayout, "ask for a payout", 3),
    (Operation::EndPayout, "end a payout", 2),
    (Operation::Expire, "expire", 3),
    (Operation::Age, "age", 1),
    (Operation::Hire, "hire an agent", 9),
    (Operation::ActOnTask, "act on a task", 18),
    (Operation::ResolveTask, "resolve a task", 3),
    (Operation::HurryTasks, "let tasks end", 1),
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
    pub(super) number: usize,
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
            number,
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
            let (operation, name) = self.next();
            self.run(operation).await;
            self.ground.tally.lock().unwrap().count_operation(name);
            let pause = Duration::from_millis(self.random.below(PAUSE_MS_MAX));
            tokio::time::sleep(pause).await;
        }
        self.history
    }

    fn next(&mut self) -> (Operation, &'static str) {
        let total: u64 = OPERATIONS.iter().map(|(.., weight)| weight).sum();
        let mut place = self.random.below(total);
        for (operation, name, weight) in OPERATIONS {
            if place < weight {
                return (operation, name);
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
            Operation::Refund => self.refund().await,
            Operation::Cancel => self.cancel().await,
            Operation::PayOtherwise => self.pay_otherwise().await,
            Operation::Dispute => self.dispute().await,
            Operation::Decide => self.decide().await,
            Operation::TopUp => self.top_up().await,
            Operation::AskBack => self.ask_back().await,
            Operation::AskPayout => self.ask_payout().await,
            Operation::EndPayout => self.end_payout().await,
            Operation::Age => self.age().await,
            Operation::Hire => self.hire().await,
            Operation::ActOnTask => self.act_on_task().await,
            Operation::ResolveTask => self.resolve_task().await,
            Operation::HurryTasks => self.hurry_tasks().await,
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

    /// The answer of the operators' API to a request that bears repeating.
    pub(super) async fn until_told(&self, path: &str, body: &Value) -> Reply {
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

/// Whether nobody knows what became of the request.
pub fn is_unknown(reply: &Reply) -> bool {
    matches!(reply.status, None | Some(503 | 504))
}
