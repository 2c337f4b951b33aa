//! What clients send becomes no label of a metric: labels are closed sets.

use std::collections::BTreeSet;

use common::reqwest::Method;
use common::telemetry::metrics;
use tests::World;
use tests::client::send;

use super::routes::{camel_case, served};

const METHODS: [&str; 10] = [
    "GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "CONNECT", "TRACE", "other",
];

/// The name and value of each label in the text that Prometheus reads.
fn labels() -> BTreeSet<(String, String)> {
    let text = metrics().render();
    let series = text.lines().filter(|line| !line.starts_with('#'));
    let labels = series.filter_map(|line| Some(line.split_once('{')?.1.rsplit_once('}')?.0));
    labels
        .flat_map(|labels| labels.split("\","))
        .map(|label| {
            let (name, value) = label.split_once("=\"").expect("a label has a value");
            (name.to_owned(), value.trim_end_matches('"').to_owned())
        })
        .collect()
}

/// Whether it is a word that we wrote.
fn is_word(value: &str) -> bool {
    (1..=40).contains(&value.len())
        && value.bytes().all(|byte| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-.+".contains(&byte)
        })
}

#[tokio::test(flavor = "multi_thread")]
async fn what_clients_send_becomes_no_label_of_a_metric() {
    let world = World::only_api().await;
    let served = served();
    let routes: BTreeSet<&str> = served.iter().map(|(_, path)| path.as_str()).collect();
    for (number, (method, path)) in served.iter().enumerate() {
        let text = format!("hostile{number}");
        let path = path.replace('{', &text).replace('}', "");
        for method in [method.to_uppercase(), text.to_uppercase()] {
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            let request = world
                .seller
                .request(method, &format!("{path}?{text}={text}"))
                .header("user-agent", &text)
                .header("origin", &text)
                .header("prefer", &text)
                .header("idempotency-key", &text)
                .header("accept", format!("application/vnd.awareness.{text}+json"))
                .json(&serde_json::json!({ &text: text }));
            send(request).await;
        }
    }
    let labels = labels();
    assert!(labels.len() > 50, "{labels:?}");
    for (name, value) in labels {
        let is_known = match name.as_str() {
            "method" => METHODS.contains(&value.as_str()),
            "route" if value == "none" => true,
            "route" => {
                let template = camel_case(&value);
                let trimmed = template.trim_end_matches('/');
                routes.contains(trimmed) || routes.contains(template.as_str())
            }
            "le" => value == "+Inf" || value.parse::<f64>().is_ok(),
            // The most frequent capabilities of the market, no more than `MARKET_LABELS_MAX`.
            "capability" => value.split(' ').all(is_word),
            _ => is_word(&value),
        };
        assert!(
            is_known && !value.contains("hostile"),
            "{name}={value} comes from a client"
        );
    }
}
