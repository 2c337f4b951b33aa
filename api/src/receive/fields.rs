//! From the fields of a body to the fields of an upload: every fault is found and named at once.

use common::catalog::{License, LicenseError, LicenseMode, Placement};
use common::decimal::parse_whole;
use common::ids::PackagePublicId;
use common::money::Price;
use common::uploads::{FieldFault, UploadFields};
use common::webhooks::{Policy, check_url};
use package::PackageType;

use crate::body::{BodyError, Fields};
use crate::error::{ApiError, Code};
use crate::extract::rule;

const LICENSE_MODE: &str = "licenseMode";
/// As the field was spelt first; still accepted.
const LICENSE_MODE_OLD: &str = "licenceMode";

/// The fields of an upload, and nothing beside them; all faults together if there are any.
pub fn upload_fields(mut fields: Fields, policy: &Policy) -> Result<UploadFields, ApiError> {
    let mut faults = Vec::new();
    let package_type = required(&mut fields, "packageType", &mut faults).and_then(|text| {
        text.parse::<PackageType>()
            .map_err(|_| {
                faults.push(FieldFault::new(
                    "packageType",
                    "must be vector, memory or chain",
                ))
            })
            .ok()
    });
    let mut text = |name: &str| required(&mut fields, name, &mut faults).unwrap_or_default();
    let (name, description) = (text("name"), text("description"));
    let (source_model, target_model) = (text("sourceModel"), text("targetModel"));
    let epsilon = number(&mut fields, "epsilon", &mut faults)
        .map(|text| text.parse::<f64>().unwrap_or(f64::NAN));
    let price = number(&mut fields, "price", &mut faults)
        .and_then(|text| found(Price::parse(&text), "price", &mut faults));
    let license = license(&mut fields, &mut faults);
    let webhook_url = webhook_url(&mut fields, policy, &mut faults);
    let placement = placement(&mut fields, &mut faults);
    let is_known =
        |faults: &[FieldFault], name: &str| faults.iter().any(|fault| fault.field == name);
    // What is missing was noted above; its stand-in lets the other fields be judged too.
    let checked = UploadFields {
        package_type: package_type.unwrap_or(PackageType::Vector),
        name,
        description,
        source_model,
        target_model,
        epsilon: epsilon.unwrap_or_default(),
        price: price.unwrap_or_default(),
        license,
        webhook_url,
        placement,
    };
    for fault in checked.faults() {
        if !is_known(&faults, &fault.field) {
            faults.push(fault);
        }
    }
    faults.extend(unknown_fields(&fields));
    if faults.is_empty() {
        Ok(checked)
    } else {
        Err(ApiError::fields(&faults))
    }
}

/// The fields that nobody has taken: each is misspelt, or means what is not done.
pub fn unknown_fields(fields: &Fields) -> Vec<FieldFault> {
    let fault = |name| FieldFault::new(name, rule::unknown(name, fields.known()));
    fields.left().map(fault).collect()
}

/// A required size in bytes, at least 1.
pub fn required_size(fields: &mut Fields, name: &str) -> Result<u64, ApiError> {
    let text = fields.take_number(name)?;
    text.and_then(|text| u64::try_from(parse_whole(&text)?).ok())
        .filter(|size| *size > 0)
        .ok_or_else(|| {
            let message = "must be the number of bytes, at least 1";
            ApiError::new(Code::InvalidInput, format!("{name} {message}.")).field(name, message)
        })
}

/// A required SHA-256 in hexadecimal.
pub fn required_digest(fields: &mut Fields, name: &str) -> Result<Vec<u8>, ApiError> {
    let text = fields.take_string(name)?;
    text.and_then(|text| hex::decode(text).ok())
        .filter(|digest| digest.len() == 32)
        .ok_or_else(|| {
            let message = "must be a SHA-256 in 64 hexadecimal digits";
            ApiError::new(Code::InvalidInput, format!("{name} {message}.")).field(name, message)
        })
}

