//! Who may depend on whom, and who may name which client, from `cargo metadata`.

use std::process::Command;

use serde_json::Value;

use super::tree::{assert_none, root};

/// The clients that only `common` names, so that all that reads or writes a store is found there.
const CLIENTS: [&str; 4] = ["sqlx", "redis", "aws-sdk-s3", "reqwest"];
/// Members that are never shipped: they measure and test.
const UNSHIPPED: [&str; 2] = ["loadtest", "tests"];
/// The programs; they meet in PostgreSQL and Redis, not in code.
const PROGRAMS: [&str; 5] = ["api", "worker", "scheduler", "cli", "local"];

/// Each shipped member with its dependencies, those of its tests left out.
fn shipped_members() -> Vec<(String, Vec<String>)> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--offline", "--format-version=1"])
        .current_dir(root())
        .output()
        .unwrap();
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "cargo metadata: {message}");
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let members = metadata["packages"].as_array().unwrap().iter();
    members
        .map(|member| {
            let all = member["dependencies"].as_array().unwrap().iter();
            let shipped = all.filter(|dependency| dependency["kind"] != "dev");
            let names = shipped.map(|dependency| text(&dependency["name"]));
            (text(&member["name"]), names.collect())
        })
        .filter(|(name, _)| !UNSHIPPED.contains(&name.as_str()))
        .collect()
}

/// The dependencies that a rule refuses, as faults.
fn refused(rule: impl Fn(&str, &str) -> bool) -> Vec<String> {
    let members = shipped_members();
    let pairs = members
        .iter()
        .flat_map(|(member, names)| names.iter().map(move |name| (member, name)));
    pairs
        .filter(|(member, name)| rule(member, name))
        .map(|(member, name)| format!("{member} lists {name}"))
        .collect()
}

#[test]
fn only_common_names_the_clients_of_the_stores() {
    let is_client = |name: &str| CLIENTS.contains(&name) || name.starts_with("apalis");
    assert_none(
        &refused(|member, name| member != "common" && is_client(name)),
        "clients of stores belong to common, which re-exports what others need",
    );
}

#[test]
fn programs_do_not_import_each_other() {
    assert_none(
        &refused(|_, name| PROGRAMS.contains(&name)),
        "what two programs need belongs to common",
    );
}

#[test]
fn common_worker_and_scheduler_serve_no_routes() {
    let is_thin = |member: &str| ["common", "worker", "scheduler"].contains(&member);
    assert_none(
        &refused(|member, name| is_thin(member) && ["axum", "tonic"].contains(&name)),
        "routes belong to api",
    );
}

#[test]
fn the_package_format_does_no_io() {
    let is_io = |name: &str| name.starts_with("tokio") || CLIENTS.contains(&name);
    assert_none(
        &refused(|member, name| member == "package" && (is_io(name) || name == "common")),
        "package turns bytes into a verdict and does nothing else",
    );
}
