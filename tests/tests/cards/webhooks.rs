//! The sandbox's webhooks, read as the product reads the provider's.

use std::net::SocketAddr;
use std::time::Duration;

use axum::http::StatusCode;
use chrono::Utc;
use common::cards::Cards;
use common::cards::webhook::{Event, WebhookError, verify};
use local::cards::{Outcome, Sandbox, method};
use local::receiver::{Received, Receiver};

use super::ground::{DEADLINE, payment, sandbox, waiting_payment};

/// A sandbox that sends its webhooks to a receiver.
async fn told_to_a_receiver() -> (Sandbox, Cards, Receiver) {
    let (sandbox, cards) = sandbox().await;
    let any_port = SocketAddr::from(([127, 0, 0, 1], 0));
    let receiver = Receiver::start(any_port).await.unwrap();
    sandbox.send_webhooks_to(Some(format!("{}/stripe", receiver.url())));
    (sandbox, cards, receiver)
}

/// The first deliveries, verified.
async fn deliveries(receiver: &Receiver, count: u64) -> Vec<Event> {
    let last = receiver.wait_for(|delivery| delivery.number == count);
    tokio::time::timeout(DEADLINE, last).await.unwrap();
    let received = receiver.received().into_iter().take(count as usize);
    received
        .map(|delivery| read(&delivery, "whsec_sandbox").unwrap())
        .collect()
}

fn read(delivery: &Received, secret: &str) -> Result<Event, WebhookError> {
    let header = &delivery.headers["stripe-signature"];
    verify(&secret.into(), header, delivery.text.as_bytes(), Utc::now())
}

fn kinds(events: &[Event]) -> Vec<&str> {
    let kinds = events.iter().map(|event| event.kind.as_str());
    kinds
        .map(|kind| kind.trim_start_matches("payment_intent."))
        .collect()
}

#[tokio::test]
async fn every_step_of_a_payment_is_told_in_order_and_signed() {
    let (sandbox, cards, receiver) = told_to_a_receiver().await;
    let paid = cards
        .create_intent(&payment(method::VISA, "1"))
        .await
        .unwrap();
    cards
        .create_intent(&payment(method::DECLINED, "2"))
        .await
        .unwrap_err();
    let acts = payment(method::AUTHENTICATION_REQUIRED, "3");
    let acts = cards.create_intent(&acts).await.unwrap();
    sandbox.release(&acts.id, Outcome::Fail).await.unwrap();
    let late = cards
        .create_intent(&payment(method::LATE, "4"))
        .await
        .unwrap();
    sandbox.release(&late.id, Outcome::Succeed).await.unwrap();
    let waits = cards.create_intent(&waiting_payment("5")).await.unwrap();
    cards.cancel_intent(&waits.id).await.unwrap();

    let events = deliveries(&receiver, 12).await;
    assert_eq!(
        kinds(&events),
        [
            "created",
            "succeeded",
            "created",
            "payment_failed",
            "created",
            "requires_action",
            "payment_failed",
            "created",
            "processing",
            "succeeded",
            "created",
            "canceled",
        ]
    );
    let about = |index: usize| events[index].intent_id.as_deref();
    assert_eq!([about(0), about(1)], [Some(paid.id.as_str()); 2]);
    assert_eq!(about(9), Some(late.id.as_str()));
    assert_eq!(about(11), Some(waits.id.as_str()));
    let first = &receiver.received()[0];
    assert_eq!(read(first, "whsec_other"), Err(WebhookError::Signature));
}

#[tokio::test]
async fn a_webhook_may_come_twice_and_before_what_was_earlier() {
    let (sandbox, cards, receiver) = told_to_a_receiver().await;
    cards
        .create_intent(&payment(method::TWICE, "twice"))
        .await
        .unwrap();
    let events = deliveries(&receiver, 3).await;
    assert_eq!(kinds(&events), ["succeeded", "created", "succeeded"]);
    assert_eq!(events[0], events[2], "the same event, with the same id");
    assert_ne!(events[0].id, events[1].id);
    assert_eq!(sandbox.charges().len(), 1);
}

#[tokio::test]
async fn a_webhook_comes_again_until_it_is_taken() {
    let (_sandbox, cards, receiver) = told_to_a_receiver().await;
    receiver.set_answer(StatusCode::NOT_FOUND);
    cards
        .create_intent(&waiting_payment("refused"))
        .await
        .unwrap();
    deliveries(&receiver, 2).await;
    receiver.set_answer(StatusCode::OK);
    let taken = receiver.wait_for(|delivery| delivery.answered == 200);
    let taken = tokio::time::timeout(DEADLINE, taken).await.unwrap();
    let all = receiver.received();
    assert!(all.iter().all(|delivery| delivery.text == all[0].text));
    read(&taken, "whsec_sandbox").unwrap();
    // Whatever is told next comes next: the first is not sent any more.
    cards.create_intent(&waiting_payment("next")).await.unwrap();
    let next = receiver.wait_for(|delivery| delivery.text != all[0].text);
    let next = tokio::time::timeout(DEADLINE, next).await.unwrap();
    assert_eq!(next.number, taken.number + 1);
}

#[tokio::test]
async fn a_sandbox_that_stops_hangs_up_on_whom_it_keeps_waiting() {
    let (sandbox, cards) = sandbox().await;
    let silent = payment(method::TIMEOUT, "silent");
    let waiting = tokio::spawn(async move { cards.create_intent(&silent).await });
    tests::eventually("the charge", || async {
        (sandbox.charges().len() == 1).then_some(())
    })
    .await;
    tokio::time::timeout(Duration::from_secs(10), sandbox.stop())
        .await
        .unwrap();
    waiting.await.unwrap().unwrap_err();
}
