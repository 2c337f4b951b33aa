//! `awareness`: judge packages and receipts, migrate the database, and operate a marketplace from a
//! shell.
//!
//! One file per noun. Everything but `verify`, `receipt` and `migrate` goes through the admin API, so
//! it is allowed, logged and refused exactly as any other operator's call. Results are on standard
//! output alone, everything else on standard error. Exit status: 0 done, 1 refused or not
//! complete, 2 the call cannot be carried out as it was written.

mod age;
mod agent_tasks;
mod analytics;
mod api;
mod chargebacks;
mod credits;
mod disputes;
mod events;
mod failure;
mod jobs;
mod keys;
mod leases;
mod ledger;
mod migrate;
mod output;
mod packages;
mod payloads;
mod payments;
mod payouts;
mod purchases;
mod queues;
mod receipt;
mod reputation;
mod stress;
mod table;
mod tasks;
mod users;
mod verify;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Judges packages and receipts, and operates a marketplace.
#[derive(Debug, Parser)]
#[command(
    name = "awareness",
    version,
    after_help = "Commands other than verify, receipt and migrate need AWARENESS_BASE_URL and \
                  AWARENESS_ADMIN_TOKEN.\n\n\
                  Example: awareness queues list"
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    #[command(after_help = "Example: awareness verify w.safetensors package.safetensors")]
    Verify(verify::VerifyArgs),
    #[command(after_help = "Example: awareness receipt verify receipt.jws --keys jwks.json")]
    Receipt(receipt::ReceiptArgs),
    /// Bring the database up to date as MIGRATION_DATABASE_URL's login, and make that of DATABASE_URL; any number of
    /// times, also at once.
    #[command(
        after_help = "Example: MIGRATION_DATABASE_URL=postgres://owner… DATABASE_URL=postgres://awareness_app:… \
                      awareness migrate"
    )]
    Migrate,
    #[command(after_help = "Example: awareness keys list --user acme")]
    Keys(keys::KeysArgs),
    #[command(after_help = "Example: awareness queues list")]
    Queues(queues::QueuesArgs),
    #[command(after_help = "Example: awareness jobs list --state quarantined")]
    Jobs(jobs::JobsArgs),
    #[command(after_help = "Example: awareness tasks run sweep_words")]
    Tasks(tasks::TasksArgs),
    #[command(after_help = "Example: awareness analytics show --period hour")]
    Analytics(analytics::AnalyticsArgs),
    #[command(after_help = "Example: awareness events verify")]
    Events(events::EventsArgs),
    #[command(
        after_help = "Example: awareness stress --clients 50 --operations 20 --mix optimistic=3,lease=2,append=3"
    )]
    Stress(stress::StressArgs),
    #[command(after_help = "Example: awareness payloads list --json")]
    Payloads(payloads::PayloadsArgs),
    #[command(after_help = "Example: awareness payments list --state unknown")]
    Payments(payments::PaymentsArgs),
    #[command(after_help = "Example: awareness chargebacks list --state open")]
    Chargebacks(chargebacks::ChargebacksArgs),
    #[command(after_help = "Example: awareness credits give acme 25.00 --reason goodwill")]
    Credits(credits::CreditsArgs),
    #[command(after_help = "Example: awareness leases list acme")]
    Leases(leases::LeasesArgs),
    #[command(after_help = "Example: awareness ledger audit")]
    Ledger(ledger::LedgerArgs),
    #[command(after_help = "Example: awareness purchases refund pur_… --reason 'sold by mistake'")]
    Purchases(purchases::PurchasesArgs),
    #[command(after_help = "Example: awareness disputes list --state measured")]
    Disputes(disputes::DisputesArgs),
    #[command(after_help = "Example: awareness agent-tasks list --state disputed")]
    AgentTasks(agent_tasks::AgentTasksArgs),
    #[command(after_help = "Example: awareness reputation explain vision-broker")]
    Reputation(reputation::ReputationArgs),
    #[command(after_help = "Example: awareness payouts list --state requested")]
    Payouts(payouts::PayoutsArgs),
    #[command(
        after_help = "Example: awareness packages take-down pkg_… --reason 'a claim of copyright'"
    )]
    Packages(packages::PackagesArgs),
    #[command(after_help = "Example: awareness users block 0199f7a0-… --reason fraud")]
    Users(users::UsersArgs),
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Verify(args) => return verify::run(args),
        Command::Receipt(args) => receipt::run(args),
        Command::Migrate => migrate::run().await,
        Command::Keys(args) => keys::run(args).await,
        Command::Queues(args) => queues::run(args).await,
        Command::Jobs(args) => jobs::run(args).await,
        Command::Tasks(args) => tasks::run(args).await,
        Command::Analytics(args) => analytics::run(args).await,
        Command::Events(args) => events::run(args).await,
        Command::Stress(args) => stress::run(args).await,
        Command::Payloads(args) => payloads::run(args).await,
        Command::Payments(args) => payments::run(args).await,
        Command::Chargebacks(args) => chargebacks::run(args).await,
        Command::Credits(args) => credits::run(args).await,
        Command::Leases(args) => leases::run(args).await,
        Command::Ledger(args) => ledger::run(args).await,
        Command::Purchases(args) => purchases::run(args).await,
        Command::Disputes(args) => disputes::run(args).await,
        Command::AgentTasks(args) => agent_tasks::run(args).await,
        Command::Reputation(args) => reputation::run(args).await,
        Command::Payouts(args) => payouts::run(args).await,
        Command::Packages(args) => packages::run(args).await,
        Command::Users(args) => users::run(args).await,
    };
    match result {
        Ok(output) => output.print(),
        Err(failure) => failure.print(),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn every_command_has_help_with_an_example_and_no_flag_takes_the_token() {
        fn check(command: &clap::Command, path: &str) {
            let help = command.get_after_help().map(ToString::to_string);
            assert!(
                help.is_some_and(|help| help.contains("Example: ")),
                "{path}"
            );
            assert!(command.get_about().is_some(), "{path}");
            for argument in command.get_arguments() {
                let id = argument.get_id().as_str();
                assert!(!id.contains("token") || id.ends_with("file"), "{path} {id}");
            }
            for sub in command.get_subcommands() {
                check(sub, &format!("{path} {}", sub.get_name()));
            }
        }
        Arguments::command().debug_assert();
        check(&Arguments::command(), "awareness");
    }
}
