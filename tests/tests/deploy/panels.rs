//! The panels of the dashboards: their queries against promtool and the code, and what they tell an operator.

use std::collections::BTreeSet;
use std::fs;
use std::process::Output;

use serde_json::json;
use tests::metrics::Metrics;
use tests::promql::Query;
use tests::tree::{assert_none, read, rust_files};

use super::dashboard::{Panel, dashboards};
use crate::{accepted, run};

/// The data source that is chosen at the head of a dashboard.
const SOURCE: &str = "${source}";
/// Grafana puts a range in its place that fits the width of the panel.
const RANGE: &str = "$__rate_interval";
/// The width of a dashboard, in Grafana's columns.
const COLUMNS: u32 = 24;
/// Labels whose values are HTTP's, not ours.
const HTTP_LABELS: [&str; 2] = ["method", "status"];
/// Members whose metrics are collected.
const MEASURED: [&str; 4] = ["api/", "common/", "scheduler/", "worker/"];

/// What queries may name.
struct Known {
    metrics: Metrics,
    /// Texts in which each value of a label stands in quotes.
    sources: Vec<String>,
}

impl Known {
    fn read() -> Self {
        let is_measured = |path: &str| MEASURED.iter().any(|member| path.starts_with(member));
        let files = rust_files().into_iter();
        let measured = files.filter(|file| is_measured(&file.path));
        let scraped = read("ops/prometheus/prometheus.yml");
        let services = scraped
            .lines()
            .filter_map(|line| line.split_once("job_name: "));
        let services = services.map(|(_, name)| format!("\"{name}\""));
        Self {
            metrics: Metrics::declared(),
            sources: measured.map(|file| file.text).chain(services).collect(),
        }
    }

    /// What is wrong with a panel.
    fn faults(&self, panel: &Panel) -> Vec<String> {
        let about = &panel.description;
        let ids: BTreeSet<&str> = panel.targets.iter().map(|it| it.ref_id.as_str()).collect();
        let rules = [
            (
                about.ends_with('.') && !about.contains(". "),
                "its description is not one sentence",
            ),
            (
                !panel.field_config.defaults.unit.is_empty(),
                "it has no unit",
            ),
            (
                panel.datasource.uid == SOURCE,
                "it does not ask the chosen data source",
            ),
            (
                ids.len() == panel.targets.len(),
                "two targets share a refId",
            ),
            (
                panel.targets.iter().all(|it| !it.legend_format.is_empty()),
                "a target has no legend",
            ),
        ];
        let broken = rules.iter().filter(|(holds, _)| !holds);
        let mut faults: Vec<String> = broken.map(|(_, fault)| (*fault).to_owned()).collect();
        for target in &panel.targets {
            let query = Query::read(&target.expr);
            faults.extend(self.metrics.faults(&query));
            faults.extend(self.unknown_values(&query));
        }
        faults
    }

    /// What it selects by that no code writes: such a panel is empty for ever.
    fn unknown_values(&self, query: &Query) -> Vec<String> {
        let ours = query
            .selected
            .iter()
            .filter(|(label, _)| !HTTP_LABELS.contains(&label.as_str()));
        let unknown = ours.filter(|(_, value)| {
            let quoted = format!("\"{value}\"");
            !self.sources.iter().any(|text| text.contains(&quoted))
        });
        unknown
            .map(|(label, value)| format!("nobody gives {label} the value {value}"))
            .collect()
    }
}

/// What promtool makes of the expressions, each in a rule.
fn check(expressions: &[&str]) -> Output {
    let rules = expressions.iter().enumerate().map(|(at, expression)| {
        let expression = expression.replace(RANGE, "1m");
        // A panel draws an instant vector, and `count` takes nothing else.
        json!({ "record": format!("panel:{at}"), "expr": format!("count({expression})") })
    });
    let rules: Vec<_> = rules.collect();
    // JSON is YAML.
    let file = json!({ "groups": [{ "name": "panels", "rules": rules }] });
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rules.yml");
    fs::write(&path, file.to_string()).unwrap();
    run("promtool", &["check", "rules", path.to_str().unwrap()])
}

#[test]
fn prometheus_accepts_every_query() {
    let dashboards = dashboards();
    let panels = dashboards.values().flat_map(|it| &it.panels);
    let targets = panels.flat_map(|panel| &panel.targets);
    let expressions: Vec<&str> = targets.map(|target| target.expr.as_str()).collect();
    let verdict = accepted(&check(&expressions));
    let count = format!("{} rules found", expressions.len());
    assert!(verdict.contains(&count), "{verdict}");
}

#[test]
fn a_query_that_prometheus_does_not_accept_is_found() {
    for broken in [
        "sum(up",
        "rate(up)",
        "up[$__rate_interval]",
        "sum by job (up)",
    ] {
        let verdict = check(&["up", broken]);
        assert!(!verdict.status.success(), "{broken} is accepted");
    }
}

#[test]
fn every_panel_asks_for_what_there_is_and_says_what_to_do() {
    let known = Known::read();
    let mut faults = Vec::new();
    for (name, dashboard) in dashboards() {
        for panel in &dashboard.panels {
            let found = known.faults(panel).into_iter();
            faults.extend(found.map(|fault| format!("{name}, {}: {fault}", panel.title)));
        }
    }
    assert_none(
        &faults,
        "a panel shows what there is, and what to do about it",
    );
}

#[test]
fn a_panel_that_is_wrong_is_found() {
    let known = Known::read();
    let mut panels = dashboards().remove("api").unwrap().panels.into_iter();
    let good = panels.find(|panel| panel.title == "Share of 5xx").unwrap();
    assert_eq!(known.faults(&good), [""; 0]);
    let wrongs: [fn(&mut Panel); 8] = [
        |panel| panel.description.push_str(" Wait."),
        |panel| panel.field_config.defaults.unit.clear(),
        |panel| panel.datasource.uid.push('s'),
        |panel| panel.targets[0].legend_format.clear(),
        |panel| panel.targets.push(panel.targets[0].clone()),
        |panel| {
            panel.targets[0]
                .expr
                .push_str(" + awareness_http_request_total")
        },
        |panel| panel.targets[0].expr.push_str(" + sum by (routes) (up)"),
        |panel| panel.targets[0].expr.push_str(" + up{job='apis'}"),
    ];
    for (at, wrong) in wrongs.iter().enumerate() {
        let mut panel = good.clone();
        wrong(&mut panel);
        let faults = known.faults(&panel);
        assert_eq!(faults.len(), 1, "case {at}: {faults:?}");
    }
}

#[test]
fn no_panel_covers_another() {
    for (name, dashboard) in dashboards() {
        let panels = &dashboard.panels;
        for (at, panel) in panels.iter().enumerate() {
            let area = &panel.grid_pos;
            let mut before = panels[..at].iter();
            assert!(area.right() <= COLUMNS, "{name}, {}", panel.title);
            assert!(
                !before.any(|other| area.overlaps(&other.grid_pos)),
                "{name}, {}",
                panel.title
            );
        }
    }
}
