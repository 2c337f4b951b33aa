//! The closed lists: which jobs there are, which queue each waits in, and what its limits are.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Every kind of job. The name is the worker's file, the metric label and the log field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobName {
    ValidateUpload,
    PublishUpload,
    SettlePurchase,
    AnnouncePurchase,
    ProcessPayment,
    RemeasurePackage,
    DeliverWebhook,
    RecoverWebhooks,
    FetchAgentCard,
    EndAgentTask,
}

/// What holds for all jobs of one kind.
#[derive(Debug)]
pub struct JobSpec {
    pub name: &'static str,
    pub queue: &'static QueueSpec,
    /// A run that takes longer is a failed attempt.
    pub timeout: Duration,
    /// Failed attempts after which the job is given up. Faults of ours count none.
    pub attempts_max: i32,
}

/// A queue: jobs that are scaled together.
#[derive(Debug)]
pub struct QueueSpec {
    pub name: &'static str,
    /// Handlers at once in one worker process.
    pub concurrency: usize,
    /// Wake-up calls fetched at once. Long jobs take one, so that idle workers find the rest.
    pub batch: usize,
    /// How the jobs of its bulk lane are ordered.
    pub bulk: BulkOrder,
}

/// How the jobs of a bulk lane are ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BulkOrder {
    /// By turns: tenants share the lane by cost.
    Turns,
    /// As they are called. Alarms: what they cost is known only when they have run, so their handler
    /// shares out its places itself.
    Calls,
}

static VALIDATE_UPLOAD: JobSpec = JobSpec {
    name: "validate_upload",
    queue: &VALIDATE,
    timeout: Duration::from_secs(120),
    attempts_max: 5,
};
static PUBLISH_UPLOAD: JobSpec = JobSpec {
    name: "publish_upload",
    queue: &PUBLISH,
    timeout: Duration::from_secs(120),
    attempts_max: 5,
};
static DELIVER_WEBHOOK: JobSpec = JobSpec {
    name: "deliver_webhook",
    queue: &WEBHOOK,
    // A drain gives its endpoint back after `DRAIN_RUN`; its last request may take 30 s more.
    timeout: Duration::from_secs(120),
    attempts_max: 18,
};

static RECOVER_WEBHOOKS: JobSpec = JobSpec {
    name: "recover_webhooks",
    queue: &WEBHOOK,
    timeout: Duration::from_secs(600),
    attempts_max: 8,
};
static SETTLE_PURCHASE: JobSpec = JobSpec {
    name: "settle_purchase",
    queue: &SETTLE,
    timeout: Duration::from_secs(30),
    attempts_max: 8,
};
static ANNOUNCE_PURCHASE: JobSpec = JobSpec {
    name: "announce_purchase",
    queue: &WEBHOOK,
    timeout: Duration::from_secs(30),
    attempts_max: 8,
};

static PROCESS_PAYMENT: JobSpec = JobSpec {
    name: "process_payment",
    queue: &PAY,
    // Three requests to the card provider, one after the other.
    timeout: Duration::from_secs(60),
    attempts_max: 8,
};
static FETCH_AGENT_CARD: JobSpec = JobSpec {
    name: "fetch_agent_card",
    queue: &WEBHOOK,
    timeout: Duration::from_secs(30),
    attempts_max: 5,
};
static END_AGENT_TASK: JobSpec = JobSpec {
    name: "end_agent_task",
    queue: &SETTLE,
    timeout: Duration::from_secs(30),
    attempts_max: 8,
};
static REMEASURE_PACKAGE: JobSpec = JobSpec {
    name: "remeasure_package",
    queue: &VALIDATE,
    timeout: Duration::from_secs(120),
    attempts_max: 5,
};

static SETTLE: QueueSpec = QueueSpec {
    name: "settle",
    concurrency: 128,
    batch: 32,
    bulk: BulkOrder::Turns,
};
static PAY: QueueSpec = QueueSpec {
    name: "pay",
    concurrency: 16,
    batch: 1,
    bulk: BulkOrder::Turns,
};
static VALIDATE: QueueSpec = QueueSpec {
    name: "validate",
    concurrency: 2,
    batch: 1,
    bulk: BulkOrder::Turns,
};
static PUBLISH: QueueSpec = QueueSpec {
    name: "publish",
    concurrency: 8,
    batch: 1,
    bulk: BulkOrder::Turns,
};
static WEBHOOK: QueueSpec = QueueSpec {
    name: "webhook",
    concurrency: 1024,
    batch: 64,
    bulk: BulkOrder::Calls,
};

impl QueueSpec {
    /// All queues, the most urgent first.
    pub const ALL: [&'static Self; 5] = [&SETTLE, &PAY, &PUBLISH, &VALIDATE, &WEBHOOK];

    /// The queue of that name.
    pub fn find(name: &str) -> Option<&'static Self> {
        Self::ALL.into_iter().find(|queue| queue.name == name)
    }
}

impl JobName {
    /// All jobs.
    pub const ALL: [Self; 10] = [
        Self::ValidateUpload,
        Self::PublishUpload,
        Self::SettlePurchase,
        Self::AnnouncePurchase,
        Self::ProcessPayment,
        Self::RemeasurePackage,
        Self::DeliverWebhook,
        Self::RecoverWebhooks,
        Self::FetchAgentCard,
        Self::EndAgentTask,
    ];

    /// Its limits.
    pub fn spec(self) -> &'static JobSpec {
        match self {
            Self::ValidateUpload => &VALIDATE_UPLOAD,
            Self::PublishUpload => &PUBLISH_UPLOAD,
            Self::SettlePurchase => &SETTLE_PURCHASE,
            Self::AnnouncePurchase => &ANNOUNCE_PURCHASE,
            Self::ProcessPayment => &PROCESS_PAYMENT,
            Self::RemeasurePackage => &REMEASURE_PACKAGE,
            Self::DeliverWebhook => &DELIVER_WEBHOOK,
            Self::RecoverWebhooks => &RECOVER_WEBHOOKS,
            Self::FetchAgentCard => &FETCH_AGENT_CARD,
            Self::EndAgentTask => &END_AGENT_TASK,
        }
    }

    /// Its name in SQL, Redis, metrics and logs.
    pub fn as_str(self) -> &'static str {
        self.spec().name
    }
}

impl fmt::Display for JobName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for JobName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|name| name.as_str() == text)
            .ok_or_else(|| format!("no job is called {text}"))
    }
}

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, sqlx::Type)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum JobState {
    /// An alarm that nobody rang.
    Idle,
    Ready,
    Running,
    Done,
    Cancelled,
    Quarantined,
}

impl fmt::Display for JobState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Idle => "idle",
            Self::Ready => "ready",
            Self::Running => "running",
            Self::Done => "done",
            Self::Cancelled => "cancelled",
            Self::Quarantined => "quarantined",
        })
    }
}

impl FromStr for JobState {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        serde_json::from_value(text.into()).map_err(|_| {
            format!("no job state is called {text}; there are idle, ready, running, done, cancelled, quarantined")
        })
    }
}
