//! Schemathesis against a live server: whatever it makes of the document is answered as documented, and
//! never with a fault of ours.

use std::process::Command;

use tests::World;

/// Cases for each operation; `./test --long` makes many more.
const CASES: &str = "8";
const CASES_LONG: &str = "200";

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_sent_is_answered_as_documented() {
    let world = World::start().await;
    world.package_for(5.0).await;
    let base = format!("http://{}", world.anonymous.authority());
    let cases = if tests::is_long() { CASES_LONG } else { CASES };
    // Each is sent what is theirs; operators last, for they pause queues and block users.
    let of_sellers = [
        "--exclude-path-regex".to_owned(),
        format!("{STREAMS}|{OPERATORS}"),
    ];
    let of_operators = ["--include-path-regex".to_owned(), OPERATORS.to_owned()];
    for (caller, paths) in [(&world.seller, of_sellers), (&world.operator, of_operators)] {
        let (base, token) = (base.clone(), caller.token().to_owned());
        tokio::task::spawn_blocking(move || fuzz(&base, &token, cases, &paths))
            .await
            .unwrap();
    }
}

fn fuzz(base: &str, token: &str, cases: &str, paths: &[String]) {
    let python =
        std::path::PathBuf::from(std::env::var("AWARENESS_PYTHON").expect("./test sets it"));
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("schemathesis.toml"), CONFIGURATION).unwrap();
    std::fs::write(folder.path().join("hooks.py"), HOOKS).unwrap();
    let output = Command::new(python.with_file_name("schemathesis"))
        .current_dir(folder.path())
        .arg("run")
        .arg(format!("{base}/api/ai/openapi-3.1.json"))
        .args(["--url", base, "--max-examples", cases, "--seed", "1"])
        .args(["--phases", "examples,coverage,fuzzing", "--checks", "all"])
        .args(paths)
        .args(["--header", &format!("Authorization: Bearer {token}")])
        .args(["--header", "Prefer: wait=0", "--no-color"])
        .args(["--request-timeout", "70", "--max-response-time", "65"])
        .output()
        .expect("./test installs it");
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}\n{errors}");
    let lines: Vec<&str> = text.lines().collect();
    println!("{}", lines[lines.len().saturating_sub(25)..].join("\n"));
}

/// Not every rule can be said in a schema: base64 is text, one field may forbid another, money may lack.
/// So what fits the schema may be refused for its content; all other checks are as they come.
const CONFIGURATION: &str = r#"
hooks = "hooks.py"

[checks.positive_data_acceptance]
expected-statuses = ["2xx", "3xx", 400, 401, 402, 403, 404, 409, 410, 412, 413, 415, 422, 428, 429]

[checks.missing_required_header]
expected-statuses = [400, 401, 403, 404, 422, 428]
"#;

/// A parameter of a query without a value is absent, whatever its schema says of values. An object is written as its
/// keys where the schema wants none, else as its values. A lease that nobody holds keeps each write from being tried.
const HOOKS: &str = r#"
import schemathesis

def says_nothing(value):
    if isinstance(value, dict):
        return says_nothing(list(value)) or says_nothing(list(value.values()))
    if isinstance(value, list):
        return all(says_nothing(inner) for inner in value)
    return value is None or not str(value).strip()

@schemathesis.hook
def map_headers(context, headers):
    return {name: value for name, value in (headers or {}).items() if name != "Lease-Token"}

@schemathesis.hook
def filter_case(context, case):
    is_absent = any(says_nothing(value) for value in (case.query or {}).values())
    return not is_absent
"#;

/// Streams do not end by themselves.
const STREAMS: &str = r"\}(?<!event-streams/\{stream\})/events$|/events/stream$";
const OPERATORS: &str = "^/admin/";
