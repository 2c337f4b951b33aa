//! An endpoint as its owner sends it.

use std::borrow::Cow;
use std::collections::BTreeMap;

use common::ids::ApiKeyId;
use common::limits::{
    ENDPOINT_CONCURRENCY_MAX, ENDPOINT_DESCRIPTION_CHARS_MAX, ENDPOINT_RATE_MAX,
    ENDPOINT_TIMEOUT_SECONDS,
};
use common::merge_patch::Patch;
use common::schema::inline_schema;
use common::secrecy::SecretString;
use common::uploads::FieldFault;
use common::webhooks::PayloadMode;
use common::webhooks::endpoints::{Changes, Ordering};
use common::webhooks::secret::WebhookSecret;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;
use serde_json::json;

use crate::error::{ApiError, Code};
use crate::extract::set_or_keep;

/// An endpoint's settings, as a merge patch: what is left out stays as it is, or has its default in a new
/// endpoint.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "EndpointSettings")]
pub struct EndpointBody {
    /// The receiver's address: https, and public.
    #[schemars(url)]
    url: Patch<String>,
    /// A note of yours.
    #[schemars(length(max = ENDPOINT_DESCRIPTION_CHARS_MAX))]
    description: Patch<String>,
    /// The API key whose secret signs `X-Awareness-Signature`. The default is the key of this request.
    signing_key_id: Patch<ApiKeyId>,
    /// The events to send: types, families such as `purchase.*`, or `*`.
    #[schemars(extend("examples" = [["purchase.*"]]))]
    event_types: Patch<Vec<String>>,
    payload: Patch<PayloadMode>,
    ordering: Patch<Ordering>,
    /// When a failed delivery is tried again.
    #[schemars(with = "Option<PlanName>")]
    plan: Patch<String>,
    /// With the plan `custom`: the waits before the second and each later try, in seconds.
    plan_seconds: Patch<Vec<i32>>,
    /// Whether a 4xx answer other than 408, 425 and 429 ends a delivery.
    stop_on_client_error: Patch<bool>,
    /// At most so many requests per second.
    #[schemars(range(min = 1, max = ENDPOINT_RATE_MAX))]
    rate_per_second: Patch<i64>,
    /// At most so many requests at the same time.
    #[schemars(range(min = 1, max = ENDPOINT_CONCURRENCY_MAX))]
    concurrency: Patch<i64>,
    /// How long a request may take, its answer included.
    #[schemars(range(min = ENDPOINT_TIMEOUT_SECONDS.0, max = ENDPOINT_TIMEOUT_SECONDS.1))]
    timeout_seconds: Patch<i64>,
    /// Headers of your own. Their values are never shown.
    headers: Patch<BTreeMap<String, Option<String>>>,
    /// Of a new endpoint: a secret of your own; one is made if you bring none. Later it is changed by
    /// `rotate-secret`.
    #[schemars(with = "Option<SecretText>")]
    pub secret: Option<String>,
}

/// A new endpoint: its settings, of which the address is required.
pub struct EndpointRequest;

impl JsonSchema for EndpointRequest {
    fn schema_name() -> Cow<'static, str> {
        "EndpointRequest".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = EndpointBody::json_schema(generator);
        schema.insert("required".to_owned(), json!(["url"]));
        if let Some(url) = schema.pointer_mut("/properties/url/type") {
            *url = json!("string");
        }
        schema.insert("description".to_owned(), json!("A new endpoint."));
        schema
    }
}

/// When failed deliveries are tried again.
#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase", rename = "RetryPlan")]
#[expect(dead_code, reason = "only its schema is used")]
pub enum PlanName {
    /// For two days, with growing waits.
    Standard,
    /// For minutes.
    Fast,
    /// After the waits of `planSeconds`.
    Custom,
}

/// A secret in its text form.
pub struct SecretText;

inline_schema!(SecretText, {
    "type": "string",
    "description": "`whsec_` and the base64 of 24 to 64 bytes.",
    "pattern": "^whsec_[A-Za-z0-9+/]+={0,2}$",
});

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
