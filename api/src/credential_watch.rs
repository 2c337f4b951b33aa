//! Whether whoever began something that lasts may still go on: looked at when a revocation is told, and
//! every few seconds in case that was lost.

use axum::response::sse::Event;
use common::identity::{self, Principal, REVOKED};
use common::limits::CREDENTIAL_RECHECK;
use serde::Serialize;
use tokio::sync::broadcast::{Receiver, error::RecvError};
use tokio::time::{Instant, sleep_until};

use crate::error::ApiError;
use crate::state::ApiState;

/// Watches the credential of one request. Who came without one is not watched.
#[derive(Debug)]
pub struct CredentialWatch(Option<Watched>);

#[derive(Debug)]
struct Watched {
    state: ApiState,
    caller: Principal,
    revocations: Receiver<String>,
    next_look: Instant,
}

impl CredentialWatch {
    /// The caller was let in just now.
    pub fn new(state: &ApiState, caller: Option<&Principal>) -> Self {
        Self(caller.map(|caller| Watched {
            state: state.clone(),
            caller: caller.clone(),
            revocations: state.outbox.queue().subscribe(REVOKED),
            next_look: Instant::now() + CREDENTIAL_RECHECK,
        }))
    }

    /// Returns when the credential is to be looked at again: never for nobody. Dropped and called again
    /// it misses nothing.
    pub async fn due(&mut self) {
        match &mut self.0 {
            Some(watched) => watched.due().await,
            None => std::future::pending().await,
        }
    }

    /// Returns when the credential is good no more, and why.
    pub async fn ended(&mut self) -> ApiError {
        loop {
            self.due().await;
            if let Err(error) = self.check_if_due().await {
                return error;
            }
        }
    }

    /// Looks at the credential if that is due, and refuses to go on with one that is good no more.
    pub async fn check_if_due(&mut self) -> Result<(), ApiError> {
        match &mut self.0 {
            Some(watched) if watched.next_look <= Instant::now() => watched.check().await,
            _ => Ok(()),
        }
    }
}

impl Watched {
    async fn due(&mut self) {
        loop {
            tokio::select! {
                () = sleep_until(self.next_look) => return,
                told = self.revocations.recv() => match told {
                    Ok(id) if !self.is_about(&id) => {}
                    Ok(_) | Err(RecvError::Lagged(_)) => break,
                    Err(RecvError::Closed) => return sleep_until(self.next_look).await,
                },
            }
        }
        self.next_look = Instant::now();
    }

    /// Whether an announcement names the caller; an empty one may be about anybody.
    fn is_about(&self, id: &str) -> bool {
        let caller = &self.caller;
        id.is_empty()
            || id == caller.user.to_string()
            || id == caller.key.to_string()
            || caller
                .session
                .is_some_and(|session| id == session.to_string())
    }

    async fn check(&mut self) -> Result<(), ApiError> {
        let caller = &self.caller;
        let pool = self.state.pool();
        let is_live = identity::is_live(pool, caller.user, caller.key, caller.session).await?;
        self.next_look = Instant::now() + CREDENTIAL_RECHECK;
        if is_live {
            Ok(())
        } else {
            Err(ApiError::caller_ended())
        }
    }
}

/// The last event of a stream that is cut off.
#[derive(Debug, Serialize)]
struct StreamFault<'a> {
    code: &'a str,
    message: &'a str,
}

/// Tells a stream's reader why it ends.
pub fn last_event(error: &ApiError) -> Option<Event> {
    let fault = StreamFault {
        code: error.code.as_str(),
        message: &error.message,
    };
    Event::default().event("error").json_data(fault).ok()
}
