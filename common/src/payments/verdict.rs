//! What the provider's words mean. Pure: no clock, no network, no database.

use chrono::{DateTime, Utc};
use secrecy::{ExposeSecret as _, SecretString};

use super::{Payment, PaymentState};
use crate::cards::{CardError, Decline, Intent, IntentStatus};

/// Why a payment comes to nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// The bank said no.
    Declined(Decline),
    /// The provider does not know the payment method that the buyer named.
    MethodUnknown,
    /// Nobody paid in time.
    Expired,
    /// Called off, here or at the provider.
    Canceled,
}

impl Reason {
    /// For machines.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Declined(_) => "CARD_DECLINED",
            Self::MethodUnknown => "CARD_UNKNOWN",
            Self::Expired => "PAYMENT_EXPIRED",
            Self::Canceled => "PAYMENT_CANCELED",
        }
    }

    /// For people.
    pub fn message(&self) -> String {
        match self {
            Self::Declined(decline) if decline.message.is_empty() => {
                "The card was declined.".to_owned()
            }
            Self::Declined(Decline { message, .. }) => message.clone(),
            Self::MethodUnknown => {
                "The card provider does not know this payment method; nothing was charged."
                    .to_owned()
            }
            Self::Expired => "Nobody paid in time; nothing was charged.".to_owned(),
            Self::Canceled => "The payment was called off; nothing was charged.".to_owned(),
        }
    }

    /// The bank's reason.
    pub fn decline_code(&self) -> Option<&str> {
        match self {
            Self::Declined(decline) => decline.decline_code.as_deref().or(decline.code.as_deref()),
            _ => None,
        }
    }

    fn state(&self) -> PaymentState {
        match self {
            Self::Declined(_) | Self::MethodUnknown => PaymentState::Failed,
            Self::Expired | Self::Canceled => PaymentState::Canceled,
        }
    }
}

/// What is to be made of an answer, or of a missing one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The money is here.
    Paid,
    /// No money can come any more.
    Over(Reason),
    /// Not over: it waits for the payer or the bank.
    Open(PaymentState),
    /// It should come to nothing, but at the provider it could still be paid: cancel it there.
    Hopeless(Reason),
    /// It may have been paid. Ask again, with the same key.
    Unclear(String),
    /// Nothing is known that was not known before. Ask again.
    Later(String),
    /// Our account or our request is at fault; a bounded number of tries, then an operator looks.
    Faulty(String),
    /// The provider describes another payment than ours: an operator looks, nothing moves.
    Suspect(String),
}

/// A verdict, with what the provider calls the payment.
#[derive(Debug, Clone)]
pub struct Answer {
    pub verdict: Verdict,
    pub provider_id: Option<String>,
    pub client_secret: Option<SecretString>,
}

impl Answer {
    /// Without a word of the provider.
    pub(super) fn unheard(verdict: Verdict) -> Self {
        Self {
            verdict,
            provider_id: None,
            client_secret: None,
        }
    }

    /// Judges what came of creating the payment at the provider.
    pub(super) fn to_create(
        payment: &Payment,
        result: Result<Intent, CardError>,
        now: DateTime<Utc>,
    ) -> Self {
        match result {
            Ok(intent) => Self::from_intent(payment, &intent, now),
            Err(CardError::Declined {
                intent: Some(intent),
                ..
            }) => Self::from_intent(payment, &intent, now),
            Err(CardError::Declined {
                intent: None,
                decline,
            }) => Self::unheard(Verdict::Over(Reason::Declined(decline))),
            Err(error) => Self::unheard(match error {
                CardError::Unknown(_) => Verdict::Unclear(chain(&error)),
                CardError::NotSent(_) | CardError::RateLimited { .. } => {
                    Verdict::Later(chain(&error))
                }
                CardError::MethodUnknown => Verdict::Over(Reason::MethodUnknown),
                // Only the card and its bank are the buyer's: a request that the provider does not take, a key
                // or an account of ours are for an operator, and the payment stays open meanwhile.
                CardError::Refused { .. } => Verdict::Faulty(chain(&error)),
                _ => Verdict::Suspect(chain(&error)),
            }),
        }
    }

