//! The webhook client against real receivers on the loopback: what arrives, and what never leaves.
#![expect(clippy::unwrap_used, reason = "a failed step of a test fails the test")]

#[path = "webhook_client/hostile.rs"]
mod hostile;
#[path = "webhook_client/names.rs"]
mod names;
mod webhook_receiver;

use std::collections::VecDeque;
use std::io;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use common::webhooks::address::Policy;
use common::webhooks::client::{Attempt, Client, Message, Outcome, Settings, Timeouts};
use common::webhooks::failure::ErrorClass;
use common::webhooks::resolve::Resolve;
use common::webhooks::{RESPONSE_EXCERPT_BYTES_MAX, RESPONSE_READ_BYTES_MAX};
use futures::future::BoxFuture;
use tokio::process::Command;
use webhook_receiver::{Receiver, Script, ok};

/// The one address that the policy of these tests allows; the rest of 127.0.0.0/8 is refused.
const ALLOWED: &str = "127.0.0.1";
const REFUSED: &str = "127.0.0.2";
const BODY: &[u8] = br#"{"event":"upload.completed"}"#;
const SHORT: Duration = Duration::from_millis(200);
const LONG: Duration = Duration::from_secs(30);

/// Gives each look-up the next answer of the list; the last one stays.
#[derive(Debug)]
struct Scripted(Mutex<VecDeque<Vec<IpAddr>>>);

impl Scripted {
    fn new(answers: &[&[&str]]) -> Arc<Self> {
        let parse = |answer: &&[&str]| answer.iter().map(|ip| ip.parse().unwrap()).collect();
        Arc::new(Self(Mutex::new(answers.iter().map(parse).collect())))
    }
}

impl Resolve for Scripted {
    fn resolve(&self, _host: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        let mut answers = self.0.lock().unwrap();
        let answer = match answers.len() {
            0 | 1 => answers.front().cloned(),
            _ => answers.pop_front(),
        };
        let error = io::Error::other("no such host");
        Box::pin(std::future::ready(answer.ok_or(error)))
    }
}

fn message<'a>(url: &'a str, headers: &'a [(String, String)]) -> Message<'a> {
    Message {
        url,
        headers,
        body: BODY.into(),
        timeout: LONG,
    }
}

fn settings() -> Settings {
    let policy = Policy {
        allow_http: true,
        allow_list: "127.0.0.1/32".parse().unwrap(),
    };
    let timeouts = Timeouts {
        resolve: LONG,
        connect: LONG,
        headers: LONG,
        total: LONG,
    };
    Settings {
        timeouts,
        ..Settings::new(policy)
    }
}

fn client() -> Client {
    Client::new(settings()).unwrap()
}

fn client_with_timeouts(adjust: impl FnOnce(&mut Timeouts)) -> Client {
    let mut settings = settings();
    adjust(&mut settings.timeouts);
    Client::new(settings).unwrap()
}

fn client_resolving(resolver: Arc<dyn Resolve>) -> Client {
    Client::new(Settings {
        resolver,
        ..settings()
    })
    .unwrap()
}

async fn post(client: &Client, url: &str) -> Attempt {
    client.post(message(url, &[])).await
}

fn class(attempt: &Attempt) -> Option<ErrorClass> {
    match attempt.outcome {
        Outcome::Delivered { .. } => None,
        Outcome::Refused { class, .. } => Some(class),
    }
}

fn status(attempt: &Attempt) -> Option<u16> {
    match attempt.outcome {
        Outcome::Delivered { status } => Some(status),
        Outcome::Refused { status, .. } => status,
    }
}

