//! Quotes: a price that holds for its buyer, its package and its ten minutes, and buys once.

use common::config::SigningConfig;
use common::ids::{QuoteId, UserId};
use common::limits::QUOTE_KEPT;
use common::quotes;
use common::signatures::{Jwks, Quote, Signer, Verifier};
use package::PackageType;
use serde_json::{Value, json};
use tests::client::Answer;
use tests::market::{User, purchase_of};
use tests::world::SIGNING_KEY;
use tests::{Client, World};

/// Asks for a quote.
async fn ask(client: &Client, package: &str) -> Answer {
    let request = json!({ "packageType": "vector", "packageId": package });
    client.post("/api/ai/quotes", &request).await
}

/// A quote as it is answered.
async fn quote(client: &Client, package: &str) -> Value {
    let answer = ask(client, package).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    answer.data()
}

/// The purchase that spends a quote, in either form.
fn purchase_by(quote: &Value, package: &str) -> Value {
    let mut request = purchase_of(package);
    request["quoteId"] = quote.clone();
    request
}

/// Claims as the marketplace signs them, for the test to change.
async fn claims(world: &World, token: &Value) -> Quote {
    let keys = world.anonymous.get("/.well-known/jwks.json").await;
    let verifier = Verifier::try_from(&Jwks::parse(&keys.text).unwrap()).unwrap();
    verifier
        .verify(Quote::TYP, token.as_str().unwrap())
        .unwrap()
}

/// The marketplace's own signature under any claims.
fn sign(claims: &Quote) -> Value {
    let signer = Signer::new(&SigningConfig {
        key: SIGNING_KEY.into(),
        retired_keys: Vec::new(),
    });
    json!(signer.sign(Quote::TYP, claims))
}

