//! The operations, by area, in the order of the document.

use common::identity::Permission::{Account, Purchase, Upload, Webhooks};

use super::Access::{self, Anyone, May, Optional, Session, SignedIn};

/// A method of a route, and what holds for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Operation {
    pub method: &'static str,
    /// As the router writes it.
    pub route: &'static str,
    pub access: Access,
}

const fn row(method: &'static str, route: &'static str, access: Access) -> Operation {
    Operation {
        method,
        route,
        access,
    }
}

/// Those of the areas that are not in `contract/` yet.
pub const OPERATIONS: &[Operation] = &[
    // System.
    row("GET", "/.well-known/jwks.json", Anyone),
    row("GET", "/api/ai/openapi.json", Anyone),
    row("GET", "/api/ai/openapi-3.1.json", Anyone),
    row("GET", "/api/ai/tools.json", Anyone),
    row("GET", "/api/ai/docs", Anyone),
    row("GET", "/api/ai/docs/", Anyone),
    row("GET", "/api/ai/docs/{file}", Anyone),
    row("GET", "/", Anyone),
    row("GET", "/llms.txt", Anyone),
    row("GET", "/docs/{page}", Anyone),
    row("GET", "/errors/{code}", Anyone),
    row("GET", "/health", Anyone),
    // Accounts.
    row("POST", "/api/auth/register", Anyone),
    row("POST", "/api/auth/login", Anyone),
    row("POST", "/api/auth/refresh", Anyone),
    row("GET", "/api/auth/github", Anyone),
    row("GET", "/api/auth/github/callback", Anyone),
    row("POST", "/api/ai/register", Anyone),
    row("POST", "/api/auth/logout", Session),
    row("POST", "/api/auth/password", Session),
    row("GET", "/api/auth/sessions", May(Account)),
    row("DELETE", "/api/auth/sessions", May(Account)),
    row("DELETE", "/api/auth/sessions/{session_id}", May(Account)),
    row("GET", "/api/ai/me", SignedIn),
    row("PATCH", "/api/ai/me", May(Account)),
    row("GET", "/api/ai/limits", Optional),
    row("GET", "/api/ai/keys", May(Account)),
    row("POST", "/api/ai/keys", May(Account)),
    row("DELETE", "/api/ai/keys/{key_id}", May(Account)),
    row("POST", "/api/ai/keys/{key_id}/rotate", May(Account)),
    // Uploads.
    row("POST", "/api/ai/upload-package", May(Upload)),
    row("POST", "/api/ai/batch-upload", May(Upload)),
    row("POST", "/api/ai/validate-package", May(Upload)),
    row("POST", "/api/ai/uploads", May(Upload)),
    row("POST", "/api/ai/uploads/{upload_id}/commit", May(Upload)),
    row("GET", "/api/ai/package-status/{upload_id}", Optional),
    row("GET", "/api/ai/package-status/{upload_id}/events", Optional),
    row("GET", "/api/ai/batches/{batch_id}", Optional),
    // Market.
    row("GET", "/api/ai/search-packages", Optional),
    row("GET", "/api/ai/packages", Optional),
    row("GET", "/api/ai/packages/trending", Anyone),
    row("GET", "/api/ai/packages/best-matrix", Anyone),
    row("GET", "/api/ai/packages/{package_id}", Optional),
    row("PATCH", "/api/ai/packages/{package_id}", May(Upload)),
    row("GET", "/api/ai/packages/{package_id}/versions", Optional),
    row("GET", "/api/ai/packages/{package_id}/reviews", Optional),
    row(
        "PUT",
        "/api/ai/packages/{package_id}/reviews",
        May(Purchase),
    ),
    row(
        "DELETE",
        "/api/ai/packages/{package_id}/reviews",
        May(Purchase),
    ),
    row("PUT", "/api/ai/packages/{package_id}/star", SignedIn),
    row("DELETE", "/api/ai/packages/{package_id}/star", SignedIn),
    row("PUT", "/api/ai/reviews/{review_id}/reply", May(Upload)),
    row("GET", "/api/ai/sellers/{seller_id}", Anyone),
    row("GET", "/api/ai/categories", Anyone),
    row("POST", "/api/ai/compatibility", Anyone),
    row("GET", "/packages/{package_id}", Anyone),
    row("GET", "/api/ai/listings", SignedIn),
    row("GET", "/api/ai/listings/{package_id}", Optional),
    row("PATCH", "/api/ai/listings/{package_id}", May(Upload)),
    // Webhooks.
    row("GET", "/api/ai/webhooks/event-types", Anyone),
    row("GET", "/api/ai/webhooks/endpoints", May(Webhooks)),
    row("POST", "/api/ai/webhooks/endpoints", May(Webhooks)),
    row(
        "GET",
        "/api/ai/webhooks/endpoints/{endpoint_id}",
        May(Webhooks),
    ),
    row(
        "PATCH",
        "/api/ai/webhooks/endpoints/{endpoint_id}",
        May(Webhooks),
    ),
    row(
        "DELETE",
        "/api/ai/webhooks/endpoints/{endpoint_id}",
        May(Webhooks),
    ),
    row(
        "POST",
        "/api/ai/webhooks/endpoints/{endpoint_id}/rotate-secret",
        May(Webhooks),
    ),
    row(
        "POST",
        "/api/ai/webhooks/endpoints/{endpoint_id}/enable",
        May(Webhooks),
    ),
    row(
        "POST",
        "/api/ai/webhooks/endpoints/{endpoint_id}/disable",
        May(Webhooks),
    ),
    row(
        "GET",
        "/api/ai/webhooks/endpoints/{endpoint_id}/stats",
        May(Webhooks),
    ),
    row(
        "POST",
        "/api/ai/webhooks/endpoints/{endpoint_id}/recover",
        May(Webhooks),
    ),
    row(
        "POST",
        "/api/ai/webhooks/endpoints/{endpoint_id}/test",
        May(Webhooks),
    ),
    row("GET", "/api/ai/webhooks/deliveries", May(Webhooks)),
    row(
        "GET",
        "/api/ai/webhooks/deliveries/{delivery_id}",
        May(Webhooks),
    ),
    row(
        "POST",
        "/api/ai/webhooks/deliveries/{delivery_id}/resend",
        May(Webhooks),
    ),
    row(
        "GET",
        "/api/ai/webhooks/recoveries/{recovery_id}",
        May(Webhooks),
    ),
    row(
        "POST",
        "/api/ai/webhooks/recoveries/{recovery_id}/cancel",
        May(Webhooks),
    ),
    row("GET", "/api/ai/webhooks/events", May(Webhooks)),
    row("GET", "/api/ai/webhooks/events/{event_id}", May(Webhooks)),
    row(
        "DELETE",
        "/api/ai/webhooks/events/{event_id}/payload",
        May(Webhooks),
    ),
    row("DELETE", "/api/ai/webhooks/payloads", May(Webhooks)),
];