#[tokio::test]
async fn a_delivery_sends_the_exact_body_with_our_headers() {
    let mut receiver = Receiver::start(ALLOWED, Script::Answer(ok("thanks"))).await;
    let headers = [("webhook-id".to_owned(), "msg_1".to_owned())];
    let attempt = client().post(message(&receiver.url(), &headers)).await;
    assert_eq!(attempt.outcome, Outcome::Delivered { status: 200 });
    assert_eq!(attempt.response_excerpt.as_deref(), Some("thanks"));

    let request = receiver.next_request().await;
    let request = request.to_ascii_lowercase();
    assert!(request.starts_with("post /hook http/1.1\r\n"), "{request}");
    assert!(request.ends_with(std::str::from_utf8(BODY).unwrap()));
    for line in [
        "user-agent: awareness-webhooks/",
        "accept-encoding: identity\r\n",
        "content-type: application/json\r\n",
        "webhook-id: msg_1\r\n",
    ] {
        assert!(request.contains(line), "{line} is missing from {request}");
    }
}

#[tokio::test]
async fn deliveries_to_one_receiver_share_a_connection() {
    let receiver = Receiver::start(ALLOWED, Script::Answer(ok(""))).await;
    let client = client();
    for _ in 0..3 {
        assert_eq!(class(&post(&client, &receiver.url()).await), None);
    }
    assert_eq!(receiver.connections(), 1);
}

#[tokio::test]
async fn a_redirect_is_a_failure_and_its_target_is_never_contacted() {
    let target = Receiver::start(ALLOWED, Script::Answer(ok(""))).await;
    for status_code in [301, 302, 303, 307, 308] {
        let answer = format!(
            "HTTP/1.1 {status_code} Moved\r\nlocation: {}\r\ncontent-length: 0\r\n\r\n",
            target.url()
        );
        let receiver = Receiver::start(ALLOWED, Script::Answer(answer)).await;
        let attempt = post(&client(), &receiver.url()).await;
        assert_eq!(class(&attempt), Some(ErrorClass::Redirect));
        assert_eq!(status(&attempt), Some(status_code));
        let Outcome::Refused { detail, .. } = attempt.outcome else {
            unreachable!("a redirect was refused above")
        };
        assert!(detail.contains(&target.url()), "{detail}");
    }
    assert_eq!(target.connections(), 0);
}

#[tokio::test]
async fn proxy_settings_of_the_environment_are_ignored() {
    let proxy = Receiver::start(ALLOWED, Script::Answer(ok(""))).await;
    let delivery_in_a_process_with_a_proxy = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "a_delivery_sends_the_exact_body_with_our_headers",
        ])
        .env("http_proxy", proxy.url())
        .env("all_proxy", proxy.url())
        .env_remove("no_proxy")
        .env_remove("NO_PROXY")
        .output();
    let output = delivery_in_a_process_with_a_proxy.await.unwrap();
    let report = String::from_utf8(output.stdout).unwrap();
    assert!(report.contains("1 passed"), "{report}");
    assert_eq!(proxy.connections(), 0);
}

#[tokio::test]
async fn a_bad_status_carries_the_receivers_retry_hint() {
    let answer = "HTTP/1.1 503 Busy\r\nretry-after: 120\r\ncontent-length: 4\r\n\r\nbusy";
    let receiver = Receiver::start(ALLOWED, Script::Answer(answer.to_owned())).await;
    let attempt = post(&client(), &receiver.url()).await;
    let Outcome::Refused {
        class,
        status,
        retry_after,
        ..
    } = attempt.outcome
    else {
        panic!("503 is no success")
    };
    assert_eq!((class, status), (ErrorClass::Status, Some(503)));
    assert_eq!(retry_after, Some(Duration::from_secs(120)));
    assert_eq!(attempt.response_excerpt.as_deref(), Some("busy"));
}

#[tokio::test]
async fn a_receiver_that_never_answers_times_out_in_the_header_phase() {
    let receiver = Receiver::start(ALLOWED, Script::AnswerThenHold(String::new())).await;
    let client = client_with_timeouts(|timeouts| timeouts.headers = SHORT);
    let attempt = post(&client, &receiver.url()).await;
    assert_eq!(class(&attempt), Some(ErrorClass::TimeoutHeaders));
    assert_eq!(status(&attempt), None);
}

