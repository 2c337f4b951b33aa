//! The files of a deployment, read by the programs they are for: compose.yaml by a Compose
//! implementation's `config` (which needs no engine), rules and queries by promtool. What they say is then
//! held against the code: the configuration, the limits, the programs, the metrics.
//!
//! `./test` installs the tools: Debian's packages `docker-compose`, `prometheus` and `prometheus-alertmanager` have
//! them.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::rc::Rc;
use std::sync::LazyLock;

use common::config::{ApiConfig, Env, MigrationConfig, SchedulerConfig, WorkerConfig};
use common::limits::DRAIN;
use common::secrecy::ExposeSecret as _;
use tests::tree::root;

mod deploy {
    mod dashboard;
    mod grafana;
    mod panels;
    mod queries;
}

/// What has no safe default.
const SECRETS: [&str; 9] = [
    "DATABASE_URL",
    "MIGRATION_DATABASE_URL",
    "POSTGRES_PASSWORD",
    "GRAFANA_PASSWORD",
    "S3_ACCESS_KEY",
    "S3_SECRET_KEY",
    "AWARENESS_MASTER_KEY",
    "AWARENESS_SIGNING_KEY",
    "AWARENESS_ADMIN_TOKEN",
];
/// The name of our image in compose.yaml, before its tag.
const IMAGE: &str = "awareness-market:";

/// One service as `config` renders it.
#[derive(Debug, Default)]
struct Service {
    environment: BTreeMap<String, String>,
    settings: BTreeMap<String, String>,
    command: Vec<String>,
}

/// Runs a tool at the root of the repository, with few of this process's variables: none may reach
/// compose.yaml.
fn run(tool: &str, arguments: &[&str]) -> Output {
    let kept = ["PATH", "HOME"];
    let variables = kept.map(|name| (name, std::env::var_os(name).unwrap_or_default()));
    Command::new(tool)
        .args(arguments)
        .current_dir(root())
        .env_clear()
        .envs(variables)
        .output()
        .unwrap_or_else(|error| panic!("{tool} did not start ({error}); ./test installs it"))
}

/// What a tool that must succeed has written.
fn accepted(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}{complaint}");
    said
}

/// Compose is a program of its own, or a plug-in of Docker's.
fn compose_config(variables: &Path) -> Output {
    let variables = variables.to_str().unwrap();
    let arguments = ["--file=compose.yaml", "--env-file", variables, "config"];
    let is_plugin = Command::new("docker-compose")
        .arg("version")
        .output()
        .is_err();
    if is_plugin {
        run("docker", &[&["compose"], &arguments[..]].concat())
    } else {
        run("docker-compose", &arguments)
    }
}

/// The services of compose.yaml with the variables of the sample.
fn services() -> &'static BTreeMap<String, Service> {
    static SERVICES: LazyLock<BTreeMap<String, Service>> = LazyLock::new(rendered_services);
    &SERVICES
}

fn rendered_services() -> BTreeMap<String, Service> {
    let rendered = accepted(&compose_config(&root().join(".env.sample")));
    let mut services: BTreeMap<String, Service> = BTreeMap::new();
    let (mut section, mut name, mut setting) = ("", "", "");
    for line in rendered.lines().filter(|line| !line.is_empty()) {
        let text = line.trim_start();
        let depth = line.len() - text.len();
        let (key, value) = text.split_once(':').unwrap_or((text, ""));
        let value = value.trim().trim_matches(['\'', '"']).to_owned();
        match depth {
            0 => section = key,
            2 => name = key,
            4 if !text.starts_with("- ") => setting = key,
            _ => {}
        }
        if section != "services" || depth < 4 {
            continue;
        }
        let service = services.entry(name.to_owned()).or_default();
        match (setting, text.strip_prefix("- ")) {
            ("command", Some(word)) => service.command.push(word.to_owned()),
            ("environment", None) if depth == 6 => {
                service.environment.insert(key.to_owned(), value);
            }
            (_, None) if depth == 4 => {
                service.settings.insert(key.to_owned(), value);
            }
            _ => {}
        }
    }
    services
}

#[test]
fn compose_accepts_the_sample() {
    let services = services();
    let names: Vec<&str> = services.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "alertmanager",
            "api",
            "bucket",
            "grafana",
            "migrate",
            "minio",
            "postgres",
            "prometheus",
            "redis",
            "scheduler",
            "worker"
        ]
    );
}

#[test]
fn compose_refuses_to_start_without_a_secret() {
    let sample = fs::read_to_string(root().join(".env.sample")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    for secret in SECRETS {
        let assignment = format!("{secret}=");
        let kept: Vec<&str> = sample
            .lines()
            .filter(|line| !line.starts_with(&assignment))
            .collect();
        let file = folder.path().join(secret);
        fs::write(&file, kept.join("\n")).unwrap();
        let output = compose_config(&file);
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success(), "{secret} has a default");
        assert!(complaint.contains(".env.sample"), "{secret}: {complaint}");
    }
}

