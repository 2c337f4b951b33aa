//! s3s-fs with the guarantees that our uploads rely on.
//!
//! - A refused PUT leaves the old object as it was (see [`super::verified`]).
//! - Reads and the last step of writes of one key take turns: `If-None-Match: *` has exactly one
//!   winner, and an object is never seen with the checksums of another.
//! - A copy is a verified write of what a read returned: no reader sees it half done.
//! - `If-Match`, `If-None-Match` and `response-content-disposition` are honoured on GET and HEAD;
//!   deleting removes side files.
//!
//! A crash between the rename of an overwritten object and that of its side files leaves the old
//! checksums: keys are to be written once, as content-addressed ones are.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use s3s::dto::*;
use s3s::{S3, S3Request, S3Response, S3Result, s3_error};
use s3s_fs::FileSystem;
use tokio::sync::OwnedMutexGuard;

use super::S3StartError;
use super::keys::{self, KeyLocks};
use super::verified::{self, Promise, Refusal};

#[derive(Debug, Clone)]
pub(super) struct Guard {
    store: Arc<FileSystem>,
    root: Arc<PathBuf>,
    locks: Arc<KeyLocks>,
}

impl Guard {
    pub(super) fn open(root: &Path) -> Result<Self, S3StartError> {
        let store =
            FileSystem::new(root).map_err(|error| S3StartError::Store(format!("{error:?}")))?;
        let locks = Arc::new(KeyLocks::default());
        Ok(Self {
            store: Arc::new(store),
            root: Arc::new(root.to_owned()),
            locks,
        })
    }

    fn forget_side_files(&self, bucket: &str, key: &str) {
        for file in keys::side_files(&self.root, bucket, key) {
            // Missing is what is wanted; anything else is met again at the next write.
            let _ = std::fs::remove_file(file);
        }
    }

    /// Keeps only the ETag: the checksums belong to the object that was there before.
    fn forget_checksums(&self, bucket: &str, key: &str) {
        let file = keys::checksum_file(&self.root, bucket, key);
        let Ok(Ok(serde_json::Value::Object(mut fields))) =
            std::fs::read(&file).map(|bytes| serde_json::from_slice(&bytes))
        else {
            return;
        };
        fields.retain(|name, _| !name.starts_with("checksum_"));
        let _ = std::fs::write(&file, serde_json::Value::Object(fields).to_string());
    }

    /// The end of a PUT: from here to the answer nobody else reads or writes the key.
    async fn seal(self, conditions: WriteConditions, held: HeldLock) -> S3Result<()> {
        let lock = self.locks.lock(&conditions.bucket, &conditions.key).await;
        held.keep(lock);
        keys::check_place(&self.root, &conditions.bucket, &conditions.key)?;
        if conditions.if_match.is_none() && conditions.if_none_match.is_none() {
            return Ok(());
        }
        let e_tag = self.e_tag(&conditions.bucket, &conditions.key).await?;
        match (&conditions.if_match, &e_tag) {
            (Some(_), None) => {
                return Err(s3_error!(PreconditionFailed, "the object does not exist"));
            }
            (Some(wanted), Some(e_tag)) if !matches(wanted, e_tag) => {
                return Err(s3_error!(PreconditionFailed, "the object is another one"));
            }
            _ => {}
        }
        match (&conditions.if_none_match, &e_tag) {
            (Some(unwanted), Some(e_tag)) if matches(unwanted, e_tag) => {
                Err(s3_error!(PreconditionFailed, "the object exists already"))
            }
            _ => Ok(()),
        }
    }

    /// The ETag of an object whose lock is held, none when there is no object.
    async fn e_tag(&self, bucket: &str, key: &str) -> S3Result<Option<ETag>> {
        if !self.root.join(bucket).join(key).is_file() {
            return Ok(None);
        }
        let input = HeadObjectInput {
            bucket: bucket.to_owned(),
            key: key.to_owned(),
            ..Default::default()
        };
        let head = self.store.head_object(plain_request(input)).await?;
        Ok(head.output.e_tag)
    }
}

fn matches(condition: &ETagCondition, e_tag: &ETag) -> bool {
    match condition {
        ETagCondition::Any => true,
        ETagCondition::ETag(wanted) => wanted.weak_cmp(e_tag),
    }
}

