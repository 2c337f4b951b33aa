//! What clients say of subscriptions, checked.

use std::collections::BTreeSet;

use common::events::subscriptions::{Acknowledgement, NewSubscription, Start, SubscriptionName};
use common::events::{FILTERS_MAX, TypeFilter};
use common::ids::UserId;
use common::limits::{
    ACK_SECONDS, ACK_SECONDS_MAX, ACKNOWLEDGEMENTS_MAX, CLIENT_STREAM_NAME_BYTES_MAX,
    EVENT_IDS_MAX, EVENT_SUBSCRIPTION_NAME_BYTES_MAX, EVENT_WAIT_SECONDS_MAX, RETRY_IN_SECONDS_MAX,
    SUBSCRIPTION_BATCH, SUBSCRIPTION_BATCH_MAX,
};
use common::uploads::FieldFault;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::error::ApiError;

/// A subscription to be.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EventSubscriptionRequest {
    /// Its name, unique in your account: letters, digits, `_`, `.` and `-`.
    #[schemars(length(min = 1, max = EVENT_SUBSCRIPTION_NAME_BYTES_MAX))]
    name: String,
    /// Types and families of types; all if nothing is said.
    #[serde(default)]
    #[schemars(length(max = FILTERS_MAX))]
    types: Vec<String>,
    /// Streams, or ids of uploads, purchases, tasks and so on; all if nothing is said.
    #[serde(default)]
    #[schemars(length(max = EVENT_IDS_MAX))]
    ids: Vec<String>,
    /// Where to begin: `earliest`, which is the default, `latest`, or a cursor of the event log.
    #[serde(default)]
    from: Option<String>,
    /// How many seconds a consumer has to acknowledge an event.
    #[serde(default = "default_ack_seconds")]
    #[schemars(range(min = 1, max = ACK_SECONDS_MAX))]
    ack_seconds: i32,
}

/// How many events, and how long to wait for them.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct EventFetchRequest {
    /// How many at most.
    #[schemars(range(min = 1, max = SUBSCRIPTION_BATCH_MAX))]
    pub limit: i32,
    /// Seconds to wait if there is no event yet.
    #[schemars(range(min = 0, max = EVENT_WAIT_SECONDS_MAX))]
    pub wait_seconds: u64,
}

/// What was dealt with.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AcknowledgementRequest {
    /// The `acknowledgement` of each event.
    #[schemars(length(min = 1, max = ACKNOWLEDGEMENTS_MAX))]
    pub acknowledgements: Vec<String>,
}

/// What is given back.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReleaseRequest {
    /// The `acknowledgement` of each event.
    #[schemars(length(min = 1, max = ACKNOWLEDGEMENTS_MAX))]
    pub acknowledgements: Vec<String>,
    /// Seconds until they may be handed out again; at once if nothing is said.
    #[serde(default)]
    #[schemars(range(min = 0, max = RETRY_IN_SECONDS_MAX))]
    pub retry_in_seconds: i32,
}

/// Where to go on.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SeekRequest {
    /// `earliest`, `latest`, or a cursor of the event log.
    pub to: String,
}

fn default_ack_seconds() -> i32 {
    ACK_SECONDS
}

impl Default for EventFetchRequest {
    fn default() -> Self {
        Self {
            limit: SUBSCRIPTION_BATCH,
            wait_seconds: 0,
        }
    }
}

