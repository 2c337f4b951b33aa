//! An endpoint as its owner sees it. Secrets and the values of headers are never shown.

use common::ids::{ApiKeyId, EndpointId};
use common::webhooks::PayloadMode;
use common::webhooks::endpoints::{self, EndpointState, Ordering, Source};
use common::wire::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::endpoint_body::PlanName;
use crate::contract::Answer;
use crate::entity_tag::Tagged;
use crate::routes::page::NextCursor;

/// A webhook endpoint.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Endpoint {
    endpoint_id: EndpointId,
    source: Source,
    /// The receiver's address.
    #[schemars(url)]
    url: String,
    /// A note of yours.
    description: String,
    /// The API key whose secret signs `X-Awareness-Signature`.
    signing_key_id: ApiKeyId,
    /// The events that are sent: types, families such as `purchase.*`, or `*`.
    event_types: Vec<String>,
    payload: PayloadMode,
    ordering: Ordering,
    /// When a failed delivery is tried again.
    #[schemars(with = "PlanName")]
    plan: String,
    /// The waits of a custom plan, in seconds.
    plan_seconds: Option<Vec<i32>>,
    /// Whether a 4xx answer other than 408, 425 and 429 ends a delivery.
    stop_on_client_error: bool,
    /// At most so many requests per second.
    rate_per_second: i32,
    /// At most so many requests at the same time.
    concurrency: i16,
    /// How long a request may take.
    timeout_seconds: i16,
    /// The names of your own headers.
    header_names: Vec<String>,
    status: EndpointState,
    /// Why it is disabled.
    disabled_reason: Option<String>,
    /// Since when nothing has arrived.
    failing_since: Option<Timestamp>,
    /// Grows with each change; the entity tag begins with it.
    version: i64,
    timestamps: EndpointTimes,
}

/// When an endpoint changed.
#[derive(Debug, Serialize, JsonSchema)]
pub struct EndpointTimes {
    /// When it was registered.
    created: Timestamp,
    /// When it was last changed.
    changed: Timestamp,
    /// When it was disabled.
    disabled: Option<Timestamp>,
}

/// A page of endpoints, newest first.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EndpointPage {
    pub endpoints: Vec<Endpoint>,
    pub next_cursor: NextCursor,
}

impl From<&endpoints::Endpoint> for Endpoint {
    fn from(endpoint: &endpoints::Endpoint) -> Self {
        let endpoint = endpoint.clone();
        Self {
            endpoint_id: endpoint.id,
            source: endpoint.source,
            url: endpoint.url,
            description: endpoint.description,
            signing_key_id: endpoint.api_key_id,
            event_types: endpoint.event_types,
            payload: endpoint.payload,
            ordering: endpoint.ordering,
            plan: endpoint.plan,
            plan_seconds: endpoint.plan_seconds,
            stop_on_client_error: endpoint.stop_on_client_error,
            rate_per_second: endpoint.rate_per_second,
            concurrency: endpoint.concurrency,
            timeout_seconds: endpoint.timeout_seconds,
            header_names: endpoint.header_names,
            status: endpoint.state,
            disabled_reason: endpoint.disabled_reason,
            failing_since: endpoint.failing_since.map(Timestamp),
            version: endpoint.version,
            timestamps: EndpointTimes {
                created: endpoint.created_at.into(),
                changed: endpoint.changed_at.into(),
                disabled: endpoint.disabled_at.map(Timestamp),
            },
        }
    }
}

/// An endpoint with its entity tag.
pub fn answer(endpoint: &endpoints::Endpoint) -> Answer<Endpoint> {
    Answer::ok(Endpoint::from(endpoint)).tagged(Tagged::at(endpoint.version))
}
