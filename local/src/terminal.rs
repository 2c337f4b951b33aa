//! What a person sees: one calm, aligned line per thing that happened, with elapsed seconds.
//!
//! No colour unless standard output is a terminal. Nothing secret is ever passed to it, except
//! the sandbox keys that the launcher exists to show.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use crate::supervise::Notice;

/// Standard output and the moment that seconds are counted from. Copies share both.
#[derive(Debug, Clone, Copy)]
pub struct Terminal {
    started: Instant,
    coloured: bool,
}

impl Terminal {
    /// Counts from now.
    #[expect(clippy::new_without_default, reason = "the moment of creation matters")]
    pub fn new() -> Self {
        Self {
            started: Instant::now(),
            coloured: std::io::stdout().is_terminal(),
        }
    }

    /// Since the launcher started.
    pub fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// `   1.23 s  postgres   text`
    pub fn line(&self, subject: &str, text: &str) {
        let seconds = self.started.elapsed().as_secs_f64();
        let (dim, bold, plain) = if self.coloured {
            ("\x1b[2m", "\x1b[1m", "\x1b[0m")
        } else {
            ("", "", "")
        };
        println!("{dim}{seconds:8.2} s{plain}  {bold}{subject:<10}{plain} {text}");
    }

    /// A line without a time, aligned with the others.
    pub fn detail(&self, subject: &str, text: &str) {
        println!("{:12}{subject:<22} {text}", "");
    }

    /// What became of a child.
    pub fn notice(&self, notice: &Notice) {
        match notice {
            Notice::Ended {
                name,
                status,
                pause,
            } => {
                self.line(
                    name,
                    &format!("ended ({status}), back in {:.1} s", pause.as_secs_f64()),
                );
            }
            Notice::NotStarted {
                name,
                reason,
                pause,
            } => {
                let reason = reason.lines().next().unwrap_or_default();
                self.line(
                    name,
                    &format!("{reason}; next try in {:.1} s", pause.as_secs_f64()),
                );
            }
            Notice::Back { name, pid } => self.line(name, &format!("is back as process {pid}")),
        }
    }
}
