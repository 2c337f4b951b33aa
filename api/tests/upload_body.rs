//! The upload body, claim by claim: what is accepted, what is refused and with which words.

use api::body::error::{Base64Reason, SizeLimit, SyntaxFault};
use api::body::{Blob, BodyError, FieldValue, Fields, PackageField, Piece};
use api::body::{UploadLimits, UploadParser};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;

const VECTOR: Blob = Blob::Package(PackageField::Vector);

/// What a body was read as: each blob with its decoded bytes, and the small fields.
#[derive(Debug, PartialEq)]
struct Read {
    blobs: Vec<(Blob, Vec<u8>)>,
    fields: Fields,
}

fn read_with(limits: UploadLimits, body: &[u8], chunk_bytes: usize) -> Result<Read, BodyError> {
    let mut parser = UploadParser::new(limits);
    let mut blobs: Vec<(Blob, Vec<u8>)> = Vec::new();
    let mut open = None;
    for chunk in body.chunks(chunk_bytes) {
        parser.feed(chunk, &mut |piece| match piece {
            Piece::PackageStart => panic!("this is no batch"),
            Piece::BlobStart(blob) => {
                assert_eq!(open.replace(blob), None, "blobs do not nest");
                blobs.push((blob, Vec::new()));
            }
            Piece::BlobBytes(bytes) => {
                assert!(!bytes.is_empty());
                let (_, decoded) = blobs.last_mut().expect("bytes follow a start");
                decoded.extend_from_slice(bytes);
            }
            Piece::BlobEnd(blob) => assert_eq!(open.take(), Some(blob)),
        })?;
    }
    let fields = parser.finish()?;
    Ok(Read { blobs, fields })
}

fn read(body: impl AsRef<[u8]>) -> Result<Read, BodyError> {
    read_with(UploadLimits::default(), body.as_ref(), 7)
}

fn refusal(body: impl AsRef<[u8]>) -> BodyError {
    read(body).expect_err("the body is at fault")
}

fn base64_refusal(value: &str) -> (u64, Base64Reason) {
    match refusal(format!(r#"{{"vectorData":"{value}"}}"#)) {
        BodyError::InvalidBase64 {
            field,
            offset_in_value,
            reason,
        } if field == "vectorData" => (offset_in_value, reason),
        other => panic!("{other}"),
    }
}

#[test]
fn fields_come_in_any_order_and_numbers_keep_their_text() {
    let body =
        br#" { "wMatrixData" : "AQI=", "price":9.90, "vectorData":"AwQF", "name":"a\u00e9\n",
        "epsilon":5e-2, "draft":false, "webhookUrl":null } "#;
    let mut read = read(body).unwrap();
    assert_eq!(read.blobs[0], (Blob::WMatrix, vec![1, 2]));
    assert_eq!(read.blobs[1], (VECTOR, vec![3, 4, 5]));
    assert_eq!(read.fields.take_number("price").unwrap().unwrap(), "9.90");
    assert_eq!(read.fields.take_number("epsilon").unwrap().unwrap(), "5e-2");
    assert_eq!(read.fields.take_string("name").unwrap().unwrap(), "aé\n");
    assert_eq!(read.fields.take_bool("draft"), Ok(Some(false)));
    assert_eq!(read.fields.take_string("webhookUrl"), Ok(None));
    assert_eq!(read.fields.take_string("description"), Ok(None));
}

