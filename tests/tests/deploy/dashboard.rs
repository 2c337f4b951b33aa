//! A dashboard's file, as far as the checks read it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use serde::Deserialize;
use tests::promql::Query;
use tests::tree::root;

#[derive(Debug, Deserialize)]
pub(super) struct Dashboard {
    pub(super) uid: String,
    pub(super) title: String,
    pub(super) panels: Vec<Panel>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Panel {
    pub(super) title: String,
    pub(super) description: String,
    pub(super) datasource: DataSource,
    pub(super) grid_pos: Area,
    pub(super) field_config: FieldConfig,
    pub(super) targets: Vec<Target>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct DataSource {
    pub(super) uid: String,
}

/// Its place on the dashboard.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Area {
    x: u32,
    y: u32,
    w: u32,
    h: u32,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct FieldConfig {
    pub(super) defaults: FieldDefaults,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct FieldDefaults {
    pub(super) unit: String,
    #[serde(default)]
    thresholds: Thresholds,
}

#[derive(Debug, Clone, Default, Deserialize)]
struct Thresholds {
    steps: Vec<Step>,
}

#[derive(Debug, Clone, Deserialize)]
struct Step {
    /// None where the lowest colour begins.
    value: Option<f64>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Target {
    pub(super) ref_id: String,
    pub(super) legend_format: String,
    pub(super) expr: String,
}

impl Panel {
    pub(super) fn series(&self) -> BTreeSet<String> {
        let queries = self.targets.iter().map(|target| Query::read(&target.expr));
        queries.flat_map(|query| query.series).collect()
    }

    /// Whether it draws a line there.
    pub(super) fn has_line_at(&self, bound: f64) -> bool {
        let steps = &self.field_config.defaults.thresholds.steps;
        steps.iter().any(|step| step.value == Some(bound))
    }
}

impl Area {
    /// Where it ends on the right.
    pub(super) fn right(&self) -> u32 {
        self.x + self.w
    }

    pub(super) fn overlaps(&self, other: &Self) -> bool {
        self.x < other.right()
            && other.x < self.right()
            && self.y < other.y + other.h
            && other.y < self.y + self.h
    }
}

/// All dashboards, by the names of their files.
pub(super) fn dashboards() -> BTreeMap<String, Dashboard> {
    let files = fs::read_dir(root().join("ops/grafana/dashboards")).unwrap();
    let dashboards = files.map(|file| {
        let path = file.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        let dashboard = serde_json::from_str(&text);
        let dashboard = dashboard.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let name = path.file_stem().unwrap().to_string_lossy();
        (name.into_owned(), dashboard)
    });
    dashboards.collect()
}
