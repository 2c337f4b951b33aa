//! What these tests share: a sandbox, a client of it, and payments to make.

use std::time::Duration;

use common::cards::{Cards, Intent, NewIntent};
use common::config::CardConfig;
use common::reqwest;
use local::cards::{Sandbox, SandboxOptions};
use serde_json::Value;

/// Long enough for any answer on loopback, on a busy machine too.
pub const DEADLINE: Duration = Duration::from_secs(30);
/// Long enough for a request to be taken, short enough to wait for in vain.
pub const SHORT: Duration = Duration::from_secs(1);

/// A sandbox of its own and a client of it.
pub async fn sandbox() -> (Sandbox, Cards) {
    let sandbox = Sandbox::start(SandboxOptions::default()).await.unwrap();
    let cards = client(&sandbox.card_config());
    (sandbox, cards)
}

pub fn client(config: &CardConfig) -> Cards {
    Cards::new(config).unwrap().expect("cards are on")
}

/// A client that waits for a short time only.
pub fn impatient(sandbox: &Sandbox) -> Cards {
    client(&CardConfig {
        request_timeout: SHORT,
        ..sandbox.card_config()
    })
}

/// 20.00 dollars by that method.
pub fn payment<'a>(method: &str, key: &'a str) -> NewIntent<'a> {
    NewIntent {
        payment_method: Some(method.to_owned()),
        ..waiting_payment(key)
    }
}

/// 20.00 dollars by a method that the buyer chooses later.
pub fn waiting_payment(key: &str) -> NewIntent<'_> {
    NewIntent {
        amount_minor: 2000,
        currency: "USD",
        payment_method: None,
        idempotency_key: key,
        description: "Credits & more",
        metadata: &[],
    }
}

/// The one charge of the sandbox is of this intent.
pub fn assert_charged_once(sandbox: &Sandbox, intent: &Intent) {
    let charges = sandbox.charges();
    assert_eq!(charges.len(), 1, "{charges:?}");
    assert_eq!(charges[0].payment_intent, intent.id);
    assert_eq!(charges[0].amount_minor, intent.amount_minor);
    assert_eq!(intent.amount_received_minor, intent.amount_minor);
}

/// A POST as a buyer's browser or a curious developer makes it.
pub async fn post(sandbox: &Sandbox, path: &str, form: &str) -> (u16, Value) {
    common::tls::install_provider();
    let request = reqwest::Client::new()
        .post(format!("{}{path}", sandbox.url()))
        .bearer_auth(SandboxOptions::default().secret_key)
        .header("content-type", "application/x-www-form-urlencoded")
        .body(form.to_owned());
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}
