//! Benchmarks of the parts, each beside a peer or a floor measured in the same run.

use std::path::Path;
use std::time::Instant;

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

/// The middle one.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