/// What a program makes of the variables that its service is given. A variable that it reads and is not given is a
/// fault: what `.env` says of it would not arrive.
fn configured<T>(service: &str, section: fn(&mut Env) -> Option<T>) -> T {
    let variables = services()[service].environment.clone();
    let withheld = Rc::new(RefCell::new(Vec::new()));
    let mut env = Env::new({
        let withheld = Rc::clone(&withheld);
        move |variable| {
            let value = variables.get(variable).cloned();
            if value.is_none() {
                withheld.borrow_mut().push(variable.to_owned());
            }
            value
        }
    });
    let config = section(&mut env);
    let config = env
        .finish(config)
        .unwrap_or_else(|error| panic!("{service}: {error}"));
    let withheld = withheld.take();
    assert!(
        withheld.is_empty(),
        "compose.yaml withholds {withheld:?} from {service}"
    );
    config
}

#[test]
fn each_service_is_given_all_its_variables_and_accepts_them() {
    let api = configured("api", ApiConfig::from_env);
    let worker = configured("worker", WorkerConfig::from_env);
    let scheduler = configured("scheduler", SchedulerConfig::from_env);
    let scraped = fs::read_to_string(root().join("ops/prometheus/prometheus.yml")).unwrap();
    let listens = [
        ("api", api.ops_listen),
        ("worker", worker.ops_listen),
        ("scheduler", scheduler.ops_listen),
    ];
    for (name, listen) in listens {
        assert!(listen.ip().is_unspecified(), "{name} hears only itself");
        let target = format!("names: [{name}], type: A, port: {},", listen.port());
        assert!(
            scraped.contains(&target),
            "Prometheus does not ask {name} at {listen}"
        );
    }
}

#[test]
fn the_owner_s_login_is_given_to_migrate_alone() {
    let services = services();
    let is_given = |service: &Service| {
        let mut values = service.environment.values();
        service.environment.contains_key("MIGRATION_DATABASE_URL")
            || values.any(|value| value.starts_with("postgres://awareness:"))
    };
    let given: Vec<&str> = services
        .iter()
        .filter(|(_, service)| is_given(service))
        .map(|(name, _)| name.as_str())
        .collect();
    assert_eq!(given, ["migrate"]);
    let migration = configured("migrate", MigrationConfig::from_env);
    let services_url = migration.services_url.expose_secret();
    assert_ne!(migration.owner.url.expose_secret(), services_url);
}

#[test]
fn a_service_may_finish_its_work_before_it_is_killed() {
    let services = services();
    for name in ["api", "worker", "scheduler"] {
        let grace = &services[name].settings["stop_grace_period"];
        let seconds: u64 = grace.trim_end_matches('s').parse().unwrap();
        assert!(
            seconds >= DRAIN.as_secs() + 5,
            "{name} is killed after {seconds} s and drains for {} s",
            DRAIN.as_secs()
        );
    }
}

#[test]
fn the_image_carries_every_program_that_compose_starts() {
    let dockerfile = fs::read_to_string(root().join("Dockerfile")).unwrap();
    let services = services();
    let ours: Vec<&Service> = services
        .values()
        .filter(|service| {
            service
                .settings
                .get("image")
                .is_some_and(|image| image.starts_with(IMAGE))
        })
        .collect();
    assert_eq!(ours.len(), 4);
    for service in ours {
        let program = &service.command[0];
        let is_copied = dockerfile
            .split_whitespace()
            .any(|word| word == format!("target/release/{program}"));
        assert!(is_copied, "the Dockerfile does not copy {program}");
    }
}

#[test]
fn prometheus_accepts_its_configuration_and_rules() {
    accepted(&run(
        "promtool",
        &["check", "config", "ops/prometheus/prometheus.yml"],
    ));
}

#[test]
fn an_alert_reaches_whom_it_is_for() {
    let file = "ops/alertmanager/alertmanager.yml";
    accepted(&run("amtool", &["check-config", file]));
    for (severity, receiver) in [("page", "on-call"), ("ticket", "working-day")] {
        let label = format!("severity={severity}");
        let arguments = [
            "config",
            "routes",
            "test",
            "--config.file",
            file,
            "--verify.receivers",
            receiver,
            &label,
        ];
        accepted(&run("amtool", &arguments));
    }
    let services = services();
    assert!(services["alertmanager"].settings["image"].starts_with("prom/alertmanager:"));
    let prometheus = fs::read_to_string(root().join("ops/prometheus/prometheus.yml")).unwrap();
    assert!(prometheus.contains("alertmanager:9093"));
}

#[test]
fn every_alert_fires_when_it_should_and_a_healthy_hour_is_silent() {
    accepted(&run(
        "promtool",
        &["test", "rules", "ops/prometheus/alerts_test.yml"],
    ));
}
