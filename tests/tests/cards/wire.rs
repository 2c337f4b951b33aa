//! What is on the wire, and answers that the sandbox does not give.

use std::time::Duration;

use common::cards::{CardError, Cards, Doubt, Intent};
use common::config::CardConfig;
use common::limits::CARD_ANSWER_BYTES_MAX;
use local::cards::SandboxOptions;

use super::ground::{SHORT, client, payment};
use crate::webhook_receiver::{Receiver, Script, ok};

const INTENT: &str = r#"{"id":"pi_1","object":"payment_intent","status":"succeeded","amount":2000,"amount_received":2000,"currency":"usd","client_secret":null,"last_payment_error":null,"metadata":{}}"#;

/// A client of whatever listens on the port.
async fn client_of(port: u16) -> Cards {
    let sandbox = local::cards::Sandbox::start(SandboxOptions::default())
        .await
        .unwrap();
    client(&CardConfig {
        base_url: format!("http://127.0.0.1:{port}/").parse().unwrap(),
        request_timeout: Duration::from_secs(30),
        ..sandbox.card_config()
    })
}

async fn pay(cards: &Cards) -> Result<Intent, CardError> {
    cards.create_intent(&payment("pm_card_visa", "key 1")).await
}

fn answer(head: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {head}\r\ncontent-length: {length}\r\n\r\n{body}")
}

#[tokio::test]
async fn a_request_carries_the_key_the_version_and_the_form_of_the_protocol() {
    let mut provider = Receiver::start("127.0.0.1", Script::Answer(ok(INTENT))).await;
    let cards = client_of(provider.port()).await;
    pay(&cards).await.unwrap();
    let request = provider.next_request().await;
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    let head = head.to_ascii_lowercase();
    assert!(
        head.starts_with("post /v1/payment_intents http/1.1\r\n"),
        "{head}"
    );
    for line in [
        "authorization: bearer sk_test_sandbox",
        "stripe-version: 2025-03-31.basil",
        "idempotency-key: key 1",
        "content-type: application/x-www-form-urlencoded",
    ] {
        assert!(
            head.lines().any(|sent| sent == line),
            "{line} is missing: {head}"
        );
    }
    assert_eq!(
        body,
        "amount=2000&currency=usd&description=Credits+%26+more\
         &automatic_payment_methods%5Benabled%5D=true\
         &automatic_payment_methods%5Ballow_redirects%5D=never\
         &payment_method=pm_card_visa&confirm=true"
    );

    cards.retrieve_intent("pi_1").await.unwrap();
    let request = provider.next_request().await;
    assert!(
        request.starts_with("GET /v1/payment_intents/pi_1 HTTP/1.1\r\n"),
        "{request}"
    );
    cards.cancel_intent("pi/1?x").await.unwrap();
    let request = provider.next_request().await;
    assert!(
        request.starts_with("POST /v1/payment_intents/pi%2F1%3Fx/cancel HTTP/1.1\r\n"),
        "{request}"
    );
    assert_eq!(provider.connections(), 1, "the connection is kept");
}

#[tokio::test]
async fn without_a_connection_nothing_was_sent() {
    let provider = Receiver::start("127.0.0.1", Script::Reset).await;
    let port = provider.port();
    provider.stop().await;
    let error = pay(&client_of(port).await).await.unwrap_err();
    assert!(matches!(error, CardError::NotSent(_)), "{error:?}");
}

#[tokio::test]
async fn a_handshake_that_never_ends_sent_nothing() {
    // Takes connections and says nothing, so that TLS is never agreed on.
    let provider = Receiver::start("127.0.0.1", Script::AnswerThenHold(String::new())).await;
    let sandbox = local::cards::Sandbox::start(SandboxOptions::default())
        .await
        .unwrap();
    let cards = client(&CardConfig {
        base_url: format!("https://127.0.0.1:{}", provider.port())
            .parse()
            .unwrap(),
        connect_timeout: SHORT,
        ..sandbox.card_config()
    });
    let error = pay(&cards).await.unwrap_err();
    assert!(matches!(error, CardError::NotSent(_)), "{error:?}");
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_unknown_and_nothing_is_sent_again() {
    let cut = "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"id\":";
    for script in [
        Script::Reset,
        Script::AnswerThenClose(String::new()),
        Script::AnswerThenClose("HTTP/1.1 200 OK\r\n".to_owned()),
        Script::AnswerThenClose(cut.to_owned()),
        Script::AnswerThenClose("220 mail ready\r\n\r\n".to_owned()),
    ] {
        let provider = Receiver::start("127.0.0.1", script.clone()).await;
        let error = pay(&client_of(provider.port()).await).await.unwrap_err();
        assert!(
            matches!(error, CardError::Unknown(Doubt::Lost(_))),
            "{script:?}: {error:?}"
        );
        assert_eq!(provider.connections(), 1, "{script:?}");
    }
}

#[tokio::test]
async fn an_answer_that_cannot_be_read_is_unknown() {
    let huge = format!("{INTENT}{}", " ".repeat(CARD_ANSWER_BYTES_MAX));
    for body in ["", "<html>", "{}", "[]", r#"{"object":"list"}"#, &huge] {
        let provider = Receiver::start("127.0.0.1", Script::AnswerThenHold(ok(body))).await;
        let error = pay(&client_of(provider.port()).await).await.unwrap_err();
        assert!(
            matches!(error, CardError::Unknown(Doubt::Unreadable(200))),
            "{error:?}"
        );
    }
    let gateway = answer("403 Forbidden", "<html>not the provider</html>");
    let provider = Receiver::start("127.0.0.1", Script::Answer(gateway)).await;
    let error = pay(&client_of(provider.port()).await).await.unwrap_err();
    assert!(
        matches!(error, CardError::Unknown(Doubt::Unreadable(403))),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_says_nothing() {
    let target = Receiver::start("127.0.0.1", Script::Answer(ok(INTENT))).await;
    for status in [301, 302, 303, 307, 308] {
        let head = format!("{status} Moved\r\nlocation: {}", target.url());
        let provider = Receiver::start("127.0.0.1", Script::Answer(answer(&head, ""))).await;
        let error = pay(&client_of(provider.port()).await).await.unwrap_err();
        assert!(
            matches!(error, CardError::Unknown(Doubt::Status(s)) if s == status),
            "{error:?}"
        );
    }
    assert_eq!(target.connections(), 0);
}

#[tokio::test]
async fn a_rate_limit_says_how_long_to_wait_up_to_ten_minutes() {
    for (header, expected) in [
        ("\r\nretry-after: 7", Some(7)),
        ("\r\nretry-after: 86400", Some(600)),
        ("\r\nretry-after: soon", None),
        ("", None),
    ] {
        let head = format!("429 Too Many Requests{header}");
        let provider = Receiver::start("127.0.0.1", Script::Answer(answer(&head, "{}"))).await;
        let error = pay(&client_of(provider.port()).await).await.unwrap_err();
        let CardError::RateLimited { retry_after } = error else {
            panic!("{error:?}")
        };
        assert_eq!(retry_after, expected.map(Duration::from_secs), "{header:?}");
    }
}

#[tokio::test]
async fn a_key_that_fits_into_no_header_is_refused_unsent() {
    let provider = Receiver::start("127.0.0.1", Script::Answer(ok(INTENT))).await;
    let cards = client_of(provider.port()).await;
    let error = cards
        .create_intent(&payment("pm_card_visa", "two\nlines"))
        .await
        .unwrap_err();
    assert!(
        matches!(error, CardError::Refused { status: 400, .. }),
        "{error:?}"
    );
    assert_eq!(provider.connections(), 0);
}
