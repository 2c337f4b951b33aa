//! What the originals got wrong about money (domain.md §5, by its numbers), and ours must not. Others
//! are where they belong: 7 in refunds and payments, 8 and 9 in downloads and card purchases.

use common::reqwest::Method;
use futures::future::join_all;
use serde_json::{Value, json};
use tests::World;
use tests::client::send;
use tests::market::purchase_of;

/// §5.3: the originals' purchase wrote to tables that did not exist, so none ever committed.
#[tokio::test(flavor = "multi_thread")]
async fn a_purchase_leaves_every_record_that_it_promises() {
    let world = World::start().await;
    let package = world.package_for(5.0).await;
    let buyer = world.buyer("buyer", 500).await;
    let answer = buyer.client.buy(&package).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    for (record, query) in [
        (
            "the purchase with its grant",
            "select count(*) from purchases where state = 'settled' and grant_expires_at > now()",
        ),
        (
            "the captured hold",
            "select count(*) from holds where state = 'posted'",
        ),
        (
            "the transfer that it names, with its three legs",
            "select count(distinct settlement_id)
             from purchases
             join transfers on transfers.id = settlement_id
             where 3 = (select count(*) from entries where transfer_id = settlement_id)",
        ),
        (
            "the event",
            "select count(*) from events where event_type = 'purchase.completed'",
        ),
        (
            "the sale in the package's counter",
            "select (select sum(sales) from packages)::bigint
                  + coalesce((select sum(sales) from package_deltas), 0)::bigint",
        ),
        (
            "the end of its job",
            "select count(*) from jobs where name = 'settle_purchase' and state = 'done'",
        ),
    ] {
        assert_eq!(world.count(query).await, 1, "{record}");
    }
    let statement = buyer.client.get("/api/ai/credits/statement").await;
    let kinds: Vec<Value> = lines(&statement.data())
        .iter()
        .map(|line| line["kind"].clone())
        .collect();
    assert_eq!(kinds, ["settlement", "top_up"]);
    world.assert_sound_books().await;
}

/// §5.4: `updateWithOptimisticLock` left the version out of its condition and wrote no changes.
#[tokio::test(flavor = "multi_thread")]
async fn of_two_prices_set_over_one_version_one_is_asked_and_charged() {
    let world = World::start().await;
    let package = world.package_for(5.0).await;
    let buyer = world.buyer("buyer", 1_000).await;
    let reprice = async |price: f64| {
        let path = format!("/api/ai/listings/{package}");
        let patch = world.seller.request(Method::PATCH, &path);
        send(
            patch
                .header("if-match", "\"1\"")
                .json(&json!({ "price": price })),
        )
        .await
    };
    let (six, seven) = tokio::join!(reprice(6.0), reprice(7.0));
    let (won, lost) = if six.status == 200 {
        (six, seven)
    } else {
        (seven, six)
    };
    assert_eq!(won.status, 200, "{}", won.text);
    assert_eq!(lost.fault(), (412, "PRECONDITION_FAILED".to_owned()));
    assert_eq!(lost.details()["version"], 2);
    let bought = buyer.client.buy(&package).await.data();
    assert_eq!(bought["priceMinor"], won.data()["priceMinor"]);
    let price = bought["priceMinor"].as_i64().unwrap();
    assert_eq!(world.credits(buyer.id).await, (1_000 - price, 0));
}

