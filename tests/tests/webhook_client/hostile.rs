//! Receivers that mean harm: heads that never end, answers that would inflate, ways into our network.

use std::time::Duration;

use common::webhooks::client::Outcome;
use common::webhooks::failure::ErrorClass;

use super::webhook_receiver::{Receiver, Script};
use super::{ALLOWED, SHORT, class, client, client_with_timeouts, message, post, status};

#[tokio::test]
async fn a_head_that_never_ends_is_cut_in_the_header_phase() {
    let begun = "HTTP/1.1 200 OK\r\nx-more: and more\r\n";
    let receiver = Receiver::start(ALLOWED, Script::AnswerThenHold(begun.to_owned())).await;
    let client = client_with_timeouts(|timeouts| timeouts.headers = SHORT);
    let attempt = post(&client, &receiver.url()).await;
    assert_eq!(class(&attempt), Some(ErrorClass::TimeoutHeaders));
    assert_eq!(attempt.timings.first_byte, None);
}

#[tokio::test]
async fn a_compressed_answer_is_kept_as_it_came_and_never_inflated() {
    // A decoder would refuse these bytes, or make of others a thousand times as many.
    let body = "no gzip at all";
    let length = body.len();
    let answer = format!(
        "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: {length}\r\n\r\n{body}"
    );
    let receiver = Receiver::start(ALLOWED, Script::Answer(answer)).await;
    let attempt = post(&client(), &receiver.url()).await;
    assert_eq!(attempt.outcome, Outcome::Delivered { status: 200 });
    assert_eq!(attempt.response_excerpt.as_deref(), Some(body));
}

#[tokio::test]
async fn a_redirect_to_a_metadata_service_is_a_failure_like_any_other() {
    for target in [
        "http://169.254.169.254/latest/meta-data/",
        "http://[fd00:ec2::254]/",
        "file:///etc/passwd",
        "gopher://127.0.0.1:6379/_FLUSHALL",
    ] {
        let answer =
            format!("HTTP/1.1 302 Found\r\nlocation: {target}\r\ncontent-length: 0\r\n\r\n");
        let receiver = Receiver::start(ALLOWED, Script::Answer(answer)).await;
        let attempt = post(&client(), &receiver.url()).await;
        assert_eq!(class(&attempt), Some(ErrorClass::Redirect), "{target}");
        assert_eq!(status(&attempt), Some(302));
    }
}

#[tokio::test]
async fn a_message_may_have_less_time_than_the_client_gives() {
    let receiver = Receiver::start(ALLOWED, Script::AnswerThenHold(String::new())).await;
    let url = receiver.url();
    let mut hurried = message(&url, &[]);
    hurried.timeout = Duration::from_millis(50);
    let attempt = client().post(hurried).await;
    assert_eq!(class(&attempt), Some(ErrorClass::TimeoutHeaders));
}
