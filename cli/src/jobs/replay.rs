//! `awareness jobs replay`: the API retries one page of quarantined jobs a call, and this goes on
//! to the last page. A job that fails again meanwhile is not retried twice: pages only go back in
//! time.

use common::ids::JobId;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::Kind;
use crate::api::{Api, read};
use crate::failure::Failure;
use crate::output::Output;
use crate::table::Table;

/// 200 jobs a page: more than two million jobs, and the end of a mistake.
const PAGES_MAX: usize = 10_000;

/// What became of the quarantined jobs.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Replay {
    replayed: Vec<JobId>,
    refused: Vec<Refused>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Refused {
    id: JobId,
    reason: String,
}

impl Replay {
    /// The last job of a page, newest first; none of an empty page.
    fn oldest(&self) -> Option<JobId> {
        let refused = self.refused.iter().map(|refused| refused.id);
        self.replayed.iter().copied().chain(refused).min()
    }

    fn add(&mut self, page: Self) {
        self.replayed.extend(page.replayed);
        self.refused.extend(page.refused);
    }
}

/// Runs the command.
pub async fn run(api: &Api, kind: Kind) -> Result<Output, Failure> {
    let mut all = Replay::default();
    let mut oldest = None;
    for _ in 0..PAGES_MAX {
        let filter = json!({ "queue": kind.queue, "name": kind.name, "cursor": oldest });
        let page: Replay = read(api.post(&["jobs", "replay"], &filter).await?)?;
        oldest = page.oldest();
        if oldest.is_none() {
            break;
        }
        all.add(page);
    }
    let is_complete = all.refused.is_empty() && oldest.is_none();
    Ok(api.show(json!(all), text)?.complete(is_complete))
}

fn text(replay: Replay) -> String {
    let count = replay.replayed.len();
    let plural = if count == 1 { " runs" } else { "s run" };
    let summary = format!("{count} quarantined job{plural} again.\n");
    if replay.refused.is_empty() {
        return summary;
    }
    let mut table = Table::new(["REFUSED", "REASON"]);
    for refused in replay.refused {
        table.row([refused.id.to_string(), refused.reason]);
    }
    format!("{summary}\n{table}")
}
