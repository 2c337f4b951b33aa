//! Faults that a test or an operator switches on while the endpoint serves.
//!
//! A faulty request never reaches the store. Does not corrupt data and does not cut connections.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::future::BoxFuture;
use hyper::body::Incoming;
use hyper::{Request, StatusCode};
use s3s::{Body, HttpError, HttpResponse};

use super::edge::{self, Edge};

#[derive(Debug, Default, Clone, Copy)]
struct Plan {
    delay: Duration,
    error_rate: f64,
    fail_next: u64,
    refused: u64,
}

/// The switches of one endpoint; clones share them.
#[derive(Debug, Default, Clone)]
pub struct S3Faults {
    plan: Arc<Mutex<Plan>>,
}

impl S3Faults {
    /// The next `requests` requests answer 500 `InternalError`.
    pub fn fail_next(&self, requests: u64) {
        self.with(|plan| plan.fail_next = requests);
    }

    /// Each request answers 500 with this probability (0 to 1); 1 is an outage.
    pub fn set_error_rate(&self, error_rate: f64) {
        self.with(|plan| plan.error_rate = error_rate.clamp(0.0, 1.0));
    }

    /// Every request waits this long before it is looked at.
    pub fn set_delay(&self, delay: Duration) {
        self.with(|plan| plan.delay = delay);
    }

    /// Serves properly again. The count of refused requests stays.
    pub fn clear(&self) {
        self.with(|plan| {
            *plan = Plan {
                refused: plan.refused,
                ..Plan::default()
            }
        });
    }

    /// How many requests were answered 500 so far.
    pub fn refused(&self) -> u64 {
        self.with(|plan| plan.refused)
    }

    /// The delay to serve and whether the request is to be refused.
    fn next(&self) -> (Duration, bool) {
        self.with(|plan| {
            let refuse = if plan.fail_next > 0 {
                plan.fail_next -= 1;
                true
            } else {
                plan.error_rate > 0.0 && rand::random::<f64>() < plan.error_rate
            };
            plan.refused += u64::from(refuse);
            (plan.delay, refuse)
        })
    }

    fn with<T>(&self, change: impl FnOnce(&mut Plan) -> T) -> T {
        change(&mut self.plan.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The S3 service with the faults in front of it.
#[derive(Clone)]
pub(super) struct Faulty {
    service: Edge,
    faults: S3Faults,
}

impl Faulty {
    pub(super) fn new(service: Edge, faults: S3Faults) -> Self {
        Self { service, faults }
    }
}

impl std::fmt::Debug for Faulty {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Faulty")
            .field("faults", &self.faults)
            .finish_non_exhaustive()
    }
}

impl hyper::service::Service<Request<Incoming>> for Faulty {
    type Response = HttpResponse;
    type Error = HttpError;
    type Future = BoxFuture<'static, Result<HttpResponse, HttpError>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let (delay, refuse) = self.faults.next();
        let service = self.service.clone();
        Box::pin(async move {
            if !delay.is_zero() {
                tokio::time::sleep(delay).await;
            }
            if refuse {
                return Ok(edge::refusal(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "InternalError",
                    "injected fault",
                ));
            }
            service.call(request.map(Body::from)).await
        })
    }
}
