//! Sellers who change what they sell, behind the public API.

use crate::World;

impl World {
    /// The seller asks another price.
    pub async fn reprice(&self, package: &str, price_minor: i64) {
        let changed = sqlx::query(
            "update listings
             set price_minor = $2, version = version + 1
             where package_id = (select id from packages where public_id = $1)",
        )
        .bind(package)
        .bind(price_minor)
        .execute(&self.pool)
        .await;
        assert_eq!(changed.unwrap().rows_affected(), 1);
    }

    /// The seller pauses a listing, takes it up again, or removes it.
    pub async fn set_listing_status(&self, package: &str, status: &str) {
        let changed = sqlx::query(
            "update listings
             set status = $2, version = version + 1
             where package_id = (select id from packages where public_id = $1)",
        )
        .bind(package)
        .bind(status)
        .execute(&self.pool)
        .await;
        assert_eq!(changed.unwrap().rows_affected(), 1);
    }
}