/// Conditions of a read, after the object is known. Source: RFC 9110 §13.2.2.
fn check_read(
    if_match: Option<&ETagCondition>,
    if_none_match: Option<&ETagCondition>,
    e_tag: Option<&ETag>,
) -> S3Result<()> {
    let Some(e_tag) = e_tag else { return Ok(()) };
    if if_match.is_some_and(|wanted| !matches(wanted, e_tag)) {
        return Err(s3_error!(PreconditionFailed));
    }
    if if_none_match.is_some_and(|known| matches(known, e_tag)) {
        return Err(s3_error!(NotModified));
    }
    Ok(())
}

struct WriteConditions {
    bucket: String,
    key: String,
    if_match: Option<ETagCondition>,
    if_none_match: Option<ETagCondition>,
}

/// Carries the key's lock from the end of the body to the end of the request.
#[derive(Clone, Default)]
struct HeldLock(Arc<Mutex<Option<OwnedMutexGuard<()>>>>);

impl HeldLock {
    fn keep(&self, lock: OwnedMutexGuard<()>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(lock);
    }
}

pub(super) fn plain_request<T>(input: T) -> S3Request<T> {
    S3Request {
        input,
        method: hyper::Method::GET,
        uri: hyper::Uri::default(),
        headers: hyper::HeaderMap::default(),
        extensions: hyper::http::Extensions::default(),
        credentials: None,
        region: None,
        service: None,
        trailing_headers: None,
    }
}

#[async_trait]
impl S3 for Guard {
    async fn put_object(
        &self,
        mut request: S3Request<PutObjectInput>,
    ) -> S3Result<S3Response<PutObjectOutput>> {
        keys::check(&request.input.bucket, &request.input.key)?;
        keys::check_place(&self.root, &request.input.bucket, &request.input.key)?;
        let conditions = WriteConditions {
            bucket: request.input.bucket.clone(),
            key: request.input.key.clone(),
            if_match: request.input.if_match.clone(),
            if_none_match: request.input.if_none_match.clone(),
        };
        if !self.root.join(&conditions.bucket).is_dir() {
            return Err(s3_error!(NoSuchBucket));
        }
        let promise = Promise::of(&request)?;
        let body = request
            .input
            .body
            .take()
            .ok_or_else(|| s3_error!(IncompleteBody))?;
        let refusal = Refusal::default();
        let held = HeldLock::default();
        let seal = self.clone().seal(conditions, held.clone());
        request.input.body = Some(verified::body(body, promise, refusal.clone(), seal));
        let result = self.store.put_object(request).await;
        drop(held);
        result.map_err(|error| refusal.take().unwrap_or(error))
    }

    async fn copy_object(
        &self,
        request: S3Request<CopyObjectInput>,
    ) -> S3Result<S3Response<CopyObjectOutput>> {
        super::copy::copy_object(self, request).await
    }

    async fn get_object(
        &self,
        request: S3Request<GetObjectInput>,
    ) -> S3Result<S3Response<GetObjectOutput>> {
        keys::check(&request.input.bucket, &request.input.key)?;
        let _lock = self
            .locks
            .lock(&request.input.bucket, &request.input.key)
            .await;
        let (if_match, if_none_match) = (
            request.input.if_match.clone(),
            request.input.if_none_match.clone(),
        );
        let disposition = request.input.response_content_disposition.clone();
        let mut response = self.store.get_object(request).await?;
        if disposition.is_some() {
            response.output.content_disposition = disposition;
        }
        check_read(
            if_match.as_ref(),
            if_none_match.as_ref(),
            response.output.e_tag.as_ref(),
        )?;
        Ok(response)
    }

    async fn head_object(
        &self,
        request: S3Request<HeadObjectInput>,
    ) -> S3Result<S3Response<HeadObjectOutput>> {
        keys::check(&request.input.bucket, &request.input.key)?;
        let _lock = self
            .locks
            .lock(&request.input.bucket, &request.input.key)
            .await;
        let (if_match, if_none_match) = (
            request.input.if_match.clone(),
            request.input.if_none_match.clone(),
        );
        let disposition = request.input.response_content_disposition.clone();
        let mut response = self.store.head_object(request).await?;
        if disposition.is_some() {
            response.output.content_disposition = disposition;
        }
        check_read(
            if_match.as_ref(),
            if_none_match.as_ref(),
            response.output.e_tag.as_ref(),
        )?;
        Ok(response)
    }

