//! Libraries of other languages, asked by the scripts in `tests/libraries`. `./test` installs them and
//! says by `AWARENESS_PYTHON` and `AWARENESS_NODE_MODULES` where they are.

use std::ffi::OsString;
use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::Value;

/// What a Python script says of the input.
pub fn python(script: &str, input: &Value) -> Value {
    answer(Command::new(place("AWARENESS_PYTHON")), script, input)
}

/// What a JavaScript script says of the input.
pub fn javascript(script: &str, input: &Value) -> Value {
    let mut node = Command::new("node");
    node.env("NODE_PATH", place("AWARENESS_NODE_MODULES"));
    answer(node, script, input)
}

fn place(variable: &str) -> OsString {
    std::env::var_os(variable).unwrap_or_else(|| panic!("./test sets {variable}"))
}

fn answer(mut program: Command, script: &str, input: &Value) -> Value {
    let path = format!("{}/libraries/{script}", env!("CARGO_MANIFEST_DIR"));
    let mut child = program
        .arg(path)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // A script reads all of its input before it answers.
    stdin.write_all(input.to_string().as_bytes()).unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{script} failed");
    serde_json::from_slice(&output.stdout).unwrap()
}
