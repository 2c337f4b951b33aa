//! What the tests stand on: the built program, and an API whose database the program migrated.

use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;
use std::time::Duration;

use api::Api;
use common::config::{ApiConfig, Env, RetentionConfig, SchedulerConfig};
use common::db::PgPool;
use common::ids::{JobId, PaymentId};
use common::jobs::{self, Cost, JobName, JobState, NewJob};
use local::postgres::{PostgresOptions, PrivatePostgres};
use local::redis::{PrivateRedis, RedisOptions};
use scheduler::Scheduler;
use serde_json::Value;
use sqlx::{Connection as _, PgConnection};
use tempfile::TempDir;
use tests::servers::owner_pool;
use tokio::io::AsyncWriteExt as _;
use uuid::Uuid;

pub const TOKEN: &str = "admin_for_the_tests_of_the_cli";
/// A call on a machine with much else to do.
const CALL_TIMEOUT: Duration = Duration::from_secs(60);
/// A call of the long form.
const LONG_CALL_TIMEOUT: Duration = Duration::from_secs(600);

/// How a call ended.
#[derive(Debug)]
pub struct Call {
    pub status: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Call {
    /// Standard output of a call that did all it should.
    #[track_caller]
    pub fn done(self) -> String {
        assert_eq!(self.status, 0, "{self:?}");
        self.stdout
    }

    #[track_caller]
    pub fn json(self) -> Value {
        serde_json::from_str(&self.done()).unwrap()
    }

    /// Standard error of a call that ended with that status and printed no result.
    #[track_caller]
    pub fn failed(self, status: i32) -> String {
        assert_eq!(
            (self.status, self.stdout.as_str()),
            (status, ""),
            "{self:?}"
        );
        self.stderr
    }
}

/// Runs the program with nothing but these variables.
pub async fn awareness(variables: &[(&str, &str)], words: &[&str]) -> Call {
    awareness_fed(variables, words, "").await
}

/// The same with something on standard input.
pub async fn awareness_fed(variables: &[(&str, &str)], words: &[&str], input: &str) -> Call {
    let tests = std::env::current_exe().unwrap();
    let program = tests.ancestors().nth(2).unwrap().join("awareness");
    assert!(
        program.exists(),
        "{} is missing: `cargo build --bins` comes first",
        program.display()
    );
    let mut child = tokio::process::Command::new(program)
        .args(words)
        .env_clear()
        .envs(variables.iter().copied())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    // A program that reads nothing may have ended before.
    let _ = child
        .stdin
        .take()
        .unwrap()
        .write_all(input.as_bytes())
        .await;
    let longest = if tests::is_long() {
        LONG_CALL_TIMEOUT
    } else {
        CALL_TIMEOUT
    };
    let output = tokio::time::timeout(longest, child.wait_with_output())
        .await
        .expect("the call ends in time")
        .unwrap();
    Call {
        status: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// An API that serves, its database migrated by the program itself.
pub struct World {
    pub folder: TempDir,
    pub base_url: String,
    pub pool: PgPool,
    config: ApiConfig,
    api: Api,
    postgres: PrivatePostgres,
    redis: PrivateRedis,
}

impl World {
    pub async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        // PostgreSQL may run as another user, who must be able to pass.
        std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o777)).unwrap();
        let place = |name: &str| folder.path().join(name);
        let (postgres, redis) = tokio::join!(
            PrivatePostgres::start(PostgresOptions::new(place("pg"), place("pg.log"))),
            PrivateRedis::start(RedisOptions::new(place("redis"), place("redis.log"))),
        );
        let (postgres, redis) = (postgres.unwrap(), redis.unwrap());
        postgres.create_database("awareness").await.unwrap();
        let migrator_url = postgres.migrator_url("awareness");
        // A login that is not there yet, with a password that has to be encoded.
        let (_, address) = migrator_url.rsplit_once('@').unwrap();
        let database_url = format!("postgres://shop:a%40b%25c@{address}");
        let variables = [
            ("DATABASE_URL", database_url.as_str()),
            ("MIGRATION_DATABASE_URL", &migrator_url),
        ];
        for _ in 0..2 {
            let call = awareness(&variables, &["migrate"]).await;
            assert_eq!(call.done(), "The database is up to date.\n");
        }
        let config = config(&database_url, &redis.url());
        let api = Api::start(&config).await.unwrap();
        Self {
            base_url: format!("http://{}", api.address()),
            pool: owner_pool(&postgres.url("awareness")).await,
            folder,
            config,
            api,
            postgres,
            redis,
        }
    }

