//! What the services read from their environment, and what `stack.env` tells everybody else.

use std::fmt::Write;

use super::home::{Memory, Ports};
use crate::accounts::ApiKeys;
use crate::github::{CLIENT_ID, CLIENT_SECRET};

/// The bucket of the stack.
pub(super) const BUCKET: &str = "awareness";

/// `http://127.0.0.1:<port>`.
pub(super) fn url(port: u16) -> String {
    format!("http://{}", listen(port))
}

fn listen(port: u16) -> String {
    format!("127.0.0.1:{port}")
}

/// The same environment for all three services.
pub(super) fn of_services(
    memory: &Memory,
    database_url: &str,
    redis_url: &str,
) -> Vec<(String, String)> {
    let Ports {
        api,
        api_ops,
        worker_ops,
        scheduler_ops,
        s3,
        cards,
        github,
        ..
    } = memory.ports;
    let pairs = [
        ("DATABASE_URL", database_url.to_owned()),
        ("DB_POOL_MIN", "5".to_owned()),
        ("DB_POOL_MAX", "20".to_owned()),
        ("REDIS_URL", redis_url.to_owned()),
        ("REDIS_PREFIX", "awareness".to_owned()),
        ("S3_ENDPOINT", url(s3)),
        ("S3_REGION", "us-east-1".to_owned()),
        ("S3_BUCKET", BUCKET.to_owned()),
        ("S3_ACCESS_KEY", memory.s3_access_key.clone()),
        ("S3_SECRET_KEY", memory.s3_secret_key.clone()),
        ("AWARENESS_MASTER_KEY", memory.master_key.clone()),
        ("AWARENESS_SIGNING_KEY", memory.signing_key.clone()),
        ("AWARENESS_ADMIN_TOKEN", memory.admin_token.clone()),
        ("PUBLIC_BASE_URL", url(api)),
        ("API_LISTEN", listen(api)),
        ("API_OPS_LISTEN", listen(api_ops)),
        ("WORKER_OPS_LISTEN", listen(worker_ops)),
        ("SCHEDULER_OPS_LISTEN", listen(scheduler_ops)),
        ("TRUSTED_IPS", "127.0.0.1/32".to_owned()),
        ("WEBHOOK_ALLOWED_CIDRS", "127.0.0.0/8".to_owned()),
        ("WEBHOOK_ALLOW_HTTP", "true".to_owned()),
        ("STRIPE_SECRET_KEY", memory.card_key.clone()),
        ("STRIPE_WEBHOOK_SECRET", memory.card_webhook_secret.clone()),
        ("STRIPE_BASE_URL", url(cards)),
        ("GITHUB_CLIENT_ID", CLIENT_ID.to_owned()),
        ("GITHUB_CLIENT_SECRET", CLIENT_SECRET.to_owned()),
        ("GITHUB_BASE_URL", url(github)),
        ("GITHUB_API_URL", url(github)),
        ("LOG_FORMAT", "json".to_owned()),
    ];
    pairs
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

/// The contents of `stack.env`: `KEY=value` lines that a shell can source.
pub(super) fn stack_env(
    memory: &Memory,
    keys: &ApiKeys,
    database_url: &str,
    redis_url: &str,
) -> String {
    let Ports {
        api,
        api_ops,
        worker_ops,
        scheduler_ops,
        receiver,
        s3,
        cards,
        github,
        ..
    } = memory.ports;
    let pairs = [
        ("AWARENESS_BASE_URL", url(api)),
        ("AWARENESS_API_KEY", keys.seller.clone()),
        ("AWARENESS_BUYER_API_KEY", keys.buyer.clone()),
        ("AWARENESS_ADMIN_TOKEN", memory.admin_token.clone()),
        ("AWARENESS_MASTER_KEY", memory.master_key.clone()),
        ("DATABASE_URL", database_url.to_owned()),
        ("REDIS_URL", redis_url.to_owned()),
        ("S3_ENDPOINT", url(s3)),
        ("S3_BUCKET", BUCKET.to_owned()),
        ("S3_ACCESS_KEY", memory.s3_access_key.clone()),
        ("S3_SECRET_KEY", memory.s3_secret_key.clone()),
        ("API_OPS_URL", url(api_ops)),
        ("WORKER_OPS_URL", url(worker_ops)),
        ("SCHEDULER_OPS_URL", url(scheduler_ops)),
        ("WEBHOOK_RECEIVER_URL", url(receiver)),
        ("CARD_SANDBOX_URL", url(cards)),
        ("GITHUB_SANDBOX_URL", url(github)),
        ("STRIPE_SECRET_KEY", memory.card_key.clone()),
    ];
    pairs.iter().fold(String::new(), |mut text, (name, value)| {
        // Writing to a string does not fail.
        let _ = writeln!(text, "{name}={}", quoted(value));
        text
    })
}

/// The value as a shell reads it back: bare when it is plain, else in single quotes.
fn quoted(value: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./:@%+,=".contains(c);
    if !value.is_empty() && value.chars().all(plain) {
        return value.to_owned();
    }
    format!("'{}'", value.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_reads_back_what_was_quoted() {
        for value in ["plain-1.0:/@", "", "two words", "it's $HOME `x` \"y\" \\"] {
            let script = format!("v={}; printf %s \"$v\"", quoted(value));
            let output = std::process::Command::new("/bin/sh")
                .args(["-c", &script])
                .output()
                .unwrap();
            assert_eq!(String::from_utf8(output.stdout).unwrap(), value);
        }
    }
}
