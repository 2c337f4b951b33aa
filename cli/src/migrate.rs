//! `awareness migrate`: brings the schema up to date. Reads DATABASE_URL and the DB_POOL_* variables.

use common::config::{DatabaseConfig, Env};
use common::db;

use crate::failure::Failure;
use crate::output::Output;

/// Runs the command.
pub async fn run() -> Result<Output, Failure> {
    let mut env = Env::process();
    let config = DatabaseConfig::from_env(&mut env);
    let config = env.finish(config)?;
    let _logs = common::telemetry::init_logs();
    let pool = db::connect(&config).await?;
    db::migrate(&pool)
        .await
        .map_err(|error| Failure::Migration(Box::new(error)))?;
    pool.close().await;
    Ok(Output::new("The database is up to date.\n".to_owned()))
}
