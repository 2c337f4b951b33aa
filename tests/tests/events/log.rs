//! The order of the log: complete, dense, and each stream in its own order, whenever transactions commit.

use std::collections::HashMap;
use std::time::Duration;

use common::db::PgPool;
use common::events;
use sqlx::{Connection as _, PgConnection, Row as _};
use tests::{World, eventually};
use uuid::Uuid;

const INSERT: &str = "insert into events (stream, version, event_type, trace)
     select $1, 1 + coalesce(max(version), 0), 'test.happened', ''
     from events
     where stream = $1
     returning id";

async fn insert(conn: &mut PgConnection, stream: Uuid) -> i64 {
    sqlx::query_scalar(INSERT)
        .bind(stream)
        .fetch_one(conn)
        .await
        .unwrap()
}

async fn connect(world: &World) -> PgConnection {
    PgConnection::connect_with(&world.pool.connect_options())
        .await
        .unwrap()
}

/// What a reader gets who remembers the last position, in its order.
async fn read_after(pool: &PgPool, position: i64) -> Vec<(i64, i64)> {
    let read = "select position, event_id from event_order where position > $1 order by position";
    sqlx::query_as(read)
        .bind(position)
        .fetch_all(pool)
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_that_commits_late_hides_no_event_from_a_reader() {
    let world = World::only_api().await;
    let (mut slow, mut quick) = (connect(&world).await, connect(&world).await);
    sqlx::query("begin").execute(&mut slow).await.unwrap();
    let first = insert(&mut slow, Uuid::new_v4()).await;
    let second = insert(&mut quick, Uuid::new_v4()).await;
    assert!(first < second);

    assert_eq!(events::number_next(&world.pool).await.unwrap().numbered, 1);
    let read = read_after(&world.pool, 0).await;
    assert_eq!(read, [(1, second)]);
    sqlx::query("commit").execute(&mut slow).await.unwrap();
    assert_eq!(events::number_next(&world.pool).await.unwrap().numbered, 1);
    assert_eq!(read_after(&world.pool, 1).await, [(2, first)]);

    // Whoever remembers the last id that it saw never sees the first.
    let naive = "select count(*) from events where id > $1";
    let seen: i64 = sqlx::query_scalar(naive)
        .bind(second)
        .fetch_one(&world.pool)
        .await
        .unwrap();
    assert_eq!(seen, 0);
}

/// One of 16 who write, wait, roll back and lose their connections.
async fn write(pool: PgPool, streams: Vec<Uuid>, seed: usize) {
    for round in 0..30_usize {
        let mut conn = PgConnection::connect_with(&pool.connect_options())
            .await
            .unwrap();
        sqlx::query("begin").execute(&mut conn).await.unwrap();
        let stream = streams[(seed * 7 + round * 3) % streams.len()];
        sqlx::query("select pg_advisory_xact_lock(hashtext($1::text))")
            .bind(stream)
            .execute(&mut conn)
            .await
            .unwrap();
        insert(&mut conn, stream).await;
        if round % 3 == 0 {
            sqlx::query("select pg_sleep(0.02)")
                .execute(&mut conn)
                .await
                .unwrap();
        }
        match (seed + round) % 5 {
            0 => drop(sqlx::query("rollback").execute(&mut conn).await),
            1 => drop(conn),
            _ => drop(sqlx::query("commit").execute(&mut conn).await),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn writers_that_wait_roll_back_and_die_leave_neither_gap_nor_inversion() {
    let world = World::only_api().await;
    let streams: Vec<Uuid> = (0..8).map(|_| Uuid::new_v4()).collect();
    let writers: Vec<_> = (0..16)
        .map(|seed| tokio::spawn(write(world.pool.clone(), streams.clone(), seed)))
        .collect();
    // Two number at once, as while the lead passes from one scheduler to another.
    let numbering: Vec<_> = (0..2)
        .map(|_| {
            let pool = world.pool.clone();
            tokio::spawn(async move {
                loop {
                    events::number_next(&pool).await.unwrap();
                    tokio::time::sleep(Duration::from_millis(2)).await;
                }
            })
        })
        .collect();
    let mut seen = Vec::new();
    while writers.iter().any(|writer| !writer.is_finished()) {
        let last = seen.last().map_or(0, |(position, _)| *position);
        seen.extend(read_after(&world.pool, last).await);
    }
    let pending = "select count(*) from event_pending";
    eventually("all are numbered", || async {
        (world.count(pending).await == 0).then_some(())
    })
    .await;
    let last = seen.last().map_or(0, |(position, _)| *position);
    seen.extend(read_after(&world.pool, last).await);
    numbering.iter().for_each(|task| task.abort());

    assert_eq!(
        seen.len() as i64,
        world.count("select count(*) from events").await
    );
    let mut versions: HashMap<Uuid, i64> = HashMap::new();
    for (place, (position, event)) in seen.iter().enumerate() {
        assert_eq!(*position, place as i64 + 1, "positions have no gap");
        let row = sqlx::query("select stream, version from events where id = $1")
            .bind(event)
            .fetch_one(&world.pool)
            .await
            .unwrap();
        let last = versions.entry(row.get("stream")).or_default();
        *last += 1;
        assert_eq!(
            row.get::<i64, _>("version"),
            *last,
            "a stream is read in its order"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_a_crash_kept_from_being_numbered_is_numbered_by_the_next_scheduler() {
    let mut world = World::only_api().await;
    let mut conn = connect(&world).await;
    insert(&mut conn, Uuid::new_v4()).await;
    world.start_scheduler().await;
    eventually("it has a position", || async {
        (world.count("select count(*) from event_order").await == 1).then_some(())
    })
    .await;
}
