//! A seller changes what is said of a package; its bytes and what was measured stay.

use crate::catalog::{CATALOGUE, CatalogError, category_fault, tags_fault};
use crate::idempotency::{self, IdempotencyKey, StoredAnswer};
use crate::ids::{PackagePublicId, UserId};
use crate::merge_patch::Patch;
use crate::outbox::Outbox;
use serde::Serialize;
use serde_json::json;
use sha2::{Digest as _, Sha256};

/// What is to be said; `None` leaves it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct PackageChanges {
    pub name: Option<String>,
    pub description: Option<String>,
    #[serde(skip_serializing_if = "Patch::is_keep")]
    pub category: Patch<String>,
    #[serde(skip_serializing_if = "Patch::is_keep")]
    pub tags: Patch<Vec<String>>,
}

impl PackageChanges {
    fn check(&self) -> Result<(), CatalogError> {
        let fault = |field, message: String| Err(CatalogError::Field { field, message });
        for (field, text, least, most) in [
            ("name", &self.name, 3, 100),
            ("description", &self.description, 10, 1000),
        ] {
            let Some(text) = text else { continue };
            let count = text.trim().chars().count();
            let has_control = text
                .chars()
                .any(|char| char.is_control() && char != '\n' && char != '\t');
            if count < least || text.chars().count() > most || has_control {
                return fault(
                    field,
                    format!("must have {least} to {most} printable characters"),
                );
            }
        }
        let category = self.category.as_deref().set();
        if let Some(message) = category.and_then(category_fault) {
            return fault("category", message);
        }
        if let Some(message) = self.tags.as_deref().set().and_then(tags_fault) {
            return fault("tags", message);
        }
        Ok(())
    }
}

/// Changes the package, if it is at a version that the seller has seen. What is so already makes no new version.
pub async fn change_package(
    outbox: &Outbox,
    seller: UserId,
    package: &PackagePublicId,
    if_match: Option<&[i64]>,
    changes: &PackageChanges,
    key: Option<&IdempotencyKey>,
) -> Result<(), CatalogError> {
    changes.check()?;
    let mut tx = outbox.begin().await?;
    if let Some(key) = key {
        let content = json!([package, if_match, changes]).to_string();
        let answer = StoredAnswer {
            fingerprint: Sha256::digest(content.as_bytes()).to_vec(),
            status: 200,
            body: json!({}),
        };
        match idempotency::record_in_tx(&mut tx, key, &answer).await? {
            Some(earlier) if earlier.fingerprint == answer.fingerprint => return Ok(()),
            Some(_) => return Err(CatalogError::IdempotencyConflict),
            None => {}
        }
    }
    let current: Option<i64> = sqlx::query_scalar(
        "select details_version
         from packages
         where public_id = $1
           and owner_id = $2
         for no key update",
    )
    .bind(package)
    .bind(seller)
    .fetch_optional(&mut *tx)
    .await?;
    let current = current.ok_or(CatalogError::Unknown("package"))?;
    if if_match.is_some_and(|seen| !seen.contains(&current)) {
        return Err(CatalogError::PackageChanged { current });
    }
    sqlx::query(
        "update packages
         set name = new.name, description = new.description, category = new.category, tags = new.tags,
             details_version = details_version + 1
         from (
             select id, coalesce($2, name) as name, coalesce($3, description) as description,
                    case when $4 then $5 else category end as category, coalesce($6, tags) as tags
             from packages
             where public_id = $1
         ) as new
         where packages.id = new.id
           and (packages.name, packages.description, packages.category, packages.tags)
               is distinct from (new.name, new.description, new.category, new.tags)",
    )
    .bind(package)
    .bind(&changes.name)
    .bind(&changes.description)
    .bind(changes.category != Patch::Keep)
    .bind(changes.category.as_deref().set())
    .bind(match &changes.tags {
        Patch::Keep => None,
        Patch::Clear => Some(&[][..]),
        Patch::Set(tags) => Some(tags.as_slice()),
    })
    .execute(&mut *tx)
    .await?;
    tx.outdate(CATALOGUE);
    tx.commit().await?;
    Ok(())
}
