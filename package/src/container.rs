//! The outermost question: is this a safetensors file at all? Everything else is refused by its own
//! name, from its magic bytes, so that a seller who sent a pickle reads "pickle". Looks at the first
//! bytes and the length only.

use crate::limits::Limits;
use crate::monitor::Stage;
use crate::refusal::{Code, Refusal};

/// Bytes of the little-endian header length that opens a safetensors file.
pub(crate) const LENGTH_BYTES: usize = 8;

/// Refuses what cannot be a safetensors file.
///
/// # Errors
/// One of the container codes: empty, too short, too large, or a foreign format by name.
pub(crate) fn check(first_bytes: &[u8], total_bytes: u64, limits: &Limits) -> Result<(), Refusal> {
    let refuse = |code, message: String| Err(Refusal::new(Stage::Container, code, message));
    if total_bytes == 0 {
        return refuse(Code::Empty, "the file is empty".to_owned());
    }
    if let Some((code, name)) = foreign_format(first_bytes, limits) {
        return refuse(
            code,
            format!("this is {name}; only safetensors is accepted"),
        );
    }
    if total_bytes < LENGTH_BYTES as u64 + 2 || first_bytes.len() < LENGTH_BYTES + 1 {
        return refuse(
            Code::TooShort,
            format!("{total_bytes} bytes are no safetensors file"),
        );
    }
    if total_bytes > limits.total_bytes_max {
        return refuse(
            Code::TooLarge,
            format!("the file has more than {} bytes", limits.total_bytes_max),
        );
    }
    Ok(())
}

/// The header length that the file states.
pub(crate) fn stated_header_bytes(first_bytes: &[u8]) -> Option<u64> {
    first_bytes
        .first_chunk::<LENGTH_BYTES>()
        .map(|bytes| u64::from_le_bytes(*bytes))
}

/// A small length followed by `{` is a safetensors frame even if its length bytes happen to spell
/// another format's magic: a header of 640 bytes starts like a pickle.
fn looks_like_safetensors(bytes: &[u8], limits: &Limits) -> bool {
    stated_header_bytes(bytes).is_some_and(|length| length <= limits.header_bytes_max as u64)
        && bytes.get(LENGTH_BYTES) == Some(&b'{')
}

fn foreign_format(bytes: &[u8], limits: &Limits) -> Option<(Code, &'static str)> {
    if looks_like_safetensors(bytes, limits) {
        return None;
    }
    let magics: [(&[u8], Code, &'static str); 8] = [
        (b"PK\x03\x04", Code::Zip, zip_name(bytes)),
        (b"PK\x05\x06", Code::Zip, "an empty ZIP archive"),
        (b"PK\x07\x08", Code::Zip, "a split ZIP archive"),
        (b"\x93NUMPY", Code::Npy, "a NumPy .npy array"),
        (b"GGUF", Code::Gguf, "a GGUF model"),
        (b"\x89HDF\r\n\x1a\n", Code::Hdf5, "an HDF5 file"),
        (b"\x1f\x8b", Code::Gzip, "a gzip stream"),
        (b"{", Code::JsonText, "JSON text"),
    ];
    let named = magics
        .into_iter()
        .find(|(magic, _, _)| bytes.starts_with(magic));
    let pickle = matches!(bytes, [0x80, 2..=5, ..]);
    match named {
        // A bare `{` may also be the low byte of an absurd length: only text goes on as text.
        Some((_, Code::JsonText, _)) if !is_text(bytes) => None,
        Some((_, code, name)) => Some((code, name)),
        None if pickle => Some((Code::Pickle, "a Python pickle")),
        None => None,
    }
}

fn is_text(bytes: &[u8]) -> bool {
    bytes
        .iter()
        .take(LENGTH_BYTES)
        .all(|byte| byte.is_ascii_graphic() || byte.is_ascii_whitespace())
}

/// The local header of the first entry gives its name: bytes 26..28 its length, 30.. the name.
fn zip_name(bytes: &[u8]) -> &'static str {
    let length = bytes
        .get(26..28)
        .map_or(0, |two| usize::from(u16::from_le_bytes([two[0], two[1]])));
    let name = bytes.get(30..30 + length).unwrap_or_default();
    if name.ends_with(b".npy") {
        "a NumPy .npz archive"
    } else if name.ends_with(b"data.pkl") {
        "a PyTorch checkpoint (ZIP with pickle)"
    } else {
        "a ZIP archive"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_of_640_bytes_is_not_mistaken_for_a_pickle() {
        let mut bytes = 640u64.to_le_bytes().to_vec();
        assert_eq!(bytes[..2], [0x80, 2]);
        bytes.push(b'{');
        assert_eq!(check(&bytes, 5000, &Limits::default()), Ok(()));
        bytes[8] = b'.';
        let refusal = check(&bytes, 5000, &Limits::default()).unwrap_err();
        assert_eq!(refusal.code, Code::Pickle);
    }
}