    pub async fn call(&self, words: &[&str]) -> Call {
        let variables = [
            ("AWARENESS_BASE_URL", self.base_url.as_str()),
            ("AWARENESS_ADMIN_TOKEN", TOKEN),
        ];
        awareness(&variables, words).await
    }

    /// A scheduler of the same market.
    pub async fn scheduler(&self) -> Scheduler {
        let config = SchedulerConfig {
            ops_listen: self.config.ops_listen,
            staging_grace: Duration::from_secs(3600),
            retention: RetentionConfig::default(),
            database: self.config.database.clone(),
            redis: self.config.redis.clone(),
            agents: self.config.agents.clone(),
            storage: self.config.storage.clone(),
        };
        Scheduler::start(&config).await.unwrap()
    }

    /// A job that waits, for nobody in particular.
    pub async fn job(&self) -> JobId {
        let job = NewJob {
            name: JobName::AnnouncePurchase,
            subject: Uuid::new_v4(),
            tenant: None,
            cost: Cost::ROWS,
            trace: "req_cli".to_owned(),
            delay: Duration::ZERO,
        };
        let mut tx = common::db::begin(&self.pool).await.unwrap();
        let enqueued = jobs::enqueue_in_tx(&mut tx, &job).await.unwrap();
        tx.commit().await.unwrap();
        JobId(enqueued.wake.job)
    }

    pub async fn quarantined_job(&self, reason: &str) -> JobId {
        let id = self.job().await;
        let mut conn = self.pool.acquire().await.unwrap();
        let state = JobState::Quarantined;
        let is_done = jobs::cancel_waiting_in_tx(&mut conn, id, state, reason).await;
        assert!(is_done.unwrap());
        id
    }

    /// A guarded version counts without its entry, behind the schema's back.
    pub async fn break_the_books(&self) {
        let mut owner = PgConnection::connect_with(&self.pool.connect_options())
            .await
            .unwrap();
        sqlx::raw_sql(
            "set session_replication_role = replica;
             update accounts set version = version + 1 where kind = 'buyer_credits'",
        )
        .execute(&mut owner)
        .await
        .unwrap();
    }

    /// A top-up of the only user, of which the card provider did not say what became.
    pub async fn doubted_payment(&self) -> PaymentId {
        let id = sqlx::query_scalar(
            "insert into payments (id, user_id, api_key_id, purpose, amount_minor, currency, state, request_id,
                                   next_look_at, expires_at)
             select gen_random_uuid(), user_id, id, 'top_up', 2000, 'USD', 'created', 'req_cli', now(), now()
             from api_keys
             returning id",
        )
        .fetch_one(&self.pool)
        .await
        .unwrap();
        sqlx::query(
            "update payments
             set state = 'unknown', provider_id = 'pi_1', client_secret = 'pi_1_secret',
                 message = 'no answer came in time'",
        )
        .execute(&self.pool)
        .await
        .unwrap();
        id
    }

    pub async fn state(&self, id: JobId) -> JobState {
        jobs::find_job(&self.pool, id).await.unwrap().job.state
    }

    pub async fn stop(mut self) {
        self.pool.close().await;
        self.api.drain().await;
        tokio::join!(self.postgres.stop(), self.redis.stop());
    }
}

fn config(database_url: &str, redis_url: &str) -> ApiConfig {
    let master_key = "5c".repeat(32);
    let signing_key = "3a".repeat(32);
    let variables = [
        ("API_LISTEN", "127.0.0.1:0"),
        ("API_OPS_LISTEN", "127.0.0.1:0"),
        ("PUBLIC_BASE_URL", "http://127.0.0.1"),
        ("AWARENESS_ADMIN_TOKEN", TOKEN),
        ("AWARENESS_MASTER_KEY", master_key.as_str()),
        ("AWARENESS_SIGNING_KEY", signing_key.as_str()),
        ("DATABASE_URL", database_url),
        ("REDIS_URL", redis_url),
        // Operators' commands move no bytes.
        ("S3_ENDPOINT", "http://127.0.0.1:9"),
        ("S3_BUCKET", "unused"),
        ("S3_ACCESS_KEY", "unused"),
        ("S3_SECRET_KEY", "unused"),
    ]
    .map(|(name, value)| (name, value.to_owned()));
    let mut env = Env::new(move |name| {
        let found = variables.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| value.clone())
    });
    let config = ApiConfig::from_env(&mut env);
    env.finish(config).unwrap()
}
