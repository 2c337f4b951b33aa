//! Who sees and ends payouts, and what is refused as one.

use common::identity::Permission;
use serde_json::json;
use tests::World;

use super::payouts::{PAYOUTS, matured_sale, pay, request, requested};
use super::sales::{assert_books_balance, awareness, client_who_may, run_as_owner};

#[tokio::test(flavor = "multi_thread")]
async fn payouts_are_seen_by_their_seller_and_ended_by_operators_alone() {
    let world = World::start().await;
    matured_sale(&world).await;
    let (first, second) = (requested(&world, 1.0).await, requested(&world, 2.0).await);
    let list = world.seller.get(PAYOUTS).await.data();
    assert_eq!(list["payouts"][0]["payoutId"], second);
    assert_eq!(list["payouts"][1]["payoutId"], first);
    let page = world.seller.get(&format!("{PAYOUTS}?limit=1")).await.data();
    assert_eq!(page["nextCursor"], second);
    let next = format!("{PAYOUTS}?limit=1&cursor={second}");
    assert_eq!(
        world.seller.get(&next).await.data()["payouts"][0]["payoutId"],
        first
    );
    let url = format!("{PAYOUTS}/{first}");
    assert_eq!(
        world.stranger.get(PAYOUTS).await.data()["payouts"],
        json!([])
    );
    assert_eq!(
        world.stranger.get(&url).await.fault(),
        (404, "NOT_FOUND".to_owned())
    );
    assert_eq!(world.seller.get(&format!("{PAYOUTS}/x")).await.status, 404);
    let narrow = client_who_may(&world, "seller", Permission::Purchase).await;
    for path in [PAYOUTS, &url] {
        assert_eq!(world.anonymous.get(path).await.status, 401, "{path}");
        assert_eq!(narrow.get(path).await.status, 403, "{path}");
    }
    let body = json!({ "amount": 1 });
    assert_eq!(world.anonymous.post(PAYOUTS, &body).await.status, 401);
    assert_eq!(narrow.post(PAYOUTS, &body).await.status, 403);
    assert_eq!(world.stranger.post(PAYOUTS, &body).await.status, 409);
    for client in [&world.anonymous, &world.seller] {
        let list = client.get("/admin/payouts").await;
        assert_eq!(list.fault(), (401, "UNAUTHORIZED".to_owned()));
        for end in ["paid", "returned"] {
            let path = format!("/admin/payouts/{first}/{end}");
            let answer = client.post(&path, &json!({})).await;
            assert_eq!(answer.fault(), (401, "UNAUTHORIZED".to_owned()), "{path}");
        }
    }
    let unknown = "out_00000000000000000000000000000000";
    assert_eq!(pay(&world, unknown, "x").await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_amount_is_refused() {
    let world = World::start().await;
    matured_sale(&world).await;
    for body in [
        json!({}),
        json!({ "amount": 0 }),
        json!({ "amount": -1 }),
        json!({ "amount": 1.001 }),
        json!({ "amount": "1" }),
        json!({ "amount": 1e9 }),
        json!({ "amount": 1, "currency": "usd" }),
        json!({ "amount": 1, "to": "me" }),
    ] {
        let answer = world.seller.post(PAYOUTS, &body).await;
        assert_eq!(answer.fault(), (400, "INVALID_INPUT".to_owned()), "{body}");
    }
    let foreign = json!({ "amount": 1, "currency": "EUR" });
    let answer = world.seller.post(PAYOUTS, &foreign).await;
    assert_eq!(answer.details()["available"], "0.00", "{}", answer.text);
    assert_eq!(world.count("select count(*) from payouts").await, 0);
    assert_eq!(world.earnings().await, 850);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_schema_ends_a_payout_once_and_keeps_its_terms() {
    let world = World::start().await;
    matured_sale(&world).await;
    requested(&world, 1.0).await;
    for (wrong, constraint) in [
        ("update payouts set amount_minor = 1", "payouts_keep_terms"),
        (
            "update payouts set state = 'paid', finished_at = now()",
            "payouts_paid_has_reference",
        ),
        ("delete from payouts", "payouts_append_only"),
    ] {
        let refused = run_as_owner(&world, wrong).await.unwrap_err();
        let broken = refused
            .as_database_error()
            .and_then(|error| error.constraint());
        assert_eq!(broken, Some(constraint), "{wrong}: {refused}");
    }
    let end = "update payouts set state = 'returned', reason = 'x', finished_at = now()";
    let unposted = run_as_owner(&world, end).await.unwrap_err();
    let broken = unposted
        .as_database_error()
        .and_then(|error| error.constraint());
    assert_eq!(broken, Some("payouts_posted"));
    assert_eq!(world.force(end).await, 1);
    let refused = run_as_owner(&world, end).await.unwrap_err();
    let broken = refused
        .as_database_error()
        .and_then(|error| error.constraint());
    assert_eq!(broken, Some("payouts_state_order"));
    let wrong = "update payouts set amount_minor = 1";
    let mut services = world.as_services().await;
    let refused = sqlx::query(wrong).execute(&mut services).await;
    let refused = refused.unwrap_err();
    assert!(
        refused.to_string().contains("permission denied"),
        "{refused}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_payout_of_a_blocked_seller_waits_until_the_block_is_undone() {
    let world = World::start().await;
    matured_sale(&world).await;
    let id = requested(&world, 1.0).await;
    let path = format!("/admin/users/{}", world.seller_id().await);
    let reason = json!({ "reason": "a claim of fraud" });
    world.operator.post(&format!("{path}/block"), &reason).await;
    let refused = pay(&world, &id, "bank 1").await;
    assert_eq!(refused.fault(), (409, "CONFLICT".to_owned()));
    assert_eq!(refused.details()["reason"], "SELLER_BLOCKED");
    assert_eq!(request(&world, 1.0).await.status, 401);
    let asked = "insert into payouts (id, seller_id, amount_minor, currency, request_id)
                 select gen_random_uuid(), seller_id, 100, 'USD', 'r' from payouts";
    let refused = run_as_owner(&world, asked).await.unwrap_err();
    let broken = refused
        .as_database_error()
        .and_then(|error| error.constraint());
    assert_eq!(broken, Some("parties_not_blocked"));
    world
        .operator
        .post(&format!("{path}/unblock"), &reason)
        .await;
    assert_eq!(pay(&world, &id, "bank 1").await.status, 200);
    assert_books_balance(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn operators_see_and_end_payouts_from_a_shell() {
    let world = World::start().await;
    matured_sale(&world).await;
    let (paid, returned) = (requested(&world, 1.0).await, requested(&world, 2.0).await);
    let list = awareness(&world, &["payouts", "list", "--state", "requested"]).await;
    assert!(list.contains(&paid) && list.contains("2.00 USD"), "{list}");
    let words = ["payouts", "paid", &paid, "--reference", "transfer 4711"];
    assert_eq!(
        awareness(&world, &words).await,
        format!("Payout {paid} is paid.\n")
    );
    let words = ["payouts", "return", &returned, "--reason", "account closed"];
    assert_eq!(
        awareness(&world, &words).await,
        format!("Payout {returned} is returned.\n")
    );
    let open = awareness(&world, &["payouts", "list", "--state", "requested"]).await;
    assert_eq!(open, "No payout matches.\n");
    assert_eq!(world.earnings().await, 750);
    assert_books_balance(&world).await;
}
