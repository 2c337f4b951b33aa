//! The stable codes of errors, what each means, and what a client does about it.

use axum::http::StatusCode;

/// A code. More are only ever added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    InvalidInput,
    UnsupportedApiVersion,
    Unauthorized,
    PaymentRequired,
    Forbidden,
    NotFound,
    MethodNotAllowed,
    RequestTimeout,
    Conflict,
    CursorExpired,
    LeaseLost,
    PreconditionFailed,
    PayloadTooLarge,
    UnsupportedMediaType,
    IdempotencyConflict,
    PreconditionRequired,
    RateLimitExceeded,
    InternalError,
    ServiceUnavailable,
    Timeout,
}

impl Code {
    /// All of them, by status.
    pub const ALL: [Self; 20] = [
        Self::InvalidInput,
        Self::UnsupportedApiVersion,
        Self::Unauthorized,
        Self::PaymentRequired,
        Self::Forbidden,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::RequestTimeout,
        Self::Conflict,
        Self::CursorExpired,
        Self::LeaseLost,
        Self::PreconditionFailed,
        Self::PayloadTooLarge,
        Self::UnsupportedMediaType,
        Self::IdempotencyConflict,
        Self::PreconditionRequired,
        Self::RateLimitExceeded,
        Self::InternalError,
        Self::ServiceUnavailable,
        Self::Timeout,
    ];

