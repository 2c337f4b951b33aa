//! The bodies of `POST /api/ai/upload-package` and `POST /api/ai/batch-upload`: package data decoded on
//! the fly, the small fields kept.
//!
//! Guarantees: memory stays at one decoded block (48 KiB) and the small fields, however large the body;
//! fields may come in any order; no piece passes the limit on decoded bytes, and none that passed the
//! checks so far is taken back, so a body is good only once [`UploadParser::finish`] has said so.
//! Does not judge the small fields: which are required, and what they may say, is the caller's.

use std::collections::BTreeMap;
use std::fmt::{self, Debug, Formatter};

use super::base64::{Base64Decoder, Base64Fault};
use super::error::{Base64Reason, BodyError, SizeLimit};
use super::event::{Delivery, Event, Receiver};
use super::fields::{FieldValue, Fields};
use super::layout::{Layout, PACKAGES, Place};
use super::path::Path;
use super::tokenizer::{JsonLimits, Tokenizer};

/// What one upload may cost.
#[derive(Debug, Clone, Copy)]
pub struct UploadLimits {
    pub json: JsonLimits,
    /// Decoded bytes of all blobs together.
    pub blobs_bytes_max: u64,
}

impl Default for UploadLimits {
    /// 50 MiB of data; 64 KiB a field and 256 KiB of fields, far above any that is meant for a reader.
    fn default() -> Self {
        Self {
            json: JsonLimits {
                depth_max: 16,
                scalar_bytes_max: 64 * 1024,
                text_bytes_max: 256 * 1024,
            },
            blobs_bytes_max: 52_428_800,
        }
    }
}

/// A field that holds package data. The first three exclude each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blob {
    Package(PackageField),
    WMatrix,
}

/// Which field the package data came in: each names a package type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PackageField {
    Vector,
    KvCache,
    Chain,
}

impl Blob {
    /// The blob that the field of this name holds.
    pub fn from_field(name: &str) -> Option<Self> {
        match name {
            "vectorData" => Some(Self::Package(PackageField::Vector)),
            "kvCacheData" => Some(Self::Package(PackageField::KvCache)),
            "chainData" => Some(Self::Package(PackageField::Chain)),
            "wMatrixData" => Some(Self::WMatrix),
            _ => None,
        }
    }

    /// The name of the field.
    pub fn field(self) -> &'static str {
        match self {
            Self::Package(PackageField::Vector) => "vectorData",
            Self::Package(PackageField::KvCache) => "kvCacheData",
            Self::Package(PackageField::Chain) => "chainData",
            Self::WMatrix => "wMatrixData",
        }
    }
}

/// What the parser hands on, in the order of the body. Blobs do not nest.
#[derive(Debug, PartialEq, Eq)]
pub enum Piece<'a> {
    /// The next package of a batch.
    PackageStart,
    BlobStart(Blob),
    /// Decoded bytes: 48 KiB but for the last of a blob, and never empty.
    BlobBytes(&'a [u8]),
    BlobEnd(Blob),
}

/// The parser between two chunks of the body.
pub struct UploadParser {
    tokenizer: Tokenizer,
    upload: Upload,
    failure: Option<BodyError>,
}

impl Debug for UploadParser {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        out.debug_struct("UploadParser")
            .field("tokenizer", &self.tokenizer)
            .field("blobs_bytes", &self.upload.blobs_bytes)
            .field("failure", &self.failure)
            .finish_non_exhaustive()
    }
}

impl UploadParser {
    pub fn new(limits: UploadLimits) -> Self {
        Self::of(Layout::Single, limits)
    }

    /// A parser of that layout; the limit on blobs holds for each package.
    pub fn of(layout: Layout, limits: UploadLimits) -> Self {
        Self {
            tokenizer: Tokenizer::new(limits.json),
            upload: Upload {
                layout,
                blobs_bytes_max: limits.blobs_bytes_max,
                blobs_bytes: 0,
                decoder: Base64Decoder::default(),
                open: None,
                package: None,
                fields: BTreeMap::new(),
                packages: Vec::new(),
                outer: BTreeMap::new(),
            },
            failure: None,
        }
    }