    async fn delete_object(
        &self,
        request: S3Request<DeleteObjectInput>,
    ) -> S3Result<S3Response<DeleteObjectOutput>> {
        let (bucket, key) = (request.input.bucket.clone(), request.input.key.clone());
        keys::check(&bucket, &key)?;
        let _lock = self.locks.lock(&bucket, &key).await;
        if self.root.join(&bucket).join(&key).is_dir() {
            return Ok(S3Response::new(DeleteObjectOutput::default()));
        }
        let response = self.store.delete_object(request).await?;
        self.forget_side_files(&bucket, &key);
        Ok(response)
    }

    async fn delete_objects(
        &self,
        request: S3Request<DeleteObjectsInput>,
    ) -> S3Result<S3Response<DeleteObjectsOutput>> {
        let mut deleted = Vec::new();
        for object in request.input.delete.objects {
            let one = DeleteObjectInput {
                bucket: request.input.bucket.clone(),
                key: object.key.clone(),
                ..Default::default()
            };
            self.delete_object(plain_request(one)).await?;
            deleted.push(DeletedObject {
                key: Some(object.key),
                ..Default::default()
            });
        }
        Ok(S3Response::new(DeleteObjectsOutput {
            deleted: Some(deleted),
            ..Default::default()
        }))
    }

    async fn create_multipart_upload(
        &self,
        request: S3Request<CreateMultipartUploadInput>,
    ) -> S3Result<S3Response<CreateMultipartUploadOutput>> {
        keys::check(&request.input.bucket, &request.input.key)?;
        keys::check_place(&self.root, &request.input.bucket, &request.input.key)?;
        self.store.create_multipart_upload(request).await
    }

    async fn complete_multipart_upload(
        &self,
        request: S3Request<CompleteMultipartUploadInput>,
    ) -> S3Result<S3Response<CompleteMultipartUploadOutput>> {
        let (bucket, key) = (request.input.bucket.clone(), request.input.key.clone());
        keys::check(&bucket, &key)?;
        let _lock = self.locks.lock(&bucket, &key).await;
        keys::check_place(&self.root, &bucket, &key)?;
        let response = self.store.complete_multipart_upload(request).await?;
        self.forget_checksums(&bucket, &key);
        Ok(response)
    }

    async fn upload_part(
        &self,
        request: S3Request<UploadPartInput>,
    ) -> S3Result<S3Response<UploadPartOutput>> {
        self.store.upload_part(request).await
    }

    async fn upload_part_copy(
        &self,
        request: S3Request<UploadPartCopyInput>,
    ) -> S3Result<S3Response<UploadPartCopyOutput>> {
        self.store.upload_part_copy(request).await
    }

    async fn abort_multipart_upload(
        &self,
        request: S3Request<AbortMultipartUploadInput>,
    ) -> S3Result<S3Response<AbortMultipartUploadOutput>> {
        self.store.abort_multipart_upload(request).await
    }

    async fn list_parts(
        &self,
        request: S3Request<ListPartsInput>,
    ) -> S3Result<S3Response<ListPartsOutput>> {
        self.store.list_parts(request).await
    }

    async fn list_objects(
        &self,
        request: S3Request<ListObjectsInput>,
    ) -> S3Result<S3Response<ListObjectsOutput>> {
        self.store.list_objects(request).await
    }

    async fn list_objects_v2(
        &self,
        request: S3Request<ListObjectsV2Input>,
    ) -> S3Result<S3Response<ListObjectsV2Output>> {
        self.store.list_objects_v2(request).await
    }

    async fn head_bucket(
        &self,
        request: S3Request<HeadBucketInput>,
    ) -> S3Result<S3Response<HeadBucketOutput>> {
        self.store.head_bucket(request).await
    }

    async fn list_buckets(
        &self,
        request: S3Request<ListBucketsInput>,
    ) -> S3Result<S3Response<ListBucketsOutput>> {
        self.store.list_buckets(request).await
    }

    async fn create_bucket(
        &self,
        request: S3Request<CreateBucketInput>,
    ) -> S3Result<S3Response<CreateBucketOutput>> {
        self.store.create_bucket(request).await
    }
}
