//! What operators rely on: jobs have their file, metrics their reader, alerts their page.

use std::collections::BTreeSet;

use common::jobs::JobName;
use tests::metrics::Metrics;

use super::tree::{assert_none, read, root, text_files};

#[test]
fn every_job_has_the_handler_file_of_its_name() {
    let faults: Vec<String> = JobName::ALL
        .iter()
        .map(|job| format!("worker/src/handlers/{job}.rs"))
        .filter(|path| !root().join(path).exists())
        .collect();
    assert_none(&faults, "a job is found by its name");
}

#[test]
fn migrations_are_numbered_without_gaps() {
    let files = text_files().into_iter();
    let migrations: Vec<String> = files
        .filter_map(|file| file.path.strip_prefix("migrations/").map(str::to_owned))
        .filter(|name| name.ends_with(".sql"))
        .collect();
    assert!(!migrations.is_empty());
    for (at, name) in migrations.iter().enumerate() {
        let number = format!("{:04}_", at + 1);
        assert!(name.starts_with(&number), "{name} should be {number}...");
    }
}

/// The names of metrics in a text.
fn metrics_in(text: &str) -> BTreeSet<String> {
    let is_name = |symbol: char| symbol.is_ascii_alphanumeric() || symbol == '_';
    let words = text.split(|symbol| !is_name(symbol));
    words
        .filter(|word| word.starts_with("awareness_") || word.starts_with("marketplace_"))
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_metric_is_read_and_every_read_metric_exists() {
    let metrics = Metrics::declared();
    let declared = metrics.names();
    let files = text_files().into_iter();
    let operations = files.filter(|file| file.path.starts_with("ops/"));
    let read: BTreeSet<String> = operations
        .flat_map(|file| metrics_in(&file.text))
        .map(|name| metrics.metric_of(&name).unwrap_or(&name).to_owned())
        .collect();
    let unread: Vec<String> = declared.difference(&read).cloned().collect();
    assert_none(
        &unread,
        "an alert, a panel or ops/README.md uses each metric",
    );
    let unknown: Vec<String> = read.difference(&declared).cloned().collect();
    assert_none(&unknown, "ops/ names metrics that nobody declares");
}

#[test]
fn every_alert_has_its_page_and_its_test() {
    let rules = read("ops/prometheus/alerts.yml");
    let proofs = read("ops/prometheus/alerts_test.yml");
    let alerts: BTreeSet<&str> = rules
        .lines()
        .filter_map(|line| line.trim().strip_prefix("- alert: "))
        .collect();
    let mut faults = Vec::new();
    for alert in &alerts {
        let page = format!("ops/runbooks/{alert}.md");
        if !rules.contains(&format!("runbook: {page}\n")) {
            faults.push(format!("{alert} does not link {page}"));
        }
        if !proofs.contains(&format!("alertname: {alert}\n")) {
            faults.push(format!("{alert} has no case in alerts_test.yml"));
        }
    }
    let pages: BTreeSet<String> = text_files()
        .into_iter()
        .filter_map(|file| file.path.strip_prefix("ops/runbooks/").map(str::to_owned))
        .collect();
    let expected: BTreeSet<String> = alerts.iter().map(|alert| format!("{alert}.md")).collect();
    let apart = pages.symmetric_difference(&expected);
    faults.extend(apart.map(|page| format!("{page} is a page without an alert, or the reverse")));
    assert_none(&faults, "an alert says what to do");
}