#[test]
fn a_field_of_another_type_is_named_when_it_is_taken() {
    let mut fields = read(r#"{"price":"9.90","name":{"a":1}}"#).unwrap().fields;
    let error = fields.take_number("price").unwrap_err();
    assert_eq!(error.to_string(), "`price` must be a number");
    let error = fields.take_string("name").unwrap_err();
    assert_eq!(error.to_string(), "`name` must be a string");
}

#[test]
fn a_duplicate_key_is_refused_by_name_at_any_depth() {
    let error = refusal(r#"{"price":1,"name":"x","price":2}"#);
    assert_eq!(
        error.to_string(),
        "`price` is given twice, again at byte 22"
    );
    assert_eq!(
        refusal(r#"{"vectorData":"AA==","vectorData":"AA=="}"#).code(),
        "DUPLICATE_KEY"
    );
    assert_eq!(refusal(r#"{"x":[{"a":1,"\u0061":2}]}"#).field(), "x[0].a");
}

#[test]
fn two_package_blobs_exclude_each_other_unless_one_is_null() {
    let error = refusal(r#"{"vectorData":"AA==","chainData":"AA=="}"#);
    assert_eq!(
        error,
        BodyError::ConflictingFields {
            field: "chainData".into(),
            other: "vectorData"
        }
    );
    let read = read(r#"{"vectorData":null,"kvCacheData":"AA==","chainData":null}"#).unwrap();
    assert_eq!(
        read.blobs,
        [(Blob::Package(PackageField::KvCache), vec![0])]
    );
}

#[test]
fn a_blob_that_is_not_a_string_is_refused() {
    for value in ["1", "true", "{}", "[]", r#"["AA=="]"#] {
        let error = refusal(format!(r#"{{"wMatrixData":{value}}}"#));
        assert_eq!(error.to_string(), "`wMatrixData` must be a base64 string");
    }
}

#[test]
fn the_name_of_a_blob_means_nothing_deeper_down() {
    let read = read(r#"{"extra":{"vectorData":"not base64!","a":[{"wMatrixData":1}]}}"#).unwrap();
    assert_eq!(read.blobs, []);
    assert_eq!(read.fields.get("extra"), Some(&FieldValue::Nested));
}

#[test]
fn a_body_that_is_not_an_object_is_refused() {
    for body in ["[]", "1", "1.5e3", "null", "\"vectorData\"", "[{}]"] {
        assert_eq!(refusal(body).to_string(), "the body must be a JSON object");
    }
}

#[test]
fn an_escaped_slash_is_data_and_every_other_escape_is_refused() {
    let read = read(r#"{"vectorData":"\/\/8="}"#).unwrap();
    assert_eq!(read.blobs, [(VECTOR, vec![255, 255])]);
    assert_eq!(base64_refusal(r"AA\n=="), (2, Base64Reason::Escape(b'n')));
    assert_eq!(
        base64_refusal(r"AAAAA\u0041=="),
        (5, Base64Reason::Escape(b'u'))
    );
    assert_eq!(base64_refusal(r"A\\AA"), (1, Base64Reason::Escape(b'\\')));
    assert_eq!(
        refusal(r#"{"vectorData":"AAA\u0041"}"#).to_string(),
        "`vectorData` is not valid base64 at character 3: the escape `\\u` is not allowed, only `\\/` is"
    );
}

#[test]
fn text_that_is_nearly_base64_is_refused_with_a_hint() {
    assert_eq!(base64_refusal("AAAA\nAAAA"), (4, Base64Reason::WhiteSpace));
    assert_eq!(
        base64_refusal("AAAA\u{e9}AA"),
        (4, Base64Reason::Character(0xC3))
    );
    assert_eq!(base64_refusal("AAA"), (3, Base64Reason::MissingPadding));
    assert_eq!(base64_refusal("AB=="), (1, Base64Reason::NonCanonical));
    assert_eq!(
        refusal(r#"{"vectorData":"AA-A"}"#).to_string(),
        "`vectorData` is not valid base64 at character 2: `-` belongs to the URL-safe alphabet; \
         use the standard one, with `+` and `/`"
    );
}

#[test]
fn both_blobs_together_may_reach_the_limit_and_not_pass_it() {
    let limits = UploadLimits {
        blobs_bytes_max: 100_000,
        ..UploadLimits::default()
    };
    let body = |first: usize, second: usize| {
        let [first, second] = [first, second].map(|length| STANDARD.encode(vec![7; length]));
        format!(r#"{{"wMatrixData":"{first}","chainData":"{second}"}}"#)
    };
    let read = read_with(limits, body(60_000, 40_000).as_bytes(), 4096).unwrap();
    assert_eq!(read.blobs[1].1.len(), 40_000);
    for (first, second) in [(60_000, 40_001), (100_001, 0), (100_000, 1)] {
        let error = read_with(limits, body(first, second).as_bytes(), 4096).unwrap_err();
        let BodyError::TooLarge {
            limit, bytes_max, ..
        } = error
        else {
            panic!("{error}");
        };
        assert_eq!((limit, bytes_max), (SizeLimit::Blobs, 100_000));
    }
}

#[test]
fn an_endless_blob_is_stopped_at_the_limit() {
    let limits = UploadLimits {
        blobs_bytes_max: 200_000,
        ..UploadLimits::default()
    };
    let mut parser = UploadParser::new(limits);
    let mut received_bytes = 0;
    let mut count = |piece: Piece<'_>| {
        if let Piece::BlobBytes(bytes) = piece {
            received_bytes += bytes.len();
        }
    };
    parser.feed(br#"{"vectorData":""#, &mut count).unwrap();
    let fed = (0..1000)
        .take_while(|_| parser.feed(&[b'A'; 1024], &mut count).is_ok())
        .count();
    assert!(fed * 768 < 200_000 + 2 * 49_152, "fed {fed} KiB");
    assert!(received_bytes <= 200_000);
}

#[test]
fn a_long_value_and_many_short_ones_are_refused() {
    let limit_of = |body: String| match refusal(body) {
        BodyError::TooLarge {
            field,
            limit,
            bytes_max,
        } => (field, limit, bytes_max),
        other => panic!("{other}"),
    };
    let name = |length| format!(r#"{{"name":"{}"}}"#, "x".repeat(length));
    assert!(read(name(65_536)).is_ok());
    assert_eq!(
        limit_of(name(65_537)),
        ("name".into(), SizeLimit::Scalar, 65_536)
    );
    assert_eq!(
        limit_of(format!("{{\"{}", "k".repeat(65_537))).1,
        SizeLimit::Scalar
    );
    assert_eq!(
        limit_of(format!(r#"{{"price":{}"#, "1".repeat(65_537))).1,
        SizeLimit::Scalar
    );
    let unknown: Vec<String> = (0..8)
        .map(|i| format!(r#""u{i}":"{}""#, "x".repeat(40_000)))
        .collect();
    let text = limit_of(format!("{{{}}}", unknown.join(",")));
    assert_eq!(text, ("u6".into(), SizeLimit::Text, 262_144));
    assert_eq!(limit_of(" ".repeat(262_145)).1, SizeLimit::Text);
    assert_eq!(
        limit_of(format!(r#"{{"a":[{}"#, "1,".repeat(140_000))).1,
        SizeLimit::Text
    );
}

#[test]
fn sixteen_levels_are_read_and_seventeen_are_not() {
    let nested = |levels: usize| {
        format!(
            r#"{{"a":{}{}}}"#,
            "[".repeat(levels - 1),
            "]".repeat(levels - 1)
        )
    };
    assert!(read(nested(16)).is_ok());
    let error = refusal(nested(17));
    assert_eq!(error.code(), "TOO_DEEP");
    assert_eq!(error.field(), format!("a{}", "[0]".repeat(15)));
}

#[test]
fn what_is_not_one_json_value_is_refused() {
    assert_eq!(refusal(""), BodyError::Empty);
    assert_eq!(refusal(" \r\n"), BodyError::Empty);
    let fault = |body: &[u8]| match refusal(body) {
        BodyError::Syntax { offset, fault, .. } => (offset, fault),
        other => panic!("{other}"),
    };
    assert_eq!(fault(b"\xEF\xBB\xBF{}"), (0, SyntaxFault::ByteOrderMark));
    assert_eq!(
        fault(b"{\"a\":\"x\ny\"}"),
        (7, SyntaxFault::ControlCharacter(b'\n'))
    );
    assert_eq!(fault(b"{\"a\":\"x\xFF\"}"), (5, SyntaxFault::InvalidUtf8));
    assert_eq!(
        fault(b"{\"a\":\"\\ud800x\"}"),
        (12, SyntaxFault::LoneSurrogate)
    );
    assert_eq!(
        refusal("{} {").to_string(),
        "invalid JSON at byte 3, in the body: found `{`, expected the end of the body"
    );
}

#[test]
fn every_proper_prefix_of_a_body_is_refused() {
    let body = r#"{"name":"x\n","price":1.5,"vectorData":"AQ\/A","nested":[true,{"a":null}]}"#;
    assert!(read(body).is_ok());
    for end in 1..body.len() {
        assert_eq!(
            refusal(&body[..end]).code(),
            "TRUNCATED_BODY",
            "{}",
            &body[..end]
        );
    }
}

#[test]
fn a_failed_parser_stays_failed() {
    let mut parser = UploadParser::new(UploadLimits::default());
    let error = parser.feed(b"{]", &mut |_| {}).unwrap_err();
    assert_eq!(parser.feed(b"{}", &mut |_| {}), Err(error.clone()));
    assert_eq!(parser.finish(), Err(error));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn blobs_are_decoded_exactly_however_the_body_is_cut_and_slashes_are_written(
        vector in proptest::collection::vec(any::<u8>(), 0..3000),
        matrix_bytes in 0_usize..150_000,
        escaped in any::<bool>(),
        chunk_bytes in 1_usize..5000,
    ) {
        let matrix: Vec<u8> = (0..matrix_bytes).map(|i| (i * i % 255) as u8).collect();
        let text = |bytes: &[u8]| {
            let text = STANDARD.encode(bytes);
            if escaped { text.replace('/', r"\/") } else { text }
        };
        let body = format!(
            r#"{{"vectorData":"{}","name":"n","wMatrixData":"{}"}}"#,
            text(&vector), text(&matrix)
        );
        let read = read_with(UploadLimits::default(), body.as_bytes(), chunk_bytes).unwrap();
        prop_assert_eq!(read.blobs, [(VECTOR, vector), (Blob::WMatrix, matrix)]);
    }
}
