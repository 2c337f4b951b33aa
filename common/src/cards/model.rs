//! A payment as the provider describes it, and what we ask for.

use std::collections::BTreeMap;
use std::fmt;

use secrecy::SecretString;
use serde::Deserialize;
use url::form_urlencoded::Serializer;

/// A payment to begin.
#[derive(Debug, Clone)]
pub struct NewIntent<'a> {
    pub amount_minor: i64,
    /// Three letters, any case.
    pub currency: &'a str,
    /// Given: the payment is confirmed at once. Absent: the buyer chooses later.
    pub payment_method: Option<String>,
    /// Names this payment; a repetition with the same key charges once. At most 255 characters.
    pub idempotency_key: &'a str,
    pub description: &'a str,
    /// Comes back in the intent and in webhooks.
    pub metadata: &'a [(&'a str, String)],
}

impl NewIntent<'_> {
    /// The form that the API takes.
    pub(super) fn form(&self) -> String {
        let mut form = Serializer::new(String::new());
        form.append_pair("amount", &self.amount_minor.to_string())
            .append_pair("currency", &self.currency.to_ascii_lowercase())
            .append_pair("description", self.description)
            .append_pair("automatic_payment_methods[enabled]", "true")
            // A method that needs a page to return to is none for an agent.
            .append_pair("automatic_payment_methods[allow_redirects]", "never");
        if let Some(method) = &self.payment_method {
            form.append_pair("payment_method", method)
                .append_pair("confirm", "true");
        }
        for (name, value) in self.metadata {
            form.append_pair(&format!("metadata[{name}]"), value);
        }
        form.finish()
    }
}

/// A payment at the provider.
#[derive(Debug, Clone)]
pub struct Intent {
    pub id: String,
    pub status: IntentStatus,
    /// Lets the buyer finish the payment; nobody else may see it.
    pub client_secret: Option<SecretString>,
    pub amount_minor: i64,
    pub amount_received_minor: i64,
    /// Three lower-case letters.
    pub currency: String,
    /// Why the last try to pay failed, if it did.
    pub last_error: Option<Decline>,
    pub metadata: BTreeMap<String, String>,
}

/// Where a payment stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IntentStatus {
    RequiresPaymentMethod,
    RequiresConfirmation,
    RequiresAction,
    Processing,
    RequiresCapture,
    Canceled,
    Succeeded,
    /// A status that this version does not know: neither paid nor failed.
    Other(String),
}

impl IntentStatus {
    /// The provider's word for it.
    pub fn as_str(&self) -> &str {
        match self {
            Self::RequiresPaymentMethod => "requires_payment_method",
            Self::RequiresConfirmation => "requires_confirmation",
            Self::RequiresAction => "requires_action",
            Self::Processing => "processing",
            Self::RequiresCapture => "requires_capture",
            Self::Canceled => "canceled",
            Self::Succeeded => "succeeded",
            Self::Other(word) => word,
        }
    }
}

impl From<String> for IntentStatus {
    fn from(word: String) -> Self {
        match word.as_str() {
            "requires_payment_method" => Self::RequiresPaymentMethod,
            "requires_confirmation" => Self::RequiresConfirmation,
            "requires_action" => Self::RequiresAction,
            "processing" => Self::Processing,
            "requires_capture" => Self::RequiresCapture,
            "canceled" => Self::Canceled,
            "succeeded" => Self::Succeeded,
            _ => Self::Other(word),
        }
    }
}

/// A bank's no.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Decline {
    /// Such as `card_declined`.
    pub code: Option<String>,
    /// The bank's reason, such as `insufficient_funds`.
    pub decline_code: Option<String>,
    /// For the buyer to read.
    #[serde(default)]
    pub message: String,
}

impl fmt::Display for Decline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let code = self.decline_code.as_ref().or(self.code.as_ref());
        f.write_str(code.map_or("no reason given", String::as_str))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_documented_status_reads_back_and_any_other_is_kept() {
        for word in [
            "requires_payment_method",
            "requires_confirmation",
            "requires_action",
            "processing",
            "requires_capture",
            "canceled",
            "succeeded",
        ] {
            let status = IntentStatus::from(word.to_owned());
            assert!(!matches!(status, IntentStatus::Other(_)), "{word}");
            assert_eq!(status.as_str(), word);
        }
        let other = IntentStatus::from("requires_patience".to_owned());
        assert_eq!(other, IntentStatus::Other("requires_patience".to_owned()));
    }

    #[test]
    fn a_payment_is_confirmed_only_with_a_method_and_its_texts_are_escaped() {
        let mut new = NewIntent {
            amount_minor: 999,
            currency: "USD",
            payment_method: None,
            idempotency_key: "key",
            description: "Tom & Jerry = 2",
            metadata: &[("purchase", "a b".to_owned())],
        };
        assert_eq!(
            new.form(),
            "amount=999&currency=usd&description=Tom+%26+Jerry+%3D+2\
             &automatic_payment_methods%5Benabled%5D=true\
             &automatic_payment_methods%5Ballow_redirects%5D=never\
             &metadata%5Bpurchase%5D=a+b"
        );
        new.payment_method = Some("pm_1".to_owned());
        assert!(new.form().contains("&payment_method=pm_1&confirm=true&"));
    }
}
