//! A request body that fails at its end when it is not what the request promised.
//!
//! s3s-fs renames its temporary file into place as soon as the body has ended and compares
//! checksums only then. Failing *inside* the body makes it throw the temporary file away, so a
//! refused PUT changes nothing. The last step of a good body also takes the key's lock and
//! checks the write conditions, so that the check and the rename cannot be separated.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures::StreamExt;
use http_body_util::StreamBody;
use hyper::body::Frame;
use s3s::checksum::ChecksumHasher;
use s3s::crypto::{Checksum as _, Md5};
use s3s::dto::{Checksum, ChecksumAlgorithm, PutObjectInput, StreamingBlob};
use s3s::{Body, S3Error, S3Request, S3Result, StdError, TrailingHeaders, s3_error};

/// What the request says that its body is.
pub(super) struct Promise {
    checksum: Checksum,
    content_md5: Option<String>,
    trailing_headers: Option<TrailingHeaders>,
    hasher: ChecksumHasher,
    md5: Option<Md5>,
}

impl Promise {
    pub(super) fn of(request: &S3Request<PutObjectInput>) -> S3Result<Self> {
        let input = &request.input;
        let mut checksum = Checksum::default();
        checksum.checksum_crc32.clone_from(&input.checksum_crc32);
        checksum.checksum_crc32c.clone_from(&input.checksum_crc32c);
        checksum
            .checksum_crc64nvme
            .clone_from(&input.checksum_crc64nvme);
        checksum.checksum_sha1.clone_from(&input.checksum_sha1);
        checksum.checksum_sha256.clone_from(&input.checksum_sha256);
        Ok(Self {
            hasher: hasher(&checksum, input.checksum_algorithm.as_ref())?,
            checksum,
            content_md5: input.content_md5.clone(),
            trailing_headers: request.trailing_headers.clone(),
            md5: input.content_md5.as_ref().map(|_| Md5::new()),
        })
    }

    fn update(&mut self, bytes: &[u8]) {
        self.hasher.update(bytes);
        if let Some(md5) = &mut self.md5 {
            md5.update(bytes);
        }
    }

    fn verify(mut self) -> S3Result<()> {
        if let (Some(promised), Some(md5)) = (&self.content_md5, self.md5.take())
            && *promised != STANDARD.encode(md5.finalize())
        {
            return Err(s3_error!(BadDigest, "Content-MD5 does not match the body"));
        }
        if let Some(trailers) = &self.trailing_headers {
            read_trailers(trailers, &mut self.checksum);
        }
        let computed = self.hasher.finalize();
        let same = computed.checksum_crc32 == self.checksum.checksum_crc32
            && computed.checksum_crc32c == self.checksum.checksum_crc32c
            && computed.checksum_crc64nvme == self.checksum.checksum_crc64nvme
            && computed.checksum_sha1 == self.checksum.checksum_sha1
            && computed.checksum_sha256 == self.checksum.checksum_sha256;
        if same {
            Ok(())
        } else {
            Err(s3_error!(BadDigest, "the checksum does not match the body"))
        }
    }
}

fn hasher(promised: &Checksum, announced: Option<&ChecksumAlgorithm>) -> S3Result<ChecksumHasher> {
    let announced = announced.map(ChecksumAlgorithm::as_str);
    let known = [
        ChecksumAlgorithm::CRC32,
        ChecksumAlgorithm::CRC32C,
        ChecksumAlgorithm::CRC64NVME,
        ChecksumAlgorithm::SHA1,
        ChecksumAlgorithm::SHA256,
    ];
    if announced.is_some_and(|name| !known.contains(&name)) {
        return Err(s3_error!(NotImplemented, "unsupported checksum algorithm"));
    }
    let wanted =
        |name: &str, promised: &Option<String>| promised.is_some() || announced == Some(name);
    let crc32 = wanted(ChecksumAlgorithm::CRC32, &promised.checksum_crc32);
    let crc32c = wanted(ChecksumAlgorithm::CRC32C, &promised.checksum_crc32c);
    let crc64nvme = wanted(ChecksumAlgorithm::CRC64NVME, &promised.checksum_crc64nvme);
    let sha1 = wanted(ChecksumAlgorithm::SHA1, &promised.checksum_sha1);
    let sha256 = wanted(ChecksumAlgorithm::SHA256, &promised.checksum_sha256);
    Ok(ChecksumHasher {
        crc32: crc32.then(Default::default),
        crc32c: crc32c.then(Default::default),
        crc64nvme: crc64nvme.then(Default::default),
        sha1: sha1.then(Default::default),
        sha256: sha256.then(Default::default),
    })
}

/// The checksum of a whole body by the announced algorithm.
pub(super) async fn digest(
    mut body: StreamingBlob,
    algorithm: &ChecksumAlgorithm,
) -> S3Result<Checksum> {
    let mut hasher = hasher(&Checksum::default(), Some(algorithm))?;
    while let Some(bytes) = body.next().await {
        hasher.update(&bytes.map_err(|_| s3_error!(InternalError, "the source cannot be read"))?);
    }
    Ok(hasher.finalize())
}

fn read_trailers(trailers: &TrailingHeaders, checksum: &mut Checksum) {
    trailers.read(|headers| {
        let value = |name| headers.get(name)?.to_str().ok().map(str::to_owned);
        let fields = [
            ("x-amz-checksum-crc32", &mut checksum.checksum_crc32),
            ("x-amz-checksum-crc32c", &mut checksum.checksum_crc32c),
            ("x-amz-checksum-crc64nvme", &mut checksum.checksum_crc64nvme),
            ("x-amz-checksum-sha1", &mut checksum.checksum_sha1),
            ("x-amz-checksum-sha256", &mut checksum.checksum_sha256),
        ];
        for (name, field) in fields {
            if let Some(value) = value(name) {
                *field = Some(value);
            }
        }
    });
}

/// Why the body failed; the store only reports that it did.
#[derive(Debug, Default, Clone)]
pub(super) struct Refusal(Arc<Mutex<Option<S3Error>>>);

impl Refusal {
    /// The reason, once.
    pub(super) fn take(&self) -> Option<S3Error> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn set(&self, error: S3Error) -> StdError {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
        "the request was refused at the end of its body".into()
    }
}

/// `body`, followed by the check of `promise` and then `at_end`; a failure of either ends the
/// stream with an error whose reason is in `refusal`.
pub(super) fn body<F>(
    body: StreamingBlob,
    promise: Promise,
    refusal: Refusal,
    at_end: F,
) -> StreamingBlob
where
    F: Future<Output = S3Result<()>> + Send + 'static,
{
    let start = Some((body, promise, refusal, at_end));
    let stream = futures::stream::try_unfold(start, |state| async move {
        let Some((mut body, mut promise, refusal, at_end)) = state else {
            return Ok::<_, StdError>(None);
        };
        if let Some(bytes) = body.next().await.transpose()? {
            promise.update(&bytes);
            return Ok(Some((
                Frame::data(bytes),
                Some((body, promise, refusal, at_end)),
            )));
        }
        promise.verify().map_err(|error| refusal.set(error))?;
        at_end.await.map_err(|error| refusal.set(error))?;
        Ok(None)
    });
    StreamingBlob::from(Body::http_body_unsync(StreamBody::new(Box::pin(stream))))
}
