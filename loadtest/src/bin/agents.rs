//! Discovery over a market of agents: each kind of question, asked one after the other, straight to PostgreSQL without the
//! cache; and recommendations, round robin included. p50, p95 and p99 of each.

use std::path::PathBuf;
use std::time::Instant;

use clap::Parser;
use common::agents::PresenceBoard;
use common::agents::discovery::{self, Filters, Match, Sort, Wanted};
use common::config::{AgentsConfig, RedisConfig};
use common::db::PgPool;
use local::stack::Stack;

#[derive(Parser)]
struct Arguments {
    /// Folder of the stack; a temporary one if not given
    #[arg(long)]
    folder: Option<PathBuf>,
    /// Agents on the market
    #[arg(long, default_value_t = 100_000)]
    agents: i64,
    /// Questions of each kind
    #[arg(long, default_value_t = 300)]
    questions: usize,
}

/// Capabilities: the first is had by many, the last by few.
const CAPABILITIES: i64 = 1_000;
const PAGE: i64 = 20;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    common::tls::install_provider();
    let temporary = tempfile::tempdir()?;
    let folder = arguments
        .folder
        .clone()
        .unwrap_or_else(|| temporary.path().join("stack"));
    let stack = loadtest::start_stack(&folder).await?;
    let result = measure(&stack, &arguments).await;
    stack.stop().await;
    result
}

async fn measure(stack: &Stack, arguments: &Arguments) -> anyhow::Result<()> {
    let pool = PgPool::connect(&stack.migration_database_url).await?;
    fill(&pool, arguments.agents).await?;
    println!("{} agents", arguments.agents);
    for (kind, sort, filters) in kinds() {
        let mut times = Vec::new();
        for number in 0..arguments.questions {
            let filters = filters(number as i64);
            let start = Instant::now();
            discovery::list(&pool, &filters, sort, None, PAGE).await?;
            times.push(start.elapsed().as_secs_f64() * 1e3);
        }
        print(kind, times);
    }
    let redis = RedisConfig {
        url: stack.redis_url.clone().into(),
        prefix: "bench".to_owned(),
    };
    let board = PresenceBoard::new(&redis, &AgentsConfig::default())?;
    let mut times = Vec::new();
    for number in 0..arguments.questions {
        let wanted = Wanted {
            capability: capability(number as i64 % CAPABILITIES),
            budget_minor: Some(800),
            top: 3,
            by: None,
            with_busy: false,
            seen_within: board.time_to_live(),
        };
        let start = Instant::now();
        discovery::recommend(&pool, &board, &wanted).await?;
        times.push(start.elapsed().as_secs_f64() * 1e3);
    }
    print("recommend three for a budget", times);
    Ok(())
}

type MakeFilters = fn(i64) -> Filters;

/// The questions: what is asked, in which order, and by which filters.
fn kinds() -> [(&'static str, Sort, MakeFilters); 8] {
    [
        ("everybody, the best first", Sort::Reputation, |_| {
            Filters::default()
        }),
        ("everybody, the cheapest first", Sort::Cost, |_| {
            Filters::default()
        }),
        ("everybody, the least loaded first", Sort::Load, |_| {
            Filters::default()
        }),
        ("a capability that many have", Sort::Reputation, |_| {
            Filters {
                capabilities: vec![capability(0)],
                ..Filters::default()
            }
        }),
        ("a capability, the cheapest first", Sort::Cost, |number| {
            Filters {
                capabilities: vec![capability(number % CAPABILITIES)],
                ..Filters::default()
            }
        }),
        ("two capabilities, both", Sort::Reputation, |number| {
            Filters {
                capabilities: vec![capability(number % 10), capability(number % CAPABILITIES)],
                capability_match: Match::All,
                ..Filters::default()
            }
        }),
        (
            "a capability at a price, of some reputation",
            Sort::Reputation,
            |number| Filters {
                capabilities: vec![capability(number % CAPABILITIES)],
                cost_max_minor: Some(500),
                reputation_min: Some(3.0),
                ..Filters::default()
            },
        ),
        ("words", Sort::Reputation, |number| Filters {
            query: Some(format!("agent of skill{}", number % CAPABILITIES)),
            ..Filters::default()
        }),
    ]
}

fn capability(number: i64) -> String {
    format!("skill{number}")
}

/// Agents of a thousand owners, each with three capabilities: some are had by a tenth of all, most by a few.
async fn fill(pool: &PgPool, agents: i64) -> anyhow::Result<()> {
    sqlx::query(
        "insert into users (id, name)
         select gen_random_uuid(), 'owner-' || number
         from generate_series(1, 1000) as number",
    )
    .execute(pool)
    .await?;
    // The trigger takes two milliseconds for each; a hundred thousand need not wait for it.
    sqlx::query("alter table agents disable trigger agents_search")
        .execute(pool)
        .await?;
    sqlx::query(
        "insert into agents (agent_id, owner_id, name, description, capabilities, cost_per_task_minor, currency,
                             availability, metadata, reputation, open_tasks, latency_seconds)
         select 'agent-' || generated.number, owners.id, 'Agent ' || generated.number, 'An agent that was made to be found.',
                array(
                    select distinct 'skill' || floor($2 * power(random(), 3))::bigint
                    from generate_series(1, 3 + 0 * generated.number)
                ),
                floor(random() * 1000)::bigint, 'USD', 'online', '{}', random() * 5, floor(random() * 20)::integer,
                random() * 600
         from generate_series(1, $1) as generated (number)
         join (
             select id, row_number() over () as number
             from users
             where name like 'owner-%'
         ) as owners on owners.number = 1 + generated.number % 1000",
    )
    .bind(agents)
    .bind(CAPABILITIES as f64)
    .execute(pool)
    .await?;
    for statement in [
        "update agents set search = to_tsvector('simple', concat_ws(' ', name, description, array_to_string(capabilities, ' ')))",
        "alter table agents enable trigger agents_search",
        "vacuum analyze agents",
        "analyze users",
    ] {
        sqlx::query(statement).execute(pool).await?;
    }
    Ok(())
}

fn print(kind: &str, mut times: Vec<f64>) {
    times.sort_by(f64::total_cmp);
    let at = |part: f64| times[((times.len() - 1) as f64 * part) as usize];
    println!(
        "{kind:<45} p50 {:>6.2} ms, p95 {:>6.2} ms, p99 {:>6.2} ms",
        at(0.5),
        at(0.95),
        at(0.99)
    );
}
