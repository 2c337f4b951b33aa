//! An endpoint on the wire, in and out.

use std::collections::BTreeMap;

use common::ids::ApiKeyId;
use common::secrecy::SecretString;
use common::webhooks::PayloadMode;
use common::webhooks::endpoints::{Changes, Endpoint, Ordering};
use common::webhooks::secret::WebhookSecret;
use serde::Deserialize;
use serde_json::{Value, json};

use super::time;
use crate::error::{ApiError, Code};

/// What an owner sends; what is left out keeps its value, or its default.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct EndpointBody {
    url: Option<String>,
    description: Option<String>,
    signing_key_id: Option<ApiKeyId>,
    event_types: Option<Vec<String>>,
    payload: Option<PayloadMode>,
    ordering: Option<Ordering>,
    plan: Option<String>,
    plan_seconds: Option<Vec<i32>>,
    stop_on_client_error: Option<bool>,
    rate_per_second: Option<i64>,
    concurrency: Option<i64>,
    timeout_seconds: Option<i64>,
    headers: Option<BTreeMap<String, String>>,
    pub secret: Option<String>,
}

impl EndpointBody {
    /// The settings among it.
    pub fn changes(self) -> Changes {
        Changes {
            url: self.url,
            description: self.description,
            api_key: self.signing_key_id,
            event_types: self.event_types,
            payload: self.payload,
            ordering: self.ordering,
            plan: self.plan,
            plan_seconds: self.plan_seconds,
            stop_on_client_error: self.stop_on_client_error,
            rate_per_second: self.rate_per_second,
            concurrency: self.concurrency,
            timeout_seconds: self.timeout_seconds,
            headers: self.headers,
        }
    }
}

/// A secret that an owner brings along.
pub fn secret(text: Option<String>) -> Result<Option<WebhookSecret>, ApiError> {
    text.map(|text| {
        WebhookSecret::parse(&SecretString::from(text)).map_err(|error| {
            let fault = error.to_string();
            ApiError::new(Code::InvalidInput, format!("secret: {fault}.")).field("secret", fault)
        })
    })
    .transpose()
}

/// The endpoint as its owner sees it. Secrets and the values of headers are never shown.
pub fn shown(endpoint: &Endpoint) -> Value {
    json!({
        "endpointId": endpoint.id,
        "source": endpoint.source,
        "url": endpoint.url,
        "description": endpoint.description,
        "signingKeyId": endpoint.api_key_id,
        "eventTypes": endpoint.event_types,
        "payload": endpoint.payload,
        "ordering": endpoint.ordering,
        "plan": endpoint.plan,
        "planSeconds": endpoint.plan_seconds,
        "stopOnClientError": endpoint.stop_on_client_error,
        "ratePerSecond": endpoint.rate_per_second,
        "concurrency": endpoint.concurrency,
        "timeoutSeconds": endpoint.timeout_seconds,
        "headerNames": endpoint.header_names,
        "status": endpoint.state,
        "disabledReason": endpoint.disabled_reason,
        "failingSince": endpoint.failing_since.map(time),
        "version": endpoint.version,
        "timestamps": {
            "created": time(endpoint.created_at),
            "changed": time(endpoint.changed_at),
            "disabled": endpoint.disabled_at.map(time),
        },
    })
}
