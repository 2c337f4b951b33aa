//! Addresses that open one object of the store to whoever has them, for a while: never to be logged.

use std::fmt;
use std::time::Duration;

use aws_sdk_s3::presigning::PresigningConfig;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};

use super::s3::fault;
use super::{Storage, StorageError};

/// An address to `PUT` to, with the headers that must go with it.
#[derive(Debug, Clone)]
pub struct PresignedPut {
    pub url: String,
    pub headers: Vec<(String, String)>,
}

/// An address to `GET` or `HEAD`, with no header beside it.
#[derive(Clone, PartialEq, Eq)]
pub struct PresignedUrl(String);

impl PresignedUrl {
    /// For the answer to the client whom it was made for, and nothing else.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PresignedUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PresignedUrl(..)")
    }
}

impl Storage {
    /// An address that takes exactly these bytes, for a while.
    pub async fn presign_put(
        &self,
        key: &str,
        size: u64,
        sha256: &[u8],
        valid: Duration,
    ) -> Result<PresignedPut, StorageError> {
        let request = self
            .presigner
            .put_object()
            .bucket(&self.bucket)
            .key(key)
            .content_length(
                i64::try_from(size).map_err(|_| StorageError::Mismatch(key.to_owned()))?,
            )
            .checksum_sha256(STANDARD.encode(sha256))
            .presigned(from_now(Utc::now(), valid)?)
            .await
            .map_err(|error| fault(key, &error))?;
        let headers = request
            .headers()
            .filter(|(name, _)| *name != "host" && *name != "content-length")
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        Ok(PresignedPut {
            url: request.uri().to_owned(),
            headers,
        })
    }

    /// An address that gives these bytes as a file of that name, from `now` on for a while.
    pub async fn presign_get(
        &self,
        key: &str,
        file_name: &str,
        now: DateTime<Utc>,
        valid: Duration,
    ) -> Result<PresignedUrl, StorageError> {
        let request = self
            .presigner
            .get_object()
            .bucket(&self.bucket)
            .key(key)
            .response_content_disposition(attachment(file_name))
            .presigned(from_now(now, valid)?)
            .await
            .map_err(|error| fault(key, &error))?;
        Ok(PresignedUrl(request.uri().to_owned()))
    }
}

/// The name is one of ours: letters, digits, `_`, `-` and `.`.
fn attachment(file_name: &str) -> String {
    format!("attachment; filename=\"{file_name}\"")
}

fn from_now(now: DateTime<Utc>, valid: Duration) -> Result<PresigningConfig, StorageError> {
    PresigningConfig::builder()
        .start_time(now.into())
        .expires_in(valid)
        .build()
        .map_err(|error| StorageError::Unavailable(error.to_string()))
}

#[cfg(test)]
mod tests {
    use std::io::{self, Write};
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::config::StorageConfig;

    /// Everything that is logged.
    #[derive(Debug, Default, Clone)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl Write for Log {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("no panic").extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn storage() -> Storage {
        let endpoint: url::Url = "http://store.test".parse().expect("an address");
        Storage::new(&StorageConfig {
            endpoint: endpoint.clone(),
            public_endpoint: endpoint,
            region: "us-east-1".to_owned(),
            bucket: "bucket".to_owned(),
            access_key: "access".to_owned(),
            secret_key: "secret".into(),
        })
    }

    #[tokio::test]
    async fn an_address_is_never_logged_however_much_is_logged() {
        let log = Log::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_writer(move || writer.clone())
            .finish();
        let guard = tracing::subscriber::set_default(subscriber);
        let (storage, now) = (storage(), Utc::now());
        let valid = Duration::from_secs(60);
        let get = storage
            .presign_get("key", "a.safetensors", now, valid)
            .await;
        let get = get.expect("an address");
        tracing::info!(?get, "Made an address");
        drop(guard);
        let logged = String::from_utf8(log.0.lock().expect("no panic").clone()).expect("text");
        assert!(logged.contains("PresignedUrl(..)"), "nothing was logged");
        let (_, signature) = get.expose().rsplit_once('=').expect("a signature");
        assert_eq!(signature.len(), 64);
        assert!(!logged.contains(signature), "{logged}");
    }

    #[tokio::test]
    async fn an_address_needs_no_header_beside_it() {
        let valid = Duration::from_secs(60);
        let get = storage()
            .presign_get("key", "a.safetensors", Utc::now(), valid)
            .await;
        let get = get.expect("an address");
        assert!(
            get.expose().contains("X-Amz-SignedHeaders=host&"),
            "only the host"
        );
    }
}
