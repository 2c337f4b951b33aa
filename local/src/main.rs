//! `awareness-local`: the whole marketplace on one machine, with one command and no configuration.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::Parser;
use local::accounts::CommonAccounts;
use local::demo;
use local::stack::{Stack, StackOptions};
use local::terminal::Terminal;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Starts a private PostgreSQL, Redis and S3 endpoint and the services, and runs the demo.
#[derive(Debug, Parser)]
#[command(name = "awareness-local", version)]
struct Arguments {
    /// Exit after the demo, non-zero if any step was not as expected
    #[arg(long, conflicts_with = "serve")]
    once: bool,
    /// Serve without running the demo
    #[arg(long)]
    serve: bool,
    /// Forget the data of earlier runs
    #[arg(long)]
    fresh: bool,
    /// Port of the API
    #[arg(long, value_name = "PORT")]
    port: Option<u16>,
    /// Folder of data, logs and stack.env
    #[arg(long, value_name = "FOLDER", default_value = ".local")]
    folder: PathBuf,
}

#[tokio::main]
async fn main() -> ExitCode {
    let terminal = Terminal::new();
    match run(Arguments::parse(), terminal).await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("awareness-local: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments, terminal: Terminal) -> anyhow::Result<ExitCode> {
    let mut stop = StopSignals::new()?;
    let program = std::env::current_exe().context("the launcher's own folder is unknown")?;
    let programs = program
        .parent()
        .context("the launcher's own folder is unknown")?
        .to_owned();
    let options = StackOptions {
        folder: arguments.folder,
        programs,
        port: arguments.port,
        fresh: arguments.fresh,
    };
    let started = tokio::select! {
        started = Stack::start(options, &CommonAccounts, terminal) => started,
        () = stop.next() => return Ok(ExitCode::FAILURE),
    };
    let stack = started?;
    let code = tokio::select! {
        code = serve(&stack, arguments.once, arguments.serve) => code,
        () = stop.next() => ExitCode::SUCCESS,
    };
    terminal.line("launcher", "stopping; once more Ctrl-C stops at once");
    tokio::select! {
        () = stack.stop() => Ok(code),
        () = stop.next() => Ok(ExitCode::FAILURE),
    }
}

/// Runs the demo unless told not to, and then serves until it is cancelled, unless told not to.
async fn serve(stack: &Stack, once: bool, without_demo: bool) -> ExitCode {
    let seconds = stack.first_answer_after.as_secs_f64();
    stack.terminal.line(
        "launcher",
        &format!("first request answered after {seconds:.2} s"),
    );
    let mut code = ExitCode::SUCCESS;
    if !without_demo && !demonstrate(stack).await {
        code = ExitCode::FAILURE;
    }
    show_addresses(stack);
    if !once {
        stack.terminal.line("launcher", "serving until Ctrl-C");
        std::future::pending::<()>().await;
    }
    code
}

async fn demonstrate(stack: &Stack) -> bool {
    match demo::run(stack).await {
        Ok(report) => {
            let failed: Vec<_> = report
                .steps
                .iter()
                .filter(|step| !step.as_expected)
                .collect();
            for step in &failed {
                stack.terminal.line(
                    "demo",
                    &format!("NOT AS EXPECTED: {}: {}", step.name, step.detail),
                );
            }
            let (all, good) = (report.steps.len(), report.steps.len() - failed.len());
            stack
                .terminal
                .line("demo", &format!("{good} of {all} steps as expected"));
            report.passed()
        }
        Err(error) => {
            stack
                .terminal
                .line("demo", &format!("FAILED: {:#}", anyhow::Error::from(error)));
            false
        }
    }
}

fn show_addresses(stack: &Stack) {
    let show = |subject, text: &str| stack.terminal.detail(subject, text);
    show("API", &stack.base_url);
    show(
        "received webhooks",
        &format!("{}/received", stack.receiver.url()),
    );
    show(
        "charges of cards",
        &format!("{}/sandbox/payment_intents", stack.cards.url()),
    );
    show("key of a seller", &stack.keys.seller);
    show("key of a buyer", &stack.keys.buyer);
    show(
        "all settings",
        &format!("source {}/stack.env", stack.folder.display()),
    );
    show("logs", &stack.folder.join("log").display().to_string());
}

/// Whatever asks a program at a terminal to end.
struct StopSignals([Signal; 3]);

impl StopSignals {
    fn new() -> anyhow::Result<Self> {
        let listen = |kind| signal(kind).context("signals cannot be listened to");
        let kinds = [
            SignalKind::interrupt(),
            SignalKind::terminate(),
            SignalKind::hangup(),
        ];
        let [interrupt, terminate, hangup] = kinds.map(listen);
        Ok(Self([interrupt?, terminate?, hangup?]))
    }

    async fn next(&mut self) {
        let [interrupt, terminate, hangup] = &mut self.0;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    }
}
