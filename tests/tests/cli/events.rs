//! `awareness events subscriptions`.

use super::ground::World;

/// One subscription that is at the end of the log, and one that holds two events.
const SUBSCRIPTIONS: &str = "
    with made as (
        insert into event_subscriptions (id, owner_id, name, types, ids, position, ack_seconds)
        select gen_random_uuid(), users.id, names.name, '{}', '{}', 0, 30
        from users
        cross join unnest(array['current', 'slow']) as names (name)
        where users.name = 'acme'
        returning id, name
    )
    insert into subscription_events (subscription_id, position, stream)
    select id, position, gen_random_uuid()
    from made
    cross join generate_series(1, 2) as position
    where name = 'slow'";

#[tokio::test(flavor = "multi_thread")]
async fn subscriptions_are_listed_the_one_that_is_furthest_behind_first() {
    let world = World::start().await;
    let list = ["events", "subscriptions", "--limit", "1"];
    let nothing = world.call(&list).await.done();
    assert_eq!(nothing, "There is no subscription.\n");

    let key = ["keys", "create", "--user", "acme", "--name", "ci"];
    let key = [&key[..], &["--permissions", "events"]].concat();
    world.call(&key).await.done();
    sqlx::query(SUBSCRIPTIONS)
        .execute(&world.pool)
        .await
        .unwrap();
    let first = world.call(&list).await.done();
    let row = first.lines().nth(1).unwrap();
    assert!(
        first.contains("slow") && !first.contains("current"),
        "{first}"
    );
    let figures: Vec<&str> = row.split_whitespace().rev().take(3).collect();
    assert_eq!(
        figures,
        ["0", "0", "2"],
        "parked, handed out, behind: {first}"
    );
    let next = first.split("--cursor ").nth(1).unwrap().trim();
    let second = world
        .call(&[&list[..], &["--cursor", next]].concat())
        .await
        .done();
    assert!(
        second.contains("current") && !second.contains("slow"),
        "{second}"
    );
    let json = world.call(&[&list[..], &["--json"]].concat()).await.json();
    assert_eq!(json["subscriptions"][0]["eventsBehind"], 2);
    world.stop().await;
}
