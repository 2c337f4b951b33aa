//! Changes of a listing that is being sold: what buyers rely on stays, and the schema holds it.

use common::reqwest::Method;
use serde_json::{Value, json};
use sqlx::Connection as _;
use tests::client::send;
use tests::{World, eventually};

use super::listing_changes::listed;
use super::listings::{change, path};

/// A live purchase of the seller's only package, as the schema takes it.
async fn buy(world: &World, buyer: &str) {
    let bought = sqlx::query(
        "insert into purchases (
             id, package_id, buyer_id, seller_id, api_key_id, listing_version, license_mode, price_minor, fee_minor,
             net_minor, currency, payment_method, request_id, state, expires_at
         )
         select gen_random_uuid(), package_id, users.id, seller_id, api_keys.id, version, license_mode, price_minor, 0,
                price_minor, currency, 'credits', 'req_test', 'pending', now() + interval '1 hour'
         from listings, users
         join api_keys on api_keys.user_id = users.id
         where users.name = $1",
    )
    .bind(buyer)
    .execute(&world.pool)
    .await
    .unwrap();
    assert_eq!(bought.rows_affected(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_mode_stays_while_anything_is_sold_in_it() {
    for (seed, terms, others) in [
        (
            327,
            json!({ "price": 0 }),
            vec![
                json!({ "licenseMode": "exclusive" }),
                json!({ "licenseMode": "limited", "supply": 5 }),
            ],
        ),
        (
            328,
            json!({ "licenseMode": "limited", "supply": 2 }),
            vec![
                json!({ "licenseMode": "exclusive" }),
                json!({ "licenseMode": "unlimited" }),
            ],
        ),
    ] {
        let (world, id) = listed(seed).await;
        assert_eq!(
            change(&world.seller, &id, "\"1\"", &terms).await.status,
            200
        );
        buy(&world, "stranger").await;
        for other in others {
            let refused = change(&world.seller, &id, "\"2\"", &other).await;
            assert_eq!(refused.fault(), (409, "CONFLICT".to_owned()), "{other}");
            let details = refused.details();
            assert!(details["licenseMode"].is_string(), "{other}: {details}");
        }
        // What does not touch the mode is free, and so is the mode once nothing is live.
        let dearer = change(&world.seller, &id, "\"2\"", &json!({ "price": 8 })).await;
        assert_eq!(dearer.status, 200, "{}", dearer.text);
        sqlx::query("update purchases set state = 'failed', reason_code = 'TEST'")
            .execute(&world.pool)
            .await
            .unwrap();
        let exclusive = json!({ "licenseMode": "exclusive" });
        let freed = change(&world.seller, &id, "\"3\"", &exclusive).await;
        assert_eq!(freed.status, 200, "{}", freed.text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_supply_falls_to_what_is_taken_and_no_further() {
    let (world, id) = listed(329).await;
    let terms = json!({ "licenseMode": "limited", "supply": 2 });
    assert_eq!(change(&world.seller, &id, "*", &terms).await.status, 200);
    let other = json!({ "user": "other", "name": "buys", "permissions": ["purchase"] });
    assert_eq!(world.operator.post("/admin/keys", &other).await.status, 201);
    for buyer in ["stranger", "other"] {
        buy(&world, buyer).await;
    }
    let stock = |data: &Value| [data["soldOut"].clone(), data["remaining"].clone()];
    let sold_out = world.anonymous.get(&path(&id)).await;
    assert_eq!(stock(&sold_out.data()), [json!(true), json!(0)]);
    assert_eq!(sold_out.row_tag().as_str(), "\"2\"", "a sale is no version");
    let more = change(&world.seller, &id, "\"2\"", &json!({ "supply": 3 })).await;
    assert_eq!(stock(&more.data()), [json!(false), json!(1)]);
    let too_few = change(&world.seller, &id, "\"3\"", &json!({ "supply": 1 })).await;
    assert_eq!(too_few.fault(), (409, "CONFLICT".to_owned()));
    let said = too_few.details()["supply"].to_string();
    assert!(said.contains("2 of the package"), "{said}");
    let fewer = change(&world.seller, &id, "\"3\"", &json!({ "supply": 2 })).await;
    assert_eq!(fewer.status, 200, "{}", fewer.text);
    // The mode is said again, the supply stays.
    let same = change(
        &world.seller,
        &id,
        "\"4\"",
        &json!({ "licenseMode": "limited" }),
    )
    .await;
    assert_eq!(
        (same.status, same.data()["supply"].as_i64()),
        (200, Some(2))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_schema_refuses_what_wrong_code_would_do_to_a_listing() {
    let (world, id) = listed(331).await;
    buy(&world, "stranger").await;
    let refused = async |statement: &'static str| -> String {
        let mut services = world.as_services().await;
        let mut tx = services.begin().await.unwrap();
        // A table of the session does not stand in for ours.
        sqlx::raw_sql(
            "create temporary table purchases (package_id uuid, state text) on commit drop",
        )
        .execute(&mut *tx)
        .await
        .unwrap();
        let error = sqlx::query(statement).execute(&mut *tx).await.unwrap_err();
        let error = error.into_database_error().unwrap();
        error.constraint().unwrap_or("rights").to_owned()
    };
    for (statement, guard) in [
        (
            "update listings set price_minor = 1",
            "listings_version_counts",
        ),
        (
            "update listings set version = version + 1, price_minor = -1",
            "listings_price_range",
        ),
        (
            "update listings set version = version + 2, price_minor = 1",
            "listings_version_counts",
        ),
        (
            "update listings set version = version - 1",
            "listings_version_counts",
        ),
        (
            "update listings set webhook_url = 'https://example.com'",
            "listings_version_counts",
        ),
        (
            "update listings set version = version + 1, license_mode = 'exclusive', supply = 1",
            "listings_sold_as_listed",
        ),
        (
            "update listings set version = version + 1, supply = 1",
            "listings_supply_fits_mode",
        ),
        ("update listings set taken = 0", "rights"),
        ("update listings set seller_id = package_id", "rights"),
        ("delete from listings", "rights"),
        (
            "insert into listing_versions select * from listing_versions",
            "rights",
        ),
        ("update listing_versions set price_minor = 0", "rights"),
    ] {
        assert_eq!(refused(statement).await, guard, "{statement}");
    }
    let removed = json!({ "status": "removed" });
    assert_eq!(change(&world.seller, &id, "*", &removed).await.status, 200);
    for statement in [
        "update listings set version = version + 1, status = 'active'",
        "update listings set version = version + 1, price_minor = 5",
    ] {
        assert_eq!(
            refused(statement).await,
            "listings_removed_for_good",
            "{statement}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_waits_for_the_buyers_of_the_moment() {
    let (world, id) = listed(332).await;
    let mut buying = common::db::begin(&world.pool).await.unwrap();
    sqlx::query("select pg_advisory_xact_lock_shared(listing_lock(package_id)) from listings")
        .execute(&mut *buying)
        .await
        .unwrap();
    let request = world.seller.request(Method::PATCH, &path(&id));
    let request = request
        .header("if-match", "\"1\"")
        .json(&json!({ "price": 2 }));
    let changing = tokio::spawn(send(request));
    let waiting = "select count(*) from pg_locks join pg_database on pg_database.oid = database
                   where datname = current_database() and locktype = 'advisory' and not granted";
    eventually("the change to wait", || async {
        (world.count(waiting).await == 1).then_some(())
    })
    .await;
    assert_eq!(world.count("select version from listings").await, 1);
    buying.commit().await.unwrap();
    let changed = changing.await.unwrap();
    assert_eq!((changed.status, changed.row_tag().as_str()), (200, "\"2\""));
}
