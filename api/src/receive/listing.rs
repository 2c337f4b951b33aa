//! From the fields of a body to the changes of a listing: nothing unknown, every fault at once.

use common::catalog::ListingChanges;
use common::merge_patch::Patch;
use common::money::Price;
use common::uploads::FieldFault;
use common::webhooks::Policy;

use super::fields::{found, license_mode, optional, supply, unknown_fields, webhook_url};
use super::small_fields;
use crate::body::{FieldValue, Fields};
use crate::error::ApiError;
use crate::extract::NOT_NULL;

/// What always has a value.
const NEVER_NULL: [&str; 3] = ["price", "licenseMode", "status"];

/// The changes that a body asks for, as a merge patch: `null` takes `webhookUrl` or `supply` away.
pub fn listing_changes(body: &[u8], policy: &Policy) -> Result<ListingChanges, ApiError> {
    let mut fields = small_fields(body)?;
    let mut faults = Vec::new();
    let is_null = |fields: &Fields, name: &str| fields.get(name) == Some(&FieldValue::Null);
    let nulls = NEVER_NULL.into_iter().filter(|name| is_null(&fields, name));
    faults.extend(nulls.map(|name| FieldFault::new(name, NOT_NULL)));
    let (has_no_url, has_no_supply) = (is_null(&fields, "webhookUrl"), is_null(&fields, "supply"));
    let url = webhook_url(&mut fields, policy, &mut faults);
    let changes = ListingChanges {
        price: optional(fields.take_number("price"), &mut faults)
            .and_then(|text| found(Price::parse(&text), "price", &mut faults)),
        license_mode: license_mode(&mut fields, &mut faults),
        supply: patch(supply(&mut fields, &mut faults), has_no_supply),
        status: optional(fields.take_string("status"), &mut faults)
            .and_then(|text| found(text.parse(), "status", &mut faults)),
        webhook_url: patch(url, has_no_url),
    };
    faults.extend(unknown_fields(&fields));
    if faults.is_empty() {
        Ok(changes)
    } else {
        Err(ApiError::fields(&faults))
    }
}

fn patch<T>(value: Option<T>, is_null: bool) -> Patch<T> {
    match value {
        Some(value) => Patch::Set(value),
        None if is_null => Patch::Clear,
        None => Patch::Keep,
    }
}
