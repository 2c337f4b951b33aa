//! Why a command was not carried out, and the exit status that says so.

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;

use common::config::ConfigError;
use common::reqwest::{self, StatusCode, Url};

use crate::table::visible;

const REFUSED: u8 = 1;
const UNUSABLE: u8 = 2;

/// Everything that keeps a command from its work.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The call itself, all faults at once.
    #[error("{}", .0.join("\n  "))]
    Unusable(Vec<String>),
    #[error("the token file {} cannot be read", path.display())]
    TokenFile {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error(transparent)]
    Environment(#[from] ConfigError),
    #[error("no root certificates found; install ca-certificates or set SSL_CERT_FILE")]
    NoRootCertificates,
    #[error("the TLS settings are unusable")]
    Tls(#[from] rustls::Error),
    #[error("the HTTP client settings are unusable")]
    Http(#[source] reqwest::Error),
    #[error("the API at {base_url} cannot be reached")]
    Unreachable {
        base_url: Url,
        source: reqwest::Error,
    },
    /// The API's own envelope.
    #[error("{}", refusal(.code, .message, .details, .request_id.as_deref()))]
    Refused {
        code: String,
        message: String,
        /// Field and fault.
        details: Vec<(String, String)>,
        request_id: Option<String>,
    },
    #[error("{url} answered {status}, but not as the API would; is AWARENESS_BASE_URL right?")]
    NotTheApi { url: Url, status: StatusCode },
    #[error("the answer to this call is not understood; are API and CLI of one version?")]
    NotUnderstood(#[source] serde_json::Error),
    #[error("no user is called {0}")]
    UserUnknown(String),
    #[error("the database cannot be reached")]
    Database(#[from] common::db::Error),
    #[error("the migrations did not all apply")]
    Migration(#[source] Box<dyn Error + Send + Sync>),
    #[error("the services have no login")]
    Login(#[from] common::db::LoginError),
}

impl Failure {
    /// Says on standard error what went wrong, with every cause.
    pub fn print(&self) -> ExitCode {
        eprintln!("awareness: {}", visible(&self.with_causes()));
        ExitCode::from(self.status())
    }

    fn status(&self) -> u8 {
        match self {
            Self::Unusable(_) | Self::TokenFile { .. } | Self::Environment(_) => UNUSABLE,
            _ => REFUSED,
        }
    }

    fn with_causes(&self) -> String {
        let mut text = self.to_string();
        let mut cause = self.source();
        while let Some(error) = cause {
            text.push_str(": ");
            text.push_str(&error.to_string());
            cause = error.source();
        }
        text
    }
}

fn refusal(
    code: &str,
    message: &str,
    details: &[(String, String)],
    request_id: Option<&str>,
) -> String {
    let mut text = format!("{code}: {message}");
    for (field, fault) in details {
        text.push_str(&format!("\n  {field}: {fault}"));
    }
    if let Some(request_id) = request_id {
        text.push_str(&format!("\n  request {request_id}"));
    }
    text
}
