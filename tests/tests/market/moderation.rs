//! Operators block people and take packages down; what follows from it, and that undoing it restores all.

use common::reqwest::Method;
use serde_json::{Value, json};
use tests::client::send;
use tests::market::{User, purchase_of};
use tests::{Answer, World, eventually};

/// A world with a package, and somebody who has bought it for 5.00.
async fn bought(world: &World) -> (String, User, Value) {
    let package = world.package_for(5.0).await;
    let owner = world.buyer("owner", 500).await;
    let purchase = owner.client.buy(&package).await;
    assert_eq!(purchase.status, 200, "{}", purchase.text);
    (package, owner, purchase.data())
}

async fn operate(world: &World, path: &str, reason: &str) -> Answer {
    world
        .operator
        .post(path, &json!({ "reason": reason }))
        .await
}

async fn set_blocked(world: &World, user: &str, verb: &str) {
    let path = format!("/admin/users/{user}/{verb}");
    let answer = operate(world, &path, "a claim of fraud").await;
    assert_eq!(answer.status, 200, "{}", answer.text);
}

/// What a stranger finds when browsing.
async fn shown(world: &World) -> usize {
    let page = world.anonymous.get("/api/ai/packages").await.json();
    page["data"]["packages"].as_array().unwrap().len()
}

async fn download(user: &User, package: &str) -> Answer {
    let path = format!("/api/ai/download-package?packageType=vector&packageId={package}");
    user.client.get(&path).await
}

async fn ask_price(user: &User, package: &str) -> Answer {
    let request = json!({ "packageType": "vector", "packageId": package });
    user.client.post("/api/ai/quotes", &request).await
}