    /// Judges what came of asking after the payment. A question changes nothing, so no answer means
    /// nothing new.
    pub(super) fn to_retrieve(
        payment: &Payment,
        result: Result<Intent, CardError>,
        now: DateTime<Utc>,
    ) -> Self {
        match result {
            Ok(intent) => Self::from_intent(payment, &intent, now),
            Err(error) => Self::unheard(match error {
                CardError::Refused { status: 404, .. } => Verdict::Suspect(chain(&error)),
                CardError::Refused { .. } => Verdict::Faulty(chain(&error)),
                _ => Verdict::Later(chain(&error)),
            }),
        }
    }

    fn from_intent(payment: &Payment, intent: &Intent, now: DateTime<Utc>) -> Self {
        Self {
            verdict: judge(payment, intent, now),
            provider_id: Some(intent.id.clone()),
            client_secret: intent.client_secret.clone(),
        }
    }
}

fn judge(payment: &Payment, intent: &Intent, now: DateTime<Utc>) -> Verdict {
    let is_ours = payment
        .provider_id
        .as_ref()
        .is_none_or(|id| *id == intent.id)
        && intent.amount_minor == payment.amount_minor
        && intent.currency.eq_ignore_ascii_case(&payment.currency);
    if !is_ours {
        return Verdict::Suspect(format!(
            "asked for {} {}, and the provider has {} {} as {}",
            payment.amount_minor, payment.currency, intent.amount_minor, intent.currency, intent.id
        ));
    }
    // Whether nobody waits for the payer any more, and why.
    let given_up = match payment.called_off_at {
        Some(_) => Some(Reason::Canceled),
        None if payment.expires_at <= now => Some(Reason::Expired),
        None => None,
    };
    let decline = intent.last_error.clone();
    // A payer who chooses the card at the provider may try another; one who named it may not.
    let decline = decline.filter(|_| payment.method_id.is_some());
    match &intent.status {
        IntentStatus::Succeeded if intent.amount_received_minor == payment.amount_minor => {
            Verdict::Paid
        }
        IntentStatus::Succeeded => Verdict::Suspect(format!(
            "of {} the provider has received {}",
            payment.amount_minor, intent.amount_received_minor
        )),
        IntentStatus::Canceled => Verdict::Over(match decline {
            Some(decline) => Reason::Declined(decline),
            None => given_up.unwrap_or(Reason::Canceled),
        }),
        IntentStatus::Processing => Verdict::Open(PaymentState::Processing),
        // A card that nobody has confirmed is not a payment that is under way.
        IntentStatus::RequiresPaymentMethod | IntentStatus::RequiresConfirmation => {
            match decline.map(Reason::Declined).or(given_up) {
                Some(reason) => Verdict::Hopeless(reason),
                None => Verdict::Open(PaymentState::RequiresPaymentMethod),
            }
        }
        IntentStatus::RequiresAction => match given_up {
            Some(reason) => Verdict::Hopeless(reason),
            None => Verdict::Open(PaymentState::RequiresAction),
        },
        IntentStatus::RequiresCapture | IntentStatus::Other(_) => {
            Verdict::Unclear(format!("the provider calls it {}", intent.status.as_str()))
        }
    }
}

impl Verdict {
    /// The state that a payment takes; none if it stays as it is. Money that arrives is credited
    /// whatever was said before; anything else that comes after the end is old news.
    pub(super) fn next_state(&self, current: PaymentState) -> Option<PaymentState> {
        let next = match self {
            Self::Paid => PaymentState::Succeeded,
            Self::Over(reason) => reason.state(),
            Self::Open(state) => *state,
            Self::Unclear(_) | Self::Suspect(_) => PaymentState::Unknown,
            Self::Hopeless(_) | Self::Later(_) | Self::Faulty(_) => return None,
        };
        let is_possible = match current {
            PaymentState::Succeeded => false,
            PaymentState::Failed | PaymentState::Canceled => next == PaymentState::Succeeded,
            _ => next != current,
        };
        is_possible.then_some(next)
    }
}

impl Answer {
    /// The secret in clear, to be stored beside its payment.
    pub(super) fn secret(&self) -> Option<&str> {
        self.client_secret
            .as_ref()
            .map(|secret| secret.expose_secret())
    }
}

/// An error and what caused it.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

#[cfg(test)]
#[path = "verdict_tests.rs"]
mod tests;
