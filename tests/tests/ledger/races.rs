//! Many at once: nothing is spent twice, posted twice or lost on the way into a hot account.

use common::ids::UserId;
use common::ledger::{
    AccountKind, HoldEnd, LedgerError, Posting, fold, hold_in_tx, post_in_tx, release_hold_in_tx,
};
use futures::future::join_all;
use uuid::Uuid;

use super::market::{BUYER, Market, SELLER};

const RACERS: usize = 16;

async fn post(market: &Market, posting: Posting) -> Result<(), LedgerError> {
    let mut tx = common::db::begin(&market.pool).await?;
    post_in_tx(&mut tx, &posting, "USD", "req_race").await?;
    Ok(tx.commit().await?)
}

async fn hold(market: &Market, purchase: Uuid, amount_minor: i64) -> Result<(), LedgerError> {
    let mut tx = common::db::begin(&market.pool).await?;
    hold_in_tx(&mut tx, purchase, UserId(BUYER), amount_minor, "USD").await?;
    Ok(tx.commit().await?)
}

#[tokio::test(flavor = "multi_thread")]
async fn credits_for_ten_holds_are_held_ten_times_however_many_try() {
    let market = Market::open().await;
    // 30.00 are there.
    let tries = (0..RACERS).map(|_| hold(&market, Uuid::now_v7(), 300));
    let ends = join_all(tries).await;
    let held = ends.iter().filter(|end| end.is_ok()).count();
    let refused =
        |end: &Result<(), LedgerError>| matches!(end, Err(LedgerError::InsufficientCredits));
    let refused = ends.iter().filter(|end| refused(end)).count();
    assert_eq!((held, refused), (10, RACERS - 10), "{ends:?}");
    assert_eq!(market.available(BUYER, AccountKind::BuyerCredits).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_payment_tops_up_once_however_many_report_it() {
    let market = Market::open().await;
    let before = market.available(BUYER, AccountKind::BuyerCredits).await;
    let payment = Posting::top_up(Uuid::now_v7(), UserId(BUYER), 700);
    let ends = join_all((0..RACERS).map(|_| post(&market, payment.clone()))).await;
    let posted = ends.iter().filter(|end| end.is_ok()).count();
    let before_that = |end: &Result<(), LedgerError>| matches!(end, Err(LedgerError::PostedBefore));
    let repeated = ends.iter().filter(|end| before_that(end)).count();
    assert_eq!((posted, repeated), (1, RACERS - 1), "{ends:?}");
    let after = market.available(BUYER, AccountKind::BuyerCredits).await;
    assert_eq!(after, before + 700);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hold_is_given_back_once_however_many_release_it() {
    let market = Market::open().await;
    let before = market.available(BUYER, AccountKind::BuyerCredits).await;
    let purchase = Uuid::now_v7();
    hold(&market, purchase, 900).await.unwrap();
    let release = async || {
        let mut tx = common::db::begin(&market.pool).await.unwrap();
        let is_released = release_hold_in_tx(&mut tx, purchase, HoldEnd::Voided).await;
        tx.commit().await.unwrap();
        is_released.unwrap()
    };
    let ends = join_all((0..RACERS).map(|_| release())).await;
    assert_eq!(ends.iter().filter(|is_released| **is_released).count(), 1);
    let after = market.available(BUYER, AccountKind::BuyerCredits).await;
    assert_eq!(after, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_is_opened_once_however_many_need_it() {
    let market = Market::open().await;
    let user = UserId::new();
    let give = || post(&market, Posting::top_up(Uuid::now_v7(), user, 1));
    let ends = join_all((0..RACERS).map(|_| give())).await;
    assert!(ends.iter().all(Result::is_ok), "{ends:?}");
    let expected = i64::try_from(RACERS).unwrap();
    let available = market.available(user.0, AccountKind::BuyerCredits).await;
    assert_eq!(available, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn folding_while_others_post_loses_and_invents_nothing() {
    let market = Market::open().await;
    let before = market.available(SELLER, AccountKind::SellerEarnings).await;
    let posts = join_all((0..RACERS).map(async |_| {
        for _ in 0..20 {
            let payout = Posting::payout(Uuid::now_v7(), UserId(SELLER), 1);
            post(&market, payout).await.unwrap();
        }
    }));
    let folds = join_all((0..4).map(async |_| {
        let mut folded = 0;
        for _ in 0..60 {
            folded += fold(&market.pool, 7).await.unwrap();
        }
        folded
    }));
    let (_, folded) = tokio::join!(posts, folds);
    let rest = fold(&market.pool, i32::MAX).await.unwrap();
    // Each payout leaves two; two waited before.
    let left = i64::try_from(RACERS).unwrap() * 20 * 2 + 2;
    assert_eq!(folded.iter().sum::<i64>() + rest, left);
    let after = market.available(SELLER, AccountKind::SellerEarnings).await;
    assert_eq!(after, before - i64::try_from(RACERS).unwrap() * 20);
    let in_row = "select balance_minor from accounts where kind = 'seller_earnings'";
    assert_eq!(market.count(in_row).await, after);
}