async fn take_down(world: &World, package: &str, revokes: bool) -> Answer {
    let path = format!("/admin/packages/{package}/take-down");
    let body = json!({ "reason": "a claim of copyright", "revokeGrants": revokes });
    world.operator.post(&path, &body).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blocked_seller_sells_nothing_and_an_unblocked_one_all_as_before() {
    let world = World::start().await;
    let (package, owner, _) = bought(&world).await;
    let other = world.buyer("other", 500).await;
    let seller = world.seller_id().await.to_string();
    let before = world
        .anonymous
        .get(&format!("/api/ai/packages/{package}"))
        .await;
    set_blocked(&world, &seller, "block").await;
    assert_eq!(shown(&world).await, 0);
    let listing = format!("/api/ai/listings/{package}");
    assert_eq!(
        world.anonymous.get(&listing).await.data()["status"],
        "paused"
    );
    assert_eq!(ask_price(&other, &package).await.status, 409);
    assert_eq!(other.client.buy(&package).await.status, 409);
    assert_eq!(world.seller.get("/api/ai/me").await.status, 401);
    assert_eq!(
        download(&owner, &package).await.status,
        200,
        "what was bought stays"
    );

    set_blocked(&world, &seller, "unblock").await;
    assert_eq!(shown(&world).await, 1);
    let after = world
        .anonymous
        .get(&format!("/api/ai/packages/{package}"))
        .await;
    assert_eq!(after.data()["status"], before.data()["status"]);
    assert_eq!(other.client.buy(&package).await.status, 200);
    world.assert_sound_books().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_under_way_when_a_party_was_blocked_comes_to_nothing_and_costs_nothing() {
    let mut world = World::start().await;
    let package = world.package_for(5.0).await;
    let (one, two) = (world.buyer("one", 500).await, world.buyer("two", 500).await);
    world.stop_worker().await;
    for buyer in [&one, &two] {
        let post = buyer
            .client
            .request(Method::POST, "/api/ai/purchase-package");
        let post = post.header("prefer", "wait=0").json(&purchase_of(&package));
        assert_eq!(send(post).await.status, 202);
    }
    assert_eq!(world.credits(one.id).await, (500, 500));
    // One is blocked itself; of the other, the package is taken down.
    set_blocked(&world, &one.id.to_string(), "block").await;
    assert_eq!(take_down(&world, &package, false).await.status, 200);
    world.start_worker().await;
    let failed =
        "select count(*) from purchases where state = 'failed' and reason_code = 'NOT_FOR_SALE'";
    eventually("both purchases to fail", || async {
        (world.count(failed).await == 2).then_some(())
    })
    .await;
    for buyer in [&one, &two] {
        assert_eq!(world.credits(buyer.id).await, (500, 0));
    }
    assert_eq!(world.earnings().await, 0);
    world.assert_sound_books().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_sale_slips_past_a_block_that_races_it() {
    let world = World::start().await;
    let package = world.package_for(5.0).await;
    let seller = world.seller_id().await.to_string();
    let mut buyers = Vec::new();
    for number in 0..12 {
        buyers.push(world.buyer(&format!("buyer {number}"), 500).await);
    }
    let buys = buyers.iter().map(|buyer| buyer.client.buy(&package));
    let settled = "select count(*) from purchases where state = 'settled'";
    let block = async {
        set_blocked(&world, &seller, "block").await;
        world.count(settled).await
    };
    let (settled_at_the_block, _) = tokio::join!(block, futures::future::join_all(buys));
    eventually("nothing to be under way", || async {
        let open = "select count(*) from purchases where state = 'pending'";
        (world.count(open).await == 0).then_some(())
    })
    .await;
    assert_eq!(world.count(settled).await, settled_at_the_block);
    world.assert_sound_books().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn webhooks_of_a_blocked_user_wait_and_are_sent_when_the_block_is_undone() {
    let world = World::start().await;
    let (_, owner, purchase) = bought(&world).await;
    let endpoint = json!({ "url": format!("{}/seller", world.receiver.url()) });
    let made = world
        .seller
        .post("/api/ai/webhooks/endpoints", &endpoint)
        .await;
    assert_eq!(made.status, 201, "{}", made.text);
    let secret = made.data()["secret"].as_str().unwrap().to_owned();
    world.receiver.trust_standard_secret(&secret);
    let seller = world.seller_id().await.to_string();
    set_blocked(&world, &seller, "block").await;
    let id = purchase["purchaseId"].as_str().unwrap();
    let path = format!("/api/ai/purchases/{id}/refund");
    let refund = owner.client.post(&path, &json!({})).await;
    assert!(refund.status < 300, "{}", refund.text);
    // The address of the upload hears of the refund too: only the registered endpoint is looked at. Its job has
    // run when it is idle again.
    let rests = "select count(*) from webhook_deliveries
                 join webhook_endpoints on webhook_endpoints.id = endpoint_id
                 join jobs on jobs.id = job_id
                 where source = 'registered' and event_type = 'purchase.refunded'
                   and webhook_deliveries.state = 'pending' and webhook_deliveries.attempts = 0
                   and jobs.state = 'idle' and jobs.fence > 0";
    eventually("the delivery to wait", || async {
        (world.count(rests).await == 1).then_some(())
    })
    .await;
    set_blocked(&world, &seller, "unblock").await;
    let delivered = "select count(*) from webhook_deliveries
                     join webhook_endpoints on webhook_endpoints.id = endpoint_id
                     where source = 'registered' and event_type = 'purchase.refunded'
                       and webhook_deliveries.state = 'delivered' and attempts = 1";
    eventually("the delivery to be made", || async {
        (world.count(delivered).await == 1).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_taken_down_is_gone_for_strangers_and_stays_with_its_buyers() {
    let world = World::start().await;
    let (package, owner, purchase) = bought(&world).await;
    let other = world.buyer("other", 500).await;
    let path = format!("/api/ai/packages/{package}");
    assert_eq!(world.anonymous.get(&path).await.status, 200);
    let taken = take_down(&world, &package, false).await;
    assert_eq!(taken.data()["takenDown"], true, "{}", taken.text);
    assert_eq!(shown(&world).await, 0);
    assert_eq!(world.anonymous.get(&path).await.status, 404);
    assert_eq!(ask_price(&other, &package).await.status, 404);
    assert_eq!(other.client.buy(&package).await.status, 404);
    let seen = world.seller.get(&path).await.data();
    assert_eq!(seen["status"], "taken_down");
    assert_eq!(seen["takenDownBecause"], "a claim of copyright");
    assert_eq!(download(&owner, &package).await.status, 200);

    let revoked = take_down(&world, &package, true).await;
    assert_eq!(revoked.data()["grantsRevoked"], true, "{}", revoked.text);
    let refused = download(&owner, &package).await;
    assert_eq!(refused.fault(), (403, "FORBIDDEN".to_owned()));
    assert_eq!(refused.details()["reason"], "TAKEN_DOWN");

    let restore = format!("/admin/packages/{package}/restore");
    assert_eq!(operate(&world, &restore, "withdrawn").await.status, 200);
    assert_eq!(shown(&world).await, 1);
    assert_eq!(world.anonymous.get(&path).await.status, 200);
    assert_eq!(download(&owner, &package).await.status, 200);
    assert_eq!(other.client.buy(&package).await.status, 200);

    // Its time is over, and it is taken down: it can be handed back.
    let old = "update purchases set settled_at = settled_at - interval '30 days'";
    world.force(old).await;
    let id = purchase["purchaseId"].as_str().unwrap();
    let refund = format!("/api/ai/purchases/{id}/refund");
    assert_eq!(owner.client.post(&refund, &json!({})).await.status, 409);
    assert_eq!(take_down(&world, &package, false).await.status, 200);
    let refunded = owner.client.post(&refund, &json!({})).await;
    assert!(refunded.status < 300, "{}", refunded.text);
    world.assert_sound_books().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn seller_and_buyers_are_told_of_a_take_down_and_of_its_end() {
    let world = World::start().await;
    let package = world.package_for(5.0).await;
    let buyer = world.buyer("buyer", 500).await;
    let mut request = purchase_of(&package);
    request["webhookUrl"] = json!(world.webhook_url());
    assert_eq!(buyer.client.purchase(&request).await.status, 200);
    let endpoint = json!({ "url": format!("{}/seller", world.receiver.url()) });
    let made = world
        .seller
        .post("/api/ai/webhooks/endpoints", &endpoint)
        .await;
    let secret = made.data()["secret"].as_str().unwrap().to_owned();
    world.receiver.trust_standard_secret(&secret);
    assert_eq!(take_down(&world, &package, false).await.status, 200);
    let restore = format!("/admin/packages/{package}/restore");
    assert_eq!(operate(&world, &restore, "withdrawn").await.status, 200);
    for event in ["package.taken_down", "package.restored"] {
        eventually("both to be told", || async {
            let told: i64 = sqlx::query_scalar(
                "select count(distinct owner_id) from webhook_deliveries where event_type = $1 and state = 'delivered'",
            )
            .bind(event)
            .fetch_one(&world.pool)
            .await
            .unwrap();
            (told == 2).then_some(())
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_act_of_an_operator_says_who_what_to_whom_and_why() {
    let world = World::start().await;
    let (package, owner, purchase) = bought(&world).await;
    let seller = world.seller_id().await.to_string();
    let id = purchase["purchaseId"].as_str().unwrap();
    let owner_id = owner.id.to_string();
    let gift = json!({ "userId": owner_id, "amount": "2.50", "reason": "a gift" });
    world.operator.post("/admin/credits", &gift).await;
    let refund = format!("/admin/purchases/{id}/refund");
    operate(&world, &refund, "sold by mistake").await;
    let role = format!("/admin/users/{owner_id}/role");
    world
        .operator
        .post(&role, &json!({ "role": "admin" }))
        .await;
    set_blocked(&world, &owner_id, "block").await;
    take_down(&world, &package, false).await;
    let key = json!({ "userId": owner_id, "name": "new", "permissions": ["upload"] });
    world.operator.post("/admin/keys", &key).await;
    let log = world.operator.get("/admin/audit").await.data();
    let entries = log["entries"].as_array().unwrap();
    let said: Vec<Value> = entries
        .iter()
        .rev()
        .map(|entry| {
            json!([
                entry["actorRole"],
                entry["reason"],
                entry["amountMinor"],
                entry["recipientId"],
                entry["status"]
            ])
        })
        .collect();
    let expected = json!([
        ["operator", "a gift", 250, owner_id, 201],
        ["operator", "sold by mistake", 500, owner_id, 200],
        ["operator", null, null, owner_id, 200],
        ["operator", "a claim of fraud", null, owner_id, 200],
        ["operator", "a claim of copyright", null, seller, 200],
        ["operator", null, null, owner_id, 201],
    ]);
    assert_eq!(json!(said), expected);
}
