//! What users read of their money: balances now and then, and statements page by page.

use chrono::{DateTime, Utc};
use common::ids::UserId;
use common::ledger::{AccountKind, HoldEnd, Posting, Share, Split};
use common::ledger::{balance_as_of, fold, hold_in_tx, post_in_tx, release_hold_in_tx, statement};
use serde_json::{Value, json};
use tests::World;
use tests::client::Client;
use uuid::Uuid;

use super::market::{BUYER, Market, SALE, SELLER};

async fn user_id(world: &World, name: &'static str) -> UserId {
    sqlx::query_scalar("select id from users where name = $1")
        .bind(name)
        .fetch_one(&world.pool)
        .await
        .unwrap()
}

async fn post(world: &World, posting: &Posting) {
    let mut tx = common::db::begin(&world.pool).await.unwrap();
    post_in_tx(&mut tx, posting, "USD", "req_read")
        .await
        .unwrap();
    tx.commit().await.unwrap();
}

/// The database's clock between two transactions.
async fn moment(world: &World) -> DateTime<Utc> {
    sqlx::query_scalar("select clock_timestamp()")
        .fetch_one(&world.pool)
        .await
        .unwrap()
}

async fn as_of(client: &Client, path: &str, at: DateTime<Utc>) -> Value {
    let at = at.to_rfc3339_opts(chrono::SecondsFormat::Micros, true);
    client.get(&format!("{path}?asOf={at}")).await.data()
}

#[tokio::test(flavor = "multi_thread")]
async fn credits_show_what_is_there_held_and_free_now_and_at_any_time() {
    let world = World::only_api().await;
    let user = user_id(&world, "stranger").await;
    let begin = moment(&world).await;
    let empty = world.stranger.get("/api/ai/credits").await.data();
    assert_eq!(empty["balance"], json!(0.0));
    post(&world, &Posting::top_up(Uuid::now_v7(), user, 1234)).await;
    let topped_up = moment(&world).await;
    let purchase = Uuid::now_v7();
    let mut tx = common::db::begin(&world.pool).await.unwrap();
    hold_in_tx(&mut tx, purchase, user, 1000, "USD")
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let held = moment(&world).await;
    let mut tx = common::db::begin(&world.pool).await.unwrap();
    release_hold_in_tx(&mut tx, purchase, HoldEnd::Voided)
        .await
        .unwrap();
    tx.commit().await.unwrap();

    let path = "/api/ai/credits";
    let figures = |data: &Value| {
        ["balanceMinor", "heldMinor", "availableMinor"].map(|name| data[name].as_i64().unwrap())
    };
    for (at, expected) in [
        (begin, [0, 0, 0]),
        (topped_up, [1234, 0, 1234]),
        (held, [1234, 1000, 234]),
    ] {
        assert_eq!(figures(&as_of(&world.stranger, path, at).await), expected);
    }
    let now = world.stranger.get(path).await.data();
    assert_eq!(figures(&now), [1234, 0, 1234]);
    assert_eq!(
        (&now["balance"], &now["available"], &now["currency"]),
        (&json!(12.34), &json!(12.34), &json!("USD"))
    );
    let other = world.seller.get(path).await.data();
    assert_eq!(figures(&other), [0, 0, 0], "another user's credits");
}

