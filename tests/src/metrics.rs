//! The metrics that the code declares, and what a query asks for that there is not.

use std::collections::{BTreeMap, BTreeSet};

use crate::promql::Query;

/// Where the code declares its metrics.
const DECLARATIONS: &str = concat!(
    include_str!("../../common/src/telemetry/events.rs"),
    include_str!("../../common/src/telemetry/metrics.rs"),
    include_str!("../../common/src/telemetry/market.rs"),
    include_str!("../../common/src/telemetry/leases.rs"),
);
/// What Prometheus appends to the name of a histogram.
const HISTOGRAM_SERIES: [&str; 3] = ["_bucket", "_count", "_sum"];
/// What Prometheus itself says of each target.
const UP: &str = "up";
/// Labels that Prometheus adds: its target to each series, and to a bucket its upper bound.
const ADDED_LABELS: [&str; 3] = ["job", "instance", "le"];

/// The metrics by their names.
#[derive(Debug)]
pub struct Metrics(BTreeMap<String, Metric>);

#[derive(Debug)]
struct Metric {
    is_histogram: bool,
    labels: BTreeSet<String>,
}

impl Metrics {
    /// Those of the code. Each declaration is a call of the kind's function with the registry `r`, the name, the help
    /// and the labels.
    pub fn declared() -> Self {
        let text = DECLARATIONS.replace("(r,", "( r,");
        let pieces: Vec<&str> = text.split(" r,").collect();
        let metrics = pieces.windows(2).map(|pair| {
            let (call, declaration) = (pair[0].trim_end(), pair[1]);
            let (_, labels) = declaration.split_once("&[").unwrap_or_default();
            let (labels, _) = labels.split_once(']').unwrap_or_default();
            let metric = Metric {
                is_histogram: ["histogram(", "histograms(", "histogram_of("]
                    .iter()
                    .any(|kind| call.ends_with(kind)),
                labels: quoted(labels).map(str::to_owned).collect(),
            };
            (quoted(declaration).next().unwrap().to_owned(), metric)
        });
        Self(metrics.collect())
    }

    pub fn names(&self) -> BTreeSet<String> {
        self.0.keys().cloned().collect()
    }

    /// The name of the metric that a series belongs to, if there is such a series. A histogram has three.
    pub fn metric_of<'a>(&self, series: &'a str) -> Option<&'a str> {
        let is = |name: &str, histogram: bool| {
            let metric = self.0.get(name);
            metric.is_some_and(|metric| metric.is_histogram == histogram)
        };
        let mut bases = HISTOGRAM_SERIES
            .iter()
            .filter_map(|end| series.strip_suffix(end));
        let histogram = bases.find(|base| is(base, true));
        histogram.or_else(|| is(series, false).then_some(series))
    }

    /// What a query names that there is not: a series, or a label that none of its metrics has.
    pub fn faults(&self, query: &Query) -> Vec<String> {
        let mut faults = Vec::new();
        let mut labels: BTreeSet<&str> = ADDED_LABELS.into();
        for series in &query.series {
            match self.metric_of(series) {
                Some(name) => labels.extend(self.0[name].labels.iter().map(String::as_str)),
                None if series == UP => {}
                None => faults.push(format!("nobody declares {series}")),
            }
        }
        let named = query.labels.iter().map(String::as_str);
        let unknown = named.filter(|label| !labels.contains(label));
        faults.extend(unknown.map(|label| format!("no metric here has the label {label}")));
        faults
    }
}

fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('"').skip(1).step_by(2)
}