/// §5.5: the originals looked for an earlier purchase and then made one, without a unique index, in
/// four code paths; and the seller was written as 0.
#[tokio::test(flavor = "multi_thread")]
async fn however_a_buyer_asks_at_once_there_is_one_purchase_and_its_seller_is_paid() {
    let world = World::start().await;
    let package = world.package_for(5.0).await;
    let buyer = world.buyer("buyer", 5_000).await;
    let quote = json!({ "packageType": "vector", "packageId": package });
    let quote = buyer.client.post("/api/ai/quotes", &quote).await.data();
    let plain = purchase_of(&package);
    let (mut expecting, mut quoted) = (plain.clone(), plain.clone());
    expecting["expectedPrice"] = json!(5);
    quoted["quoteId"] = quote["quoteId"].clone();
    let (bare, by_price, by_quote, keyed, other_key) = tokio::join!(
        buyer.client.purchase(&plain),
        buyer.client.purchase(&expecting),
        buyer.client.purchase(&quoted),
        buyer.client.purchase_once("key-1", &plain),
        buyer.client.purchase_once("key-2", &plain),
    );
    let answers = [bare, by_price, by_quote, keyed, other_key];
    let sold: Vec<_> = answers
        .iter()
        .filter(|answer| answer.status == 200)
        .collect();
    assert_eq!(sold.len(), 1);
    let id = sold[0].data()["purchaseId"].clone();
    for refused in answers.iter().filter(|answer| answer.status != 200) {
        assert_eq!(refused.fault(), (409, "CONFLICT".to_owned()));
        assert_eq!(refused.details()["purchaseId"], id);
    }
    assert_eq!(world.count("select count(*) from purchases").await, 1);
    assert_eq!(world.credits(buyer.id).await, (4_500, 0));
    assert_eq!(world.earnings().await, 425);
    world.assert_sound_books().await;
}

/// §5.6: the originals checked the balance outside the transaction and then took the price whatever
/// was left; the seller's entry said 0 as the balance after it.
#[tokio::test(flavor = "multi_thread")]
async fn credits_for_two_packages_buy_two_of_six_and_each_line_says_what_was_left() {
    let world = World::start().await;
    let buyer = world.buyer("buyer", 1_000).await;
    let mut packages = Vec::new();
    for _ in 0..6 {
        packages.push(world.package_for(5.0).await);
    }
    let answers = join_all(packages.iter().map(|package| buyer.client.buy(package))).await;
    let mut statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 200, 402, 402, 402, 402]);
    assert_eq!(world.credits(buyer.id).await, (0, 0));
    assert_eq!(world.earnings().await, 850);
    let statement = buyer.client.get("/api/ai/credits/statement").await;
    let left: Vec<Value> = lines(&statement.data())
        .iter()
        .map(|line| line["balanceAfterMinor"].clone())
        .collect();
    assert_eq!(left, [0, 500, 1_000]);
    world.assert_sound_books().await;
}

/// §5.7: whoever called top-up with any payment id got credits, and one payment counted again and
/// again.
#[tokio::test(flavor = "multi_thread")]
async fn credits_are_given_by_operators_alone_and_once_for_an_id() {
    let world = World::start().await;
    let buyer = world.buyer("buyer", 0).await;
    let id = uuid::Uuid::now_v7();
    let gift = json!({ "userId": buyer.id, "amount": "5.00", "reason": "a test", "id": id });
    for caller in [&world.anonymous, &buyer.client, &world.seller] {
        assert_eq!(caller.post("/admin/credits", &gift).await.status, 401);
    }
    assert_eq!(world.credits(buyer.id).await, (0, 0));
    let gifts = (0..8).map(|_| world.operator.post("/admin/credits", &gift));
    let answers = join_all(gifts).await;
    let made = answers.iter().filter(|answer| answer.status == 201).count();
    let repeated = answers.iter().filter(|answer| answer.status == 200).count();
    assert_eq!((made, repeated), (1, 7));
    let mut more = gift.clone();
    more["amount"] = json!("50.00");
    assert_eq!(
        world.operator.post("/admin/credits", &more).await.status,
        422
    );
    assert_eq!(world.credits(buyer.id).await, (500, 0));
    world.assert_sound_books().await;
}

/// §5.25: settling and cancelling acted on memory first, so they failed after a restart.
#[tokio::test(flavor = "multi_thread")]
async fn a_purchase_that_was_accepted_before_a_restart_is_settled_after_it() {
    let mut world = World::start().await;
    let package = world.package_for(5.0).await;
    let buyer = world.buyer("buyer", 500).await;
    world.stop_worker().await;
    let url = accepted(&buyer.client, &package).await;
    world.restart().await;
    let follow = buyer.client.request(Method::GET, &url);
    let settled = send(follow.header("prefer", "wait=45")).await;
    assert_eq!(settled.data()["status"], "settled");
    assert_eq!(world.credits(buyer.id).await, (0, 0));
    world.assert_sound_books().await;
}

