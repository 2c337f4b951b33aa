//! What the participants of a task may do, and when: the one table of moves.

use std::fmt;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{AgentTask, TaskState};
use crate::ids::UserId;
use crate::limits::{TASK_REVIEW, TASK_WORK};

/// A side of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, sqlx::Type)]
#[schemars(rename = "TaskParticipant")]
#[serde(rename_all = "lowercase")]
#[sqlx(type_name = "text", rename_all = "lowercase")]
pub enum Participant {
    Payer,
    Provider,
}

impl Participant {
    /// The side that a user is on, if on any.
    pub fn of(user: UserId, task: &AgentTask) -> Option<Self> {
        if user == task.payer_id {
            Some(Self::Payer)
        } else if user == task.provider_id {
            Some(Self::Provider)
        } else {
            None
        }
    }
}

impl fmt::Display for Participant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Payer => "payer",
            Self::Provider => "provider",
        })
    }
}

/// What a participant puts before an operator.
pub type Evidence = Map<String, Value>;

/// Something that a participant does.
#[derive(Debug, Clone, PartialEq)]
pub enum Act {
    /// The provider takes the task on.
    Accept,
    /// The provider does not do it.
    Decline { reason: Option<String> },
    /// The provider hands over what it made.
    Deliver { result: Map<String, Value> },
    /// The payer does not want it any more.
    Cancel,
    /// The payer takes the result, before its time is over.
    Settle,
    /// The payer does not take the result.
    Dispute {
        reason: String,
        evidence: Option<Evidence>,
    },
}

impl Act {
    /// Who may do it.
    pub fn participant(&self) -> Participant {
        match self {
            Self::Accept | Self::Decline { .. } | Self::Deliver { .. } => Participant::Provider,
            Self::Cancel | Self::Settle | Self::Dispute { .. } => Participant::Payer,
        }
    }

    /// The state that it leads to, if it can be done in that one.
    pub fn leads(&self, from: TaskState) -> Option<TaskState> {
        use TaskState as State;
        match (self, from) {
            (Self::Accept, State::Pending) => Some(State::Accepted),
            (Self::Decline { .. }, State::Pending | State::Accepted) => Some(State::Cancelled),
            (Self::Deliver { .. }, State::Accepted) => Some(State::Delivered),
            (Self::Cancel, State::Pending) => Some(State::Cancelled),
            (Self::Settle, State::Delivered) => Some(State::Settled),
            (Self::Dispute { .. }, State::Delivered) => Some(State::Disputed),
            _ => None,
        }
    }

    /// Why, in words.
    pub fn note(&self) -> Option<&str> {
        match self {
            Self::Decline { reason } => reason.as_deref(),
            Self::Dispute { reason, .. } => Some(reason),
            _ => None,
        }
    }
}

/// How long a state lasts that a participant brought about, if it ends by itself.
pub(super) fn lasts(state: TaskState) -> Option<Duration> {
    match state {
        TaskState::Accepted => Some(TASK_WORK),
        TaskState::Delivered => Some(TASK_REVIEW),
        _ => None,
    }
}