    /// Takes the next bytes of the body. After an error, every call repeats that error.
    pub fn feed(
        &mut self,
        chunk: &[u8],
        on_piece: &mut dyn FnMut(Piece<'_>),
    ) -> Result<(), BodyError> {
        if let Some(failure) = &self.failure {
            return Err(failure.clone());
        }
        let upload = &mut self.upload;
        self.tokenizer
            .feed(chunk, &mut Listener { upload, on_piece })
            .inspect_err(|error| self.failure = Some(error.clone()))
    }

    /// Ends the body and returns the small fields, unknown ones included.
    pub fn finish(self) -> Result<Fields, BodyError> {
        Ok(Fields::new(self.end()?.fields))
    }

    /// Ends the body of a batch: the fields beside the packages, and those of each package.
    pub fn finish_batch(self) -> Result<(Fields, Vec<Fields>), BodyError> {
        let upload = self.end()?;
        Ok((Fields::new(upload.outer), upload.packages))
    }

    fn end(self) -> Result<Upload, BodyError> {
        if let Some(failure) = self.failure {
            return Err(failure);
        }
        let mut upload = self.upload;
        // Only a number at the root is still open here, and that is refused: no piece can come.
        self.tokenizer.finish(&mut Listener {
            upload: &mut upload,
            on_piece: &mut |_| {},
        })?;
        Ok(upload)
    }
}

/// What has been read.
struct Upload {
    layout: Layout,
    blobs_bytes_max: u64,
    /// Of the package that is being read, as are the next four.
    blobs_bytes: u64,
    decoder: Base64Decoder,
    open: Option<Blob>,
    package: Option<Blob>,
    fields: BTreeMap<String, FieldValue>,
    /// The fields of the packages of a batch that have been read.
    packages: Vec<Fields>,
    /// The fields beside them.
    outer: BTreeMap<String, FieldValue>,
}

struct Listener<'a> {
    upload: &'a mut Upload,
    on_piece: &'a mut dyn FnMut(Piece<'_>),
}

impl Receiver for Listener<'_> {
    fn string_start(&mut self, path: Path<'_>) -> Result<Delivery, BodyError> {
        let blob = match self.upload.layout.place(path) {
            Place::Member(name) => Blob::from_field(name),
            _ => None,
        };
        let Some(blob) = blob else {
            return Ok(Delivery::Whole);
        };
        if let Blob::Package(_) = blob
            && let Some(earlier) = self.upload.package.replace(blob)
        {
            return Err(BodyError::ConflictingFields {
                field: path.to_string(),
                other: earlier.field(),
            });
        }
        self.upload.open = Some(blob);
        (self.on_piece)(Piece::BlobStart(blob));
        Ok(Delivery::Fragments)
    }

    fn receive(&mut self, path: Path<'_>, event: Event<'_>) -> Result<(), BodyError> {
        if let Some(blob) = self.upload.open {
            return self.blob_event(blob, event);
        }
        let wrong_type = |expected| {
            Err(BodyError::WrongType {
                field: path.to_string(),
                expected,
            })
        };
        match (self.upload.layout.place(path), event) {
            (Place::Batch, Event::ObjectStart | Event::ObjectEnd)
            | (Place::Packages, Event::ArrayStart | Event::ArrayEnd)
            | (Place::Deeper, _) => Ok(()),
            (Place::Package, Event::ObjectStart) => self.package_start(),
            (Place::Package, Event::ObjectEnd) => {
                self.package_end();
                Ok(())
            }
            (Place::Batch | Place::Package, _) => wrong_type("a JSON object"),
            (Place::Packages, _) => wrong_type("an array of packages"),
            (Place::Outer(name), event) => {
                self.upload.outer.insert(name.to_owned(), value(event));
                Ok(())
            }
            (Place::Element(name), event) => {
                self.element(name, event);
                Ok(())
            }
            (Place::Member(name), event) if Blob::from_field(name).is_none() => {
                let is_end = matches!(event, Event::ArrayEnd | Event::ObjectEnd);
                if !is_end {
                    self.upload.fields.insert(name.to_owned(), value(event));
                }
                Ok(())
            }
            (Place::Member(_), Event::Null) => Ok(()),
            (Place::Member(_), _) => wrong_type("a base64 string"),
        }
    }
}