/// §5.25: updates had no guard on the state, so what had been cancelled was settled afterwards.
#[tokio::test(flavor = "multi_thread")]
async fn a_purchase_that_ran_out_of_time_is_not_settled_by_its_late_job() {
    let mut world = World::start().await;
    let package = world.package_for(5.0).await;
    let buyer = world.buyer("buyer", 500).await;
    world.stop_worker().await;
    let url = accepted(&buyer.client, &package).await;
    sqlx::query("update purchases set expires_at = now() - interval '1 second'")
        .execute(&world.pool)
        .await
        .unwrap();
    let outbox = world.outbox().await;
    scheduler::sweeps::sweep_purchases(&outbox).await.unwrap();
    world.start_worker().await;
    let done = || async {
        let query = "select count(*) from jobs where name = 'settle_purchase' and state = 'done'";
        (world.count(query).await == 1).then_some(())
    };
    tests::eventually("the late job", done).await;
    let shown = buyer.client.get(&url).await.data();
    assert_eq!(shown["status"], "failed");
    assert_eq!(shown["errorCode"], "EXPIRED");
    assert_eq!(world.credits(buyer.id).await, (500, 0));
    assert_eq!(world.earnings().await, 0);
    world.assert_sound_books().await;
}

/// §5.29: buyer, seller and price were what the request said they were.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_names_another_as_buyer_or_seller_or_says_what_is_charged() {
    let world = World::start().await;
    let package = world.package_for(5.0).await;
    let buyer = world.buyer("buyer", 500).await;
    let victim = world.buyer("victim", 500).await;
    for (field, value) in [
        ("buyerId", json!(victim.id)),
        ("sellerId", json!(buyer.id)),
        ("userId", json!(victim.id)),
        ("price", json!(0.01)),
        ("feeMinor", json!(0)),
    ] {
        let mut request = purchase_of(&package);
        request[field] = value;
        let refused = buyer.client.purchase(&request).await;
        assert_eq!(
            refused.fault(),
            (400, "INVALID_INPUT".to_owned()),
            "{field}"
        );
    }
    assert_eq!(world.count("select count(*) from purchases").await, 0);
    assert_eq!(buyer.client.buy(&package).await.status, 200);
    assert_eq!(world.credits(buyer.id).await, (0, 0));
    assert_eq!(world.credits(victim.id).await, (500, 0));
    assert_eq!(world.earnings().await, 425);
}

/// §5.29: an error while reading the store became an empty market, which the next write kept.
#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_is_away_empties_no_market_and_stops_no_sale() {
    let world = World::start().await;
    let package = world.package_for(5.0).await;
    let buyer = world.buyer("buyer", 500).await;
    world.s3.faults().set_error_rate(1.0);
    let path = format!("/api/ai/listings/{package}");
    let patch = world.seller.request(Method::PATCH, &path);
    let changed = patch
        .header("if-match", "\"1\"")
        .json(&json!({ "price": 4 }));
    assert_eq!(send(changed).await.status, 200);
    let listed = world.seller.get("/api/ai/listings").await.data();
    assert_eq!(listed["listings"][0]["packageId"], package);
    assert_eq!(listed["listings"][0]["priceMinor"], 400);
    assert_eq!(buyer.client.buy(&package).await.status, 200);
    world.s3.faults().clear();
    assert_eq!(world.credits(buyer.id).await, (100, 0));
    world.assert_sound_books().await;
}

/// Buys without waiting: where the purchase is followed.
async fn accepted(client: &tests::Client, package: &str) -> String {
    let post = client.request(Method::POST, "/api/ai/purchase-package");
    let answer = send(post.header("prefer", "wait=0").json(&purchase_of(package))).await;
    assert_eq!(answer.status, 202, "{}", answer.text);
    answer.header("location").to_owned()
}

fn lines(statement: &Value) -> &Vec<Value> {
    statement["entries"].as_array().unwrap()
}
