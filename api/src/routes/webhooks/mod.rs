//! Webhooks: endpoints, their log, and what owners do about both, with the permission `webhooks`.

mod deliveries;
mod delivery_view;
mod endpoint_body;
mod endpoint_state;
mod endpoint_view;
mod endpoints;
mod event_types;
mod events;
mod recoveries;
mod secrets;
mod test;

pub use deliveries::{get_delivery, list_deliveries, resend_delivery};
pub use endpoint_body::EndpointRequest;
pub use endpoint_state::{disable_endpoint, enable_endpoint};
pub use endpoints::{
    change_endpoint, create_endpoint, delete_endpoint, get_endpoint, get_stats, list_endpoints,
};
pub use event_types::list_event_types;
pub use events::{expunge_all, expunge_event, get_event, list_events};
pub use recoveries::{cancel_recovery, get_recovery, start_recovery};
pub use secrets::rotate_secret;
pub use test::test_endpoint;

use common::ids::EndpointId;
use common::webhooks::WebhookError;

/// The id of the path; what is none exists for nobody.
fn endpoint_id(text: &str) -> Result<EndpointId, WebhookError> {
    EndpointId::parse(text).ok_or(WebhookError::NotFound)
}
