//! An endpoint on the wire, in and out.

use std::collections::BTreeMap;

use common::ids::ApiKeyId;
use common::merge_patch::Patch;
use common::secrecy::SecretString;
use common::uploads::FieldFault;
use common::webhooks::PayloadMode;
use common::webhooks::endpoints::{Changes, Endpoint, Ordering};
use common::webhooks::secret::WebhookSecret;
use serde::Deserialize;
use serde_json::{Value, json};

use super::time;
use crate::error::{ApiError, Code};
use crate::extract::set_or_keep;

/// What an owner sends: to a new endpoint, or as a merge patch.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct EndpointBody {
    url: Patch<String>,
    description: Patch<String>,
    signing_key_id: Patch<ApiKeyId>,
    event_types: Patch<Vec<String>>,
    payload: Patch<PayloadMode>,
    ordering: Patch<Ordering>,
    plan: Patch<String>,
    plan_seconds: Patch<Vec<i32>>,
    stop_on_client_error: Patch<bool>,
    rate_per_second: Patch<i64>,
    concurrency: Patch<i64>,
    timeout_seconds: Patch<i64>,
    headers: Patch<BTreeMap<String, Option<String>>>,
    pub secret: Option<String>,
}

impl EndpointBody {
    /// The settings of a new endpoint: what is left out or null has its default.
    pub fn settings(self) -> Changes {
        self.changes_noting(&mut Vec::new())
    }

    /// The changes to an endpoint. Null takes its description or headers away; all else always has a value.
    pub fn changes(self) -> Result<Changes, ApiError> {
        let mut faults = Vec::new();
        let changes = self.changes_noting(&mut faults);
        if faults.is_empty() {
            Ok(changes)
        } else {
            Err(ApiError::fields(&faults))
        }
    }

    fn changes_noting(self, faults: &mut Vec<FieldFault>) -> Changes {
        Changes {
            url: set_or_keep(self.url, "url", faults),
            description: self.description,
            api_key: set_or_keep(self.signing_key_id, "signingKeyId", faults),
            event_types: set_or_keep(self.event_types, "eventTypes", faults),
            payload: set_or_keep(self.payload, "payload", faults),
            ordering: set_or_keep(self.ordering, "ordering", faults),
            plan: set_or_keep(self.plan, "plan", faults),
            plan_seconds: set_or_keep(self.plan_seconds, "planSeconds", faults),
            stop_on_client_error: set_or_keep(
                self.stop_on_client_error,
                "stopOnClientError",
                faults,
            ),
            rate_per_second: set_or_keep(self.rate_per_second, "ratePerSecond", faults),
            concurrency: set_or_keep(self.concurrency, "concurrency", faults),
            timeout_seconds: set_or_keep(self.timeout_seconds, "timeoutSeconds", faults),
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
