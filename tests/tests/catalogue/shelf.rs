//! Packages that a test puts on the shelf itself, without bytes.

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
    pub tier: Option<&'a str>,
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
        }
    }
}

/// Puts packages of the seller on the shelf, later ones newer: their ids.
pub async fn put(world: &World, items: &[Item<'_>]) -> Vec<String> {
    let seller = world.seller_id().await;
    let object = "insert into objects (key, sha256, size_bytes) values ('x', sha256('x'), 1) on conflict do nothing";
    sqlx::query(object).execute(&world.pool).await.unwrap();
    let mut ids = Vec::new();
    for item in items {
        let id = common::ids::PackageId::new();
        let public_id = format!("pkg_{}", id.0.simple());
        sqlx::query(
            "insert into packages (
                 id, public_id, owner_id, upload_id, package_type, name, description, source_model, target_model,
                 epsilon_declared, epsilon_measured, evidence_level, tier, package_key, w_matrix_key, report,
                 downloads, category, tags, line_id, source_dimension, target_dimension, created_at
             )
             values ($1, $2, $3, $1, 'vector', $4, $5, $6, $7, $8, case when $9::text is not null then $8 end,
                     case when $9 is null then 'declared' else 'self-attested' end, $9, 'x', 'x', '{}', $10, $11, $12,
                     $1, 768, 1024, clock_timestamp())",
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
        .execute(&world.pool)
        .await
        .unwrap();
        sqlx::query(
            "insert into listings (package_id, seller_id, api_key_id, price_minor)
             select $1, $2, id, $3
             from api_keys
             where user_id = $2
             limit 1",
        )
        .bind(id)
        .bind(seller)
        .bind(item.price_minor)
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
