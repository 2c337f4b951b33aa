//! The logins of a private cluster, each for its purpose: the superuser makes databases, the migrator owns
//! them, the services own nothing.

use super::{PostgresError, PrivatePostgres, USER};

/// Owns the databases and what is in them, and brings the schema up to date.
const MIGRATOR: &str = "awareness_migrator";
/// What the services log in as: it owns nothing.
const SERVICES: &str = "awareness_app";

impl PrivatePostgres {
    /// The connection URL of a database for the cluster's superuser: for set-up and tests, not for services.
    pub fn url(&self, database: &str) -> String {
        self.url_of(USER, &self.password, database)
    }

    /// The connection URL for the login that owns a database made here, and migrates it.
    pub fn migrator_url(&self, database: &str) -> String {
        self.url_of(MIGRATOR, &self.migrator_password, database)
    }

    /// The connection URL for the services, which own nothing.
    pub fn services_url(&self, database: &str) -> String {
        self.url_of(SERVICES, &self.services_password, database)
    }

    fn url_of(&self, user: &str, password: &str, database: &str) -> String {
        format!(
            "postgres://{user}:{password}@127.0.0.1:{}/{database}",
            self.port
        )
    }

    /// Creates the two logins and the database, unless they exist; what the superuser owns in it, as in
    /// databases from before there were logins, goes to the migrator. `name` is a plain identifier.
    pub async fn create_database(&self, name: &str) -> Result<(), PostgresError> {
        let logins = include_str!("logins.sql")
            .replace("MIGRATOR_PASSWORD", &self.migrator_password)
            .replace("SERVICES_PASSWORD", &self.services_password);
        let wanted = format!(
            "{logins}
             select 'create database \"{name}\"'
             where not exists (select from pg_database where datname = '{name}') \\gexec
             alter database \"{name}\" owner to {MIGRATOR};"
        );
        self.psql("postgres", &wanted).await?;
        let handed_over = include_str!("hand_over.sql");
        self.psql(name, handed_over).await.map(drop)
    }
}
