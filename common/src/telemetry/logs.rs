//! Logs: JSON lines for machines, plain lines on a terminal. Fields are `entity.field`.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

/// Starts logging to standard error. `LOG_FORMAT` is `json`, `pretty` or unset (pretty on a
/// terminal); `AWARENESS_LOG` filters (default `info`).
pub fn init_logs() {
    let filter = EnvFilter::try_from_env("AWARENESS_LOG")
        .unwrap_or_else(|_| EnvFilter::new("info,apalis=warn,apalis_core=warn,aws_config=warn"));
    let pretty = match std::env::var("LOG_FORMAT").as_deref() {
        Ok("json") => false,
        Ok("pretty") => true,
        _ => std::io::stderr().is_terminal(),
    };
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
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
}
