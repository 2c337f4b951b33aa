//! Packages for sale.

use sqlx::PgConnection;

use super::NewPackage;
use crate::events::{self, Category, NewStream};
use crate::ids::{PackageId, PackagePublicId, UserId};

/// Why somebody may not sell these bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claimed {
    /// Another account published the same package before.
    Published,
    /// The account bought them, or handed them back.
    Bought,
}

/// Whether the bytes are somebody else's to sell. A package belongs to the account that published it first,
/// which the schema holds (`packages_of_first_seller`). An alignment matrix may be anybody's, but not
/// that of a package which the account bought: unless it published the matrix before, or a third seller
/// has the same.
pub async fn find_claim_in_tx(
    conn: &mut PgConnection,
    owner: UserId,
    package_key: &str,
    w_matrix_key: &str,
) -> Result<Option<Claimed>, sqlx::Error> {
    let (is_published, is_bought): (bool, bool) = sqlx::query_as(
        "select exists (
                    select
                    from originals
                    where package_key = $2
                      and owner_id <> $1
                ), exists (
                    select
                    from packages as theirs
                    join purchases on purchases.package_id = theirs.id
                    where (theirs.package_key in ($2, $3) or theirs.w_matrix_key in ($2, $3))
                      and theirs.owner_id <> $1
                      and purchases.buyer_id = $1
                      and settled_at is not null
                      and not exists (
                          select
                          from packages as other
                          where other.w_matrix_key = theirs.w_matrix_key
                            and theirs.w_matrix_key = $3
                            and theirs.package_key not in ($2, $3)
                            and other.owner_id <> theirs.owner_id
                            and (other.owner_id <> $1 or other.created_at < purchases.created_at)
                      )
                )",
    )
    .bind(owner)
    .bind(package_key)
    .bind(w_matrix_key)
    .fetch_one(conn)
    .await?;
    Ok(match (is_published, is_bought) {
        (true, _) => Some(Claimed::Published),
        (_, true) => Some(Claimed::Bought),
        _ => None,
    })
}

/// Makes a package visible and lists it for sale, as its upload said. A second package of one upload
/// is impossible: the constraint `packages_one_per_upload` refuses it.
pub async fn publish_in_tx(
    conn: &mut PgConnection,
    new: &NewPackage,
) -> Result<(PackageId, PackagePublicId), sqlx::Error> {
    let id = PackageId::new();
    let public_id = PackagePublicId::of(id);
    // A draft is the latest of nothing; publishing it later makes it so (`keep_latest` in the schema).
    if let Some(line) = new.line
        && !new.is_draft
    {
        sqlx::query("update packages set is_latest = false where line_id = $1 and is_latest")
            .bind(line)
            .execute(&mut *conn)
            .await?;
    }
    sqlx::query(
        "insert into packages (
             id, public_id, owner_id, upload_id, package_type, name, description, source_model, target_model,
             epsilon_declared, epsilon_measured, evidence_level, tier,
             package_key, w_matrix_key, report, category, tags, semver, line_id, source_dimension, target_dimension,
             is_latest
         )
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23)",
    )
    .bind(id)
    .bind(&public_id)
    .bind(new.owner)
    .bind(new.upload)
    .bind(&new.package_type)
    .bind(&new.name)
    .bind(&new.description)
    .bind(&new.source_model)
    .bind(&new.target_model)
    .bind(new.epsilon_declared)
    .bind(new.epsilon_measured)
    .bind(&new.evidence_level)
    .bind(&new.tier)
    .bind(&new.package_key)
    .bind(&new.w_matrix_key)
    .bind(&new.report)
    .bind(&new.category)
    .bind(&new.tags)
    .bind(&new.semver)
    .bind(new.line.unwrap_or(id))
    .bind(new.source_dimension)
    .bind(new.target_dimension)
    .bind(!new.is_draft)
    .execute(&mut *conn)
    .await?;
    insert_listing_in_tx(conn, id, new).await?;
    let stream = NewStream {
        id: id.0,
        name: Category::Package.stream_of(&public_id),
        audience: &[new.owner],
    };
    events::open_in_tx(conn, &stream).await?;
    sqlx::query("update users set package_count = package_count + 1 where id = $1")
        .bind(new.owner)
        .execute(conn)
        .await?;
    Ok((id, public_id))
}

async fn insert_listing_in_tx(
    conn: &mut PgConnection,
    id: PackageId,
    new: &NewPackage,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "insert into listings (
             package_id, seller_id, api_key_id, price_minor, currency, license_mode, supply, webhook_url, status
         )
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(id)
    .bind(new.owner)
    .bind(new.api_key)
    .bind(new.price_minor)
    .bind(&new.currency)
    .bind(new.license_mode)
    .bind(new.supply)
    .bind(&new.webhook_url)
    .bind(if new.is_draft { "draft" } else { "active" })
    .execute(conn)
    .await?;
    Ok(())
}
