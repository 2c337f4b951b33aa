//! Reading the market through a whole stack of processes, beside a bare axum server on the same cores.
//!
//! 1. Requests/s of a cached search and of an upload's status, as shares of a hello-world's.
//! 2. The same search from an address that is limited: what counting costs.
//! 3. 1,000 open connections that browse pages which a few have seen: p99, and whether the pool runs dry.
//! 4. Searches that nobody asked before, over 100,000 packages: p99.
//! 5. The same of one client, alone and while another sends twelve misspelt terms on each of 32 connections.
//!
//! Run it with `RATE_LIMITS=global=100000/1/ip/anonymous`, so that part 2 counts and refuses nothing.

mod client;
mod ground;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::ensure;
use clap::Parser;
use common::db::PgPool;
use local::stack::Stack;

use client::Load;

#[derive(Parser)]
struct Arguments {
    /// Folder of the stack; a temporary one if not given
    #[arg(long)]
    folder: Option<PathBuf>,
    /// Packages on the shelf
    #[arg(long, default_value_t = 100_000)]
    packages: i64,
    /// Seconds of each measurement
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// Measures the last part alone
    #[arg(long)]
    attack: bool,
    /// Serves a hello-world on that port instead
    #[arg(long, hide = true)]
    hello: Option<u16>,
}

/// Trusted by the launcher, and not.
const TRUSTED: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 1);
const LIMITED: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);
const ATTACKED: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 3);
const CONNECTIONS: usize = 32;
const SEARCH: &str = "/api/ai/search-packages?query=vision%20gpt4&limit=10";

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    if let Some(port) = arguments.hello {
        return hello(port).await;
    }
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

/// The least that a server can do.
async fn hello(port: u16) -> anyhow::Result<()> {
    let router = axum::Router::new().route("/", axum::routing::get(|| async { "Hello, World!" }));
    let listener = tokio::net::TcpListener::bind((TRUSTED, port)).await?;
    axum::serve(listener, router).await?;
    Ok(())
}

/// The API under measurement.
struct Measured {
    api: SocketAddr,
    time: Duration,
}

async fn measure(stack: &Stack, arguments: &Arguments) -> anyhow::Result<()> {
    let pool = PgPool::connect(&stack.migration_database_url).await?;
    let upload = ground::publish(stack).await?;
    ground::fill(&pool, arguments.packages).await?;
    let measured = Measured {
        api: stack.base_url.trim_start_matches("http://").parse()?,
        time: Duration::from_secs(arguments.seconds),
    };
    if !arguments.attack {
        measured.beside_hello_world(&upload).await?;
        measured.browsing().await?;
        measured.fresh_searches(arguments.packages).await?;
    }
    measured.under_attack().await
}

impl Measured {
    fn load(&self, address: SocketAddr, path: &str) -> Load {
        Load {
            address,
            from: TRUSTED,
            paths: vec![path.to_owned()],
            connections: CONNECTIONS,
            time: self.time,
        }
    }

    async fn beside_hello_world(&self, upload: &str) -> anyhow::Result<()> {
        let listener = std::net::TcpListener::bind((TRUSTED, 0))?;
        let hello = listener.local_addr()?;
        drop(listener);
        let mut bare = tokio::process::Command::new(std::env::current_exe()?)
            .args(["--hello", &hello.port().to_string()])
            .kill_on_drop(true)
            .spawn()?;
        client::until_served(hello).await;
        let status = format!("/api/ai/package-status/{upload}");
        for round in 1..=3 {
            let bare = self.load(hello, "/").run().await?;
            let search = self.load(self.api, SEARCH).run().await?;
            let limited = Load {
                from: LIMITED,
                ..self.load(self.api, SEARCH)
            };
            let limited = limited.run().await?;
            let status = self.load(self.api, &status).run().await?;
            let refused = bare.refused + search.refused + limited.refused + status.refused;
            ensure!(
                refused == 0,
                "{refused} requests were refused: is RATE_LIMITS set?"
            );
            println!(
                "round {round}: hello-world {:.0}/s; cached search {}; limited {}; status {}",
                bare.per_second(),
                search.beside(&bare),
                limited.beside(&search),
                status.beside(&bare),
            );
        }
        bare.kill().await?;
        Ok(())
    }

    async fn browsing(&self) -> anyhow::Result<()> {
        let first = Load {
            paths: ground::browsing(),
            connections: 4,
            time: Duration::from_secs(1),
            ..self.load(self.api, "/")
        };
        println!("4 connections that see it first: {}", first.run().await?);
        let browsing = Load {
            paths: ground::browsing(),
            connections: 1_000,
            ..self.load(self.api, "/")
        };
        println!("1,000 connections that browse: {}", browsing.run().await?);
        Ok(())
    }

    async fn under_attack(&self) -> anyhow::Result<()> {
        // Each is asked once: what was answered before is no new search.
        let mut alone = ground::fresh_searches();
        let attacked = alone.split_off(alone.len() / 2);
        let victim = |paths| Load {
            from: ATTACKED,
            paths,
            connections: 1,
            ..self.load(self.api, "/")
        };
        let attack = Load {
            from: LIMITED,
            paths: ground::misspelt_searches(),
            ..self.load(self.api, "/")
        };
        println!("a client alone: {}", victim(alone).run().await?);
        let (attack, attacked) = tokio::try_join!(attack.run(), victim(attacked).run())?;
        println!("the same beside the attack: {attacked}");
        println!("the attack: {attack}");
        Ok(())
    }

    async fn fresh_searches(&self, packages: i64) -> anyhow::Result<()> {
        let fresh = Load {
            paths: ground::fresh_searches(),
            connections: 2,
            ..self.load(self.api, "/")
        };
        println!(
            "new searches of {packages} packages: {}",
            fresh.run().await?
        );
        Ok(())
    }
}
