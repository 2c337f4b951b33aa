//! The slot of an upload: one of those whose bytes are received at the same time.

use std::sync::Arc;

use common::admission::Place;
use common::telemetry::metrics;

use crate::error::ApiError;
use crate::places::Holders;
use crate::state::ApiState;

/// A slot; given back when the request and every part of it that is under way have ended.
#[derive(Debug)]
pub struct Slot(#[expect(dead_code, reason = "held until it is dropped")] Place);

impl Slot {
    /// Takes one in the name of whoever uploads, or says that there is none.
    pub fn take(state: &ApiState, holders: &Holders) -> Result<Arc<Self>, ApiError> {
        let place = holders.take(&state.places.uploads, "uploads")?;
        metrics().http_uploads_in_flight.inc();
        Ok(Arc::new(Self(place)))
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        metrics().http_uploads_in_flight.dec();
    }
}
