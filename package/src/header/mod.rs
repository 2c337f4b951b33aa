//! The safetensors header, parsed as hostile input: the length is checked before a byte is read, the
//! text is capped, tensors are counted while parsing, nothing may appear twice, and the byte ranges
//! must tile the data without hole, overlap or remainder. What passes here can be sliced without
//! further checks; what the tensors mean is the schema's business.

mod json;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use crate::container::{self, LENGTH_BYTES};
use crate::limits::Limits;
use crate::monitor::Stage;
use crate::refusal::{Code, Refusal};
use crate::tensor::Dtype;

use json::{JsonError, Reader};

/// First bytes of a file that [`check_header`] may need, under the default limits.
pub const HEADER_PREFIX_BYTES_MAX: usize = LENGTH_BYTES + 256 * 1024;

const METADATA_KEY: &str = "__metadata__";

/// A checked header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// The free-form texts of `__metadata__`.
    pub metadata: BTreeMap<String, String>,
    /// The tensors by name; their ranges tile the data exactly.
    pub tensors: BTreeMap<String, TensorInfo>,
    /// Where the data begins in the file.
    pub data_start: usize,
}

/// One tensor's entry. `begin..end` counts from the start of the data and its length equals the
/// size of the shape in the dtype.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TensorInfo {
    /// The element type.
    pub dtype: Dtype,
    /// The lengths of the axes; none is zero.
    pub shape: Vec<usize>,
    /// First byte.
    pub begin: usize,
    /// One past the last byte.
    pub end: usize,
}

/// Checks container and header from a file's first bytes and its length, without the data: a hostile
/// file is refused here before it is transferred or stored.
///
/// `first_bytes` must hold the whole file or at least its first [`HEADER_PREFIX_BYTES_MAX`] bytes.
///
/// # Errors
/// The refusal of the container or header stage, without a blob.
pub fn check_header(
    first_bytes: &[u8],
    total_bytes: u64,
    limits: &Limits,
) -> Result<Header, Refusal> {
    container::check(first_bytes, total_bytes, limits)?;
    read(first_bytes, total_bytes, limits)
}

/// The header stage alone, after [`container::check`].
pub(crate) fn read(
    first_bytes: &[u8],
    total_bytes: u64,
    limits: &Limits,
) -> Result<Header, Refusal> {
    let text = header_text(first_bytes, total_bytes, limits)?;
    let mut header = parse(text, limits)?;
    header.data_start = LENGTH_BYTES + text.len();
    check_layout(&header, total_bytes - header.data_start as u64)?;
    Ok(header)
}

fn refusal(code: Code, message: impl Into<String>) -> Refusal {
    Refusal::new(Stage::Header, code, message)
}

impl From<JsonError> for Refusal {
    fn from(error: JsonError) -> Self {
        refusal(
            Code::HeaderJson,
            format!("the header is not valid: {error}"),
        )
    }
}

fn header_text<'a>(
    first_bytes: &'a [u8],
    total_bytes: u64,
    limits: &Limits,
) -> Result<&'a str, Refusal> {
    let stated = container::stated_header_bytes(first_bytes).unwrap_or_default();
    if stated > limits.header_bytes_max as u64 {
        let message = format!(
            "the header states {stated} bytes; at most {} are accepted",
            limits.header_bytes_max
        );
        return Err(refusal(Code::HeaderOverLimit, message));
    }
    if stated > total_bytes - LENGTH_BYTES as u64 {
        let message = format!("the header states {stated} bytes; the file has {total_bytes}");
        return Err(refusal(Code::HeaderOverFile, message));
    }
    let end = LENGTH_BYTES + stated as usize;
    let Some(bytes) = first_bytes.get(LENGTH_BYTES..end) else {
        return Err(refusal(
            Code::HeaderPrefixShort,
            "the header was not passed whole",
        ));
    };
    if bytes.first() != Some(&b'{') {
        return Err(refusal(
            Code::HeaderStart,
            "the header does not start with `{`",
        ));
    }
    std::str::from_utf8(bytes).map_err(|error| {
        let message = format!("the header is not UTF-8 at byte {}", error.valid_up_to());
        refusal(Code::HeaderUtf8, message)
    })
}

