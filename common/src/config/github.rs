//! GitHub's section of the configuration.

use secrecy::SecretString;
use url::Url;

use super::Env;
use super::cards::is_secret_there;

/// GitHub, or what speaks its protocol.
#[derive(Debug, Clone)]
pub struct GitHubConfig {
    /// Absent: nobody signs in through GitHub.
    pub app: Option<GitHubApp>,
    pub base_url: Url,
    pub api_url: Url,
}

/// Our app at GitHub.
#[derive(Debug, Clone)]
pub struct GitHubApp {
    pub client_id: String,
    pub client_secret: SecretString,
}

impl Default for GitHubConfig {
    /// Nobody signs in through GitHub.
    fn default() -> Self {
        let url = |text: &str| Url::parse(text).expect("a constant address");
        Self {
            app: None,
            base_url: url("https://github.com"),
            api_url: url("https://api.github.com"),
        }
    }
}

impl GitHubConfig {
    pub fn from_env(env: &mut Env) -> Self {
        let off = Self::default();
        let client_id: Option<String> = env.optional("GITHUB_CLIENT_ID");
        let client_secret: Option<String> = env.optional("GITHUB_CLIENT_SECRET");
        let base_url = env.or("GITHUB_BASE_URL", off.base_url);
        let api_url = env.or("GITHUB_API_URL", off.api_url);
        for (name, url) in [("GITHUB_BASE_URL", &base_url), ("GITHUB_API_URL", &api_url)] {
            if !is_secret_there(url) {
                env.fault(name, "must begin with https://, or name a loopback address");
            }
        }
        let app = match (client_id, client_secret) {
            (Some(client_id), Some(client_secret)) => Some(GitHubApp {
                client_id,
                client_secret: client_secret.into(),
            }),
            (Some(_), None) => {
                env.fault(
                    "GITHUB_CLIENT_SECRET",
                    "is required beside GITHUB_CLIENT_ID",
                );
                None
            }
            (None, _) => None,
        };
        Self {
            app,
            base_url,
            api_url,
        }
    }
}
