//! Packages that a test puts on the shelf itself, without bytes.

use common::ids::UserId;
use tests::World;

/// What is put there; the rest is made up.
#[derive(Debug, Clone)]
pub struct Item<'a> {
    pub name: &'a str,
    pub description: &'a str,
    pub source: &'a str,
    pub target: &'a str,
    pub category: Option<&'a str>,
    pub tags: Vec<&'a str>,
    pub downloads: i64,
    pub price_minor: i64,
    pub epsilon: f64,
    /// Of the measured epsilon; without one it is declared.
    pub tier: Option<&'a str>,
    /// Of the listing.
    pub status: &'a str,
}

impl Default for Item<'_> {
    fn default() -> Self {
        Self {
            name: "A package",
            description: "What it is for.",
            source: "gpt-3.5-turbo",
            target: "gpt-4",
            category: None,
            tags: Vec::new(),
            downloads: 0,
            price_minor: 999,
            epsilon: 0.05,
            tier: None,
            status: "active",
        }
    }
}

/// Puts packages of the seller on the shelf, later ones newer: their ids.
pub async fn put(world: &World, items: &[Item<'_>]) -> Vec<String> {
    put_of(world, world.seller_id().await, items).await
}

/// The same of another seller.
pub async fn put_of(world: &World, seller: UserId, items: &[Item<'_>]) -> Vec<String> {
    // Bytes of their own: what one seller published first, no other may.
    let object = seller.to_string();
    sqlx::query(
        "insert into objects (key, sha256, size_bytes)
         values ($1, sha256($1::text::bytea), 1)
         on conflict do nothing",
    )
    .bind(&object)
    .execute(&world.pool)
    .await
    .unwrap();
    let mut ids = Vec::new();
    for item in items {
        let id = common::ids::PackageId::new();
        let public_id = format!("pkg_{}", id.0.simple());
        sqlx::query(
            "insert into packages (
                 id, public_id, owner_id, upload_id, package_type, name, description, source_model, target_model,
                 epsilon_declared, epsilon_measured, evidence_level, tier, package_key, w_matrix_key, report,
                 downloads, downloaders, category, tags, line_id, source_dimension, target_dimension, created_at, is_latest
             )
             values ($1, $2, $3, $1, 'vector', $4, $5, $6, $7, $8, case when $9::text is not null then $8 end,
                     case when $9 is null then 'declared' else 'self-attested' end, $9, $14, $14, '{}', $10, $10, $11, $12,
                     $1, 768, 1024, clock_timestamp(), $13 <> 'draft')",
        )
        .bind(id)
        .bind(&public_id)
        .bind(seller)
        .bind(item.name)
        .bind(item.description)
        .bind(item.source)
        .bind(item.target)
        .bind(item.epsilon)
        .bind(item.tier)
        .bind(item.downloads)
        .bind(item.category)
        .bind(&item.tags)
        .bind(item.status)
        .bind(&object)
        .execute(&world.pool)
        .await
        .unwrap();
        sqlx::query(
            "insert into listings (package_id, seller_id, api_key_id, price_minor, status)
             select $1, $2, id, $3, $4
             from api_keys
             where user_id = $2
             limit 1",
        )
        .bind(id)
        .bind(seller)
        .bind(item.price_minor)
        .bind(item.status)
        .execute(&world.pool)
        .await
        .unwrap();
        ids.push(public_id);
    }
    ids
}

/// The names in a list of packages.
pub fn names(list: &serde_json::Value) -> Vec<String> {
    let items = list.as_array().unwrap().iter();
    items
        .map(|item| item["name"].as_str().unwrap().to_owned())
        .collect()
}