#[tokio::test]
async fn a_body_that_never_ends_times_out_and_is_no_delivery() {
    let begun = "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nbegun";
    let receiver = Receiver::start(ALLOWED, Script::AnswerThenHold(begun.to_owned())).await;
    let client = client_with_timeouts(|timeouts| timeouts.total = SHORT);
    let attempt = post(&client, &receiver.url()).await;
    assert_eq!(class(&attempt), Some(ErrorClass::TimeoutBody));
    assert_eq!(status(&attempt), Some(200));
    assert_eq!(attempt.response_excerpt.as_deref(), Some("begun"));
}

#[tokio::test]
async fn a_huge_body_is_cut_and_the_connection_closed_without_waiting_for_the_rest() {
    let begun = "x".repeat(RESPONSE_READ_BYTES_MAX);
    let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: 1073741824\r\n\r\n{begun}");
    let mut receiver = Receiver::start(ALLOWED, Script::AnswerThenHold(answer)).await;
    let attempt = post(&client(), &receiver.url()).await;
    assert_eq!(attempt.outcome, Outcome::Delivered { status: 200 });
    let excerpt = attempt.response_excerpt.unwrap();
    assert_eq!(excerpt, "x".repeat(RESPONSE_EXCERPT_BYTES_MAX));
    receiver.closed_by_peer().await;
}

#[tokio::test]
async fn a_connection_cut_before_or_inside_the_answer_is_a_reset() {
    let inside = "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nbegun";
    for script in [
        Script::Reset,
        Script::AnswerThenClose(String::new()),
        Script::AnswerThenClose("HTTP/1.1 200 OK\r\n".to_owned()),
        Script::AnswerThenClose(inside.to_owned()),
    ] {
        let receiver = Receiver::start(ALLOWED, script).await;
        let attempt = post(&client(), &receiver.url()).await;
        assert_eq!(class(&attempt), Some(ErrorClass::Reset), "{attempt:?}");
        assert_eq!(receiver.connections(), 1, "sent again behind our back");
    }
}

#[tokio::test]
async fn answers_that_are_not_http_or_have_too_many_headers_have_their_own_classes() {
    let crowded = format!("HTTP/1.1 200 OK\r\n{}\r\n", "a: b\r\n".repeat(200));
    for (answer, expected) in [
        ("220 mail ready\r\n\r\n".to_owned(), ErrorClass::Protocol),
        (crowded, ErrorClass::ResponseTooLarge),
    ] {
        let receiver = Receiver::start(ALLOWED, Script::AnswerThenClose(answer)).await;
        let attempt = post(&client(), &receiver.url()).await;
        assert_eq!(class(&attempt), Some(expected), "{attempt:?}");
    }
}

#[tokio::test]
async fn a_closed_port_refuses_the_connection() {
    let url = Receiver::start(ALLOWED, Script::Reset).await.stop().await;
    let attempt = post(&client(), &url).await;
    assert_eq!(class(&attempt), Some(ErrorClass::ConnectRefused));
}

#[tokio::test]
async fn a_handshake_that_never_happens_is_a_connect_timeout() {
    let receiver = Receiver::start(ALLOWED, Script::AnswerThenHold(String::new())).await;
    let client = client_with_timeouts(|timeouts| {
        timeouts.resolve = Duration::ZERO;
        timeouts.connect = SHORT;
    });
    let attempt = post(&client, &receiver.url().replace("http:", "https:")).await;
    assert_eq!(class(&attempt), Some(ErrorClass::ConnectTimeout));
}

