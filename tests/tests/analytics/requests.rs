//! What requests do that leaves no row: counted in memory, written in batches, and never twice.

use chrono::{NaiveDate, TimeDelta, Utc};
use common::analytics::{self, RequestCounts};
use common::ids::{PackageId, PackagePublicId, UserId};
use common::reqwest::Method;
use serde_json::{Value, json};
use tests::World;
use tests::client::send;
use tests::sample::Expected;

use super::fixture::{publish, roll_up, total, world};

const WRITTEN: &str = "select coalesce(sum(requests), 0)::bigint from request_counts";

async fn searches(world: &World) -> Value {
    let path = "/admin/analytics/searches-without-results";
    world.operator.get(path).await.data()["terms"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn views_of_a_package_count_for_its_seller_once_the_process_has_stopped() {
    let mut world = world().await;
    let seller = world.buyer("seller of it", 0).await;
    let package = publish(&world, &seller, 1, Expected::Accepted)
        .await
        .unwrap();
    for (path, client, status) in [
        (format!("/api/ai/packages/{package}"), &world.anonymous, 200),
        (format!("/api/ai/packages/{package}"), &world.stranger, 200),
        (format!("/packages/{package}"), &world.anonymous, 200),
        (
            "/api/ai/packages/pkg_unknown".to_owned(),
            &world.anonymous,
            404,
        ),
    ] {
        let get = client.request(Method::GET, &path);
        let answer = send(get.header("accept", "application/json")).await;
        assert_eq!(answer.status, status, "{path}: {}", answer.text);
    }
    world.restart().await;
    roll_up(&world).await;
    for account in [Some(seller.id), None] {
        assert_eq!(total(&world, account).await.views, 3);
    }
    assert_eq!(total(&world, Some(UserId::new())).await.views, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn searches_that_find_nothing_are_listed_by_term_without_filters_and_further_pages() {
    let mut world = world().await;
    let seller = world.buyer("seller of it", 0).await;
    publish(&world, &seller, 1, Expected::Accepted)
        .await
        .unwrap();
    for query in [
        "query=Zebrafish%20genomes",
        "query=%20zebrafish%20%20GENOMES",
        "query=%EF%BC%BAebrafish%20genomes",
        "query=quagga",
        "query=quagga&maxPrice=1",
        "query=quagga&cursor=10",
        "query=sample",
    ] {
        let path = format!("/api/ai/search-packages?{query}");
        let answer = world.anonymous.get(&path).await;
        assert_eq!(answer.status, 200, "{query}: {}", answer.text);
        let found = answer.data()["results"].as_array().unwrap().len();
        assert_eq!(found, usize::from(query == "query=sample"), "{query}");
    }
    world.restart().await;
    let expected = json!([
        { "term": "zebrafish genomes", "searches": 3 },
        { "term": "quagga", "searches": 1 },
    ]);
    assert_eq!(searches(&world).await, expected);
    roll_up(&world).await;
    assert_eq!(total(&world, None).await.searches_without_results, 4);
}

/// The answer to a write is lost: nobody knows whether it went through.
#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_is_repeated_counts_nothing_twice_and_processes_add_up() {
    let world = World::only_api().await;
    let package = PackagePublicId::of(PackageId::new());
    let (one, two) = (RequestCounts::default(), RequestCounts::default());
    for counts in [&one, &one, &two] {
        counts.view(&package);
    }
    let (first, again) = tokio::join!(one.flush(&world.pool), one.flush(&world.pool));
    first.and(again).unwrap();
    two.flush(&world.pool).await.unwrap();
    one.flush(&world.pool).await.unwrap();
    assert_eq!(world.count(WRITTEN).await, 3);
    one.view(&package);
    one.flush(&world.pool).await.unwrap();
    assert_eq!(world.count(WRITTEN).await, 4);
}

/// PostgreSQL refuses the write, and takes it later.
#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_written_is_kept_until_it_can() {
    let world = World::only_api().await;
    let counts = RequestCounts::default();
    counts.search_without_results("zebrafish");
    let constraint = "alter table request_counts add constraint outage check (false) not valid";
    world.force(constraint).await;
    counts.flush(&world.pool).await.unwrap_err();
    world
        .force("alter table request_counts drop constraint outage")
        .await;
    counts.search_without_results("zebrafish");
    counts.flush(&world.pool).await.unwrap();
    assert_eq!(world.count(WRITTEN).await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_are_active_on_the_days_of_their_requests_in_all_processes_together() {
    let mut world = world().await;
    let (api, other) = world.another_api().await;
    let buyer = world.buyer("buyer", 0).await;
    for client in [
        &world.seller,
        &buyer.client,
        &other.with_token(buyer.client.token()),
    ] {
        assert_eq!(client.get("/api/ai/me").await.status, 200);
    }
    let refused = world
        .anonymous
        .with_token("ak_ai_00000000000000000000000000000000");
    assert_eq!(refused.get("/api/ai/me").await.status, 401);
    api.drain().await;
    world.restart().await;
    // A person within the week, and an agent within the month.
    world
        .force(
            "insert into users (id, name, kind) values
                 ('00000000-0000-0000-0000-000000000001', 'ann', 'person'),
                 ('00000000-0000-0000-0000-000000000002', 'old agent', 'agent');
             insert into active_days (day, account_id)
             select (now() at time zone 'utc')::date - days, account
             from (values (6, '00000000-0000-0000-0000-000000000001'::uuid),
                          (7, '00000000-0000-0000-0000-000000000002'),
                          (29, '00000000-0000-0000-0000-000000000002'),
                          (30, '00000000-0000-0000-0000-000000000001')) as seen (days, account)",
        )
        .await;
    roll_up(&world).await;
    let today: NaiveDate = Utc::now().date_naive();
    let days = world.operator.get("/admin/analytics/active-accounts").await;
    let days = days.data()["days"].as_array().unwrap().clone();
    let last = days.last().unwrap();
    let expected = json!({
        "day": today,
        "peopleDay": 0, "peopleWeek": 1, "peopleMonth": 1,
        "agentsDay": 2, "agentsWeek": 2, "agentsMonth": 3,
    });
    assert_eq!(*last, expected);
    let counted = analytics::list_active_accounts(&world.pool, today, today + TimeDelta::days(1));
    assert_eq!(counted.await.unwrap().len(), 1);
}
