//! A copy as a verified write of what a read returned, so that no reader sees it half done.

use hyper::header::{IF_MATCH, IF_NONE_MATCH};
use s3s::dto::*;
use s3s::{S3, S3Request, S3Response, S3Result, s3_error};

use super::guard::{Guard, plain_request};
use super::verified;

/// Answers with the checksum that the request names, also if the source was stored without it.
pub(super) async fn copy_object(
    store: &Guard,
    request: S3Request<CopyObjectInput>,
) -> S3Result<S3Response<CopyObjectOutput>> {
    let CopySource::Bucket { bucket, key, .. } = &request.input.copy_source else {
        return Err(s3_error!(NotImplemented));
    };
    let source = GetObjectInput {
        bucket: bucket.to_string(),
        key: key.to_string(),
        if_match: request.input.copy_source_if_match.clone(),
        if_none_match: request.input.copy_source_if_none_match.clone(),
        ..Default::default()
    };
    let mut checksum = Checksum::default();
    if let Some(algorithm) = &request.input.checksum_algorithm {
        let object = store.get_object(plain_request(source.clone())).await?;
        let body = object.output.body.ok_or_else(|| s3_error!(InternalError))?;
        checksum = verified::digest(body, algorithm).await?;
    }
    let source = store.get_object(plain_request(source)).await?.output;
    // s3s does not know the write conditions of a copy yet, so they are read from the headers.
    let condition = |name| {
        let value = request.headers.get(name)?;
        ETagCondition::parse_http_header(value.as_bytes()).ok()
    };
    let (if_match, if_none_match) = (condition(IF_MATCH), condition(IF_NONE_MATCH));
    let put = request.map_input(|target| PutObjectInput {
        if_match,
        if_none_match,
        ..copied(source, checksum, target)
    });
    let put = store.put_object(put).await?.output;
    let result = CopyObjectResult {
        e_tag: put.e_tag,
        checksum_crc32: put.checksum_crc32,
        checksum_crc32c: put.checksum_crc32c,
        checksum_crc64nvme: put.checksum_crc64nvme,
        checksum_sha1: put.checksum_sha1,
        checksum_sha256: put.checksum_sha256,
        last_modified: Some(Timestamp::from(std::time::SystemTime::now())),
        ..Default::default()
    };
    Ok(S3Response::new(CopyObjectOutput {
        copy_object_result: Some(result),
        ..Default::default()
    }))
}

/// What a copy writes: the source's bytes, checked on the way against the source's checksums and
/// the one that was computed for the request.
fn copied(source: GetObjectOutput, computed: Checksum, target: CopyObjectInput) -> PutObjectInput {
    let replace = target
        .metadata_directive
        .is_some_and(|directive| directive.as_str() == MetadataDirective::REPLACE);
    let mut put = PutObjectInput {
        bucket: target.bucket,
        key: target.key,
        body: source.body,
        content_length: source.content_length,
        checksum_crc32: source.checksum_crc32.or(computed.checksum_crc32),
        checksum_crc32c: source.checksum_crc32c.or(computed.checksum_crc32c),
        checksum_crc64nvme: source.checksum_crc64nvme.or(computed.checksum_crc64nvme),
        checksum_sha1: source.checksum_sha1.or(computed.checksum_sha1),
        checksum_sha256: source.checksum_sha256.or(computed.checksum_sha256),
        ..Default::default()
    };
    if replace {
        put.metadata = target.metadata;
        put.content_type = target.content_type;
        put.content_disposition = target.content_disposition;
        put.content_encoding = target.content_encoding;
        put.cache_control = target.cache_control;
    } else {
        put.metadata = source.metadata;
        put.content_type = source.content_type;
        put.content_disposition = source.content_disposition;
        put.content_encoding = source.content_encoding;
        put.cache_control = source.cache_control;
    }
    put
}
