//! The settings of an endpoint: what its owner may choose, and within which bounds.

use std::collections::BTreeMap;

use super::custom_headers::{self, CustomHeader};
use super::{Endpoint, Ordering};
use crate::events::{FILTERS_MAX, TypeFilter};
use crate::ids::ApiKeyId;
use crate::limits::{
    ENDPOINT_CONCURRENCY_MAX, ENDPOINT_DESCRIPTION_CHARS_MAX, ENDPOINT_RATE_MAX,
    ENDPOINT_TIMEOUT_SECONDS,
};
use crate::merge_patch::Patch;
use crate::webhooks::address::{Policy, check_url};
use crate::webhooks::envelope::PayloadMode;
use crate::webhooks::plan::Plan;

/// What is wrong with a field, by its name on the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    pub field: &'static str,
    pub message: String,
}

/// All that an owner may choose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    pub url: String,
    pub description: String,
    /// The key that makes the legacy signature.
    pub api_key: ApiKeyId,
    pub event_types: Vec<String>,
    pub payload: PayloadMode,
    pub ordering: Ordering,
    pub plan: Plan,
    pub stop_on_client_error: bool,
    pub rate_per_second: i32,
    pub concurrency: i16,
    pub timeout_seconds: i16,
    pub headers: Vec<CustomHeader>,
}

/// What to change; none leaves a setting as it is.
#[derive(Debug, Clone, Default)]
pub struct Changes {
    pub url: Option<String>,
    pub description: Patch<String>,
    pub api_key: Option<ApiKeyId>,
    pub event_types: Option<Vec<String>>,
    pub payload: Option<PayloadMode>,
    pub ordering: Option<Ordering>,
    pub plan: Option<String>,
    pub plan_seconds: Option<Vec<i32>>,
    pub stop_on_client_error: Option<bool>,
    pub rate_per_second: Option<i64>,
    pub concurrency: Option<i64>,
    pub timeout_seconds: Option<i64>,
    /// Each of them is set, or taken away.
    pub headers: Patch<BTreeMap<String, Option<String>>>,
}

impl Settings {
    /// The defaults, for an address that is still to be set.
    pub fn new(api_key: ApiKeyId) -> Self {
        Self {
            url: String::new(),
            description: String::new(),
            api_key,
            event_types: vec!["*".to_owned()],
            payload: PayloadMode::Full,
            ordering: Ordering::None,
            plan: Plan::Standard,
            stop_on_client_error: false,
            rate_per_second: 50,
            concurrency: 16,
            timeout_seconds: 20,
            headers: Vec::new(),
        }
    }

    /// Those of an endpoint, with its own headers.
    pub fn of(endpoint: &Endpoint, headers: Vec<CustomHeader>) -> Self {
        let seconds = endpoint.plan_seconds.as_deref();
        Self {
            url: endpoint.url.clone(),
            description: endpoint.description.clone(),
            api_key: endpoint.api_key_id,
            event_types: endpoint.event_types.clone(),
            payload: endpoint.payload,
            ordering: endpoint.ordering,
            plan: Plan::from_parts(&endpoint.plan, seconds).unwrap_or_default(),
            stop_on_client_error: endpoint.stop_on_client_error,
            rate_per_second: endpoint.rate_per_second,
            concurrency: endpoint.concurrency,
            timeout_seconds: endpoint.timeout_seconds,
            headers,
        }
    }

    /// With the changes made; all that is wrong with them, if something is.
    pub fn with(mut self, changes: Changes, policy: &Policy) -> Result<Self, Vec<Fault>> {
        let mut faults = Faults::default();
        if let Some(url) = changes.url {
            faults.check("url", check_url(&url, policy));
            self.url = url;
        }
        self.description = changes.description.or(self.description);
        if self.description.chars().count() > ENDPOINT_DESCRIPTION_CHARS_MAX {
            faults.add(
                "description",
                format!("must have at most {ENDPOINT_DESCRIPTION_CHARS_MAX} characters"),
            );
        }
        if let Some(filters) = changes.event_types {
            self.event_types = faults.filters(filters);
        }
        if changes.plan.is_some() || changes.plan_seconds.is_some() {
            let custom = changes.plan_seconds.as_ref().map(|_| "custom".to_owned());
            let name = changes.plan.or(custom).unwrap_or_default();
            let plan = Plan::from_parts(&name, changes.plan_seconds.as_deref());
            self.plan = faults.check("plan", plan).unwrap_or_default();
        }
        let headers = custom_headers::merge(self.headers, changes.headers);
        self.headers = faults.check("headers", headers).unwrap_or_default();
        if let Some(rate) = changes.rate_per_second {
            self.rate_per_second = faults.within("ratePerSecond", rate, 1, ENDPOINT_RATE_MAX);
        }
        if let Some(concurrency) = changes.concurrency {
            self.concurrency =
                faults.within("concurrency", concurrency, 1, ENDPOINT_CONCURRENCY_MAX);
        }
        if let Some(seconds) = changes.timeout_seconds {
            let (least, most) = ENDPOINT_TIMEOUT_SECONDS;
            self.timeout_seconds = faults.within("timeoutSeconds", seconds, least, most);
        }
        self.api_key = changes.api_key.unwrap_or(self.api_key);
        self.payload = changes.payload.unwrap_or(self.payload);
        self.ordering = changes.ordering.unwrap_or(self.ordering);
        self.stop_on_client_error = changes
            .stop_on_client_error
            .unwrap_or(self.stop_on_client_error);
        match faults.0.is_empty() {
            true => Ok(self),
            false => Err(faults.0),
        }
    }
}

#[derive(Default)]
struct Faults(Vec<Fault>);

impl Faults {
    fn add(&mut self, field: &'static str, message: impl Into<String>) {
        self.0.push(Fault {
            field,
            message: message.into(),
        });
    }

    fn check<T, E: ToString>(&mut self, field: &'static str, result: Result<T, E>) -> Option<T> {
        result
            .map_err(|error| self.add(field, error.to_string()))
            .ok()
    }

    fn within<T: TryFrom<i64> + Default>(
        &mut self,
        field: &'static str,
        value: i64,
        least: i64,
        most: i64,
    ) -> T {
        if !(least..=most).contains(&value) {
            self.add(field, format!("must be from {least} to {most}"));
        }
        T::try_from(value).unwrap_or_default()
    }

    fn filters(&mut self, texts: Vec<String>) -> Vec<String> {
        if texts.is_empty() || texts.len() > FILTERS_MAX {
            self.add(
                "eventTypes",
                format!("must name 1 to {FILTERS_MAX} filters"),
            );
        }
        for text in &texts {
            if let Err(error) = TypeFilter::parse(text) {
                self.add("eventTypes", error.to_string());
                break;
            }
        }
        texts
    }
}
