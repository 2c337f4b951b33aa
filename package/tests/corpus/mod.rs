//! Hostile and broken files, each with its name and the code that it must be refused with. Most of the
//! header abuses pass the reference parser; the large ones must fall on their length alone.

use package::Code;
use package::write::frame;

/// Name, bytes, expected refusal.
pub type Hostile = (&'static str, Vec<u8>, Code);

/// One header entry for a single F32 value.
pub const ONE: &str = r#""a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}"#;

pub fn four(header: &str) -> Vec<u8> {
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
pub fn announced(length: u64, text: &str) -> Vec<u8> {
    let mut bytes = length.to_le_bytes().to_vec();
    bytes.extend(text.as_bytes());
    bytes
}

pub fn containers() -> Vec<Hostile> {
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

/// Headers that are wrong as text, over four bytes of data; `@` stands for [`ONE`].
const HEADERS: [(&str, &str, Code); 21] = [
    ("leading space", " {@}", Code::HeaderStart),
    ("an array", "[1, 2, 3]", Code::HeaderStart),
    ("cut off", "{@", Code::HeaderJson),
    ("trailing comma", "{@,}", Code::HeaderJson),
    ("a second object", "{@}{}", Code::HeaderTrailing),
    ("a newline after the end", "{@}\n", Code::HeaderTrailing),
    (
        "text as metadata",
        r#"{"__metadata__":"x",@}"#,
        Code::MetadataNotText,
    ),
    (
        "number in metadata",
        r#"{"__metadata__":{"k":1},@}"#,
        Code::MetadataNotText,
    ),
    (
        "null in metadata",
        r#"{"__metadata__":{"k":null},@}"#,
        Code::MetadataNotText,
    ),
    (
        "metadata twice",
        r#"{"__metadata__":{},@,"__metadata__":{}}"#,
        Code::DuplicateKey,
    ),
    (
        "metadata key twice",
        r#"{"__metadata__":{"k":"1","k":"2"},@}"#,
        Code::DuplicateKey,
    ),
    ("tensor twice", "{@,@}", Code::DuplicateKey),
    (
        "tensor twice, once escaped",
        r#"{@,"\u0061":{}}"#,
        Code::DuplicateKey,
    ),
    (
        "dtype twice",
        r#"{"a":{"dtype":"F32","dtype":"I32"}}"#,
        Code::DuplicateKey,
    ),
    (
        "unknown field",
        r#"{"a":{"dtype":"F32","x":[[[]]]}}"#,
        Code::UnknownField,
    ),
    (
        "no shape",
        r#"{"a":{"dtype":"F32","data_offsets":[0,4]}}"#,
        Code::MissingField,
    ),
    (
        "no offsets",
        r#"{"a":{"dtype":"F32","shape":[1]}}"#,
        Code::MissingField,
    ),
    ("no object", r#"{"a":7}"#, Code::HeaderJson),
    ("path as a name", r#"{"../../x":{}}"#, Code::TensorName),
    ("NUL in a name", r#"{"a\u0000":{}}"#, Code::TensorName),
    ("empty name", r#"{"":{}}"#, Code::TensorName),
];

/// Entries of one tensor that are wrong: dtype, shape, offsets, over four bytes of data.
const ENTRIES: [(&str, [&str; 3], Code); 16] = [
    (
        "unknown dtype",
        ["F8_E4M3", "[4]", "[0,4]"],
        Code::UnknownDtype,
    ),
    (
        "lower-case dtype",
        ["f32", "[1]", "[0,4]"],
        Code::UnknownDtype,
    ),
    (
        "five axes",
        ["F32", "[1,1,1,1,1]", "[0,4]"],
        Code::RankOverLimit,
    ),
    ("zero axis", ["F32", "[0]", "[0,0]"], Code::ZeroDimension),
    (
        "zero hides an overflow",
        ["F32", "[0,9223372036854775808]", "[0,0]"],
        Code::ZeroDimension,
    ),
    (
        "axis too long",
        ["U8", "[131073]", "[0,4]"],
        Code::DimensionOverLimit,
    ),
    (
        "product of 2^71",
        ["F64", "[131072,131072,131072,131072]", "[0,4]"],
        Code::SizeOverflow,
    ),
    ("negative axis", ["F32", "[-1]", "[0,4]"], Code::HeaderJson),
    (
        "fractional axis",
        ["F32", "[1.0]", "[0,4]"],
        Code::HeaderJson,
    ),
    (
        "axis over u64",
        ["F32", "[18446744073709551617]", "[0,4]"],
        Code::HeaderJson,
    ),
    ("three offsets", ["F32", "[1]", "[0,4,8]"], Code::HeaderJson),
    (
        "offsets reversed",
        ["F32", "[1]", "[4,0]"],
        Code::OffsetsReversed,
    ),
    (
        "offsets too far",
        ["F32", "[2]", "[0,8]"],
        Code::OffsetsOutsideFile,
    ),
    (
        "huge offsets",
        ["U8", "[1]", "[18446744073709551614,18446744073709551615]"],
        Code::OffsetsOutsideFile,
    ),
    (
        "size and shape differ",
        ["F32", "[2]", "[0,4]"],
        Code::SizeMismatch,
    ),
    (
        "hole at the start",
        ["U8", "[3]", "[1,4]"],
        Code::LayoutHole,
    ),
];

/// Frames whose length is wrong.
fn lengths() -> Vec<Hostile> {
    let ones = format!(
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
            announced(48_000_040, &ones),
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
        ("no header at all", announced(0, "{}"), Code::HeaderStart),
        (
            "invalid UTF-8",
            [announced(4, "{\""), vec![0xff, b'}']].concat(),
            Code::HeaderUtf8,
        ),
        ("4097 tensors", many_tensors(4097), Code::TensorCount),
    ]
}

/// Tensors that do not tile the data.
fn layouts() -> Vec<Hostile> {
    let two = |first, second, data: &[u8]| frame(&two_tensors(first, second), [data]);
    vec![
        (
            "overlap",
            two("[0,4]", "[2,6]", &[0; 6]),
            Code::LayoutOverlap,
        ),
        (
            "same bytes twice",
            two("[0,4]", "[0,4]", &[0; 4]),
            Code::LayoutOverlap,
        ),
        (
            "hole between",
            two("[0,4]", "[6,10]", &[0; 10]),
            Code::LayoutHole,
        ),
        (
            "bytes after the last",
            two("[0,4]", "[4,8]", &[0; 9]),
            Code::TrailingBytes,
        ),
        (
            "data without tensors",
            frame("{}", [[0; 5].as_slice()]),
            Code::TrailingBytes,
        ),
    ]
}

/// Every file whose container is right and whose header is not.
pub fn headers() -> Vec<Hostile> {
    let texts = HEADERS.map(|(name, text, code)| (name, four(&text.replace('@', ONE)), code));
    let entries = ENTRIES.map(|(name, [dtype, shape, offsets], code)| {
        let fields = format!(r#""dtype":"{dtype}","shape":{shape},"data_offsets":{offsets}"#);
        (name, four(&format!(r#"{{"a":{{{fields}}}}}"#)), code)
    });
    [lengths(), texts.to_vec(), entries.to_vec(), layouts()].concat()
}

fn two_tensors(first: &str, second: &str) -> String {
    let tensor = |name, offsets| {
        format!(r#""{name}":{{"dtype":"F32","shape":[1],"data_offsets":{offsets}}}"#)
    };
    format!("{{{},{}}}", tensor("a", first), tensor("b", second))
}

/// A valid file, if `count` tensors are allowed.
pub fn many_tensors(count: usize) -> Vec<u8> {
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
