//! The catalogue: every type of event, as a closed list.

use std::fmt;
use std::str::FromStr;

/// What can have happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EventType {
    UploadCompleted,
    UploadFailed,
    PurchaseCompleted,
    PurchaseFailed,
    PurchaseRefunded,
    ListingSoldOut,
    DisputeOpened,
    DisputeMeasured,
    DisputeResolved,
    TopUpCompleted,
    TopUpFailed,
    PayoutRequested,
    PayoutPaid,
    PayoutReturned,
    EndpointFailing,
    EndpointRecovered,
    EndpointDisabled,
    EndpointEnabled,
    DeliveryExhausted,
}

impl EventType {
    /// All of them.
    pub const ALL: [Self; 19] = [
        Self::UploadCompleted,
        Self::UploadFailed,
        Self::PurchaseCompleted,
        Self::PurchaseFailed,
        Self::PurchaseRefunded,
        Self::ListingSoldOut,
        Self::DisputeOpened,
        Self::DisputeMeasured,
        Self::DisputeResolved,
        Self::TopUpCompleted,
        Self::TopUpFailed,
        Self::PayoutRequested,
        Self::PayoutPaid,
        Self::PayoutReturned,
        Self::EndpointFailing,
        Self::EndpointRecovered,
        Self::EndpointDisabled,
        Self::EndpointEnabled,
        Self::DeliveryExhausted,
    ];

    /// Its name on the wire and in SQL.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::UploadCompleted => "upload.completed",
            Self::UploadFailed => "upload.failed",
            Self::PurchaseCompleted => "purchase.completed",
            Self::PurchaseFailed => "purchase.failed",
            Self::PurchaseRefunded => "purchase.refunded",
            Self::ListingSoldOut => "listing.sold_out",
            Self::DisputeOpened => "dispute.opened",
            Self::DisputeMeasured => "dispute.measured",
            Self::DisputeResolved => "dispute.resolved",
            Self::TopUpCompleted => "top_up.completed",
            Self::TopUpFailed => "top_up.failed",
            Self::PayoutRequested => "payout.requested",
            Self::PayoutPaid => "payout.paid",
            Self::PayoutReturned => "payout.returned",
            Self::EndpointFailing => "endpoint.failing",
            Self::EndpointRecovered => "endpoint.recovered",
            Self::EndpointDisabled => "endpoint.disabled",
            Self::EndpointEnabled => "endpoint.enabled",
            Self::DeliveryExhausted => "delivery.exhausted",
        }
    }

    /// News about webhooks themselves. Their own failure makes no further news.
    pub fn is_about_delivery(self) -> bool {
        matches!(
            self,
            Self::EndpointFailing
                | Self::EndpointRecovered
                | Self::EndpointDisabled
                | Self::EndpointEnabled
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
