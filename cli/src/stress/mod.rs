//! `awareness stress`: many clients at once against a market that runs, and whether everything is right afterwards.
//!
//! The clients share an account's streams and leases, and buy from accounts of their own. Each operation has a kind, drawn
//! by the seed; what each was answered is remembered, and compared with what the market says in the end.

mod checks;
mod client;
mod operations;
mod plan;
mod report;

use std::sync::Arc;
use std::time::Instant;

use clap::Args;
use common::reqwest;
use tokio::task::JoinSet;
use uuid::Uuid;

use self::client::Caller;
use self::operations::{Player, Shared};
use self::plan::Mix;
use self::report::Report;
use crate::api::{Api, ApiArgs};
use crate::failure::Failure;
use crate::output::Output;

/// Run many clients at once, and check the result. Exit status 1 if a check fails.
#[derive(Debug, Args)]
pub struct StressArgs {
    #[command(flatten)]
    api: ApiArgs,
    /// Clients that run at once.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=1000))]
    clients: u16,
    /// Operations of each client.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    operations: u32,
    /// How often each kind of operation is drawn.
    #[arg(long, default_value = "optimistic=3,lease=2,append=3,purchase=2")]
    mix: Mix,
    /// Draws the same operations again.
    #[arg(long, default_value_t = 7)]
    seed: u64,
    /// The package that is bought and returned [default: the cheapest on the market].
    #[arg(long)]
    package: Option<String>,
}

/// Runs the command.
pub async fn run(args: StressArgs) -> Result<Output, Failure> {
    let api = Api::new(args.api)?;
    let run = Uuid::new_v4().simple().to_string();
    let run = &run[..12];
    let shared = Arc::new(Shared::prepare(&api, run, &args.mix, args.package).await?);
    let mut players = Vec::new();
    for number in 0..args.clients {
        let buyer = match args.mix.has_purchases() {
            true => Some(Caller::create(&api, &format!("stress-{run}-{number}"), true).await?),
            false => None,
        };
        players.push(Player::new(Arc::clone(&shared), number, buyer, args.seed));
    }
    let begun = Instant::now();
    let mut running = JoinSet::new();
    for mut player in players {
        let (mix, operations) = (args.mix.clone(), args.operations);
        running.spawn(async move {
            player.play(&mix, operations).await;
            player
        });
    }
    let players = running.join_all().await;
    let seconds = begun.elapsed().as_secs_f64();
    let checks = checks::run(&api, &shared, &players).await?;
    let report = Report::new(args.seed, seconds, &players, checks);
    let is_sound = report.is_sound();
    let data = serde_json::to_value(&report).map_err(Failure::NotUnderstood)?;
    let output = api.show(data, |_: serde_json::Value| report.to_string())?;
    Ok(output.complete(is_sound))
}

/// Why a call of a client has no answer: not even that of the API.
type Lost = reqwest::Error;