fn parse(text: &str, limits: &Limits) -> Result<Header, Refusal> {
    let mut reader = Reader::new(text);
    let mut header = Header {
        metadata: BTreeMap::new(),
        tensors: BTreeMap::new(),
        data_start: 0,
    };
    let mut metadata_seen = false;
    reader.expect(b'{', "`{`")?;
    let mut first = true;
    while reader.next_element(first, b'}')? {
        first = false;
        let name = reader.string()?;
        reader.expect(b':', "`:`")?;
        if name == METADATA_KEY {
            if std::mem::replace(&mut metadata_seen, true) {
                return Err(duplicate(METADATA_KEY));
            }
            header.metadata = parse_metadata(&mut reader)?;
            continue;
        }
        check_name(&name, limits)?;
        if header.tensors.len() == limits.tensors_max {
            let message = format!("more than {} tensors", limits.tensors_max);
            return Err(refusal(Code::TensorCount, message));
        }
        if header.tensors.contains_key(name.as_ref()) {
            return Err(duplicate(&name).tensor(&name));
        }
        let info = parse_tensor(&mut reader, limits).map_err(|refusal| refusal.tensor(&name))?;
        header.tensors.insert(name.into_owned(), info);
    }
    if reader.rest().bytes().any(|byte| byte != b' ') {
        return Err(refusal(
            Code::HeaderTrailing,
            "the header has text after its last `}`",
        ));
    }
    Ok(header)
}

fn duplicate(key: &str) -> Refusal {
    refusal(
        Code::DuplicateKey,
        format!("`{key}` appears twice in the header"),
    )
}

fn check_name(name: &str, limits: &Limits) -> Result<(), Refusal> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    if (1..=limits.name_bytes_max).contains(&name.len()) && name.bytes().all(plain) {
        return Ok(());
    }
    let message = format!(
        "a tensor name must be 1 to {} characters of A-Z a-z 0-9 . _ -",
        limits.name_bytes_max
    );
    Err(refusal(Code::TensorName, message))
}

fn parse_metadata(reader: &mut Reader<'_>) -> Result<BTreeMap<String, String>, Refusal> {
    let mut metadata = BTreeMap::new();
    if reader.peek() != Some(b'{') {
        return Err(refusal(
            Code::MetadataNotText,
            "__metadata__ is not an object of strings",
        ));
    }
    reader.expect(b'{', "`{`")?;
    while reader.next_element(metadata.is_empty(), b'}')? {
        let key = reader.string()?.into_owned();
        reader.expect(b':', "`:`")?;
        if reader.peek() != Some(b'"') {
            let message = format!("the metadata value of `{}` is not a string", shorten(&key));
            return Err(refusal(Code::MetadataNotText, message));
        }
        let value = reader.string()?.into_owned();
        if metadata.contains_key(&key) {
            return Err(duplicate(&shorten(&key)));
        }
        metadata.insert(key, value);
    }
    Ok(metadata)
}

fn parse_tensor(reader: &mut Reader<'_>, limits: &Limits) -> Result<TensorInfo, Refusal> {
    let (mut dtype, mut shape, mut offsets) = (None, None, None);
    let mut seen = BTreeSet::new();
    reader.expect(b'{', "a tensor entry")?;
    while reader.next_element(seen.is_empty(), b'}')? {
        let field = reader.string()?;
        reader.expect(b':', "`:`")?;
        if !seen.insert(field.clone()) {
            return Err(duplicate(&shorten(&field)));
        }
        match field.as_ref() {
            "dtype" => dtype = Some(parse_dtype(&reader.string()?)?),
            "shape" => shape = Some(parse_shape(reader, limits)?),
            "data_offsets" => offsets = Some(parse_offsets(reader)?),
            other => {
                let message = format!("a tensor entry has no field `{}`", shorten(other));
                return Err(refusal(Code::UnknownField, message));
            }
        }
    }
    let missing = |field| {
        refusal(
            Code::MissingField,
            format!("the tensor entry lacks `{field}`"),
        )
    };
    let dtype: Dtype = dtype.ok_or_else(|| missing("dtype"))?;
    let shape: Vec<usize> = shape.ok_or_else(|| missing("shape"))?;
    let (begin, end) = offsets.ok_or_else(|| missing("data_offsets"))?;
    check_size(dtype, &shape, begin, end)?;
    Ok(TensorInfo {
        dtype,
        shape,
        begin,
        end,
    })
}

