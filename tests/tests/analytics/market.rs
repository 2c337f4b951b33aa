//! A busy market, counted while it is busy.

use common::analytics::{Measures, Period};
use futures::future::join_all;
use tests::sample::Expected;

use super::fixture::{
    all_is_sent, buy, download, hour_of, let_an_hour_pass, periods, publish, quote, refund,
    roll_up, total, truth, world,
};

#[tokio::test(flavor = "multi_thread")]
async fn roll_ups_are_what_the_rows_say_after_a_busy_market() {
    let world = world().await;
    let sellers = [world.buyer("one", 0).await, world.buyer("two", 0).await];
    let buyers = join_all((0..3).map(async |number| {
        let name = format!("buyer {number}");
        world.buyer(&name, 100_000).await
    }))
    .await;
    let uploads = (0..6).map(async |number: u64| {
        let expected = match number % 3 {
            2 => Expected::Refused,
            _ => Expected::Accepted,
        };
        let seller = &sellers[usize::try_from(number % 2).unwrap()];
        publish(&world, seller, number, expected).await
    });
    let (packages, ()) = tokio::join!(join_all(uploads), roll_up(&world));
    let packages: Vec<String> = packages.into_iter().flatten().collect();
    assert_eq!(packages.len(), 4);

    let trades = buyers.iter().enumerate().map(async |(place, buyer)| {
        for package in &packages {
            quote(buyer, package).await;
            let purchase = buy(buyer, package).await;
            if place == 0 {
                refund(buyer, &purchase).await;
            } else {
                download(buyer, package).await;
            }
        }
    });
    let counting = join_all((0..3).map(|_| roll_up(&world)));
    tokio::join!(join_all(trades), counting);
    all_is_sent(&world).await;
    roll_up(&world).await;

    let mut sum = Measures::default();
    for seller in &sellers {
        let expected = Measures {
            quotes: 6,
            ..truth(&world, Some(seller.id)).await
        };
        let counted = total(&world, Some(seller.id)).await;
        assert_eq!(counted, expected);
        sum = [sum, counted].into_iter().sum();
        let today = periods(&world, Some(seller.id), Period::Day).await;
        assert_eq!(today.iter().map(|day| day.buyers).sum::<i64>(), 3);
    }
    let market = total(&world, None).await;
    assert_eq!(market.purchases, 12);
    assert_eq!(market.refunds, 4);
    assert_eq!(market.downloads, 8);
    assert_eq!((market.uploads_completed, market.uploads_failed), (4, 2));
    let expected = Measures {
        quotes: 12,
        ..truth(&world, None).await
    };
    assert_eq!(market, expected);
    assert_eq!(market, sum, "the market is its accounts");
    assert_eq!(total(&world, Some(buyers[0].id)).await.purchases, 0);
}

/// A write that was held up, or a row that an operator corrected.
#[tokio::test(flavor = "multi_thread")]
async fn a_late_fact_counts_in_its_own_hour_within_the_hour() {
    let world = world().await;
    let seller = world.buyer("seller of it", 0).await;
    let buyer = world.buyer("buyer", 10_000).await;
    let package = publish(&world, &seller, 1, Expected::Accepted)
        .await
        .unwrap();
    buy(&buyer, &package).await;
    roll_up(&world).await;
    assert_eq!(total(&world, Some(seller.id)).await.purchases, 1);

    let late = chrono::Utc::now() - chrono::TimeDelta::hours(26);
    world
        .force("update purchases set settled_at = settled_at - interval '26 hours'")
        .await;
    let_an_hour_pass(&world).await;
    roll_up(&world).await;
    for account in [Some(seller.id), None] {
        assert_eq!(total(&world, account).await.purchases, 1);
        assert_eq!(hour_of(&world, account, late).await.purchases, 1);
        assert_eq!(hour_of(&world, account, late).await.revenue_minor, 225);
    }
}

/// An hour that nobody counted because no scheduler led.
#[tokio::test(flavor = "multi_thread")]
async fn hours_without_a_scheduler_are_counted_by_the_next_one() {
    let world = world().await;
    let seller = world.buyer("seller of it", 0).await;
    publish(&world, &seller, 1, Expected::Accepted)
        .await
        .unwrap();
    let then = chrono::Utc::now() - chrono::TimeDelta::hours(100);
    world
        .force("update uploads set finished_at = finished_at - interval '100 hours'")
        .await;
    roll_up(&world).await;
    assert_eq!(hour_of(&world, None, then).await.uploads_completed, 1);
    world
        .force("delete from roll_ups where starts_at > now() - interval '101 hours'")
        .await;
    roll_up(&world).await;
    assert_eq!(hour_of(&world, None, then).await.uploads_completed, 1);
    let hours = periods(&world, None, Period::Hour).await;
    // The last one may have begun since.
    let (_, before) = hours.split_last().unwrap();
    assert!(before.iter().all(|hour| hour.counted_at.is_some()));
}
