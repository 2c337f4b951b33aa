//! The calls that the product makes to the store.

use std::time::{Duration, Instant};

use aws_sdk_s3::Client;
use aws_sdk_s3::error::SdkError;
use aws_sdk_s3::primitives::{ByteStream, SdkBody};
use aws_sdk_s3::types::ChecksumMode;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures::{Stream, StreamExt as _};
use http_body_util::StreamBody;
use hyper::body::Frame;
use sync_wrapper::SyncStream;

use super::StorageError;
use super::client::client;
use crate::config::StorageConfig;

/// The bucket.
#[derive(Debug, Clone)]
pub struct Storage {
    client: Client,
    /// Signs addresses that clients use.
    pub(super) presigner: Client,
    pub(super) bucket: String,
}

/// An object in a listing.
#[derive(Debug, Clone)]
pub struct Listed {
    pub key: String,
    pub modified_at: DateTime<Utc>,
}

impl Storage {
    /// Makes no call yet.
    pub fn new(config: &StorageConfig) -> Self {
        Self {
            client: client(config, &config.endpoint),
            presigner: client(config, &config.public_endpoint),
            bucket: config.bucket.clone(),
        }
    }

    /// How long the store takes to say that the bucket is there.
    pub async fn ping(&self) -> Result<Duration, StorageError> {
        let start = Instant::now();
        self.client
            .head_bucket()
            .bucket(&self.bucket)
            .send()
            .await
            .map_err(|error| fault(&self.bucket, &error))?;
        Ok(start.elapsed())
    }

    /// Writes an object of known content. The checksum header stands in for a signed payload.
    pub async fn put(&self, key: &str, bytes: Bytes, sha256: &[u8]) -> Result<(), StorageError> {
        self.client
            .put_object()
            .bucket(&self.bucket)
            .key(key)
            .checksum_sha256(STANDARD.encode(sha256))
            .body(ByteStream::from(bytes))
            .customize()
            .disable_payload_signing()
            .send()
            .await
            .map_err(|error| fault(key, &error))?;
        Ok(())
    }

    /// Writes an object from a stream whose size and digest are known; the store refuses other
    /// bytes, and shows the digest with every answer (`x-amz-meta-sha256`). Memory stays at one chunk.
    pub async fn put_stream<S>(
        &self,
        key: &str,
        stream: S,
        size: u64,
        sha256: &[u8],
    ) -> Result<(), StorageError>
    where
        S: Stream<Item = Result<Bytes, StorageError>> + Send + 'static,
    {
        let frames = SyncStream::new(stream.map(|chunk| chunk.map(Frame::data)));
        let body = SdkBody::from_body_1_x(StreamBody::new(frames));
        self.client
            .put_object()
            .bucket(&self.bucket)
            .key(key)
            .content_length(
                i64::try_from(size).map_err(|_| StorageError::Mismatch(key.to_owned()))?,
            )
            .checksum_sha256(STANDARD.encode(sha256))
            .metadata("sha256", hex::encode(sha256))
            .body(ByteStream::new(body))
            .customize()
            .disable_payload_signing()
            .send()
            .await
            .map_err(|error| fault(key, &error))?;
        Ok(())
    }

    /// The bytes of an object, as they come.
    pub async fn get(
        &self,
        key: &str,
    ) -> Result<impl Stream<Item = Result<Bytes, StorageError>> + Send + use<>, StorageError> {
        let object = self
            .client
            .get_object()
            .bucket(&self.bucket)
            .key(key)
            .send()
            .await
            .map_err(|error| fault(key, &error))?;
        Ok(futures::stream::unfold(
            object.body,
            |mut body| async move {
                let chunk = body.next().await?;
                Some((
                    chunk.map_err(|error| StorageError::Unavailable(error.to_string())),
                    body,
                ))
            },
        ))
    }

    /// Size of an object in bytes, and its SHA-256 if the store keeps one.
    pub async fn head(&self, key: &str) -> Result<(u64, Option<Vec<u8>>), StorageError> {
        let object = self
            .client
            .head_object()
            .bucket(&self.bucket)
            .key(key)
            .checksum_mode(ChecksumMode::Enabled)
            .send()
            .await
            .map_err(|error| fault(key, &error))?;
        let size = object
            .content_length()
            .and_then(|size| u64::try_from(size).ok())
            .unwrap_or(0);
        let sha256 = object
            .checksum_sha256()
            .and_then(|text| STANDARD.decode(text).ok());
        Ok((size, sha256))
    }

    /// Takes an object away; one that is not there is no fault.
    pub async fn delete(&self, key: &str) -> Result<(), StorageError> {
        match self
            .client
            .delete_object()
            .bucket(&self.bucket)
            .key(key)
            .send()
            .await
            .map_err(|error| fault(key, &error))
        {
            Ok(_) | Err(StorageError::NotFound(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Up to a thousand objects under a prefix, in key order, after a key.
    pub async fn list(
        &self,
        prefix: &str,
        after: Option<&str>,
    ) -> Result<Vec<Listed>, StorageError> {
        let page = self
            .client
            .list_objects_v2()
            .bucket(&self.bucket)
            .prefix(prefix)
            .set_start_after(after.map(ToOwned::to_owned))
            .send()
            .await
            .map_err(|error| fault(prefix, &error))?;
        Ok(page
            .contents()
            .iter()
            .filter_map(|object| {
                let modified = object.last_modified()?;
                Some(Listed {
                    key: object.key()?.to_owned(),
                    modified_at: DateTime::from_timestamp(
                        modified.secs(),
                        modified.subsec_nanos(),
                    )?,
                })
            })
            .collect())
    }
}

/// Sorts an error of the SDK.
pub(super) fn fault<E, R>(key: &str, error: &SdkError<E, R>) -> StorageError
where
    E: aws_sdk_s3::error::ProvideErrorMetadata + std::error::Error + 'static,
    R: std::fmt::Debug + 'static,
    SdkError<E, R>: std::error::Error,
{
    if let Some(own) = own_fault(error) {
        return own;
    }
    let code = error
        .as_service_error()
        .and_then(aws_sdk_s3::error::ProvideErrorMetadata::code);
    match code {
        Some("NoSuchKey" | "NotFound") => StorageError::NotFound(key.to_owned()),
        Some("BadDigest" | "XAmzContentChecksumMismatch" | "InvalidDigest" | "IncompleteBody") => {
            StorageError::Mismatch(key.to_owned())
        }
        _ => StorageError::Unavailable(aws_sdk_s3::error::DisplayErrorContext(error).to_string()),
    }
}

/// The fault of the stream that was being sent, if that is what ended the call.
fn own_fault(error: &(dyn std::error::Error + 'static)) -> Option<StorageError> {
    let mut causes = std::iter::successors(Some(error), |error| error.source());
    causes.find_map(|cause| cause.downcast_ref::<StorageError>().cloned())
}
