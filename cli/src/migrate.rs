//! `awareness migrate`: brings the schema up to date, as the login of MIGRATION_DATABASE_URL, and makes
//! sure that the login of DATABASE_URL may do what the services need and nothing else.

use common::config::{Env, MigrationConfig};
use common::db;

use crate::failure::Failure;
use crate::output::Output;

/// Runs the command.
pub async fn run() -> Result<Output, Failure> {
    let mut env = Env::process();
    let config = MigrationConfig::from_env(&mut env);
    let config = env.finish(config)?;
    let _logs = common::telemetry::init_logs();
    let pool = db::connect_as_owner(&config.owner).await?;
    db::migrate(&pool)
        .await
        .map_err(|error| Failure::Migration(Box::new(error)))?;
    db::ensure_login(&pool, &config.services_url).await?;
    pool.close().await;
    Ok(Output::new("The database is up to date.\n".to_owned()))
}
