//! The S3 client: path-style addresses, bounded time, three tries.

use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::config::{
    Config, Credentials, Region, SharedHttpClient, StalledStreamProtectionConfig,
};
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use secrecy::ExposeSecret as _;
use url::Url;

use crate::config::StorageConfig;

/// A client for one endpoint of the store.
pub fn client(config: &StorageConfig, endpoint: &Url) -> Client {
    let builder = aws_smithy_http_client::Builder::new().pool_idle_timeout(Duration::from_secs(30));
    let http: SharedHttpClient = match endpoint.scheme() {
        "http" => builder.build_http(),
        _ => builder
            .tls_provider(Provider::Rustls(CryptoMode::Ring))
            .build_https(),
    };
    let credentials = Credentials::new(
        &config.access_key,
        config.secret_key.expose_secret(),
        None,
        None,
        "environment",
    );
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(3))
        .read_timeout(Duration::from_secs(15))
        .operation_attempt_timeout(Duration::from_secs(60))
        .operation_timeout(Duration::from_secs(90))
        .build();
    let settings = Config::builder()
        .behavior_version_latest()
        .http_client(http)
        .credentials_provider(credentials)
        .region(Region::new(config.region.clone()))
        .endpoint_url(endpoint.as_str())
        .force_path_style(true)
        .retry_config(RetryConfig::standard().with_max_attempts(3))
        .timeout_config(timeouts)
        .stalled_stream_protection(
            StalledStreamProtectionConfig::enabled()
                .grace_period(Duration::from_secs(20))
                .build(),
        )
        .build();
    Client::from_conf(settings)
}