/// Names from a hostile header are shown, but not at any length.
fn shorten(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(64) {
        Some((end, _)) => Cow::Owned(format!("{}...", &text[..end])),
        None => Cow::Borrowed(text),
    }
}

fn parse_dtype(name: &str) -> Result<Dtype, Refusal> {
    Dtype::from_name(name).ok_or_else(|| {
        refusal(
            Code::UnknownDtype,
            format!("the dtype `{}` is not accepted", shorten(name)),
        )
    })
}

fn parse_shape(reader: &mut Reader<'_>, limits: &Limits) -> Result<Vec<usize>, Refusal> {
    let mut shape = Vec::new();
    reader.expect(b'[', "a shape")?;
    while reader.next_element(shape.is_empty(), b']')? {
        if shape.len() == limits.rank_max {
            let message = format!("more than {} axes", limits.rank_max);
            return Err(refusal(Code::RankOverLimit, message));
        }
        let dimension = reader.unsigned()?;
        if dimension == 0 {
            return Err(refusal(Code::ZeroDimension, "an axis has length zero"));
        }
        if dimension > limits.dimension_max as u64 {
            let message = format!(
                "an axis has length {dimension}; at most {}",
                limits.dimension_max
            );
            return Err(refusal(Code::DimensionOverLimit, message));
        }
        shape.push(dimension as usize);
    }
    Ok(shape)
}

fn parse_offsets(reader: &mut Reader<'_>) -> Result<(usize, usize), Refusal> {
    let next = |reader: &mut Reader<'_>| -> Result<usize, Refusal> {
        let offset = reader.unsigned()?;
        usize::try_from(offset).map_err(|_| refusal(Code::SizeOverflow, "an offset is too large"))
    };
    reader.expect(b'[', "two offsets")?;
    let begin = next(reader)?;
    reader.expect(b',', "`,`")?;
    let end = next(reader)?;
    reader.expect(b']', "`]` after two offsets")?;
    if begin > end {
        let message = format!("the tensor begins at {begin} and ends at {end}");
        return Err(refusal(Code::OffsetsReversed, message));
    }
    Ok((begin, end))
}

fn check_size(dtype: Dtype, shape: &[usize], begin: usize, end: usize) -> Result<(), Refusal> {
    let size_bytes = shape
        .iter()
        .try_fold(dtype.size_bytes(), |size, length| size.checked_mul(*length));
    let Some(size_bytes) = size_bytes else {
        return Err(refusal(
            Code::SizeOverflow,
            "the size of the shape overflows",
        ));
    };
    if end - begin != size_bytes {
        let message = format!(
            "the shape needs {size_bytes} bytes, the offsets give {}",
            end - begin
        );
        return Err(refusal(Code::SizeMismatch, message));
    }
    Ok(())
}

fn check_layout(header: &Header, data_bytes: u64) -> Result<(), Refusal> {
    let mut tensors: Vec<_> = header.tensors.iter().collect();
    tensors.sort_by_key(|(_, info)| info.begin);
    let mut filled = 0;
    for (name, info) in tensors {
        let fault = if info.end as u64 > data_bytes {
            Some((Code::OffsetsOutsideFile, "ends outside the file"))
        } else if info.begin < filled {
            Some((Code::LayoutOverlap, "overlaps the tensor before it"))
        } else if info.begin > filled {
            Some((Code::LayoutHole, "leaves a hole before it"))
        } else {
            None
        };
        if let Some((code, what)) = fault {
            return Err(refusal(code, format!("the tensor `{name}` {what}")).tensor(name));
        }
        filled = info.end;
    }
    if (filled as u64) < data_bytes {
        let message = format!(
            "{} bytes follow the last tensor",
            data_bytes - filled as u64
        );
        return Err(refusal(Code::TrailingBytes, message));
    }
    Ok(())
}
