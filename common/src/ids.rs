//! Identifiers: one newtype per kind of row, so that two ids never change places.
//!
//! Rows are keyed by UUIDv7 (ordered by time, good for indexes). What leaves the house is a public
//! id: `pkg_…`, `pur_…`, or `upload_<unix seconds>_<32 hex>`, whose 128 random bits make it a capability.

use std::fmt;

use rand::Rng as _;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::schema::inline_schema;

macro_rules! row_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, sqlx::Type)]
        #[serde(transparent)]
        #[sqlx(transparent)]
        pub struct $name(pub Uuid);

        inline_schema!($name, { "type": "string", "description": "An id, as a UUID.", "format": "uuid" });

        impl $name {
            /// A new id, later ones sort after earlier ones.
            pub fn new() -> Self {
                Self(Uuid::now_v7())
            }
        }

        impl Default for $name {
            fn default() -> Self {
                Self::new()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
    };
}

row_id!(/// A user.
    UserId);
row_id!(/// A session of a user.
    SessionId);
row_id!(/// Uploads that came together.
    BatchId);
row_id!(/// A review of a package.
    ReviewId);
row_id!(/// An API key.
    ApiKeyId);
row_id!(/// A fetch of the card of an agent.
    CardFetchId);
row_id!(/// A job.
    JobId);
row_id!(/// A subscription to the event log.
    EventSubscriptionId);
row_id!(/// A worker process, from its start to its end.
    WorkerId);
row_id!(/// An upload.
    UploadId);
row_id!(/// A published package.
    PackageId);
row_id!(/// A secret of a webhook endpoint.
    WebhookSecretId);

macro_rules! prefixed_id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, sqlx::Type)]
        #[sqlx(transparent)]
        pub struct $name(pub Uuid);

        inline_schema!($name, {
            "type": "string",
            "description": concat!("An id: `", $prefix, "` and 32 hexadecimal digits."),
            "pattern": concat!("^", $prefix, "[0-9a-f]{32}$"),
            "examples": [concat!($prefix, "01935a7e4c1b7d209f3e6a5b8c2d4e08")],
        });

        impl $name {
            /// A new id, later ones sort after earlier ones.
            pub fn new() -> Self {
                Self(Uuid::now_v7())
            }

            /// Reads what clients hold; it need not exist.
            pub fn parse(text: &str) -> Option<Self> {
                let hex = text.strip_prefix($prefix)?;
                let is_canonical = hex.len() == 32
                    && hex.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
                is_canonical.then(|| hex.parse().ok().map(Self))?
            }
        }

        impl Default for $name {
            fn default() -> Self {
                Self::new()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "{}"), self.0.simple())
            }
        }

        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                Self::parse(&text).ok_or_else(|| {
                    serde::de::Error::custom(concat!("must look like ", $prefix, "<32 hex digits>"))
                })
            }
        }
    };
}

prefixed_id!(/// A purchase, `pur_<32 hex>`. It guards nothing: only its buyer and seller may see it.
    PurchaseId, "pur_");
prefixed_id!(/// A quote, `quo_<32 hex>`.
    QuoteId, "quo_");
prefixed_id!(/// A payment by card, `pay_<32 hex>`.
    PaymentId, "pay_");
prefixed_id!(/// Money that goes back to a card, `cbk_<32 hex>`.
    ChargebackId, "cbk_");
prefixed_id!(/// A payout to a seller, `out_<32 hex>`.
    PayoutId, "out_");
prefixed_id!(/// A webhook endpoint, `whe_<32 hex>`.
    EndpointId, "whe_");
prefixed_id!(/// An event that webhooks tell of, `msg_<32 hex>`: the `webhook-id` of all its deliveries.
    EventId, "msg_");
prefixed_id!(/// An event on its way to one endpoint, `whd_<32 hex>`.
    DeliveryId, "whd_");
prefixed_id!(/// A recovery of an endpoint's deliveries, `whr_<32 hex>`.
    RecoveryId, "whr_");