/// How the package is to be sold; without a limit if nothing is said.
fn license(fields: &mut Fields, faults: &mut Vec<FieldFault>) -> License {
    let known = faults.len();
    let mode = license_mode(fields, faults).unwrap_or_default();
    let supply = supply(fields, faults);
    // A mode that is faulty would make the supply look faulty too.
    if faults.len() > known {
        return License::default();
    }
    License::new(mode, supply)
        .map_err(|error| faults.push(FieldFault::new(error.field(), error.to_string())))
        .unwrap_or_default()
}

/// Where the package is to stand in the catalogue.
fn placement(fields: &mut Fields, faults: &mut Vec<FieldFault>) -> Placement {
    let version_of = optional(fields.take_string("versionOf"), faults).and_then(|text| {
        let id = PackagePublicId::parse(&text);
        found(id.ok_or("must be the id of a package"), "versionOf", faults)
    });
    Placement {
        category: optional(fields.take_string("category"), faults),
        tags: optional(fields.take_strings("tags"), faults).unwrap_or_default(),
        semver: optional(fields.take_string("version"), faults),
        version_of,
        draft: optional(fields.take_bool("draft"), faults).unwrap_or_default(),
    }
}

/// An optional license mode, under its name or its old one.
pub(super) fn license_mode(
    fields: &mut Fields,
    faults: &mut Vec<FieldFault>,
) -> Option<LicenseMode> {
    let old = optional(fields.take_string(LICENSE_MODE_OLD), faults);
    let current = optional(fields.take_string(LICENSE_MODE), faults);
    if old.is_some() && current.is_some() {
        let message = format!("is the old name of {LICENSE_MODE}: send one of them");
        faults.push(FieldFault::new(LICENSE_MODE_OLD, message));
    }
    match (current, old) {
        (Some(text), _) => found(text.parse(), LICENSE_MODE, faults),
        (None, Some(text)) => found(text.parse(), LICENSE_MODE_OLD, faults),
        (None, None) => None,
    }
}

/// An optional supply: a whole number, whose range is the license's to judge.
pub(super) fn supply(fields: &mut Fields, faults: &mut Vec<FieldFault>) -> Option<i64> {
    let text = optional(fields.take_number("supply"), faults)?;
    let supply = parse_whole(&text).ok_or(LicenseError::SupplyRange);
    found(supply, "supply", faults)
}

/// An optional webhook address that we would send to.
pub fn webhook_url(
    fields: &mut Fields,
    policy: &Policy,
    faults: &mut Vec<FieldFault>,
) -> Option<String> {
    let url = optional(fields.take_string("webhookUrl"), faults)?;
    found(check_url(&url, policy), "webhookUrl", faults);
    Some(url)
}

/// The value, or its fault noted.
pub(super) fn optional<T>(
    taken: Result<Option<T>, BodyError>,
    faults: &mut Vec<FieldFault>,
) -> Option<T> {
    taken
        .map_err(|error| faults.push(fault(&error)))
        .ok()
        .flatten()
}

/// What was made of a field, or its fault noted.
pub(super) fn found<T, E: std::fmt::Display>(
    made: Result<T, E>,
    name: &str,
    faults: &mut Vec<FieldFault>,
) -> Option<T> {
    made.map_err(|error| faults.push(FieldFault::new(name, error.to_string())))
        .ok()
}

fn required(fields: &mut Fields, name: &str, faults: &mut Vec<FieldFault>) -> Option<String> {
    match fields.take_string(name) {
        Ok(Some(text)) => Some(text),
        Ok(None) => {
            faults.push(FieldFault::new(name, "is required"));
            None
        }
        Err(error) => {
            faults.push(fault(&error));
            None
        }
    }
}

fn number(fields: &mut Fields, name: &str, faults: &mut Vec<FieldFault>) -> Option<String> {
    match fields.take_number(name) {
        Ok(Some(text)) => Some(text),
        Ok(None) => {
            faults.push(FieldFault::new(name, "is required"));
            None
        }
        Err(error) => {
            faults.push(fault(&error));
            None
        }
    }
}

fn fault(error: &BodyError) -> FieldFault {
    FieldFault::new(error.field(), error.to_string())
}
