//! The private PostgreSQL: whoever starts it, its data, port and password stay.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use local::postgres::{PostgresOptions, PrivatePostgres};

const ORDINARY_USER: u32 = 65_534;

/// A folder directly below /tmp that any user may pass.
fn open_folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
    folder
}

fn options(folder: &Path) -> PostgresOptions {
    PostgresOptions::new(folder.join("postgres"), folder.join("postgres.log"))
}

async fn keeps_data_over(folder: &Path) {
    let mut first = PrivatePostgres::start(options(folder)).await.unwrap();
    first.create_database("kept").await.unwrap();
    first.create_database("kept").await.unwrap();
    first
        .psql(
            "kept",
            "create table note (body text); insert into note values ('ü')",
        )
        .await
        .unwrap();
    let (url, port) = (first.url("kept"), first.port());
    first.stop().await;

    let mut second_options = options(folder);
    second_options.preferred_port = port;
    let mut second = PrivatePostgres::start(second_options).await.unwrap();
    assert_eq!(second.url("kept"), url);
    assert_eq!(
        second.psql("kept", "select body from note").await.unwrap(),
        "ü\n"
    );
    assert_eq!(
        second.psql("kept", "show server_encoding").await.unwrap(),
        "UTF8\n"
    );
    second.stop().await;
}

#[tokio::test]
async fn a_second_start_keeps_data_port_and_password() {
    let folder = open_folder();
    keeps_data_over(folder.path()).await;
}

/// Run by the test below, as another user when we are root.
#[tokio::test]
#[ignore = "run by an_ordinary_user_can_run_it"]
async fn as_whoever_i_am() {
    keeps_data_over(Path::new(&std::env::var("OPEN_FOLDER").unwrap())).await;
}

#[test]
fn an_ordinary_user_can_run_it() {
    let folder = open_folder();
    let program = folder.path().join("test");
    // By a process of its own: a child that another test forks meanwhile would hold the copy open
    // for writing, and the kernel runs no such file.
    let copied = Command::new("cp")
        .args([std::env::current_exe().unwrap(), program.clone()])
        .status();
    assert!(copied.unwrap().success());
    let mut command = Command::new(&program);
    command
        .args(["--exact", "as_whoever_i_am", "--ignored"])
        .env("OPEN_FOLDER", folder.path())
        .current_dir(folder.path());
    if std::fs::metadata("/proc/self")
        .is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0)
    {
        command.uid(ORDINARY_USER).gid(ORDINARY_USER);
    }
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && said.contains("1 passed"),
        "{said}"
    );
}

#[tokio::test]
async fn a_restart_keeps_the_port_and_a_crash_keeps_what_was_committed() {
    let folder = open_folder();
    let mut server = PrivatePostgres::start(options(folder.path()))
        .await
        .unwrap();
    let port = server.port();
    server
        .psql(
            "postgres",
            "create table note (n int); insert into note values (1)",
        )
        .await
        .unwrap();

    server.restart().await.unwrap();
    assert_eq!(server.port(), port);
    server
        .psql("postgres", "insert into note values (2)")
        .await
        .unwrap();

    server.crash().await;
    assert!(
        server.psql("postgres", "select 1").await.is_err(),
        "it serves after the crash"
    );
    server.resume().await.unwrap();
    assert_eq!(server.port(), port);
    assert_eq!(
        server
            .psql("postgres", "select sum(n) from note")
            .await
            .unwrap(),
        "3\n"
    );
}

#[tokio::test]
async fn a_wrong_password_is_refused() {
    let folder = open_folder();
    let server = PrivatePostgres::start(options(folder.path()))
        .await
        .unwrap();
    let url = server
        .url("postgres")
        .replace("postgres://awareness:", "postgres://awareness:wrong");
    let output = Command::new("psql")
        .args([&url, "--command", "select 1"])
        .output()
        .unwrap();
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("password authentication failed"));
}

#[tokio::test]
async fn a_leftover_of_the_folder_is_stopped_first() {
    let folder = open_folder();
    let forgotten = PrivatePostgres::start(options(folder.path()))
        .await
        .unwrap();
    let old_pid = forgotten.pid().unwrap();
    let mut next = options(folder.path());
    next.preferred_port = forgotten.port();
    let server = tokio::time::timeout(Duration::from_secs(60), PrivatePostgres::start(next))
        .await
        .unwrap()
        .unwrap();
    assert_ne!(server.pid().unwrap(), old_pid);
    assert_eq!(
        server.port(),
        forgotten.port(),
        "the port was not free again"
    );
    server.psql("postgres", "select 1").await.unwrap();
}

#[tokio::test]
async fn a_database_is_the_migrators_and_one_from_before_is_handed_over() {
    let folder = open_folder();
    let server = PrivatePostgres::start(options(folder.path()))
        .await
        .unwrap();
    let old = "create database old";
    server.psql("postgres", old).await.unwrap();
    let made = "create table kept (id bigint generated always as identity, body text);
                create sequence numbers;
                create view seen as select body from kept;
                create function one() returns integer language sql return 1;
                create extension pg_trgm";
    server.psql("old", made).await.unwrap();
    server.create_database("old").await.unwrap();
    server.create_database("new").await.unwrap();
    let accepts = |url: String, sql: &str| {
        let mut psql = Command::new("psql");
        psql.args([&url, "--quiet", "--set=ON_ERROR_STOP=1", "--command", sql]);
        psql.output().unwrap().status.success()
    };
    for (database, sql) in [
        ("old", "alter table kept add column at timestamptz"),
        ("old", "drop sequence numbers"),
        ("old", "alter view seen rename to shown"),
        ("old", "drop function one()"),
        ("new", "create table made (); create extension pg_trgm"),
    ] {
        assert!(accepts(server.migrator_url(database), sql), "{sql}");
        assert!(!accepts(server.services_url(database), sql), "{sql}");
    }
    assert!(!accepts(server.services_url("old"), "select from kept"));
    assert!(accepts(server.services_url("old"), "select 1"));
    let powers = "select count(*) from pg_roles where rolsuper and rolname like 'awareness_%'";
    assert_eq!(server.psql("old", powers).await.unwrap(), "0\n");
}
