//! Logs: JSON lines for machines, plain lines on a terminal. Fields are `entity.field`; a line that is too
//! long is cut (see `bounded`).

use std::io::{self, BufWriter, IsTerminal as _, Write};
use std::time::Duration;

use tracing_appender::non_blocking::{NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::EnvFilter;

use super::bounded::Bounded;

/// Writes what is left when it is dropped.
#[must_use]
#[derive(Debug)]
pub struct LogGuard {
    _writer: WorkerGuard,
}

/// Lines wait at most this long for others, so that they are written together: a busy process would
/// otherwise spend an eighth of its time on waking the thread that writes.
const PAUSE: Duration = Duration::from_millis(5);

/// A writer that rests after it has written everything.
struct Resting<W>(W);

impl<W: Write> Write for Resting<W> {
    fn write(&mut self, lines: &[u8]) -> io::Result<usize> {
        self.0.write(lines)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()?;
        std::thread::sleep(PAUSE);
        Ok(())
    }
}

/// Starts logging to standard error, from a thread of its own that writes together what comes together.
/// `LOG_FORMAT` is `json`, `pretty` or unset (pretty on a terminal); `AWARENESS_LOG` filters (default
/// `info`). Only a kill loses lines: those of its last moment.
pub fn init_logs() -> LogGuard {
    let filter = EnvFilter::try_from_env("AWARENESS_LOG")
        .unwrap_or_else(|_| EnvFilter::new("info,apalis=warn,apalis_core=warn,aws_config=warn"));
    let pretty = match std::env::var("LOG_FORMAT").as_deref() {
        Ok("json") => false,
        Ok("pretty") => true,
        _ => std::io::stderr().is_terminal(),
    };
    let (writer, guard) = NonBlockingBuilder::default()
        .lossy(false)
        .finish(Resting(BufWriter::new(std::io::stderr())));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(move || Bounded(writer.clone()));
    if pretty {
        builder.with_target(false).init();
    } else {
        builder
            .json()
            .flatten_event(true)
            .with_current_span(true)
            .with_span_list(false)
            .init();
    }
    std::panic::set_hook(Box::new(|panic| {
        tracing::error!(panic = %panic, "A task panicked");
    }));
    LogGuard { _writer: guard }
}
