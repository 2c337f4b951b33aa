//! Benchmarks of the parts, each beside a peer or a floor measured in the same run.

use std::path::Path;
use std::time::Instant;

use anyhow::Context as _;
use local::accounts::CommonAccounts;
use local::stack::{Stack, StackOptions};
use local::terminal::Terminal;

/// A fresh stack in that folder, of the programs that were built beside the benchmark.
pub async fn start_stack(folder: &Path) -> anyhow::Result<Stack> {
    let benchmark = std::env::current_exe()?;
    let options = StackOptions {
        folder: folder.to_owned(),
        programs: benchmark.parent().context("a folder")?.to_owned(),
        port: None,
        fresh: true,
    };
    Ok(Stack::start(options, &CommonAccounts, Terminal::new()).await?)
}

/// Milliseconds of a write of 8 KiB and its fdatasync, the median of fifty.
pub fn fsync_probe(folder: &Path) -> anyhow::Result<f64> {
    use std::io::{Seek as _, Write as _};
    let mut file = std::fs::File::create(folder.join("probe"))?;
    let mut times = Vec::new();
    for _ in 0..50 {
        let start = Instant::now();
        file.rewind()?;
        file.write_all(&[0; 8192])?;
        file.sync_data()?;
        times.push(start.elapsed().as_secs_f64() * 1e3);
    }
    Ok(median(times))
}

/// Milliseconds that the cores of this machine have worked since it started: on a machine whose clock is not
/// ours alone, what something costs says more than how fast it went.
pub fn cpu_ms() -> anyhow::Result<f64> {
    const MS_PER_TICK: f64 = 10.0;
    let text = std::fs::read_to_string("/proc/stat")?;
    let line = text.lines().next().context("the line of all cores")?;
    let ticks = line.split_whitespace().skip(1).map(str::parse::<f64>);
    let ticks = ticks.collect::<Result<Vec<f64>, _>>()?;
    // user, nice, system; not idle, and not what was stolen.
    Ok(ticks[..3].iter().sum::<f64>() * MS_PER_TICK)
}

/// The middle one.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Resident memory in MiB.
pub fn memory_mib(pid: u32) -> anyhow::Result<f64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().nth(1));
    Ok(kib.context("a resident size")?.parse::<f64>()? / 1024.0)
}

/// Seconds of CPU so far; Linux counts hundredths.
pub fn cpu_seconds(pid: u32) -> anyhow::Result<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let (_, fields) = stat.rsplit_once(") ").context("a process")?;
    let ticks = fields.split(' ').skip(11).take(2);
    let ticks: Vec<f64> = ticks.map(str::parse).collect::<Result<_, _>>()?;
    Ok(ticks.iter().sum::<f64>() / 100.0)
}

/// The API process of the stack in that folder.
pub fn pid_of_api(folder: &Path) -> anyhow::Result<u32> {
    let text = std::fs::read_to_string(folder.join("pids/api"))?;
    Ok(text.trim().parse()?)
}
