//! What the clients did and what they were told: plain data, all that the judge knows of them.

use common::agent_tasks::TaskState;
use common::ids::{AgentTaskId, DisputeId, PackageId, PaymentId, PayoutId, PurchaseId, UserId};
use common::purchases::PurchaseState;
use uuid::Uuid;

/// What an answer said about a purchase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// There is one, and it stands there.
    Purchase {
        id: PurchaseId,
        state: PurchaseState,
        /// Not said of one that failed.
        price_minor: Option<i64>,
    },
    /// There is none, because of an earlier one of the same buyer.
    BoughtBefore(PurchaseId),
    /// There is none, for another reason.
    Refused(&'static str),
    /// The answer broke off, or a part of the service was away.
    Unknown,
}

/// One answer, and the request it belongs to as far as that was said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub request_id: Option<String>,
    pub told: Told,
}

/// One intention to buy: a request, and its repeats under the same key.
#[derive(Debug, Clone)]
pub struct Buy {
    pub buyer: UserId,
    pub listing: PackageId,
    pub key: Option<String>,
    pub expected_minor: Option<i64>,
    /// The price that a quote promised.
    pub quoted_minor: Option<i64>,
    pub answers: Vec<Answer>,
}

/// Credits that an operator gave or took; repeated until it was known whether they moved.
#[derive(Debug, Clone, Copy)]
pub struct Adjustment {
    pub id: Uuid,
    pub user: UserId,
    pub amount_minor: i64,
    pub is_made: bool,
}

/// A version of a listing that its seller was shown as the outcome of a change.
#[derive(Debug, Clone, Copy)]
pub struct Change {
    pub listing: PackageId,
    pub version: i64,
    pub price_minor: i64,
}

/// A purchase as its buyer saw it.
#[derive(Debug, Clone, Copy)]
pub struct Sight {
    pub buyer: UserId,
    pub purchase: PurchaseId,
    pub state: PurchaseState,
}

/// A buyer asked for the goods of a listing.
#[derive(Debug, Clone)]
pub struct Download {
    pub buyer: UserId,
    pub listing: PackageId,
    /// What the buyer had been told is settled, of this listing.
    pub owned: Vec<PurchaseId>,
    /// Whether an answer came.
    pub is_known: bool,
    /// The purchase for which the goods were handed out.
    pub handed: Option<PurchaseId>,
}

/// A card was to top up credits; repeated under its key until a payment was named.
#[derive(Debug, Clone, Copy)]
pub struct TopUp {
    pub id: PaymentId,
    pub user: UserId,
    pub amount_minor: i64,
    /// Whether the credits were said to be there.
    pub is_paid: bool,
}

/// A buyer was told of a dispute about a purchase.
#[derive(Debug, Clone, Copy)]
pub struct Dispute {
    pub id: DisputeId,
    pub purchase: PurchaseId,
    pub buyer: UserId,
}

/// A seller asked for earnings; repeated under its key until a payout was named.
#[derive(Debug, Clone, Copy)]
pub struct Payout {
    pub id: PayoutId,
    pub seller: UserId,
    pub amount_minor: i64,
}

/// An operator was told how something ended: the state of a dispute or a payout.
#[derive(Debug, Clone)]
pub struct Ending {
    pub id: Uuid,
    pub state: String,
}

/// A task that its payer knows of.
#[derive(Debug, Clone, Copy)]
pub struct Task {
    pub id: AgentTaskId,
    pub payer: UserId,
    pub provider: UserId,
    pub amount_minor: i64,
}

/// A task as one of its sides, or an operator, saw it.
#[derive(Debug, Clone, Copy)]
pub struct TaskSight {
    pub id: AgentTaskId,
    pub state: TaskState,
}

/// Everything that one client, or all of them, went through.
#[derive(Debug, Clone, Default)]
pub struct History {
    pub buys: Vec<Buy>,
    pub adjustments: Vec<Adjustment>,
    pub changes: Vec<Change>,
    pub sights: Vec<Sight>,
    pub downloads: Vec<Download>,
    pub top_ups: Vec<TopUp>,
    /// What somebody wanted to hand back or disputed.
    pub returns: Vec<PurchaseId>,
    pub disputes: Vec<Dispute>,
    pub payouts: Vec<Payout>,
    pub endings: Vec<Ending>,
    pub tasks: Vec<Task>,
    pub task_sights: Vec<TaskSight>,
    /// Answers that nobody may get, such as 500.
    pub faults: Vec<String>,
}

impl History {
    /// Adds what another client went through.
    pub fn append(&mut self, mut other: Self) {
        self.buys.append(&mut other.buys);
        self.adjustments.append(&mut other.adjustments);
        self.changes.append(&mut other.changes);
        self.sights.append(&mut other.sights);
        self.downloads.append(&mut other.downloads);
        self.top_ups.append(&mut other.top_ups);
        self.returns.append(&mut other.returns);
        self.disputes.append(&mut other.disputes);
        self.payouts.append(&mut other.payouts);
        self.endings.append(&mut other.endings);
        self.tasks.append(&mut other.tasks);
        self.task_sights.append(&mut other.task_sights);
        self.faults.append(&mut other.faults);
    }
}

impl Buy {
    /// Whether an answer to it was lost.
    pub fn has_unknown(&self) -> bool {
        self.answers
            .iter()
            .any(|answer| answer.told == Told::Unknown)
    }

    /// The purchases that it was told of as its own.
    pub fn purchases(&self) -> impl Iterator<Item = PurchaseId> {
        self.answers.iter().filter_map(|answer| match answer.told {
            Told::Purchase { id, .. } => Some(id),
            _ => None,
        })
    }
}