/// A value outside the blobs, or the beginning of one.
fn value(event: Event<'_>) -> FieldValue {
    match event {
        Event::Null => FieldValue::Null,
        Event::Bool(value) => FieldValue::Bool(value),
        Event::Number(text) => FieldValue::Number(text.to_owned()),
        Event::String(text) => FieldValue::String(text.to_owned()),
        Event::ArrayStart => FieldValue::Strings(Vec::new()),
        _ => FieldValue::Nested,
    }
}

impl Listener<'_> {
    fn package_start(&mut self) -> Result<(), BodyError> {
        if let Layout::Batch { packages_max } = self.upload.layout {
            if self.upload.packages.len() == packages_max {
                return Err(BodyError::TooMany {
                    field: PACKAGES.to_owned(),
                    count_max: packages_max,
                });
            }
            (self.on_piece)(Piece::PackageStart);
        }
        Ok(())
    }

    fn package_end(&mut self) {
        let upload = &mut *self.upload;
        if let Layout::Batch { .. } = upload.layout {
            let fields = std::mem::take(&mut upload.fields);
            upload.packages.push(Fields::new(fields));
            upload.blobs_bytes = 0;
            upload.package = None;
        }
    }

    /// An array is kept if it holds nothing but strings.
    fn element(&mut self, name: &str, event: Event<'_>) {
        let Some(kept) = self.upload.fields.get_mut(name) else {
            return;
        };
        match (kept, event) {
            (FieldValue::Strings(texts), Event::String(text)) => texts.push(text.to_owned()),
            (kept, _) => *kept = FieldValue::Nested,
        }
    }

    fn blob_event(&mut self, blob: Blob, event: Event<'_>) -> Result<(), BodyError> {
        let upload = &mut *self.upload;
        let on_piece = &mut *self.on_piece;
        let offset_in_value = upload.decoder.offset();
        let mut on_block = |block: &[u8]| {
            upload.blobs_bytes += block.len() as u64;
            if upload.blobs_bytes > upload.blobs_bytes_max {
                return Err(BlobFault::TooLarge);
            }
            on_piece(Piece::BlobBytes(block));
            Ok(())
        };
        let decoded = match event {
            Event::Fragment(bytes) => upload.decoder.push(bytes, on_block),
            Event::Escape { letter: b'/', .. } => upload.decoder.push(b"/", on_block),
            Event::Escape { letter, .. } => Err(BlobFault::Base64(Base64Fault {
                offset: offset_in_value,
                reason: Base64Reason::Escape(letter),
            })),
            _ => upload.decoder.finish(&mut on_block),
        };
        decoded.map_err(|fault| fault.into_error(blob, upload.blobs_bytes_max))?;
        if event == Event::FragmentsEnd {
            upload.open = None;
            on_piece(Piece::BlobEnd(blob));
        }
        Ok(())
    }
}

/// What can go wrong inside a blob.
enum BlobFault {
    Base64(Base64Fault),
    TooLarge,
}

impl From<Base64Fault> for BlobFault {
    fn from(fault: Base64Fault) -> Self {
        Self::Base64(fault)
    }
}

impl BlobFault {
    fn into_error(self, blob: Blob, bytes_max: u64) -> BodyError {
        let field = blob.field().to_owned();
        match self {
            Self::Base64(Base64Fault { offset, reason }) => BodyError::InvalidBase64 {
                field,
                offset_in_value: offset,
                reason,
            },
            Self::TooLarge => BodyError::TooLarge {
                field,
                limit: SizeLimit::Blobs,
                bytes_max,
            },
        }
    }
}
