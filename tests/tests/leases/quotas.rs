//! How many leases an account holds.

use common::limits::LEASES_MAX;
use futures::future::join_all;
use tests::World;

use super::ground::{acquire, ask, expire, reason};

#[tokio::test(flavor = "multi_thread")]
async fn no_account_holds_more_leases_than_the_limit_and_what_has_ended_makes_room() {
    let world = World::only_api().await;
    acquire(&world.seller, "first").await;
    sqlx::query(
        "insert into leases (owner_id, resource, fence, acquired_at, expires_at)
         select owner_id, 'r' || number, nextval('lease_fences'), acquired_at, expires_at
         from leases, generate_series(1, $1) as number",
    )
    .bind(LEASES_MAX - 2)
    .execute(&world.pool)
    .await
    .unwrap();
    let asks = ["last", "too-many"].map(|resource| ask(&world.seller, resource, 0));
    let answers = join_all(asks).await;
    let mut statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409]);
    let refused = answers.iter().find(|answer| answer.status == 409).unwrap();
    assert_eq!(reason(refused), (409, "TOO_MANY".to_owned()));
    acquire(&world.stranger, "first").await;
    expire(&world).await;
    acquire(&world.seller, "another").await;
    let left =
        "select count(*) from leases where owner_id = (select id from users where name = 'seller')";
    assert_eq!(world.count(left).await, 1);
}