    /// The text on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidInput => "INVALID_INPUT",
            Self::UnsupportedApiVersion => "UNSUPPORTED_API_VERSION",
            Self::Unauthorized => "UNAUTHORIZED",
            Self::PaymentRequired => "PAYMENT_REQUIRED",
            Self::Forbidden => "FORBIDDEN",
            Self::NotFound => "NOT_FOUND",
            Self::MethodNotAllowed => "METHOD_NOT_ALLOWED",
            Self::RequestTimeout => "REQUEST_TIMEOUT",
            Self::Conflict => "CONFLICT",
            Self::CursorExpired => "CURSOR_EXPIRED",
            Self::LeaseLost => "LEASE_LOST",
            Self::PreconditionFailed => "PRECONDITION_FAILED",
            Self::PayloadTooLarge => "PAYLOAD_TOO_LARGE",
            Self::UnsupportedMediaType => "UNSUPPORTED_MEDIA_TYPE",
            Self::IdempotencyConflict => "IDEMPOTENCY_CONFLICT",
            Self::PreconditionRequired => "PRECONDITION_REQUIRED",
            Self::RateLimitExceeded => "RATE_LIMIT_EXCEEDED",
            Self::InternalError => "INTERNAL_ERROR",
            Self::ServiceUnavailable => "SERVICE_UNAVAILABLE",
            Self::Timeout => "TIMEOUT",
        }
    }

    /// The code of that text.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|code| code.as_str() == text)
    }

    /// Its HTTP status.
    pub fn status(self) -> StatusCode {
        match self {
            Self::InvalidInput | Self::UnsupportedApiVersion => StatusCode::BAD_REQUEST,
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::PaymentRequired => StatusCode::PAYMENT_REQUIRED,
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::RequestTimeout => StatusCode::REQUEST_TIMEOUT,
            Self::Conflict => StatusCode::CONFLICT,
            Self::CursorExpired => StatusCode::GONE,
            Self::LeaseLost => StatusCode::GONE,
            Self::PreconditionFailed => StatusCode::PRECONDITION_FAILED,
            Self::PayloadTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::IdempotencyConflict => StatusCode::UNPROCESSABLE_ENTITY,
            Self::PreconditionRequired => StatusCode::PRECONDITION_REQUIRED,
            Self::RateLimitExceeded => StatusCode::TOO_MANY_REQUESTS,
            Self::InternalError => StatusCode::INTERNAL_SERVER_ERROR,
            Self::ServiceUnavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::Timeout => StatusCode::GATEWAY_TIMEOUT,
        }
    }

    /// Whether the same request may succeed later.
    pub fn is_retryable(self) -> bool {
        matches!(
            self,
            Self::RequestTimeout
                | Self::RateLimitExceeded
                | Self::InternalError
                | Self::ServiceUnavailable
                | Self::Timeout
        )
    }

    /// What it means and what to do, for people.
    #[expect(clippy::too_many_lines, reason = "one text for each code, no logic")]
    pub fn meaning(self) -> &'static str {
        match self {
            Self::InvalidInput => {
                "Something in the request does not fit. `details` names each faulty field by its path; \
                 correct them and send again. `POST /api/ai/validate-package` tells all faults of a package \
                 beforehand."
            }
            Self::UnsupportedApiVersion => {
                "There is no such version of the API. `details.supported` lists those that there are."
            }
            Self::Unauthorized => {
                "The API key or access token is missing, wrong, expired or revoked. Send \
                 `Authorization: Bearer …`; refresh the token, or use another key."
            }
            Self::PaymentRequired => {
                "There are not enough credits, or the card was declined. Top up, or pay with another card."
            }
            Self::Forbidden => {
                "The key is good but lacks the permission, or the purchase is beyond its budget. \
                 `GET /api/ai/me` shows what it may do."
            }
            Self::NotFound => {
                "There is nothing at this address, or it is not yours. Which of the two is not told."
            }
            Self::MethodNotAllowed => {
                "The address exists, but not for this method. `Allow` lists the others."
            }
            Self::RequestTimeout => {
                "The body did not arrive, or arrived too slowly. Nothing was changed. Send it again over a \
                 better connection; `POST /api/ai/uploads` takes large packages in parts of their own."
            }
            Self::Conflict => {
                "The request does not fit the present state: sold out, bought already, ended. Look at the \
                 thing again before you decide what to do."
            }
            Self::CursorExpired => {
                "What you want to read is no longer kept. Begin at `details.earliest` or at the newest snapshot, and reconcile \
                 what lies between with the rows themselves."
            }
            Self::LeaseLost => {
                "The lease that `Lease-Token` names is yours no more, or never was, so nothing was changed. `details.reason` \
                 says how it was lost. Acquire it again, and look at what others did meanwhile before you repeat the request."
            }
            Self::PreconditionFailed => {
                "The thing has changed since you read it. `ETag` has the version of now; read it again and \
                 repeat your change."
            }
            Self::PayloadTooLarge => {
                "The body is larger than this address takes. A package has at most 52,428,800 bytes, both \
                 parts together and decoded; `POST /api/ai/uploads` takes the bytes outside of JSON."
            }
            Self::UnsupportedMediaType => {
                "The body's `Content-Type` is not one that this address takes."
            }
            Self::IdempotencyConflict => {
                "The `Idempotency-Key` was used with another request. Use a new key for a new request, and \
                 the same key only to repeat the same request."
            }
            Self::PreconditionRequired => {
                "A change needs `If-Match` with the `ETag` that you were shown, so that nobody's change is \
                 lost."
            }
            Self::RateLimitExceeded => {
                "Too many requests. Wait for `Retry-After` seconds. `RateLimit-Policy` lists the limits that \
                 apply to you; `GET /api/ai/limits` shows what is left without costing anything."
            }
            Self::InternalError => {
                "A fault of ours. Repeat the request after 1, 2, 4 and 8 seconds, with the same \
                 `Idempotency-Key`. Tell us the `requestId` if it stays."
            }
            Self::ServiceUnavailable => {
                "A part of ours does not answer, or too much is under way. Nothing was changed. Repeat the \
                 request after `Retry-After` seconds."
            }
            Self::Timeout => {
                "The request took too long, and whether it had an effect is open. Repeat it with the same \
                 `Idempotency-Key`."
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_code_is_listed_once_and_reads_back() {
        for code in Code::ALL {
            assert_eq!(Code::parse(code.as_str()), Some(code));
            assert!(code.status().is_client_error() || code.status().is_server_error());
        }
    }
}
