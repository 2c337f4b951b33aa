//! `.env.sample` against the programs that read the variables.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::rc::Rc;

use common::config::{ApiConfig, ConfigError, Env, SchedulerConfig, WorkerConfig};

use super::tree::{assert_none, read, rust_files, text_files};

/// Read by the command lines and the logs, not by the sections of the configuration.
const COMMAND_LINE: [&str; 5] = [
    "AWARENESS_BASE_URL",
    "AWARENESS_LOG",
    "LOG_FORMAT",
    "MIGRATION_DATABASE_URL",
    "WORKER_QUEUES",
];
/// Where the variables begin that only compose.yaml reads.
const COMPOSE_SECTION: &str = "# --- For compose.yaml alone";
/// Shown with a value that fits compose.yaml; the default is another variable's value.
const BORROWED_DEFAULT: &str = "S3_PUBLIC_ENDPOINT";

type Variables = BTreeMap<String, String>;

/// The variables of the sample: those of the programs, and those of compose.yaml.
fn sample() -> (Variables, Variables) {
    let text = read(".env.sample");
    let (programs, compose) = text.split_once(COMPOSE_SECTION).unwrap();
    (variables(programs), variables(compose))
}

fn variables(text: &str) -> Variables {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// What a program makes of the variables, as text, and which ones it asked for.
fn configure<T: Debug>(
    variables: &Variables,
    section: fn(&mut Env) -> Option<T>,
) -> (Result<String, ConfigError>, BTreeSet<String>) {
    let asked = Rc::new(RefCell::new(BTreeSet::new()));
    let mut env = Env::new({
        let (variables, asked) = (variables.clone(), Rc::clone(&asked));
        move |name| {
            asked.borrow_mut().insert(name.to_owned());
            variables.get(name).cloned()
        }
    });
    let config = section(&mut env);
    let result = env.finish(config).map(|config| format!("{config:?}"));
    (result, asked.take())
}

/// The three programs; an error names the first that does not start.
fn configure_all(variables: &Variables) -> (Result<[String; 3], ConfigError>, BTreeSet<String>) {
    let (api, mut asked) = configure(variables, ApiConfig::from_env);
    let (worker, by_worker) = configure(variables, WorkerConfig::from_env);
    let (scheduler, by_scheduler) = configure(variables, SchedulerConfig::from_env);
    asked.extend(by_worker);
    asked.extend(by_scheduler);
    let all = || Ok([api?, worker?, scheduler?]);
    (all(), asked)
}

#[test]
fn the_sample_has_exactly_the_variables_that_are_read() {
    let (programs, _) = sample();
    let (configs, mut asked) = configure_all(&programs);
    configs.unwrap_or_else(|error| panic!("the sample is not accepted: {error}"));
    asked.extend(COMMAND_LINE.map(str::to_owned));
    let shown: BTreeSet<String> = programs.into_keys().collect();
    assert_eq!(shown, asked, "left: .env.sample, right: what is read");
}

#[test]
fn the_sample_shows_the_defaults() {
    let (programs, _) = sample();
    let as_shown = configure_all(&programs).0.unwrap();
    for name in programs.keys().filter(|name| *name != BORROWED_DEFAULT) {
        let mut fewer = programs.clone();
        fewer.remove(name);
        // A variable without a default is refused by name; the others make no difference.
        match configure_all(&fewer).0 {
            Ok(configs) => assert_eq!(configs, as_shown, "{name} is shown with another value"),
            Err(error) => assert!(error.to_string().contains(&format!("{name} is required"))),
        }
    }
}

#[test]
fn every_variable_of_the_sample_is_explained() {
    let text = read(".env.sample");
    let lines: Vec<&str> = text.lines().collect();
    for pair in lines.windows(2) {
        let is_explained = pair[0].starts_with("# ") && !pair[0].starts_with("# ---");
        let is_variable = !pair[1].starts_with('#') && pair[1].contains('=');
        assert!(
            is_explained || !is_variable,
            "{} has no line above it",
            pair[1]
        );
    }
}

#[test]
fn compose_reads_nothing_that_the_sample_does_not_show() {
    let (programs, compose) = sample();
    let text = read("compose.yaml");
    let is_name =
        |symbol: char| symbol.is_ascii_uppercase() || symbol.is_ascii_digit() || symbol == '_';
    let read: BTreeSet<&str> = text
        .split("${")
        .skip(1)
        .map(|rest| rest.split(|symbol| !is_name(symbol)).next().unwrap())
        .filter(|name| *name != "NAME")
        .collect();
    for name in &read {
        let is_shown = programs.contains_key(*name) || compose.contains_key(*name);
        assert!(
            is_shown,
            "compose.yaml reads {name}, which .env.sample does not show"
        );
    }
    for name in compose.keys() {
        assert!(read.contains(name.as_str()), "nobody reads {name}");
    }
}

/// Whoever follows a page at night sets no variable that nobody reads.
#[test]
fn operators_pages_name_variables_and_limits_that_there_are() {
    let (programs, compose) = sample();
    let sources: String = rust_files().into_iter().map(|file| file.text).collect();
    let is_known = |name: &str| {
        let is_variable = programs.contains_key(name) || compose.contains_key(name);
        is_variable || sources.contains(&format!("const {name}:"))
    };
    let mut faults = Vec::new();
    for file in text_files() {
        if file.path.starts_with("ops/") {
            let unknown = constants(&file.text).filter(|name| !is_known(name));
            faults.extend(unknown.map(|name| format!("{} names {name}", file.path)));
        }
    }
    assert_none(&faults, "a variable is in .env.sample, a limit in the code");
}

/// The words of a text that are written as variables and limits are.
fn constants(text: &str) -> impl Iterator<Item = &str> {
    let is_letter = |symbol: char| symbol.is_ascii_uppercase() || symbol.is_ascii_digit();
    let is_part = move |part: &str| !part.is_empty() && part.chars().all(is_letter);
    let words = text.split(|symbol: char| !symbol.is_ascii_alphanumeric() && symbol != '_');
    words.filter(move |word| word.contains('_') && word.split('_').all(is_part))
}