async fn refused(buyer: &User, shown: &Value, package: &str) -> (u16, String, Value) {
    let answer = buyer.client.purchase(&purchase_by(shown, package)).await;
    let (status, code) = answer.fault();
    (status, code, answer.details())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quote_is_a_signed_promise_of_price_and_digests_for_ten_minutes() {
    let world = World::start().await;
    let package = world.package_for(9.99).await;
    let buyer = world.buyer("buyer", 0).await;
    let data = quote(&buyer.client, &package).await;
    assert_eq!(data["price"].to_string(), "9.99");
    assert_eq!(data["priceMinor"], 999);
    let claims = claims(&world, &data["quote"]).await;
    assert_eq!(claims.quote_id, data["quoteId"].as_str().unwrap());
    assert_eq!(claims.buyer_id, buyer.id);
    assert_eq!(claims.package_id.as_str(), package);
    assert_eq!(claims.package_type, PackageType::Vector);
    assert_eq!((claims.amount_minor, claims.exp - claims.iat), (999, 600));
    assert_eq!(data["packageSha256"], claims.package_sha256);
    assert_eq!(data["wMatrixSha256"], claims.w_matrix_sha256);
    let expires_at: chrono::DateTime<chrono::Utc> =
        data["expiresAt"].as_str().unwrap().parse().unwrap();
    assert_eq!(expires_at.timestamp(), claims.exp);
    let mut request = json!({ "packageType": "vector", "packageId": package, "expectedPrice": 8 });
    let changed = buyer.client.post("/api/ai/quotes", &request).await;
    assert_eq!(changed.fault(), (409, "CONFLICT".to_owned()));
    assert_eq!(changed.details()["currentPrice"], "9.99");
    request["packageType"] = json!("chain");
    assert_eq!(
        buyer.client.post("/api/ai/quotes", &request).await.status,
        404
    );
    assert_eq!(ask(&world.anonymous, &package).await.status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_purchase_by_quote_never_charges_more_however_dear_the_listing_became() {
    let world = World::start().await;
    let package = world.package_for(4.0).await;
    for form in ["quoteId", "quote"] {
        world.reprice(&package, 500).await;
        let buyer = world.buyer(form, 1_000).await;
        let quoted = quote(&buyer.client, &package).await;
        world.reprice(&package, 900).await;
        let mut request = purchase_by(&quoted[form], &package);
        request["expectedPrice"] = json!(9);
        let other = buyer.client.purchase(&request).await;
        assert_eq!(other.fault(), (409, "CONFLICT".to_owned()));
        request["expectedPrice"] = json!(5);
        let bought = buyer.client.purchase(&request).await;
        assert_eq!(bought.status, 200, "{form}: {}", bought.text);
        assert_eq!(bought.data()["priceMinor"], 500);
        assert_eq!(world.credits(buyer.id).await, (500, 0));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_purchase_by_quote_takes_the_cheaper_price_of_the_listing() {
    let world = World::start().await;
    let package = world.package_for(5.0).await;
    let buyer = world.buyer("buyer", 1_000).await;
    let quoted = quote(&buyer.client, &package).await;
    world.reprice(&package, 300).await;
    let bought = buyer
        .client
        .purchase(&purchase_by(&quoted["quoteId"], &package))
        .await;
    assert_eq!(bought.data()["priceMinor"], 300);
    assert_eq!(world.credits(buyer.id).await, (700, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quote_buys_once_even_after_its_purchase_was_refunded() {
    let world = World::start().await;
    let package = world.package_for(5.0).await;
    let buyer = world.buyer("buyer", 2_000).await;
    let quoted = quote(&buyer.client, &package).await;
    let by_id = purchase_by(&quoted["quoteId"], &package);
    let by_token = purchase_by(&quoted["quote"], &package);
    let (one, other) = tokio::join!(
        buyer.client.purchase(&by_id),
        buyer.client.purchase(&by_token),
    );
    let (first, second) = if one.status == 200 {
        (one, other)
    } else {
        (other, one)
    };
    assert_eq!(first.status, 200, "{}", first.text);
    let id = first.data()["purchaseId"].clone();
    assert_eq!(second.fault(), (409, "CONFLICT".to_owned()));
    assert_eq!(second.details()["purchaseId"], id);
    let refunded = "update purchases set state = 'refunded', version = version + 1";
    assert_eq!(world.force(refunded).await, 1);
    let (status, code, details) = refused(&buyer, &quoted["quote"], &package).await;
    assert_eq!((status, code.as_str()), (409, "CONFLICT"));
    assert_eq!(details["reason"], "QUOTE_USED");
    assert_eq!(details["purchaseId"], id);
    assert_eq!(world.credits(buyer.id).await, (1_500, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quote_holds_for_its_buyer_its_package_and_its_time_alone() {
    let world = World::start().await;
    let package = world.package_for(5.0).await;
    let buyer = world.buyer("buyer", 1_000).await;
    let thief = world.buyer("thief", 1_000).await;
    let quoted = quote(&buyer.client, &package).await;
    for form in ["quoteId", "quote"] {
        let (status, code, _) = refused(&thief, &quoted[form], &package).await;
        assert_eq!((status, code.as_str()), (404, "NOT_FOUND"), "{form}");
    }
    let other = world.package_for(5.0).await;
    let (status, _, details) = refused(&buyer, &quoted["quoteId"], &other).await;
    assert_eq!(
        (status, &details["quoteId"]),
        (400, &json!("is for another package"))
    );

    let honest = claims(&world, &quoted["quote"]).await;
    let expired = Quote {
        exp: honest.iat,
        ..honest.clone()
    };
    let swapped = Quote {
        package_sha256: "ab".repeat(32),
        ..honest.clone()
    };
    for (claims, reason) in [(expired, "QUOTE_EXPIRED"), (swapped, "QUOTE_OUTDATED")] {
        let (status, _, details) = refused(&buyer, &sign(&claims), &package).await;
        assert_eq!((status, &details["reason"]), (409, &json!(reason)));
    }
    let token = quoted["quote"].as_str().unwrap();
    let forged = format!(
        "{}A{}",
        &token[..token.len() - 43],
        &token[token.len() - 42..]
    );
    for shown in [forged.as_str(), "", "quo_1", "a.b.c"] {
        let (status, code, _) = refused(&buyer, &json!(shown), &package).await;
        assert_eq!((status, code.as_str()), (400, "INVALID_INPUT"), "{shown}");
    }
    let unknown = json!(QuoteId::new().to_string());
    assert_eq!(refused(&buyer, &unknown, &package).await.0, 404);
    assert_eq!(world.count("select count(*) from purchases").await, 0);
    assert_eq!(world.credits(buyer.id).await, (1_000, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_price_of_one_license_does_not_buy_another() {
    let world = World::start().await;
    let package = world.package_for(1.0).await;
    let buyer = world.buyer("buyer", 1_000).await;
    let quoted = quote(&buyer.client, &package).await;
    sqlx::query(
        "update listings set license_mode = 'exclusive', supply = 1, version = version + 1",
    )
    .execute(&world.pool)
    .await
    .unwrap();
    let (status, _, details) = refused(&buyer, &quoted["quote"], &package).await;
    assert_eq!(
        (status, &details["reason"]),
        (409, &json!("QUOTE_OUTDATED"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_bought_is_not_quoted_and_no_quote_buys_it() {
    let world = World::start().await;
    let package = world.limited_package(5.0, 1).await;
    let buyer = world.buyer("buyer", 1_000).await;
    let own = ask(&world.seller, &package).await;
    assert_eq!(own.fault(), (403, "FORBIDDEN".to_owned()));
    let quoted = quote(&buyer.client, &package).await["quoteId"].clone();
    world.set_listing_status(&package, "paused").await;
    assert_eq!(ask(&buyer.client, &package).await.status, 409);
    assert_eq!(refused(&buyer, &quoted, &package).await.0, 409);
    world.set_listing_status(&package, "active").await;
    let rival = world.buyer("rival", 1_000).await;
    assert_eq!(rival.client.buy(&package).await.status, 200);
    assert_eq!(ask(&buyer.client, &package).await.status, 409);
    assert_eq!(refused(&buyer, &quoted, &package).await.0, 409);
    world.set_listing_status(&package, "removed").await;
    assert_eq!(ask(&buyer.client, &package).await.status, 404);
    assert_eq!(refused(&buyer, &quoted, &package).await.0, 404);
    assert_eq!(world.credits(buyer.id).await, (1_000, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quote_is_part_of_what_an_idempotency_key_stands_for() {
    let world = World::start().await;
    let package = world.package_for(5.0).await;
    let buyer = world.buyer("buyer", 1_000).await;
    let quoted = quote(&buyer.client, &package).await;
    let by_id = purchase_by(&quoted["quoteId"], &package);
    let first = buyer.client.purchase_once("key-1", &by_id).await;
    assert_eq!(first.status, 200, "{}", first.text);
    let by_token = purchase_by(&quoted["quote"], &package);
    for request in [&by_id, &by_token] {
        let again = buyer.client.purchase_once("key-1", request).await;
        assert_eq!(again.data()["purchaseId"], first.data()["purchaseId"]);
    }
    let bare = purchase_of(&package);
    let conflict = buyer.client.purchase_once("key-1", &bare).await;
    assert_eq!(conflict.fault(), (422, "IDEMPOTENCY_CONFLICT".to_owned()));
}

/// Finding 12 of the originals: state in the memory of one process, which any user could read.
#[tokio::test(flavor = "multi_thread")]
async fn a_quote_survives_a_restart_and_serves_nobody_else() {
    let mut world = World::start().await;
    let package = world.package_for(5.0).await;
    let buyer = world.buyer("buyer", 1_000).await;
    let quoted = quote(&buyer.client, &package).await;
    world.restart().await;
    let shown = &quoted["quoteId"];
    let stranger = world.buyer("another", 1_000).await;
    assert_eq!(refused(&stranger, shown, &package).await.0, 404);
    let bought = buyer.client.purchase(&purchase_by(shown, &package)).await;
    assert_eq!(bought.status, 200, "{}", bought.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quote_is_forgotten_a_week_after_it_ran_out() {
    let world = World::only_api().await;
    let buyer = world.buyer("buyer", 0).await;
    for hours in [1, 7 * 24 - 1, 7 * 24 + 1] {
        insert_expired(&world, buyer.id, hours).await;
    }
    assert_eq!(quotes::prune(&world.pool, QUOTE_KEPT).await.unwrap(), 1);
    let younger = "select count(*) from quotes where expires_at > now() - interval '7 days'";
    assert_eq!(world.count(younger).await, 2);
}

/// A quote whose time ended that many hours ago.
async fn insert_expired(world: &World, buyer: UserId, hours: i32) {
    sqlx::query(
        "insert into quotes (
             id, buyer_id, package_id, listing_version, price_minor, currency, package_sha256, w_matrix_sha256,
             token, expires_at
         )
         values ($1, $2, $1, 1, 100, 'USD', $3, $3, 'token', now() - make_interval(hours => $4))",
    )
    .bind(QuoteId::new())
    .bind(buyer)
    .bind(vec![0_u8; 32])
    .bind(hours)
    .execute(&world.pool)
    .await
    .unwrap();
}
