//! Swagger UI in a real browser, under its content security policy, with nothing but this server to reach.

use std::process::Command;

use tests::World;

const BROWSERS: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

/// The page as a browser has built it, and what it said on its console.
fn rendered(url: &str) -> (String, String) {
    let folder = tempfile::tempdir().unwrap();
    for browser in BROWSERS {
        let output = Command::new(browser)
            .args([
                "--headless=new",
                "--no-sandbox",
                "--disable-gpu",
                "--dump-dom",
            ])
            .args(["--enable-logging=stderr", "--virtual-time-budget=20000"])
            // Nothing of the world outside answers.
            .arg("--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1")
            .arg(format!("--user-data-dir={}", folder.path().display()))
            .arg(url)
            .output();
        if let Ok(output) = output {
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            return (text(&output.stdout), text(&output.stderr));
        }
    }
    panic!("there is none of {BROWSERS:?}; ./test installs one");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_documentation_is_built_offline_and_breaks_no_policy() {
    let world = World::only_api().await;
    let page = world.anonymous.get("/api/ai/docs/").await;
    let policy = page.header("content-security-policy");
    assert!(
        policy.contains("default-src 'none'; script-src 'self';"),
        "{policy}"
    );
    let moved = world.anonymous.get("/api/ai/docs").await;
    assert_eq!(moved.header("location"), "/api/ai/docs/");
    let url = format!("http://{}/api/ai/docs/", world.anonymous.authority());
    let (dom, console) = tokio::task::spawn_blocking(move || rendered(&url))
        .await
        .unwrap();
    for text in [
        "Awareness Market",
        "/api/v3/ai/upload-package",
        "operations-uploads-upload_package",
    ] {
        assert!(
            dom.contains(text),
            "{text} is not on the page; console: {console}"
        );
    }
    assert!(!console.contains("Content Security Policy"), "{console}");
    assert!(!console.contains("Refused to"), "{console}");
}