#[tokio::test(flavor = "multi_thread")]
async fn earnings_that_were_drawn_are_not_taken_back_and_are_shown_as_they_were() {
    let world = World::only_api().await;
    let (buyer, seller) = (
        user_id(&world, "stranger").await,
        user_id(&world, "seller").await,
    );
    let split = Split::of(1000, 1500);
    let purchase = Uuid::now_v7();
    post(&world, &Posting::top_up(Uuid::now_v7(), buyer, 1000)).await;
    post(&world, &Posting::settlement(purchase, buyer, seller, split)).await;
    let sold = moment(&world).await;
    post(&world, &Posting::payout(Uuid::now_v7(), seller, 850)).await;
    fold(&world.pool, 3).await.unwrap();
    let share = Share::Earned { left_minor: 0 };
    let refund = Posting::refund(purchase, buyer, seller, split, share);
    post(&world, &refund).await;

    let path = "/api/ai/earnings";
    let now = world.seller.get(path).await.data();
    assert_eq!(
        (&now["balance"], &now["balanceMinor"]),
        (&json!(0.0), &json!(0))
    );
    let then = as_of(&world.seller, path, sold).await;
    assert_eq!(then["balanceMinor"], 850);
    let list = world.seller.get("/api/ai/earnings/statement").await.data();
    let lines = list["entries"].as_array().unwrap().iter();
    let lines: Vec<_> = lines
        .map(|line| (line["kind"].as_str().unwrap(), line["amountMinor"].as_i64()))
        .collect();
    assert_eq!(lines, [("payout", Some(-850)), ("settlement", Some(850))]);
    assert_eq!(list["entries"][1]["subject"], json!(purchase));
    assert_eq!(list["entries"][0]["balanceAfterMinor"], Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_is_read_page_by_page_newest_first_with_each_balance() {
    let world = World::only_api().await;
    let user = user_id(&world, "stranger").await;
    for amount in 1..=7 {
        post(&world, &Posting::top_up(Uuid::now_v7(), user, amount)).await;
    }
    let path = "/api/ai/credits/statement?limit=3";
    let mut cursor = String::new();
    let mut balances = Vec::new();
    let mut pages = Vec::new();
    loop {
        let page = world.stranger.get(&format!("{path}{cursor}")).await.data();
        let lines = page["entries"].as_array().unwrap();
        pages.push(lines.len());
        balances.extend(lines.iter().map(|line| line["balanceAfterMinor"].clone()));
        match page["nextCursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(pages, [3, 3, 1]);
    assert_eq!(balances, [28, 21, 15, 10, 6, 3, 1].map(Value::from));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_adds_up_to_the_balance_for_buyer_and_seller() {
    let market = Market::open().await;
    for (owner, kind, expected) in [
        (
            BUYER,
            AccountKind::BuyerCredits,
            [1000, -1000, -1000, 5000].as_slice(),
        ),
        (
            SELLER,
            AccountKind::SellerEarnings,
            [-850, 850, 850].as_slice(),
        ),
    ] {
        let all = statement(&market.pool, owner, kind, "USD", None, 100)
            .await
            .unwrap();
        let amounts: Vec<i64> = all.lines.iter().map(|line| line.amount_minor).collect();
        assert_eq!((amounts.as_slice(), all.next), (expected, None));
        let now = balance_as_of(&market.pool, owner, kind, "USD", Utc::now())
            .await
            .unwrap();
        assert_eq!(now.posted_minor, expected.iter().sum::<i64>());
        assert_eq!(now.available_minor(), market.available(owner, kind).await);
        assert!(all.lines.iter().any(|line| line.subject == SALE));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn money_is_shown_to_any_key_of_its_user_and_to_nobody_else() {
    let world = World::only_api().await;
    let new =
        json!({ "userId": world.seller_id().await, "name": "narrow", "permissions": ["download"] });
    let key = world.operator.post("/admin/keys", &new).await.data();
    let narrow = world.anonymous.with_token(key["apiKey"].as_str().unwrap());
    for path in [
        "/api/ai/credits",
        "/api/ai/credits/statement",
        "/api/ai/earnings",
        "/api/ai/earnings/statement",
    ] {
        let refused = (401, "UNAUTHORIZED".to_owned());
        assert_eq!(world.anonymous.get(path).await.fault(), refused, "{path}");
        assert_eq!(world.operator.get(path).await.fault(), refused, "{path}");
        assert_eq!(narrow.get(path).await.status, 200, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_is_refused_with_the_field() {
    let world = World::only_api().await;
    for (path, field) in [
        ("/api/ai/credits?currency=usd", "currency"),
        ("/api/ai/credits?asOf=2999-01-01T00:00:00Z", "asOf"),
        ("/api/ai/earnings/statement?limit=0", "limit"),
        ("/api/ai/earnings/statement?limit=101", "limit"),
        ("/api/ai/credits/statement?cursor=17", "cursor"),
        ("/api/ai/credits/statement?cursor=top_up.x", "cursor"),
    ] {
        let answer = world.seller.get(path).await;
        assert_eq!(answer.fault(), (400, "INVALID_INPUT".to_owned()), "{path}");
        assert!(
            answer.details()[field].is_string(),
            "{path}: {}",
            answer.text
        );
    }
    for path in ["/api/ai/credits?asOf=yesterday", "/api/ai/credits?as_of=x"] {
        let fault = world.seller.get(path).await.fault();
        assert_eq!(fault, (400, "INVALID_INPUT".to_owned()), "{path}");
    }
}
