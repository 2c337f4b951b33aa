//! What a command says when it was carried out.

use std::io::{ErrorKind, Write as _};
use std::process::ExitCode;

const INCOMPLETE: u8 = 1;

/// The result for standard output, remarks for standard error, and whether all of it was done.
#[derive(Debug)]
pub struct Output {
    result: String,
    remark: String,
    is_complete: bool,
}

impl Output {
    /// A result that ends in a line break.
    pub fn new(result: String) -> Self {
        Self {
            result,
            remark: String::new(),
            is_complete: true,
        }
    }

    /// Something that a script must not read as part of the result.
    #[must_use]
    pub fn remark(mut self, remark: String) -> Self {
        self.remark = remark;
        self
    }

    /// Part of the work was refused: the exit status says so.
    #[must_use]
    pub fn complete(mut self, is_complete: bool) -> Self {
        self.is_complete = is_complete;
        self
    }

    /// Prints it. A reader that has seen enough (`| head`) is no error.
    pub fn print(&self) -> ExitCode {
        let mut stdout = std::io::stdout().lock();
        let written = stdout
            .write_all(self.result.as_bytes())
            .and_then(|()| stdout.flush());
        eprint!("{}", self.remark);
        match written {
            Err(error) if error.kind() != ErrorKind::BrokenPipe => {
                eprintln!("awareness: standard output: {error}");
                ExitCode::from(INCOMPLETE)
            }
            _ if self.is_complete => ExitCode::SUCCESS,
            _ => ExitCode::from(INCOMPLETE),
        }
    }
}
