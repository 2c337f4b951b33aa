//! Changes by merge patch (RFC 7396).

use common::merge_patch::Patch;
use common::uploads::FieldFault;

/// The new value of a field that always has one; `null` is a fault.
pub fn set_or_keep<T>(field: Patch<T>, name: &str, faults: &mut Vec<FieldFault>) -> Option<T> {
    if matches!(field, Patch::Clear) {
        faults.push(FieldFault::new(name, NOT_NULL));
    }
    field.set()
}

/// Why `null` is refused where it would clear what cannot be empty.
pub const NOT_NULL: &str = "must not be null; leave it out to keep it as it is";
