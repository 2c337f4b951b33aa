//! What a user may download: bought and not given back, or the user's own.

use chrono::{DateTime, Utc};
use sqlx::PgPool;

use super::PurchaseError;
use crate::ids::{PackagePublicId, PurchaseId, UserId};

/// Which of the two halves of a package is handed out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Handed {
    Package,
    WMatrix,
    Both,
}

impl Handed {
    /// Its name in SQL.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Package => "package",
            Self::WMatrix => "w_matrix",
            Self::Both => "both",
        }
    }
}

/// Bytes in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredObject {
    pub key: String,
    pub sha256: Vec<u8>,
    pub size_bytes: i64,
}

/// A package that its reader may have.
#[derive(Debug, Clone)]
pub struct Goods {
    /// None for the seller's own package.
    pub purchase: Option<PurchaseId>,
    /// None for the seller's own package.
    pub grant_expires_at: Option<DateTime<Utc>>,
    pub package: StoredObject,
    pub w_matrix: StoredObject,
}

#[derive(Debug, sqlx::FromRow)]
struct Row {
    owner_id: UserId,
    package_key: String,
    package_sha256: Vec<u8>,
    package_bytes: i64,
    w_matrix_key: String,
    w_matrix_sha256: Vec<u8>,
    w_matrix_bytes: i64,
    purchase_id: Option<PurchaseId>,
    grant_expires_at: Option<DateTime<Utc>>,
    is_expired: Option<bool>,
    is_withdrawn: bool,
    owed_minor: i64,
}

/// The package, if the reader may have it. To one who may not, it is as if it did not exist.
pub async fn find_goods(
    pool: &PgPool,
    reader: UserId,
    package_type: &str,
    package: &PackagePublicId,
) -> Result<Goods, PurchaseError> {
    let row = find_row(pool, reader, package_type, package)
        .await?
        .ok_or(PurchaseError::NotBought)?;
    let goods = Goods {
        purchase: row.purchase_id,
        grant_expires_at: row.grant_expires_at,
        package: StoredObject {
            key: row.package_key,
            sha256: row.package_sha256,
            size_bytes: row.package_bytes,
        },
        w_matrix: StoredObject {
            key: row.w_matrix_key,
            sha256: row.w_matrix_sha256,
            size_bytes: row.w_matrix_bytes,
        },
    };
    let is_theirs = row.purchase_id.is_some() || row.owner_id == reader;
    if is_theirs && row.is_withdrawn {
        return Err(PurchaseError::TakenDown);
    }
    if row.purchase_id.is_some() && row.owed_minor > 0 {
        let owed_minor = row.owed_minor;
        return Err(PurchaseError::Owes { owed_minor });
    }
    match (row.purchase_id, row.grant_expires_at, row.is_expired) {
        (Some(id), Some(expired_at), Some(true)) => {
            Err(PurchaseError::LinkExpired { id, expired_at })
        }
        (Some(_), ..) => Ok(goods),
        (None, ..) if row.owner_id == reader => Ok(goods),
        (None, ..) => Err(PurchaseError::NotBought),
    }
}

async fn find_row(
    pool: &PgPool,
    reader: UserId,
    package_type: &str,
    package: &PackagePublicId,
) -> Result<Option<Row>, sqlx::Error> {
    sqlx::query_as(
        "select owner_id, package_key, package_object.sha256 as package_sha256,
                package_object.size_bytes as package_bytes, w_matrix_key,
                w_matrix_object.sha256 as w_matrix_sha256, w_matrix_object.size_bytes as w_matrix_bytes,
                purchases.id as purchase_id, grant_expires_at, grant_expires_at <= now() as is_expired,
                taken_down_with_grants as is_withdrawn,
                -- Grants of what was paid for rest while their buyer owes.
                case when purchases.price_minor > 0 then coalesce(
                    (select sum(owed_minor) from chargebacks where user_id = $1 and owed_minor > 0), 0
                ) else 0 end::bigint as owed_minor
         from packages
         join objects as package_object on package_object.key = package_key
         join objects as w_matrix_object on w_matrix_object.key = w_matrix_key
         left join purchases
           on package_id = packages.id
          and buyer_id = $1
          and purchases.state in ('settled', 'disputed')
         where public_id = $3
           and package_type = $2",
    )
    .bind(reader)
    .bind(package_type)
    .bind(package)
    .fetch_optional(pool)
    .await
}
