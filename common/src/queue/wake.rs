//! Owns what travels through Redis: ids and a trace context, never bytes or secrets.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A wake-up call: "look at this job". The job itself is a row in PostgreSQL.
///
/// On the wire: `{"job":"<uuid>","fence":3,"trace":"req_..."}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wake {
    /// The job to look at.
    pub job: Uuid,
    /// How often the job had been leased when the call was made.
    pub fence: i32,
    /// Ties the job's log lines to the request that caused it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
}

impl Wake {
    /// The call's name in Redis: the same job at the same fence is the same call.
    ///
    /// Never digits only, since apalis reads such an id back as a number.
    #[must_use]
    pub fn task_id(&self) -> String {
        format!("{}.{}", self.job, self.fence)
    }
}

/// The two lists of a queue. A worker serves one; give `Fast` more slots, so that no bulk load
/// of one tenant delays everybody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Lane {
    /// What somebody waits for.
    Fast,
    /// What arrives in masses and may wait.
    Bulk,
}

impl Lane {
    /// Both lanes.
    pub const ALL: [Self; 2] = [Self::Fast, Self::Bulk];

    /// Its name in SQL.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fast => "fast",
            Self::Bulk => "bulk",
        }
    }
}

/// What a handler is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    /// A wake-up call.
    Wake(Wake),
    /// Something on the list that is no wake-up call. It is delivered once, for quarantine.
    Undecodable {
        /// The bytes as they were found.
        bytes: Vec<u8>,
        /// Why they are no wake-up call.
        error: String,
        /// Its name in Redis.
        task_id: String,
    },
}

/// The stem of the Redis keys of one lane of one queue, and its name for apalis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LaneKey(String);

impl LaneKey {
    pub(super) fn new(prefix: &str, queue: &str, lane: Lane) -> Self {
        debug_assert!(!queue.contains(':'), "a queue name is one word: {queue}");
        Self(match lane {
            Lane::Fast => format!("{prefix}:{queue}"),
            Lane::Bulk => format!("{prefix}:{queue}:bulk"),
        })
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// The channel on which pushes are announced.
    pub(super) fn wake_channel(&self) -> String {
        format!("{}:wake", self.0)
    }
}

#[cfg(test)]
mod tests {
    use std::str::FromStr as _;

    use apalis_core::task::task_id::TaskId;

    use super::*;

    #[test]
    fn digits_only_ids_cannot_arise_and_every_task_id_survives_apalis_unchanged() {
        for job in [Uuid::nil(), Uuid::max(), Uuid::from_u128(7), Uuid::now_v7()] {
            for fence in [0, 7, i32::MAX] {
                let id = Wake {
                    job,
                    fence,
                    trace: None,
                }
                .task_id();
                let read_back = TaskId::from_str(&id).unwrap();
                assert_eq!(read_back, TaskId::String(id.clone()));
                assert_eq!(read_back.to_string(), id);
            }
        }
    }

    #[test]
    fn the_wire_form_is_ids_and_a_trace_and_tolerates_more() {
        let wake = Wake {
            job: Uuid::nil(),
            fence: 3,
            trace: Some("req_1".to_owned()),
        };
        let wire = r#"{"job":"00000000-0000-0000-0000-000000000000","fence":3,"trace":"req_1"}"#;
        assert_eq!(serde_json::to_string(&wake).unwrap(), wire);
        let newer = wire.replace('}', r#","later":true}"#);
        assert_eq!(serde_json::from_str::<Wake>(&newer).unwrap(), wake);
    }
}
