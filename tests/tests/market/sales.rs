//! Settled sales to be refunded, disputed and paid out, and the sums that must hold whatever happens.

use std::process::Stdio;

use common::identity::commands::create_key;
use common::identity::{Permission, Sealer};
use common::ledger::{self, AccountKind};
use local::receiver::Received;
use serde_json::{Value, json};
use sqlx::{Connection as _, PgConnection};
use tests::market::{User, purchase_of};
use tests::{Answer, Client, DEADLINE, World};
use uuid::Uuid;

/// A purchase that is settled.
#[derive(Debug, Clone)]
pub struct Sale {
    pub package: String,
    pub buyer: User,
    pub purchase: String,
}

impl Sale {
    /// Buyer and seller hear at addresses of their own.
    pub async fn of(world: &World, price: f64) -> Self {
        let package = world.package_for(price).await;
        Self::to(world, &package, "buyer", price).await
    }

    /// A sale to somebody new, who has just the price.
    pub async fn to(world: &World, package: &str, name: &str, price: f64) -> Self {
        let buyer = world.buyer(name, (price * 100.0).round() as i64).await;
        let mut request = purchase_of(package);
        request["webhookUrl"] = json!(format!("{}/buyer", world.receiver.url()));
        let answer = buyer.client.purchase(&request).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        Self {
            package: package.to_owned(),
            purchase: answer.data()["purchaseId"].as_str().unwrap().to_owned(),
            buyer,
        }
    }

    pub fn path(&self) -> String {
        format!("/api/ai/purchases/{}", self.purchase)
    }

    /// The purchase as its buyer sees it.
    pub async fn shown(&self) -> Value {
        self.buyer.client.get(&self.path()).await.data()
    }

    pub async fn refund(&self) -> Answer {
        self.refund_by(&self.buyer.client).await
    }

    pub async fn refund_by(&self, client: &Client) -> Answer {
        let path = format!("{}/refund", self.path());
        client.post(&path, &json!({ "reason": "not needed" })).await
    }

    pub async fn refund_by_operator(&self, world: &World) -> Answer {
        let path = format!("/admin/purchases/{}/refund", self.purchase);
        let body = json!({ "reason": "sold by mistake" });
        world.operator.post(&path, &body).await
    }

    pub async fn dispute(&self, reason: &str) -> Answer {
        let claim = json!({ "reason": reason, "description": "It is not what was sold." });
        self.dispute_with(&claim).await
    }

    pub async fn dispute_with(&self, claim: &Value) -> Answer {
        let path = format!("{}/disputes", self.path());
        self.buyer.client.post(&path, claim).await
    }

    /// Makes the settlement as many days older, as time would.
    pub async fn age(&self, world: &World, days: i32) {
        let id = common::ids::PurchaseId::parse(&self.purchase).unwrap();
        let mut owner = owner(world).await;
        let aged = sqlx::query(
            "update purchases set settled_at = settled_at - make_interval(days => $2) where id = $1",
        )
        .bind(id)
        .bind(days)
        .execute(&mut owner)
        .await;
        assert_eq!(aged.unwrap().rows_affected(), 1);
    }
}

/// A connection with the rights of the schema's owner.
pub async fn owner(world: &World) -> PgConnection {
    PgConnection::connect_with(&world.pool.connect_options())
        .await
        .unwrap()
}

/// Runs a statement with the rights of the schema's owner.
pub async fn run_as_owner(world: &World, sql: &'static str) -> Result<u64, sqlx::Error> {
    let done = sqlx::query(sql).execute(&mut owner(world).await).await?;
    Ok(done.rows_affected())
}

/// What disputes have frozen.
pub async fn reserve(world: &World) -> i64 {
    let kind = AccountKind::RefundsReserve;
    let balance = ledger::balance(&world.pool, Uuid::nil(), kind, "USD").await;
    balance.unwrap().posted_minor
}

/// How many transfers there are of a kind.
pub async fn transfers(world: &World, kind: &str) -> i64 {
    sqlx::query_scalar("select count(*) from transfers where kind = $1")
        .bind(kind)
        .fetch_one(&world.pool)
        .await
        .unwrap()
}

/// How often an event happened.
pub async fn events(world: &World, kind: &str) -> i64 {
    sqlx::query_scalar("select count(*) from events where event_type = $1")
        .bind(kind)
        .fetch_one(&world.pool)
        .await
        .unwrap()
}

/// A client with a key of that user that may do only this.
pub async fn client_who_may(world: &World, user: &str, permission: Permission) -> Client {
    let sealer = Sealer::new(&world.secrets());
    let created = create_key(&world.pool, &sealer, user, "narrow", &[permission]).await;
    world.anonymous.with_token(created.unwrap().key.expose())
}

/// The webhook of that event at that path.
pub async fn heard(world: &World, path: &str, event: &str) -> Received {
    let received = world
        .receiver
        .wait_for(|received| received.path == path && received.event.as_deref() == Some(event));
    tokio::time::timeout(DEADLINE, received)
        .await
        .unwrap_or_else(|_| panic!("{path} did not hear of {event}"))
}

/// Every invariant of the ledger holds, and the reserve has just what is disputed.
pub async fn assert_books_balance(world: &World) {
    world.assert_sound_books().await;
    let sum = "select coalesce(sum(amount_minor), 0)::bigint from entries";
    assert_eq!(world.count(sum).await, 0);
    let frozen =
        "select coalesce(sum(net_minor), 0)::bigint from purchases where state = 'disputed'";
    assert_eq!(reserve(world).await, world.count(frozen).await);
}

/// Runs the `awareness` program as an operator of this world: what it printed.
pub async fn awareness(world: &World, words: &[&str]) -> String {
    let tests = std::env::current_exe().unwrap();
    let program = tests.ancestors().nth(2).unwrap().join("awareness");
    assert!(
        program.exists(),
        "{} is missing: `cargo build --bins` comes first",
        program.display()
    );
    let output = tokio::process::Command::new(program)
        .args(words)
        .env_clear()
        .env(
            "AWARENESS_BASE_URL",
            format!("http://{}", world.operator.authority()),
        )
        .env("AWARENESS_ADMIN_TOKEN", world.operator.token())
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(DEADLINE, output).await;
    let output = output.expect("the call ends in time").unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}
