//! An endpoint's own headers, sealed at rest: they may carry the receiver's credentials.

use crate::identity::{IdentityError, Sealer};
use crate::ids::EndpointId;

/// A header as its owner wrote it.
pub type CustomHeader = (String, String);

/// The sealed form, bound to the endpoint; none for no headers.
pub fn seal(sealer: &Sealer, id: EndpointId, headers: &[CustomHeader]) -> Option<Vec<u8>> {
    if headers.is_empty() {
        return None;
    }
    let text = serde_json::to_vec(headers).expect("pairs of strings serialise");
    Some(sealer.seal_bytes(id.0.as_bytes(), &text))
}

/// The headers again.
pub fn open(
    sealer: &Sealer,
    id: EndpointId,
    sealed: &[u8],
) -> Result<Vec<CustomHeader>, IdentityError> {
    let text = sealer.open_bytes(id.0.as_bytes(), sealed)?;
    serde_json::from_slice(&text).map_err(|_| IdentityError::Unsealable)
}
