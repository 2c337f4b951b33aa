//! The places of this process: how much of each thing is under way, in all and for one client.
//!
//! A place is taken only when its client has done its part: a small body has arrived before its request
//! takes one. What holds a place is the work itself, so it is given back when the work ends, and each
//! kind of work has a deadline.

use std::net::IpAddr;
use std::sync::Arc;

use axum::http::Extensions;
use common::admission::{Admission, Full, Holder, Network, Place};
use common::db;
use common::identity::Principal;
use common::limits::{
    ARRIVING_BODIES_MAX, ARRIVING_BODIES_SHARE_MAX, LINGERING_MAX, LINGERING_SHARE_MAX,
    REFUSALS_PAUSED_MAX, REFUSALS_PAUSED_SHARE_MAX, REQUESTS_IN_FLIGHT_MAX,
    REQUESTS_IN_FLIGHT_SHARE_MAX, STREAMS_MAX, STREAMS_SHARE_MAX, UPLOADS_IN_FLIGHT_MAX,
    UPLOADS_IN_FLIGHT_SHARE_MAX, VALIDATIONS_WAITING_MAX, VALIDATIONS_WAITING_SHARE_MAX, WAITS_MAX,
    WAITS_SHARE_MAX,
};
use tokio::task::JoinHandle;

use crate::error::{ApiError, Code};
use crate::middleware::{ClientAddress, Identity};
use crate::state::ApiState;

tokio::task_local! {
    /// The place of the request that is handled.
    static HELD: Arc<Place>;
}

/// Handles a request in its place, if it has one.
pub async fn holding<F: Future>(place: Option<Place>, handled: F) -> F::Output {
    match place {
        Some(place) => HELD.scope(Arc::new(place), handled).await,
        None => handled.await,
    }
}

/// Starts work that goes on if its client hangs up: it holds the place of its request until it ends, and is under the
/// same lease.
pub fn spawn<F>(work: F) -> JoinHandle<F::Output>
where
    F: Future<Output: Send> + Send + 'static,
{
    let held = HELD.try_with(Arc::clone).ok();
    tokio::spawn(db::under_lease(db::current_lease(), async move {
        let _held = held;
        work.await
    }))
}

/// Runs a command to its end, whether its client waits for it or hangs up.
pub async fn complete<T, E>(
    what: &'static str,
    command: impl Future<Output = Result<T, E>> + Send + 'static,
) -> Result<T, ApiError>
where
    T: Send + 'static,
    E: Into<ApiError> + Send + 'static,
{
    match spawn(command).await {
        Ok(done) => done.map_err(Into::into),
        Err(error) => {
            tracing::error!(%error, command = what, "A command broke off");
            let message = "An internal error occurred.";
            Err(ApiError::new(Code::InternalError, message))
        }
    }
}

/// Places by kind of work.
#[derive(Debug, Clone)]
pub struct Places {
    /// Small bodies that are arriving.
    pub bodies: Admission,
    /// Requests that are answered at once.
    pub requests: Admission,
    /// Requests that may wait for an end.
    pub waits: Admission,
    /// Event streams.
    pub streams: Admission,
    /// Packages whose bytes are arriving.
    pub uploads: Admission,
    /// Packages that are validated without an upload, or wait for that.
    pub validations: Admission,
    /// Bodies of refused requests that are read to their end.
    pub lingering: Admission,
    /// Refusals that are sent a moment later.
    pub refusals: Admission,
}

impl Default for Places {
    fn default() -> Self {
        Self {
            bodies: Admission::new(ARRIVING_BODIES_MAX, ARRIVING_BODIES_SHARE_MAX),
            requests: Admission::new(REQUESTS_IN_FLIGHT_MAX, REQUESTS_IN_FLIGHT_SHARE_MAX),
            waits: Admission::new(WAITS_MAX, WAITS_SHARE_MAX),
            streams: Admission::new(STREAMS_MAX, STREAMS_SHARE_MAX),
            uploads: Admission::new(UPLOADS_IN_FLIGHT_MAX, UPLOADS_IN_FLIGHT_SHARE_MAX),
            validations: Admission::new(VALIDATIONS_WAITING_MAX, VALIDATIONS_WAITING_SHARE_MAX),
            lingering: Admission::new(LINGERING_MAX, LINGERING_SHARE_MAX),
            refusals: Admission::new(REFUSALS_PAUSED_MAX, REFUSALS_PAUSED_SHARE_MAX),
        }
    }
}

/// In whose name a request takes places: the network it comes from, unless that is trusted, and the
/// account whose key or session it carries.
#[derive(Debug, Clone)]
pub struct Holders(Vec<Holder>);

impl Holders {
    /// Those of a request that `identify` has seen.
    pub fn of(state: &ApiState, extensions: &Extensions) -> Self {
        let address = extensions.get::<ClientAddress>().map(|address| address.0);
        let identity = extensions.get::<Identity>();
        let caller = identity.and_then(|Identity(identity)| identity.as_ref().ok()?.as_ref());
        Self::new(state, address, caller)
    }

    /// Those of a caller at an address.
    pub fn new(state: &ApiState, address: Option<IpAddr>, caller: Option<&Principal>) -> Self {
        let network = address
            .filter(|address| !state.rates.trusts(*address))
            .map(|address| Holder::Network(Network::of(address)));
        let account = caller.map(|caller| Holder::Account(caller.user));
        Self(network.into_iter().chain(account).collect())
    }

    /// Each of them.
    pub fn as_slice(&self) -> &[Holder] {
        &self.0
    }

    /// A place for `what`, or why there is none.
    pub fn take(&self, places: &Admission, what: &str) -> Result<Place, ApiError> {
        places.try_take(&self.0).map_err(|full| {
            let message = match full {
                Full::Everywhere => format!("Too many {what} are under way. Please try again."),
                Full::For(_) => {
                    format!("Too many of your {what} are under way. Wait until one has ended.")
                }
            };
            let mut error = ApiError::new(Code::ServiceUnavailable, message);
            error.retry_after_seconds = Some(1);
            error
        })
    }
}
