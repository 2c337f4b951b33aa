//! The catalogue: every type of event, as a closed list, and what `catalogue.json` says of it for the
//! documents and for trials. Tests hold the list, the file and what is really sent together.

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::{Map, Value, json};

/// An entry of the file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    description: String,
    /// JSON Schemas of the members beside `event`, in the order in which they are sent.
    properties: Map<String, Value>,
    optional: Vec<String>,
    example: Value,
}

static ENTRIES: LazyLock<HashMap<String, Entry>> = LazyLock::new(|| {
    serde_json::from_str(include_str!("catalogue.json")).expect("a test reads the file")
});

/// What can have happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EventType {
    UploadCompleted,
    UploadFailed,
    BatchCompleted,
    PurchaseCompleted,
    PurchaseFailed,
    PurchaseRefunded,
    ListingSold,
    ListingSoldOut,
    ListingAvailable,
    PackageTakenDown,
    PackageRestored,
    DisputeOpened,
    DisputeMeasured,
    DisputeResolved,
    AgentTaskRequested,
    AgentTaskAccepted,
    AgentTaskDelivered,
    AgentTaskSettled,
    AgentTaskCancelled,
    AgentTaskExpired,
    AgentTaskDisputed,
    AgentTaskResolved,
    TopUpCompleted,
    TopUpFailed,
    ChargebackOpened,
    ChargebackClosed,
    PayoutRequested,
    PayoutPaid,
    PayoutReturned,
    EndpointFailing,
    EndpointRecovered,
    EndpointDisabled,
    EndpointEnabled,
    EndpointTest,
    DeliveryExhausted,
}

impl EventType {
    /// All of them.
    pub const ALL: [Self; 35] = [
        Self::UploadCompleted,
        Self::UploadFailed,
        Self::BatchCompleted,
        Self::PurchaseCompleted,
        Self::PurchaseFailed,
        Self::PurchaseRefunded,
        Self::ListingSold,
        Self::ListingSoldOut,
        Self::ListingAvailable,
        Self::PackageTakenDown,
        Self::PackageRestored,
        Self::DisputeOpened,
        Self::DisputeMeasured,
        Self::DisputeResolved,
        Self::AgentTaskRequested,
        Self::AgentTaskAccepted,
        Self::AgentTaskDelivered,
        Self::AgentTaskSettled,
        Self::AgentTaskCancelled,
        Self::AgentTaskExpired,
        Self::AgentTaskDisputed,
        Self::AgentTaskResolved,
        Self::TopUpCompleted,
        Self::TopUpFailed,
        Self::ChargebackOpened,
        Self::ChargebackClosed,
        Self::PayoutRequested,
        Self::PayoutPaid,
        Self::PayoutReturned,
        Self::EndpointFailing,
        Self::EndpointRecovered,
        Self::EndpointDisabled,
        Self::EndpointEnabled,
        Self::EndpointTest,
        Self::DeliveryExhausted,
    ];

