//! Grafana as compose.yaml starts it, and the way from an alert to its panel.

use std::collections::BTreeSet;

use tests::promql::Query;
use tests::tree::{assert_none, read};

use super::dashboard::dashboards;
use crate::services;

struct Alert {
    name: String,
    query: Query,
    /// Whether it wakes somebody.
    pages: bool,
}

impl Alert {
    fn runbook(&self) -> String {
        read(&format!("ops/runbooks/{}.md", self.name))
    }
}

fn alerts() -> Vec<Alert> {
    let rules = read("ops/prometheus/alerts.yml");
    let alerts = rules.split("- alert: ").skip(1).map(|alert| {
        let (name, rest) = alert.split_once('\n').unwrap();
        let (_, rest) = rest.split_once("expr: ").unwrap();
        let (rest, labels) = rest.split_once("labels: ").unwrap();
        let expression = rest.split(" for: ").next().unwrap();
        Alert {
            name: name.to_owned(),
            query: Query::read(expression.trim_start_matches(">-")),
            pages: labels.starts_with("{severity: page}"),
        }
    });
    alerts.collect()
}

/// Where the panel draws its line: what fires above nothing, or at nothing, has it at one.
fn line(query: &Query) -> f64 {
    let bounds: Vec<f64> = query.bounds.iter().map(|it| it.parse().unwrap()).collect();
    let [bound] = bounds[..] else {
        panic!("an alert has one bound: {query:?}")
    };
    if bound == 0.0 { 1.0 } else { bound }
}

#[test]
fn the_page_of_an_alert_leads_to_a_panel_that_draws_its_line() {
    let dashboards = dashboards();
    let mut faults = Vec::new();
    for alert in alerts() {
        let page = alert.runbook();
        let linked = dashboards
            .values()
            .filter(|it| page.contains(&format!("/d/{})", it.uid)));
        let mut panels = linked.flat_map(|dashboard| &dashboard.panels);
        let (series, line) = (&alert.query.series, line(&alert.query));
        if !panels.any(|it| it.series().is_superset(series) && it.has_line_at(line)) {
            faults.push(format!("{}: {series:?} at {line}", alert.name));
        }
    }
    assert_none(
        &faults,
        "a page links the dashboard that shows what its alert watches",
    );
}

#[test]
fn every_link_to_a_dashboard_leads_to_one() {
    let dashboards = dashboards();
    for (name, dashboard) in &dashboards {
        assert_eq!(dashboard.uid, format!("awareness-{name}"));
    }
    let sample = read(".env.sample");
    let (_, port) = sample.split_once("GRAFANA_PORT=").unwrap();
    let address = format!(
        "http://127.0.0.1:{}/d/awareness-",
        port.lines().next().unwrap()
    );
    for alert in alerts() {
        let page = alert.runbook();
        let links: Vec<&str> = page.split(&address).skip(1).collect();
        assert!(!links.is_empty(), "{} links no dashboard", alert.name);
        for link in links {
            let (name, _) = link.split_once(')').unwrap();
            assert!(dashboards.contains_key(name), "{} links {name}", alert.name);
        }
    }
}

#[test]
fn the_guide_names_every_dashboard_and_every_alert_that_pages() {
    let guide = read("docs/production.md");
    for dashboard in dashboards().values() {
        let row = format!("| {} | ", dashboard.title);
        assert!(
            guide.contains(&row),
            "{} is not in the guide",
            dashboard.title
        );
    }
    let (_, named) = guide.split_once("These alerts page").unwrap();
    let (named, _) = named.split_once("The others").unwrap();
    let named: BTreeSet<&str> = named.split('`').skip(1).step_by(2).collect();
    let alerts = alerts();
    let paging = alerts.iter().filter(|alert| alert.pages);
    let paging: BTreeSet<&str> = paging.map(|alert| alert.name.as_str()).collect();
    assert_eq!(named, paging);
}

#[test]
fn grafana_is_given_its_data_source_and_its_dashboards() {
    let services = services();
    assert!(services["grafana"].settings["image"].starts_with("grafana/grafana:"));
    assert!(services.contains_key("prometheus"));
    let source = read("ops/grafana/provisioning/datasources/prometheus.yml");
    assert!(source.contains("url: http://prometheus:9090\n"));
    let scrape = read("ops/prometheus/prometheus.yml");
    let (_, interval) = scrape.split_once("scrape_interval: ").unwrap();
    let interval = interval.lines().next().unwrap();
    assert!(source.contains(&format!("timeInterval: {interval}\n")));
    let provider = read("ops/grafana/provisioning/dashboards/files.yml");
    assert!(provider.contains("path: /etc/grafana/dashboards\n"));
    let compose = read("compose.yaml");
    for folder in [
        "provisioning/datasources",
        "provisioning/dashboards",
        "dashboards",
    ] {
        let mount = format!("- ./ops/grafana/{folder}:/etc/grafana/{folder}:ro\n");
        assert!(compose.contains(&mount), "{folder} does not reach Grafana");
    }
}
