//! Buyers with credits and packages to buy.

use common::identity::commands::create_key;
use common::identity::{Permission, Sealer};
use common::ids::UserId;
use common::ledger::{self, AccountKind, Posting};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::client::{Answer, send};
use crate::{Client, Sample, World};

/// A user with a key that may do everything.
#[derive(Debug, Clone)]
pub struct User {
    pub id: UserId,
    pub client: Client,
}

impl World {
    /// A new user with that many credits.
    pub async fn buyer(&self, name: &str, credits_minor: i64) -> User {
        let sealer = Sealer::new(&self.secrets());
        let created = create_key(&self.pool, &sealer, name, "test", &Permission::ALL)
            .await
            .unwrap();
        self.receiver.trust_api_key(created.key.expose());
        let user = User {
            id: created.user,
            client: self.anonymous.with_token(created.key.expose()),
        };
        if credits_minor > 0 {
            self.give_credits(user.id, credits_minor).await;
        }
        user
    }

    /// Credits from outside, by the ledger's own rule.
    pub async fn give_credits(&self, user: UserId, amount_minor: i64) {
        let posting = Posting::top_up(Uuid::now_v7(), user, amount_minor);
        let mut connection = self.pool.acquire().await.unwrap();
        ledger::post_in_tx(&mut connection, &posting, "USD", "test")
            .await
            .unwrap();
    }

    /// What a user holds: posted and held.
    pub async fn credits(&self, user: UserId) -> (i64, i64) {
        let kind = AccountKind::BuyerCredits;
        let balance = ledger::balance(&self.pool, user.0, kind, "USD")
            .await
            .unwrap();
        (balance.posted_minor, balance.held_minor)
    }

    /// Every invariant of the ledger holds, as operators see it.
    pub async fn assert_sound_books(&self) {
        let audit = self.operator.post("/admin/ledger/audit", &json!({})).await;
        let data = audit.data();
        assert_eq!(data["isSound"], true, "{data:#}");
    }

    /// What the seller of this world has earned.
    pub async fn earnings(&self) -> i64 {
        let seller = self.seller_id().await;
        let kind = AccountKind::SellerEarnings;
        let balance = ledger::balance(&self.pool, seller.0, kind, "USD").await;
        balance.unwrap().posted_minor
    }

    /// What the platform has earned.
    pub async fn fees(&self) -> i64 {
        let kind = AccountKind::PlatformFees;
        let balance = ledger::balance(&self.pool, Uuid::nil(), kind, "USD").await;
        balance.unwrap().posted_minor
    }

    /// The user behind `seller`.
    pub async fn seller_id(&self) -> UserId {
        self.user_id("seller").await.unwrap()
    }

    /// The user of that name.
    pub async fn user_id(&self, name: &str) -> Option<UserId> {
        sqlx::query_scalar("select id from users where name = $1")
            .bind(name)
            .fetch_optional(&self.pool)
            .await
            .unwrap()
    }

    /// Publishes a package at that price: its id.
    pub async fn package_for(&self, price: f64) -> String {
        let mut request = Sample::vector(1).request();
        request["price"] = json!(price);
        request["webhookUrl"] = json!(self.webhook_url());
        let status = self.publish(&request).await;
        status["packageId"].as_str().unwrap().to_owned()
    }

    /// Publishes a package of which only so many licenses are sold; one is an exclusive one.
    pub async fn limited_package(&self, price: f64, supply: i32) -> String {
        let package = self.package_for(price).await;
        let mode = if supply == 1 { "exclusive" } else { "limited" };
        sqlx::query(
            "update listings
             set license_mode = $2, supply = $3, version = version + 1
             where package_id = (select id from packages where public_id = $1)",
        )
        .bind(&package)
        .bind(mode)
        .bind(supply)
        .execute(&self.pool)
        .await
        .unwrap();
        package
    }
}

impl Client {
    /// The seed's purchase, with credits.
    pub async fn buy(&self, package: &str) -> Answer {
        self.purchase(&purchase_of(package)).await
    }

    /// A purchase as it is written.
    pub async fn purchase(&self, request: &Value) -> Answer {
        self.post("/api/ai/purchase-package", request).await
    }

    /// A purchase with an idempotency key.
    pub async fn purchase_once(&self, key: &str, request: &Value) -> Answer {
        let post = self.request(common::reqwest::Method::POST, "/api/ai/purchase-package");
        send(post.header("idempotency-key", key).json(request)).await
    }
}

/// The seed's request, paid with credits.
pub fn purchase_of(package: &str) -> Value {
    json!({ "packageType": "vector", "packageId": package, "paymentMethod": "credits" })
}
