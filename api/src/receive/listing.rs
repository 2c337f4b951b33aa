//! From the fields of a body to the changes of a listing: nothing unknown, every fault at once.

use common::catalog::ListingChanges;
use common::money::Price;
use common::webhooks::Policy;

use super::fields::{found, licence_mode, optional, supply, unknown_fields, webhook_url};
use super::small_fields;
use crate::body::FieldValue;
use crate::error::{ApiError, Code};

/// What can be changed.
const FIELDS: &str = "price, licenceMode, supply, status, webhookUrl";

/// The changes that a body asks for. `null` is absent, but for `webhookUrl`, which it takes away.
pub fn listing_changes(body: &[u8], policy: &Policy) -> Result<ListingChanges, ApiError> {
    let mut fields = small_fields(body)?;
    let mut faults = Vec::new();
    let is_unwatched = fields.get("webhookUrl") == Some(&FieldValue::Null);
    let url = webhook_url(&mut fields, policy, &mut faults);
    let changes = ListingChanges {
        price: optional(fields.take_number("price"), &mut faults)
            .and_then(|text| found(Price::parse(&text), "price", &mut faults)),
        licence_mode: licence_mode(&mut fields, &mut faults),
        supply: supply(&mut fields, &mut faults),
        status: optional(fields.take_string("status"), &mut faults)
            .and_then(|text| found(text.parse(), "status", &mut faults)),
        webhook_url: if is_unwatched {
            Some(None)
        } else {
            url.map(Some)
        },
    };
    faults.extend(unknown_fields(&fields));
    if !faults.is_empty() {
        return Err(ApiError::fields(&faults));
    }
    if changes == ListingChanges::default() {
        let message = format!("Say what to change: {FIELDS}.");
        return Err(ApiError::new(Code::InvalidInput, message));
    }
    Ok(changes)
}
