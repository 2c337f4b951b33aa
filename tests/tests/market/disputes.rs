//! Disputes: frozen, measured again, decided, and seen by those whom they concern.

use common::reqwest::Method;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tests::World;
use tests::client::send;

use super::claims::{becomes, decide, id_of, opened, resolved};
use super::sales::{
    Sale, assert_books_balance, awareness, events, heard, reserve, run_as_owner, transfers,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_dispute_freezes_the_sale_and_a_package_that_is_as_listed_gives_it_back() {
    let mut world = World::start().await;
    let sale = Sale::of(&world, 9.99).await;
    world.stop_worker().await;
    let url = opened(&sale, "epsilon_too_high").await;
    let open = sale.buyer.client.get(&url).await.data();
    assert_eq!(open["status"], "open");
    assert_eq!(open["frozenMinor"], 849);
    assert_eq!((world.earnings().await, reserve(&world).await), (0, 849));
    // The buyer may go on downloading.
    let purchase = sale.shown().await;
    assert_eq!(purchase["status"], "disputed");
    assert!(purchase["downloadUrl"].is_string());
    assert_books_balance(&world).await;

    world.start_worker().await;
    let closed = resolved(&sale, &url).await;
    assert_eq!(closed["status"], "resolved_release", "{closed}");
    assert_eq!(closed["decidedBy"], "measurement");
    assert_eq!(closed["finding"], "as_listed");
    let measured = closed["measurement"]["epsilon"]["measured"].as_f64();
    assert!(measured.is_some_and(|epsilon| (epsilon - 0.05).abs() < 0.001));
    assert_eq!((world.earnings().await, reserve(&world).await), (849, 0));
    assert_eq!(sale.shown().await["status"], "settled");
    for event in ["dispute.opened", "dispute.measured", "dispute.resolved"] {
        assert_eq!(events(&world, event).await, 1, "{event}");
        for path in ["/buyer", "/webhook"] {
            let received = heard(&world, path, event).await;
            assert_eq!(received.body["disputeId"], id_of(&url));
            assert_eq!(received.body["purchaseId"], sale.purchase);
        }
    }
    let last = heard(&world, "/webhook", "dispute.resolved").await;
    assert_eq!(last.body["decision"], "release");
    assert_books_balance(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_changed_in_the_store_are_found_and_refunded_out_of_the_reserve() {
    let world = World::start().await;
    let sale = Sale::of(&world, 9.99).await;
    let key: String = sqlx::query_scalar("select package_key from packages")
        .fetch_one(&world.pool)
        .await
        .unwrap();
    let mut bytes = world.object(&key).await;
    *bytes.last_mut().unwrap() ^= 1;
    let digest = Sha256::digest(&bytes);
    world
        .storage
        .put(&key, bytes.into(), &digest)
        .await
        .unwrap();
    let url = opened(&sale, "corrupt").await;
    let closed = resolved(&sale, &url).await;
    assert_eq!(closed["status"], "resolved_refund", "{closed}");
    assert_eq!(closed["finding"], "bytes_differ");
    assert_eq!(closed["decision"], "refund");
    assert_eq!(closed["frozenMinor"], 0);
    let purchase = sale.shown().await;
    assert_eq!(purchase["status"], "refunded");
    assert!(purchase["downloadUrl"].is_null());
    assert_eq!(world.credits(sale.buyer.id).await, (999, 0));
    assert_eq!((world.earnings().await, world.fees().await), (0, 0));
    let refunded = heard(&world, "/webhook", "purchase.refunded").await;
    assert_eq!(refunded.body["cause"], "dispute");
    assert_books_balance(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_package_that_is_worse_than_its_listing_showed_is_refunded() {
    // The sample measures 0.05: the listing showed less, or its seller had declared less.
    let listed_better = "update packages set epsilon_measured = 0.03";
    let declared_better = "update packages set epsilon_declared = 0.01";
    for (wrong, finding) in [
        (listed_better, "epsilon_worse"),
        (declared_better, "validation_fails"),
    ] {
        let world = World::start().await;
        let sale = Sale::of(&world, 5.0).await;
        assert_eq!(run_as_owner(&world, wrong).await.unwrap(), 1);
        let url = opened(&sale, "epsilon_too_high").await;
        let closed = resolved(&sale, &url).await;
        assert_eq!(closed["status"], "resolved_refund", "{closed}");
        assert_eq!(closed["finding"], finding);
        assert_eq!(world.credits(sale.buyer.id).await, (500, 0));
        assert_books_balance(&world).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_measurement_can_tell_waits_for_an_operator() {
    let world = World::start().await;
    let package = world.package_for(5.0).await;
    let right = Sale::to(&world, &package, "right", 5.0).await;
    let wrong = Sale::to(&world, &package, "wrong", 5.0).await;
    let (refunded, released) = (
        opened(&right, "not_as_described").await,
        opened(&wrong, "other").await,
    );
    for (sale, url) in [(&right, &refunded), (&wrong, &released)] {
        let measured = becomes(sale, url, "measured").await;
        assert_eq!(measured["finding"], "as_listed");
        assert!(measured["measurement"]["stages"].is_array());
        assert!(measured["decision"].is_null());
    }
    assert_eq!((world.earnings().await, reserve(&world).await), (0, 850));
    let list = world.operator.get("/admin/disputes?state=measured").await;
    let ids: Vec<Value> = list.data()["disputes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|dispute| dispute["id"].clone())
        .collect();
    assert_eq!(ids, [id_of(&released), id_of(&refunded)]);
    let page = world.operator.get("/admin/disputes?limit=1").await.data();
    assert_eq!(page["nextCursor"], id_of(&released));
    let next = format!("/admin/disputes?limit=1&cursor={}", id_of(&released));
    let page = world.operator.get(&next).await.data();
    assert_eq!(page["disputes"][0]["id"], id_of(&refunded));

    assert_eq!(decide(&world, &refunded, "refund").await.status, 200);
    assert_eq!(decide(&world, &released, "release").await.status, 200);
    let closed = right.buyer.client.get(&refunded).await.data();
    assert_eq!(closed["status"], "resolved_refund");
    assert_eq!(closed["decidedBy"], "operator");
    assert_eq!(closed["note"], "we refund");
    assert_eq!(right.shown().await["status"], "refunded");
    assert_eq!(wrong.shown().await["status"], "settled");
    assert_eq!((world.earnings().await, reserve(&world).await), (425, 0));
    assert_eq!(world.credits(right.buyer.id).await, (500, 0));
    let open = world.operator.get("/admin/disputes?state=open").await;
    assert_eq!(open.data()["disputes"], json!([]));
    assert_books_balance(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operators_refund_of_a_disputed_purchase_decides_its_dispute() {
    let mut world = World::start().await;
    let sale = Sale::of(&world, 5.0).await;
    world.stop_worker().await;
    let url = opened(&sale, "other").await;
    let own = sale.refund().await;
    assert_eq!(own.details()["reason"], "PURCHASE_DISPUTED");
    assert_eq!(sale.refund_by_operator(&world).await.status, 200);
    let closed = sale.buyer.client.get(&url).await.data();
    assert_eq!(closed["status"], "resolved_refund");
    assert_eq!(closed["note"], "sold by mistake");
    assert_eq!((world.earnings().await, reserve(&world).await), (0, 0));
    assert_eq!(world.credits(sale.buyer.id).await, (500, 0));
    assert_books_balance(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dispute_is_seen_by_its_parties_and_by_nobody_else() {
    let mut world = World::start().await;
    let sale = Sale::of(&world, 5.0).await;
    world.stop_worker().await;
    let claim = json!({ "reason": "other", "description": "no" });
    let path = format!("{}/disputes", sale.path());
    for client in [&world.stranger, &world.seller] {
        assert_eq!(client.post(&path, &claim).await.status, 404);
    }
    assert_eq!(world.anonymous.post(&path, &claim).await.status, 401);
    let url = opened(&sale, "other").await;
    assert_eq!(world.seller.get(&url).await.data()["status"], "open");
    let stranger = world.stranger.get(&url).await;
    assert_eq!(stranger.fault(), (404, "NOT_FOUND".to_owned()));
    assert_eq!(world.anonymous.get(&url).await.status, 401);
    let unknown = "/api/ai/disputes/dis_00000000000000000000000000000000";
    for path in [unknown, "/api/ai/disputes/x"] {
        assert_eq!(sale.buyer.client.get(path).await.status, 404, "{path}");
    }
    let shown = sale.buyer.client.get(&url).await;
    let known = sale.buyer.client.request(Method::GET, &url);
    let same = send(known.header("if-none-match", shown.header("etag"))).await;
    assert_eq!(same.status, 304);
    let admin = format!("/admin/disputes/{}", id_of(&url));
    for client in [&world.anonymous, &world.seller, &sale.buyer.client] {
        for path in ["/admin/disputes", &admin] {
            let answer = client.get(path).await;
            assert_eq!(answer.fault(), (401, "UNAUTHORIZED".to_owned()), "{path}");
        }
        let decision = json!({ "decision": "refund", "note": "mine" });
        let answer = client.post(&format!("{admin}/decide"), &decision).await;
        assert_eq!(answer.fault(), (401, "UNAUTHORIZED".to_owned()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_disputed_says_why_and_freezes_nothing() {
    let world = World::start().await;
    let package = world.package_for(5.0).await;
    let late = Sale::to(&world, &package, "late", 5.0).await;
    let refunded = Sale::to(&world, &package, "refunded", 5.0).await;
    late.age(&world, 30).await;
    assert_eq!(refunded.refund().await.status, 200);
    for (sale, reason) in [
        (&late, "DISPUTE_WINDOW_OVER"),
        (&refunded, "PURCHASE_NOT_SETTLED"),
    ] {
        let answer = sale.dispute("corrupt").await;
        assert_eq!(answer.fault(), (409, "CONFLICT".to_owned()));
        assert_eq!(answer.details()["reason"], reason);
    }
    let sale = Sale::to(&world, &package, "buyer", 5.0).await;
    sale.age(&world, 29).await;
    for claim in [
        json!({}),
        json!({ "reason": "other" }),
        json!({ "reason": "other", "description": "  " }),
        json!({ "reason": "other", "description": "x".repeat(2001) }),
        json!({ "reason": "other", "description": "\u{0}" }),
        json!({ "reason": "dear", "description": "too dear" }),
        json!({ "reason": "other", "description": "why", "amount": 1 }),
    ] {
        let answer = sale.dispute_with(&claim).await;
        assert_eq!(answer.fault(), (400, "INVALID_INPUT".to_owned()), "{claim}");
    }
    assert_eq!(transfers(&world, "dispute_freeze").await, 0);
    let long = json!({ "reason": "other", "description": "ü".repeat(2000) });
    assert_eq!(sale.dispute_with(&long).await.status, 201);
    assert_books_balance(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_schema_keeps_a_dispute_with_its_purchase() {
    let mut world = World::start().await;
    let sale = Sale::of(&world, 5.0).await;
    world.stop_worker().await;
    opened(&sale, "other").await;
    for (wrong, constraint) in [
        (
            "update disputes set state = 'resolved_release', resolved_at = now(), decided_by = 'operator'",
            "disputes_match_purchase",
        ),
        (
            "update purchases set state = 'settled'",
            "disputes_match_purchase",
        ),
        (
            "update disputes set state = 'measured'",
            "disputes_state_has_measurement",
        ),
        (
            "update disputes set reason = 'corrupt'",
            "disputes_keep_claim",
        ),
        ("delete from disputes", "disputes_append_only"),
    ] {
        let refused = run_as_owner(&world, wrong).await.unwrap_err();
        let broken = refused
            .as_database_error()
            .and_then(|error| error.constraint());
        assert_eq!(broken, Some(constraint), "{wrong}: {refused}");
    }
    // The services cannot even try.
    for wrong in [
        "delete from disputes",
        "update disputes set description = 'other'",
    ] {
        let mut services = world.as_services().await;
        let refused = sqlx::query(wrong).execute(&mut services).await;
        let refused = refused.unwrap_err();
        assert!(
            refused.to_string().contains("permission denied"),
            "{wrong}: {refused}"
        );
    }
    assert_books_balance(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn operators_see_and_decide_disputes_from_a_shell() {
    let world = World::start().await;
    let sale = Sale::of(&world, 5.0).await;
    let url = opened(&sale, "not_as_described").await;
    becomes(&sale, &url, "measured").await;
    let id = id_of(&url);
    let list = awareness(&world, &["disputes", "list", "--state", "measured"]).await;
    assert!(list.contains(id) && list.contains("5.00 USD"), "{list}");
    let shown = awareness(&world, &["disputes", "show", id]).await;
    assert!(shown.contains("It is not what was sold."), "{shown}");
    let words = [
        "disputes",
        "decide",
        id,
        "release",
        "--note",
        "as described",
    ];
    let said = awareness(&world, &words).await;
    assert_eq!(said, format!("Dispute {id} is resolved_release.\n"));
    assert_eq!(sale.shown().await["status"], "settled");
    assert_books_balance(&world).await;
}
