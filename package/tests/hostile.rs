//! A corpus of hostile and broken files, each with the code that it must be refused with. Most of the
//! header abuses pass the reference parser; the large ones must fall on their length alone.

mod builder;

use builder::Builder;
use package::write::frame;
use package::{Blob, Code, Limits, Verdict, check_header, verify};

/// One header entry for a single F32 value.
const ONE: &str = r#""a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}"#;

fn entry(dtype: &str, shape: &str, offsets: &str) -> String {
    format!(r#"{{"a":{{"dtype":"{dtype}","shape":{shape},"data_offsets":{offsets}}}}}"#)
}

fn four(header: &str) -> Vec<u8> {
    frame(header, [[0u8; 4].as_slice()])
}

fn zip_of(name: &str) -> Vec<u8> {
    let mut bytes = b"PK\x03\x04".to_vec();
    bytes.resize(26, 0);
    bytes.extend((name.len() as u16).to_le_bytes());
    bytes.extend([0, 0]);
    bytes.extend(name.as_bytes());
    bytes
}

/// A header of `length` bytes that is only announced, with some of it following.
fn announced(length: u64, text: &str) -> Vec<u8> {
    let mut bytes = length.to_le_bytes().to_vec();
    bytes.extend(text.as_bytes());
    bytes
}

fn containers() -> Vec<(&'static str, Vec<u8>, Code)> {
    vec![
        ("nothing", Vec::new(), Code::Empty),
        ("one byte", vec![7], Code::TooShort),
        (
            "a length and no more",
            2u64.to_le_bytes().to_vec(),
            Code::TooShort,
        ),
        (
            "pickle",
            b"\x80\x04\x95\x10\0\0\0\0\0\0\0}\x94.".to_vec(),
            Code::Pickle,
        ),
        ("torch zip", zip_of("archive/data.pkl"), Code::Zip),
        ("npz", zip_of("arr_0.npy"), Code::Zip),
        (
            "empty zip",
            b"PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0".to_vec(),
            Code::Zip,
        ),
        (
            "npy",
            b"\x93NUMPY\x01\0v\0{'descr': '<f4'}".to_vec(),
            Code::Npy,
        ),
        (
            "gguf",
            b"GGUF\x03\0\0\0\0\0\0\0\0\0\0\0".to_vec(),
            Code::Gguf,
        ),
        (
            "hdf5",
            b"\x89HDF\r\n\x1a\n\0\0\0\0\0\x08\x08\0".to_vec(),
            Code::Hdf5,
        ),
        (
            "gzip",
            b"\x1f\x8b\x08\0\0\0\0\0\0\x03\x4b\x4c".to_vec(),
            Code::Gzip,
        ),
        (
            "json text",
            br#"{"vector": [1.0, 2.0]}"#.to_vec(),
            Code::JsonText,
        ),
    ]
}

fn header_frames() -> Vec<(&'static str, Vec<u8>, Code)> {
    let million = format!(
        "{{\"a\":{{\"dtype\":\"F32\",\"shape\":[{}1]",
        "1,".repeat(100_000)
    );
    vec![
        (
            "length of u64::MAX",
            announced(u64::MAX, "{}"),
            Code::HeaderOverLimit,
        ),
        (
            "49 MB of empty tensors",
            announced(49_000_000, "{\"a\":"),
            Code::HeaderOverLimit,
        ),
        (
            "24 million axes of one",
            announced(48_000_040, &million),
            Code::HeaderOverLimit,
        ),
        (
            "one byte over the cap",
            announced(256 * 1024 + 1, "{}"),
            Code::HeaderOverLimit,
        ),
        (
            "header beyond the file",
            announced(1000, "{}"),
            Code::HeaderOverFile,
        ),
        (
            "leading space",
            four(&format!(" {{{ONE}}}")),
            Code::HeaderStart,
        ),
        ("an array", four("[1, 2, 3]"), Code::HeaderStart),
        ("no header at all", announced(0, "{}"), Code::HeaderStart),
        (
            "invalid UTF-8",
            [announced(4, "{\""), vec![0xff, b'}']].concat(),
            Code::HeaderUtf8,
        ),
        ("cut off", four(&format!("{{{ONE}")), Code::HeaderJson),
        (
            "trailing comma",
            four(&format!("{{{ONE},}}")),
            Code::HeaderJson,
        ),
        (
            "a second object",
            four(&format!("{{{ONE}}}{{}}")),
            Code::HeaderTrailing,
        ),
        (
            "a newline after the end",
            four(&format!("{{{ONE}}}\n")),
            Code::HeaderTrailing,
        ),
        (
            "text metadata",
            four(&format!(r#"{{"__metadata__":"x",{ONE}}}"#)),
            Code::MetadataNotText,
        ),
        (
            "number in metadata",
            four(&format!(r#"{{"__metadata__":{{"k":1}},{ONE}}}"#)),
            Code::MetadataNotText,
        ),
        (
            "null in metadata",
            four(&format!(r#"{{"__metadata__":{{"k":null}},{ONE}}}"#)),
            Code::MetadataNotText,
        ),
        (
            "metadata twice",
            four(&format!(
                r#"{{"__metadata__":{{}},{ONE},"__metadata__":{{}}}}"#
            )),
            Code::DuplicateKey,
        ),
        (
            "metadata key twice",
            four(&format!(r#"{{"__metadata__":{{"k":"1","k":"2"}},{ONE}}}"#)),
            Code::DuplicateKey,
        ),
        (
            "tensor twice",
            four(&format!("{{{ONE},{ONE}}}")),
            Code::DuplicateKey,
        ),
        (
            "tensor twice, once escaped",
            four(&format!(r#"{{{ONE},"\u0061":{{}}}}"#)),
            Code::DuplicateKey,
        ),
        (
            "field twice",
            four(r#"{"a":{"dtype":"F32","dtype":"I32","shape":[1],"data_offsets":[0,4]}}"#),
            Code::DuplicateKey,
        ),
        (
            "unknown field",
            four(r#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"x":[[[]]]}}"#),
            Code::UnknownField,
        ),
        (
            "no shape",
            four(r#"{"a":{"dtype":"F32","data_offsets":[0,4]}}"#),
            Code::MissingField,
        ),
        (
            "path as a name",
            four(r#"{"../../x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#),
            Code::TensorName,
        ),
        (
            "NUL in a name",
            four(r#"{"a\u0000":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#),
            Code::TensorName,
        ),
        (
            "empty name",
            four(r#"{"":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#),
            Code::TensorName,
        ),
        ("4097 tensors", many_tensors(4097), Code::TensorCount),
    ]
}

fn header_entries() -> Vec<(&'static str, Vec<u8>, Code)> {
    vec![
        (
            "unknown dtype",
            four(&entry("F8_E4M3", "[4]", "[0,4]")),
            Code::UnknownDtype,
        ),
        (
            "lower-case dtype",
            four(&entry("f32", "[1]", "[0,4]")),
            Code::UnknownDtype,
        ),
        (
            "five axes",
            four(&entry("F32", "[1,1,1,1,1]", "[0,4]")),
            Code::RankOverLimit,
        ),
        (
            "zero axis",
            frame(&entry("F32", "[0]", "[0,0]"), []),
            Code::ZeroDimension,
        ),
        (
            "zero hides an overflow",
            frame(
                &entry(
                    "F32",
                    "[0,9223372036854775808,9223372036854775808]",
                    "[0,0]",
                ),
                [],
            ),
            Code::ZeroDimension,
        ),
        (
            "axis too long",
            four(&entry("U8", "[131073]", "[0,4]")),
            Code::DimensionOverLimit,
        ),
        (
            "product over 2^64",
            four(&entry("F64", "[131072,131072,131072,131072]", "[0,4]")),
            Code::SizeOverflow,
        ),
        (
            "negative axis",
            four(&entry("F32", "[-1]", "[0,4]")),
            Code::HeaderJson,
        ),
        (
            "fractional axis",
            four(&entry("F32", "[1.0]", "[0,4]")),
            Code::HeaderJson,
        ),
        (
            "axis over u64",
            four(&entry("F32", "[18446744073709551617]", "[0,4]")),
            Code::HeaderJson,
        ),
        (
            "three offsets",
            four(&entry("F32", "[1]", "[0,4,8]")),
            Code::HeaderJson,
        ),
        (
            "offsets reversed",
            four(&entry("F32", "[1]", "[4,0]")),
            Code::OffsetsReversed,
        ),
        (
            "offsets too far",
            four(&entry("F32", "[2]", "[0,8]")),
            Code::OffsetsOutsideFile,
        ),
        (
            "offsets near u64::MAX",
            four(&entry(
                "F32",
                "[1]",
                "[18446744073709551611,18446744073709551615]",
            )),
            Code::OffsetsOutsideFile,
        ),
        (
            "size and shape differ",
            four(&entry("F32", "[2]", "[0,4]")),
            Code::SizeMismatch,
        ),
        (
            "hole at the start",
            frame(&entry("F32", "[1]", "[4,8]"), [[0u8; 8].as_slice()]),
            Code::LayoutHole,
        ),
        (
            "overlap",
            frame(&two_tensors("[0,4]", "[2,6]"), [[0u8; 6].as_slice()]),
            Code::LayoutOverlap,
        ),
        (
            "same bytes twice",
            frame(&two_tensors("[0,4]", "[0,4]"), [[0u8; 4].as_slice()]),
            Code::LayoutOverlap,
        ),
        (
            "hole between",
            frame(&two_tensors("[0,4]", "[6,10]"), [[0u8; 10].as_slice()]),
            Code::LayoutHole,
        ),
        (
            "bytes after the last",
            frame(&entry("F32", "[1]", "[0,4]"), [[0u8; 5].as_slice()]),
            Code::TrailingBytes,
        ),
        (
            "data without tensors",
            frame("{}", [[0u8; 5].as_slice()]),
            Code::TrailingBytes,
        ),
    ]
}

fn two_tensors(first: &str, second: &str) -> String {
    let tensor = |name, offsets| {
        format!(r#""{name}":{{"dtype":"F32","shape":[1],"data_offsets":{offsets}}}"#)
    };
    format!("{{{},{}}}", tensor("a", first), tensor("b", second))
}

fn many_tensors(count: usize) -> Vec<u8> {
    let tensor = |i: usize| {
        format!(
            r#""{i}":{{"dtype":"U8","shape":[1],"data_offsets":[{i},{}]}}"#,
            i + 1
        )
    };
    let header: Vec<String> = (0..count).map(tensor).collect();
    frame(
        &format!("{{{}}}", header.join(",")),
        [vec![0u8; count].as_slice()],
    )
}

#[test]
fn every_hostile_file_is_refused_with_its_own_code() {
    let honest = Builder::vector(16, 16, 0.05);
    for (name, bytes, code) in containers()
        .into_iter()
        .chain(header_frames())
        .chain(header_entries())
    {
        let found = check_header(
            &bytes,
            bytes.len().max(1) as u64 - u64::from(bytes.is_empty()),
            &Limits::default(),
        );
        assert_eq!(found.map_err(|refusal| refusal.code), Err(code), "{name}");
        let report = honest.report_with(&bytes);
        let refusal = report.refusal.unwrap();
        assert_eq!(
            (refusal.code, refusal.blob),
            (code, Some(Blob::WMatrix)),
            "{name}"
        );
        let report = verify(
            &bytes,
            &honest.w_matrix(),
            &honest.declared,
            &Limits::default(),
            &mut (),
        );
        let refusal = report.refusal.unwrap();
        assert_eq!(
            (refusal.code, refusal.blob),
            (code, Some(Blob::Package)),
            "{name}"
        );
    }
}

#[test]
fn a_hostile_length_is_refused_from_the_first_nine_bytes() {
    for (stated, total, code) in [
        (49_000_000u64, 50_000_000, Code::HeaderOverLimit),
        (48_000_040, 50_000_000, Code::HeaderOverLimit),
        (u64::MAX, 100, Code::HeaderOverLimit),
        (200_000, 1000, Code::HeaderOverFile),
    ] {
        let refusal = check_header(&announced(stated, "{"), total, &Limits::default()).unwrap_err();
        assert_eq!(refusal.code, code, "{stated}");
    }
    let refusal = check_header(&announced(10, "{"), 52_428_801, &Limits::default()).unwrap_err();
    assert_eq!(refusal.code, Code::TooLarge);
    let refusal = check_header(&announced(100, "{"), 1000, &Limits::default()).unwrap_err();
    assert_eq!(refusal.code, Code::HeaderPrefixShort);
}

#[test]
fn files_at_the_limits_are_accepted() {
    let header = check_header(
        &many_tensors(4096),
        many_tensors(4096).len() as u64,
        &Limits::default(),
    );
    assert_eq!(header.unwrap().tensors.len(), 4096);
    let padded = format!("{{{ONE}}}{}", " ".repeat(256 * 1024 - ONE.len() - 2));
    let bytes = four(&padded);
    let header = check_header(
        &bytes[..package::HEADER_PREFIX_BYTES_MAX],
        bytes.len() as u64,
        &Limits::default(),
    );
    assert_eq!(header.unwrap().data_start, package::HEADER_PREFIX_BYTES_MAX);
}

#[test]
fn both_blobs_share_one_size_limit() {
    let honest = Builder::vector(16, 16, 0.05);
    let w_matrix = honest.w_matrix();
    let total = (honest.package.len() + w_matrix.len()) as u64;
    let judge = |total_bytes_max| {
        let limits = Limits {
            total_bytes_max,
            ..Limits::default()
        };
        verify(
            &honest.package,
            &w_matrix,
            &honest.declared,
            &limits,
            &mut (),
        )
    };
    assert_eq!(judge(total).verdict, Verdict::Accepted);
    assert_eq!(judge(total - 1).refusal.unwrap().code, Code::TooLarge);
}
