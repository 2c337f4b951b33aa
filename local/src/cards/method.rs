//! What each payment method of the sandbox does. The `pm_card_` names are Stripe's own test methods.

/// Pays at once.
pub const VISA: &str = "pm_card_visa";
/// Is declined without a reason.
pub const DECLINED: &str = "pm_card_chargeDeclined";
/// Is declined for want of money.
pub const INSUFFICIENT_FUNDS: &str = "pm_card_visa_chargeDeclinedInsufficientFunds";
/// Waits for the buyer, until it is completed from outside.
pub const AUTHENTICATION_REQUIRED: &str = "pm_card_authenticationRequired";
/// Pays, and never answers. The same request again is answered.
pub const TIMEOUT: &str = "pm_sandbox_timeout";
/// Pays, and drops the connection. The same request again is answered.
pub const LOST: &str = "pm_sandbox_lost";
/// Pays; its webhooks come out of order and twice.
pub const TWICE: &str = "pm_sandbox_twice";
/// Processes, until it is completed from outside.
pub const LATE: &str = "pm_sandbox_late";
/// Is answered 503 two times, counted for each idempotency key, and pays then.
pub const DOWN: &str = "pm_sandbox_down";

/// A payment method's behaviour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Behaviour {
    Pays,
    Declines {
        decline_code: &'static str,
        message: &'static str,
    },
    NeedsAction,
    PaysSilently,
    PaysAndHangsUp,
    PaysTwiceTold,
    Processes,
    PaysAfterFaults,
}

/// None for a method that does not exist.
pub(super) fn behaviour(method: &str) -> Option<Behaviour> {
    Some(match method {
        VISA => Behaviour::Pays,
        DECLINED => Behaviour::Declines {
            decline_code: "generic_decline",
            message: "Your card was declined.",
        },
        INSUFFICIENT_FUNDS => Behaviour::Declines {
            decline_code: "insufficient_funds",
            message: "Your card has insufficient funds.",
        },
        AUTHENTICATION_REQUIRED => Behaviour::NeedsAction,
        TIMEOUT => Behaviour::PaysSilently,
        LOST => Behaviour::PaysAndHangsUp,
        TWICE => Behaviour::PaysTwiceTold,
        LATE => Behaviour::Processes,
        DOWN => Behaviour::PaysAfterFaults,
        _ => return None,
    })
}