prefixed_id!(/// A task that an agent does for another, `tsk_<32 hex>`.
    AgentTaskId, "tsk_");
prefixed_id!(/// A dispute about a purchase, `dis_<32 hex>`.
    DisputeId, "dis_");

impl PurchaseId {
    /// The number that the first contract calls it by: its last 52 bits, which are random. It fits a
    /// JSON number, and the schema keeps it unique.
    pub fn number(self) -> u64 {
        self.0.as_u64_pair().1 & ((1 << 52) - 1)
    }
}

macro_rules! public_id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, sqlx::Type)]
        #[serde(transparent)]
        #[sqlx(transparent)]
        pub struct $name(String);

        inline_schema!($name, {
            "type": "string",
            "description": concat!("An id that begins with `", $prefix, "`."),
            "pattern": concat!("^", $prefix, "[0-9A-Za-z_]{1,74}$"),
            "examples": [concat!($prefix, "01935a7e4c1b7d209f3e6a5b8c2d4e08")],
        });

        impl $name {
            /// The text that clients see.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// Accepts the text if it has this kind's shape; it need not exist.
            pub fn parse(text: &str) -> Option<Self> {
                let rest = text.strip_prefix($prefix)?;
                let sane = !rest.is_empty()
                    && text.len() <= 80
                    && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
                sane.then(|| Self(text.to_owned()))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

public_id!(/// The upload id that clients hold; whoever has it may read the upload's status.
    UploadPublicId, "upload_");
public_id!(/// The batch id that clients hold; whoever has it may read the batch's status.
    BatchPublicId, "batch_");
public_id!(/// The package id that clients hold.
    PackagePublicId, "pkg_");

impl UploadPublicId {
    /// `upload_<unix seconds>_<32 hex>`.
    pub fn generate() -> Self {
        Self(format!(
            "upload_{}_{}",
            chrono::Utc::now().timestamp(),
            random_hex::<16>()
        ))
    }
}

impl BatchPublicId {
    /// `batch_<unix seconds>_<32 hex>`.
    pub fn generate() -> Self {
        Self(format!(
            "batch_{}_{}",
            chrono::Utc::now().timestamp(),
            random_hex::<16>()
        ))
    }
}

impl PackagePublicId {
    /// `pkg_<32 hex>` of the row's id: it names a public thing and guards nothing.
    pub fn of(id: PackageId) -> Self {
        Self(format!("pkg_{}", id.0.simple()))
    }

    /// The row's id, if the text is made of one.
    pub fn row(&self) -> Option<PackageId> {
        Uuid::try_parse(self.0.strip_prefix("pkg_")?)
            .ok()
            .map(PackageId)
    }
}

/// A request id, `req_<32 hex>`, carried through logs, jobs and webhooks.
pub fn new_request_id() -> String {
    format!("req_{}", random_hex::<16>())
}

/// `BYTES` random bytes in lower-case hex.
pub fn random_hex<const BYTES: usize>() -> String {
    let mut bytes = [0_u8; BYTES];
    rand::rng().fill_bytes(&mut bytes);
    hex::encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefixed_id_reads_back_and_nothing_else_does() {
        let id = PurchaseId::new();
        assert_eq!(PurchaseId::parse(&id.to_string()), Some(id));
        let upper = id.to_string().to_uppercase();
        for text in ["", "pur_", "pur_1", &upper, &id.0.to_string()] {
            assert_eq!(PurchaseId::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_package_id_leads_back_to_its_row() {
        let row = PackageId::new();
        assert_eq!(PackagePublicId::of(row).row(), Some(row));
        let other = PackagePublicId::parse("pkg_1").expect("the shape of one");
        assert_eq!(other.row(), None);
    }

    #[test]
    fn a_public_id_is_told_from_other_text() {
        let id = UploadPublicId::generate();
        assert_eq!(UploadPublicId::parse(id.as_str()), Some(id));
        for text in ["", "upload_", "pkg_1", "upload_a/b", "upload_a%00"] {
            assert_eq!(UploadPublicId::parse(text), None, "{text}");
        }
    }
}