#[tokio::test]
async fn a_certificate_is_believed_only_when_its_issuer_is_trusted_and_its_name_fits() {
    let (receiver, certificate) = Receiver::start_tls(ALLOWED, "receiver.test").await;
    let https_client = |trusted: bool| {
        let mut settings = Settings {
            resolver: Scripted::new(&[&[ALLOWED]]),
            ..settings()
        };
        if trusted {
            settings.roots.add(certificate.clone()).unwrap();
        }
        Client::new(settings).unwrap()
    };
    let url = |host: &str| format!("https://{host}:{}/hook", receiver.port());

    let believed = post(&https_client(true), &url("receiver.test")).await;
    assert_eq!(believed.outcome, Outcome::Delivered { status: 200 });
    let unknown_issuer = post(&https_client(false), &url("receiver.test")).await;
    assert_eq!(class(&unknown_issuer), Some(ErrorClass::Tls));
    let wrong_name = post(&https_client(true), &url("other.test")).await;
    assert_eq!(class(&wrong_name), Some(ErrorClass::Tls));
}

#[tokio::test]
async fn a_private_address_is_refused_without_any_connection() {
    let receiver = Receiver::start(REFUSED, Script::Answer(ok(""))).await;
    let named = format!("http://receiver.test:{}/", receiver.port());
    let resolving = client_resolving(Scripted::new(&[&[REFUSED]]));
    for (client, url) in [(&client(), receiver.url()), (&resolving, named)] {
        let attempt = post(client, &url).await;
        assert_eq!(class(&attempt), Some(ErrorClass::BlockedAddress), "{url}");
        assert_eq!(attempt.response_excerpt, None);
    }
    assert_eq!(receiver.connections(), 0);
}

#[tokio::test]
async fn a_name_that_moves_to_a_private_address_is_refused_at_the_next_connection() {
    let script = Script::AnswerThenClose(ok(""));
    let allowed = Receiver::start(ALLOWED, script).await;
    let refused = Receiver::start_on(REFUSED, allowed.port(), Script::Answer(ok(""))).await;
    let client = client_resolving(Scripted::new(&[&[ALLOWED], &[REFUSED]]));
    let url = format!("http://receiver.test:{}/", allowed.port());

    assert_eq!(class(&post(&client, &url).await), None);
    let moved = post(&client, &url).await;
    assert_eq!(class(&moved), Some(ErrorClass::BlockedAddress));
    assert_eq!((allowed.connections(), refused.connections()), (1, 0));
}

#[tokio::test]
async fn one_private_answer_among_others_refuses_the_host() {
    let allowed = Receiver::start(ALLOWED, Script::Answer(ok(""))).await;
    let odd_port = format!("http://receiver.test:{}/", allowed.port());
    for (url, answers) in [
        (odd_port.as_str(), [ALLOWED, REFUSED]),
        ("https://receiver.test/", ["1.1.1.1", "10.0.0.1"]),
        (
            "https://receiver.test/",
            ["2606:4700::1111", "::ffff:10.0.0.1"],
        ),
        ("https://receiver.test/", ["1.1.1.1", "169.254.169.254"]),
    ] {
        let client = client_resolving(Scripted::new(&[&answers]));
        let attempt = post(&client, url).await;
        assert_eq!(
            class(&attempt),
            Some(ErrorClass::BlockedAddress),
            "{answers:?}"
        );
    }
    assert_eq!(allowed.connections(), 0);
}

#[tokio::test]
async fn a_public_answer_on_an_unusual_port_is_refused() {
    let client = client_resolving(Scripted::new(&[&["1.1.1.1"]]));
    let attempt = post(&client, "https://receiver.test:22/").await;
    assert_eq!(class(&attempt), Some(ErrorClass::BlockedAddress));
}

#[tokio::test]
async fn an_allow_listed_address_is_reached_by_name_through_the_system_resolver() {
    let receiver = Receiver::start(ALLOWED, Script::Answer(ok(""))).await;
    let mut settings = settings();
    settings.policy.allow_list = "127.0.0.0/8,::1/128".parse().unwrap();
    let client = Client::new(settings).unwrap();
    let attempt = post(&client, &format!("http://localhost:{}/", receiver.port())).await;
    assert_eq!(attempt.outcome, Outcome::Delivered { status: 200 });
}
