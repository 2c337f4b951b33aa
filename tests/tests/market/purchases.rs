//! Buying: the seed's answer, races, refusals, and nothing charged twice.

use common::reqwest::Method;
use futures::future::join_all;
use serde_json::json;
use sqlx::Connection as _;
use tests::World;
use tests::client::send;
use tests::market::purchase_of;

#[tokio::test(flavor = "multi_thread")]
async fn the_seeds_purchase_is_answered_with_the_seeds_body_and_settles_once() {
    let world = World::start().await;
    let package = world.package_for(9.99).await;
    let buyer = world.buyer("buyer", 2_000).await;
    let answer = buyer.client.buy(&package).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let data = answer.data();
    assert_eq!(data["status"], "settled");
    assert_eq!(
        data["downloadUrl"],
        format!("https://awareness.market/api/packages/download/vector/{package}")
    );
    assert_eq!(
        data["message"],
        "Package purchased successfully. Download link is valid for 7 days."
    );
    assert!(data["expiresAt"].is_string());
    // 15 % of 9.99 is 1.4985, rounded half up.
    assert_eq!(world.credits(buyer.id).await, (1_001, 0));
    assert_eq!(world.earnings().await, 849);
    assert_eq!(world.fees().await, 150);
    let id = data["purchaseId"].as_str().unwrap();
    let shown = buyer.client.get(&format!("/api/ai/purchases/{id}")).await;
    assert_eq!(shown.data()["status"], "settled");
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_buyers_of_an_unlimited_package_all_get_it() {
    let world = World::start().await;
    let package = world.package_for(5.0).await;
    let buyers = join_all((0..10).map(|n| {
        let world = &world;
        async move { world.buyer(&format!("buyer-{n}"), 500).await }
    }))
    .await;
    let answers = join_all(buyers.iter().map(|buyer| buyer.client.buy(&package))).await;
    for answer in &answers {
        assert_eq!(answer.status, 200, "{}", answer.text);
    }
    assert_eq!(world.earnings().await, 10 * 425);
    assert_eq!(world.fees().await, 10 * 75);
    for buyer in &buyers {
        assert_eq!(world.credits(buyer.id).await, (0, 0));
    }
    world.assert_sound_books().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_buyers_of_an_exclusive_package_make_one_sale_and_nine_clean_refusals() {
    let world = World::start().await;
    let package = world.limited_package(5.0, 1).await;
    let buyers = join_all((0..10).map(|n| {
        let world = &world;
        async move { world.buyer(&format!("buyer-{n}"), 500).await }
    }))
    .await;
    let answers = join_all(buyers.iter().map(|buyer| buyer.client.buy(&package))).await;
    let sold = answers.iter().filter(|answer| answer.status == 200).count();
    assert_eq!(sold, 1);
    for (buyer, answer) in buyers.iter().zip(&answers) {
        if answer.status == 200 {
            assert_eq!(world.credits(buyer.id).await, (0, 0));
        } else {
            assert_eq!(answer.fault(), (409, "CONFLICT".to_owned()));
            assert_eq!(world.credits(buyer.id).await, (500, 0));
        }
    }
    assert_eq!(world.earnings().await, 425);
    world.assert_sound_books().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limited_package_sells_exactly_its_supply() {
    let world = World::start().await;
    let package = world.limited_package(1.0, 3).await;
    let buyers = join_all((0..8).map(|n| {
        let world = &world;
        async move { world.buyer(&format!("buyer-{n}"), 100).await }
    }))
    .await;
    let answers = join_all(buyers.iter().map(|buyer| buyer.client.buy(&package))).await;
    let sold = answers.iter().filter(|answer| answer.status == 200).count();
    assert_eq!(sold, 3);
    assert_eq!(world.count("select taken::bigint from listings").await, 3);
    world.assert_sound_books().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_buyer_without_credits_takes_no_exclusive_package_from_one_who_has_them() {
    let world = World::start().await;
    let package = world.limited_package(5.0, 1).await;
    let poor = world.buyer("poor", 499).await;
    let rich = world.buyer("rich", 500).await;
    let (refused, sold) = tokio::join!(poor.client.buy(&package), rich.client.buy(&package));
    assert_eq!(sold.status, 200, "{}", sold.text);
    assert!([402, 409].contains(&refused.status), "{}", refused.text);
    let again = poor.client.buy(&package).await;
    assert_eq!(again.status, 409, "{}", again.text);
    world.assert_sound_books().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_buyer_twice_makes_one_purchase_and_the_second_answer_names_it() {
    let world = World::start().await;
    let package = world.package_for(5.0).await;
    let buyer = world.buyer("buyer", 5_000).await;
    let (one, other) = tokio::join!(buyer.client.buy(&package), buyer.client.buy(&package));
    let (first, second) = if one.status == 200 {
        (one, other)
    } else {
        (other, one)
    };
    assert_eq!(first.status, 200, "{}", first.text);
    assert_eq!(second.fault(), (409, "CONFLICT".to_owned()));
    assert_eq!(second.details()["purchaseId"], first.data()["purchaseId"]);
    assert_eq!(world.credits(buyer.id).await, (4_500, 0));
    world.assert_sound_books().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_earlier_purchase_that_ends_in_the_same_moment_stands_in_nobodys_way() {
    let world = World::start().await;
    let package = world.package_for(5.0).await;
    let buyer = world.buyer("buyer", 5_000).await;
    // The first insert meets a purchase that is no longer there when one looks for it.
    let options = (*world.pool.connect_options()).clone();
    let mut owner = sqlx::PgConnection::connect_with(&options).await.unwrap();
    sqlx::raw_sql(
        "create sequence tries;
         create function meet_a_rival() returns trigger language plpgsql security definer as $$
         begin
             if nextval('tries') = 1 then
                 raise unique_violation using constraint = 'purchases_one_per_buyer';
             end if;
             return new;
         end
         $$;
         create trigger meets_a_rival before insert on purchases
             for each row execute function meet_a_rival();",
    )
    .execute(&mut owner)
    .await
    .unwrap();
    let answer = buyer.client.buy(&package).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let tries: i64 = sqlx::query_scalar("select last_value from tries")
        .fetch_one(&mut owner)
        .await
        .unwrap();
    assert_eq!(tries, 2);
    assert_eq!(world.credits(buyer.id).await, (4_500, 0));
    world.assert_sound_books().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_idempotency_key_returns_the_first_purchase() {
    let world = World::start().await;
    let package = world.package_for(5.0).await;
    let buyer = world.buyer("buyer", 5_000).await;
    let request = purchase_of(&package);
    let answers = join_all((0..5).map(|_| buyer.client.purchase_once("key-1", &request))).await;
    let first = answers[0].data();
    for answer in &answers {
        assert_eq!(answer.status, 200, "{}", answer.text);
        assert_eq!(answer.data()["purchaseId"], first["purchaseId"]);
    }
    assert_eq!(world.credits(buyer.id).await, (4_500, 0));
    let mut other = request.clone();
    other["expectedPrice"] = json!(5);
    let refused = buyer.client.purchase_once("key-1", &other).await;
    assert_eq!(refused.fault(), (422, "IDEMPOTENCY_CONFLICT".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_price_is_refused_with_both_prices_and_charges_nothing() {
    let world = World::start().await;
    let package = world.package_for(9.99).await;
    let buyer = world.buyer("buyer", 2_000).await;
    let mut request = purchase_of(&package);
    request["expectedPrice"] = json!(8.5);
    let refused = buyer.client.purchase(&request).await;
    assert_eq!(refused.fault(), (409, "CONFLICT".to_owned()));
    assert_eq!(refused.details()["expectedPrice"], "8.50");
    assert_eq!(refused.details()["currentPrice"], "9.99");
    assert_eq!(world.credits(buyer.id).await, (2_000, 0));
    request["expectedPrice"] = json!(9.99);
    assert_eq!(buyer.client.purchase(&request).await.status, 200);
    world.assert_sound_books().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_bought_says_why() {
    let world = World::start().await;
    let package = world.package_for(9.99).await;
    let buyer = world.buyer("buyer", 100).await;
    let own = world.seller.buy(&package).await;
    assert_eq!(own.fault(), (403, "FORBIDDEN".to_owned()));
    let poor = buyer.client.buy(&package).await;
    assert_eq!(poor.fault(), (402, "PAYMENT_REQUIRED".to_owned()));
    assert_eq!(poor.details()["price"], "9.99");
    assert_eq!(poor.details()["available"], "1.00");
    let unknown = buyer
        .client
        .buy("pkg_00000000000000000000000000000000")
        .await;
    assert_eq!(unknown.fault(), (404, "NOT_FOUND".to_owned()));
    let mut request = purchase_of(&package);
    request["packageType"] = json!("memory");
    assert_eq!(buyer.client.purchase(&request).await.status, 404);
    request = purchase_of(&package);
    request["price"] = json!(0.01);
    assert_eq!(buyer.client.purchase(&request).await.status, 400);
    let anonymous = world.anonymous.buy(&package).await;
    assert_eq!(anonymous.fault(), (401, "UNAUTHORIZED".to_owned()));
    assert_eq!(world.count("select count(*) from purchases").await, 0);
    assert_eq!(world.credits(buyer.id).await, (100, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_free_package_is_claimed_without_payment() {
    let world = World::start().await;
    let package = world.package_for(0.0).await;
    let buyer = world.buyer("buyer", 0).await;
    let answer = buyer.client.buy(&package).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(world.count("select count(*) from transfers").await, 0);
    world.assert_sound_books().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_purchase_that_takes_longer_than_the_client_waits_is_accepted_and_followed() {
    let mut world = World::start().await;
    let package = world.package_for(5.0).await;
    let buyer = world.buyer("buyer", 500).await;
    world.stop_worker().await;
    let post = buyer
        .client
        .request(Method::POST, "/api/ai/purchase-package")
        .header("prefer", "wait=0")
        .json(&purchase_of(&package));
    let accepted = send(post).await;
    assert_eq!(accepted.status, 202, "{}", accepted.text);
    assert_eq!(accepted.header("retry-after"), "1");
    assert_eq!(accepted.data()["status"], "pending");
    let url = accepted.header("location").to_owned();
    assert_eq!(accepted.data()["statusUrl"], url);
    assert_eq!(world.credits(buyer.id).await, (500, 500));
    // A stranger sees nothing, not even that it exists.
    assert_eq!(world.stranger.get(&url).await.status, 404);
    world.start_worker().await;
    let follow = buyer.client.request(Method::GET, &url);
    let settled = send(follow.header("prefer", "wait=45")).await;
    assert_eq!(settled.data()["status"], "settled");
    assert_eq!(world.credits(buyer.id).await, (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_buyer_hears_of_the_purchase_and_the_seller_of_the_last_license() {
    let world = World::start().await;
    let package = world.limited_package(5.0, 1).await;
    let buyer = world.buyer("buyer", 500).await;
    let mut request = purchase_of(&package);
    request["webhookUrl"] = json!(world.webhook_url());
    let answer = buyer.client.purchase(&request).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    for event in ["purchase.completed", "listing.sold_out"] {
        let received = world
            .receiver
            .wait_for(|received| received.event.as_deref() == Some(event));
        let received = tokio::time::timeout(tests::DEADLINE, received)
            .await
            .unwrap();
        assert_eq!(received.body["packageId"], package);
    }
}
