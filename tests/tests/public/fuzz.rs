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
    let python =
        std::path::PathBuf::from(std::env::var("AWARENESS_PYTHON").expect("./test sets it"));
    let program = python.with_file_name("schemathesis");
    let cases = match std::env::var("AWARENESS_LONG") {
        Ok(_) => CASES_LONG,
        Err(_) => CASES,
    };
    let base = format!("http://{}", world.anonymous.authority());
    let key = world.seller.token().to_owned();
    let output = tokio::task::spawn_blocking(move || {
        Command::new(program)
            .current_dir(std::env::temp_dir())
            .arg("run")
            .arg(format!("{base}/api/ai/openapi-3.1.json"))
            .args([
                "--url",
                &base,
                "--max-examples",
                cases,
                "--seed",
                "1",
                "--no-color",
            ])
            .args(["--phases", "examples,coverage,fuzzing", "--checks", "all"])
            .args(EXCLUDED)
            .args(["--header", &format!("Authorization: Bearer {key}")])
            .args(["--request-timeout", "30"])
            .output()
    })
    .await
    .unwrap()
    .expect("./test installs it");
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}\n{errors}");
    println!(
        "{}",
        text.lines()
            .rev()
            .take(25)
            .collect::<Vec<_>>()
            .into_iter()
            .rev()
            .collect::<Vec<_>>()
            .join("\n")
    );
}

/// Streams do not end by themselves.
const EXCLUDED: [&str; 2] = ["--exclude-path-regex", "/events$"];