impl EventSubscriptionRequest {
    /// What the owner wants, if it can be.
    pub fn read(self, owner: UserId) -> Result<NewSubscription, ApiError> {
        let start = start("from", self.from.as_deref().unwrap_or("earliest"))?;
        let mut faults = Vec::new();
        let name = SubscriptionName::parse(&self.name);
        if name.is_none() {
            let message = format!(
                "must be of letters, digits, `_`, `.` and `-`, at most {EVENT_SUBSCRIPTION_NAME_BYTES_MAX}, the first a \
                 letter or a digit"
            );
            faults.push(FieldFault::new("name", message));
        }
        count("types", self.types.len(), 0..=FILTERS_MAX, &mut faults);
        count("ids", self.ids.len(), 0..=EVENT_IDS_MAX, &mut faults);
        // The same set in another order is the same.
        let texts: BTreeSet<String> = self.types.into_iter().collect();
        let mut types = Vec::new();
        for text in &texts {
            match TypeFilter::parse(text) {
                Ok(filter) => types.push(filter),
                Err(error) => faults.push(FieldFault::new("types", error.to_string())),
            }
        }
        let ids: BTreeSet<String> = self.ids.into_iter().collect();
        if !ids.iter().all(|id| is_id(id)) {
            let message = format!(
                "must be streams or ids: letters, digits and `_.:-`, at most {CLIENT_STREAM_NAME_BYTES_MAX}"
            );
            faults.push(FieldFault::new("ids", message));
        }
        range(
            "ackSeconds",
            self.ack_seconds,
            1..=ACK_SECONDS_MAX,
            &mut faults,
        );
        match name {
            Some(name) if faults.is_empty() => Ok(NewSubscription {
                owner,
                name,
                types,
                ids: ids.into_iter().collect(),
                start,
                ack_seconds: self.ack_seconds,
            }),
            _ => Err(ApiError::fields(&faults)),
        }
    }
}

impl EventFetchRequest {
    pub fn check(&self) -> Result<(), ApiError> {
        let mut faults = Vec::new();
        range("limit", self.limit, 1..=SUBSCRIPTION_BATCH_MAX, &mut faults);
        range(
            "waitSeconds",
            self.wait_seconds,
            0..=EVENT_WAIT_SECONDS_MAX,
            &mut faults,
        );
        refuse(&faults)
    }
}

impl ReleaseRequest {
    pub fn check(&self) -> Result<(), ApiError> {
        let mut faults = Vec::new();
        range(
            "retryInSeconds",
            self.retry_in_seconds,
            0..=RETRY_IN_SECONDS_MAX,
            &mut faults,
        );
        refuse(&faults)
    }
}

/// A place in the log.
pub fn start(field: &str, text: &str) -> Result<Start, ApiError> {
    text.parse().map_err(|_| {
        let message = "must be `earliest`, `latest`, or a cursor of the event log";
        ApiError::fields(&[FieldFault::new(field, message)])
    })
}

/// The acknowledgements, each once.
pub fn acknowledgements(texts: &[String]) -> Result<BTreeSet<Acknowledgement>, ApiError> {
    let field = "acknowledgements";
    let mut faults = Vec::new();
    count(field, texts.len(), 1..=ACKNOWLEDGEMENTS_MAX, &mut faults);
    refuse(&faults)?;
    let parsed: Option<BTreeSet<_>> = texts
        .iter()
        .map(|text| Acknowledgement::parse(text))
        .collect();
    parsed.ok_or_else(|| {
        let message = "must each be the `acknowledgement` of an event that was fetched";
        ApiError::fields(&[FieldFault::new(field, message)])
    })
}

fn is_id(text: &str) -> bool {
    (1..=CLIENT_STREAM_NAME_BYTES_MAX).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_.:-".contains(&byte))
}

fn count(
    field: &str,
    count: usize,
    may: std::ops::RangeInclusive<usize>,
    faults: &mut Vec<FieldFault>,
) {
    if !may.contains(&count) {
        let message = format!("must have {} to {} entries", may.start(), may.end());
        faults.push(FieldFault::new(field, message));
    }
}

fn range<T: PartialOrd + std::fmt::Display>(
    field: &str,
    value: T,
    may: std::ops::RangeInclusive<T>,
    faults: &mut Vec<FieldFault>,
) {
    if !may.contains(&value) {
        let message = format!("must be between {} and {}", may.start(), may.end());
        faults.push(FieldFault::new(field, message));
    }
}

fn refuse(faults: &[FieldFault]) -> Result<(), ApiError> {
    match faults {
        [] => Ok(()),
        faults => Err(ApiError::fields(faults)),
    }
}