    /// Its name on the wire and in SQL.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::UploadCompleted => "upload.completed",
            Self::UploadFailed => "upload.failed",
            Self::BatchCompleted => "batch.completed",
            Self::PurchaseCompleted => "purchase.completed",
            Self::PurchaseFailed => "purchase.failed",
            Self::PurchaseRefunded => "purchase.refunded",
            Self::ListingSold => "listing.sold",
            Self::ListingSoldOut => "listing.sold_out",
            Self::ListingAvailable => "listing.available",
            Self::PackageTakenDown => "package.taken_down",
            Self::PackageRestored => "package.restored",
            Self::DisputeOpened => "dispute.opened",
            Self::DisputeMeasured => "dispute.measured",
            Self::DisputeResolved => "dispute.resolved",
            Self::AgentTaskRequested => "agent_task.requested",
            Self::AgentTaskAccepted => "agent_task.accepted",
            Self::AgentTaskDelivered => "agent_task.delivered",
            Self::AgentTaskSettled => "agent_task.settled",
            Self::AgentTaskCancelled => "agent_task.cancelled",
            Self::AgentTaskExpired => "agent_task.expired",
            Self::AgentTaskDisputed => "agent_task.disputed",
            Self::AgentTaskResolved => "agent_task.resolved",
            Self::TopUpCompleted => "top_up.completed",
            Self::TopUpFailed => "top_up.failed",
            Self::ChargebackOpened => "chargeback.opened",
            Self::ChargebackClosed => "chargeback.closed",
            Self::PayoutRequested => "payout.requested",
            Self::PayoutPaid => "payout.paid",
            Self::PayoutReturned => "payout.returned",
            Self::EndpointFailing => "endpoint.failing",
            Self::EndpointRecovered => "endpoint.recovered",
            Self::EndpointDisabled => "endpoint.disabled",
            Self::EndpointEnabled => "endpoint.enabled",
            Self::EndpointTest => "endpoint.test",
            Self::DeliveryExhausted => "delivery.exhausted",
        }
    }

    fn entry(self) -> &'static Entry {
        &ENTRIES[self.as_str()]
    }

    /// What happened, in a sentence.
    pub fn description(self) -> &'static str {
        &self.entry().description
    }

    /// The JSON Schema (2020-12) of the body.
    pub fn schema(self) -> Value {
        let entry = self.entry();
        let mut properties = Map::new();
        properties.insert(
            "event".to_owned(),
            json!({ "const": self.as_str(), "description": "The type of the event." }),
        );
        properties.extend(entry.properties.clone());
        let required: Vec<String> = properties
            .keys()
            .filter(|name| !entry.optional.contains(name))
            .cloned()
            .collect();
        let test = json!({ "type": "boolean", "description": "Always true. A test alone has it: nothing happened." });
        properties.entry("test").or_insert(test);
        json!({ "type": "object", "required": required, "properties": properties })
    }

    /// A body as it is sent.
    pub fn example_body(self) -> &'static Value {
        &self.entry().example
    }

    /// The bytes of the example, which say that they are a test.
    pub fn test_body(self) -> Vec<u8> {
        let mut body = self.example_body().clone();
        body["test"] = true.into();
        serde_json::to_vec(&body).expect("JSON serialises")
    }

    /// News about webhooks themselves. Their own failure makes no further news.
    pub fn is_about_delivery(self) -> bool {
        matches!(
            self,
            Self::EndpointFailing
                | Self::EndpointRecovered
                | Self::EndpointDisabled
                | Self::EndpointEnabled
                | Self::EndpointTest
                | Self::DeliveryExhausted
        )
    }
}

impl fmt::Display for EventType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for EventType {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|event_type| event_type.as_str() == text)
            .ok_or_else(|| format!("no event type is called {text}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_and_the_file_name_the_same_types() {
        let mut listed: Vec<&str> = EventType::ALL.iter().map(|it| it.as_str()).collect();
        let mut described: Vec<&str> = ENTRIES.keys().map(String::as_str).collect();
        listed.sort_unstable();
        described.sort_unstable();
        assert_eq!(listed, described);
    }

    #[test]
    fn every_example_has_the_required_members_in_the_order_of_the_schema() {
        for event_type in EventType::ALL {
            let schema = event_type.schema();
            let example = event_type.example_body().as_object().unwrap();
            assert_eq!(example["event"], event_type.as_str());
            for name in schema["required"].as_array().unwrap() {
                assert!(
                    example.contains_key(name.as_str().unwrap()),
                    "{event_type}: {name}"
                );
            }
            let order: Vec<&String> = schema["properties"].as_object().unwrap().keys().collect();
            let places: Vec<Option<usize>> = example
                .keys()
                .map(|name| order.iter().position(|it| *it == name))
                .collect();
            assert!(places.iter().all(Option::is_some), "{event_type}");
            assert!(places.is_sorted(), "{event_type}: {places:?}");
        }
    }
}
