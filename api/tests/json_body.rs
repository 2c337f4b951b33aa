//! The JSON tokenizer against serde_json: the same documents accepted, the same values read, however
//! the bytes are cut into chunks.

use api::body::BodyError;
use api::body::error::SyntaxFault;
use api::body::event::{Delivery, Event, Receiver};
use api::body::path::{Path, Step};
use api::body::tokenizer::{JsonLimits, Tokenizer};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Map, Value};

/// Rebuilds the document from events and paths.
struct Document {
    delivery: Delivery,
    fragments: Vec<u8>,
    root: Value,
}

impl Document {
    fn read<'a>(
        delivery: Delivery,
        chunks: impl IntoIterator<Item = &'a [u8]>,
    ) -> Result<Value, BodyError> {
        let mut document = Self {
            delivery,
            fragments: Vec::new(),
            root: Value::Null,
        };
        let mut tokenizer = Tokenizer::new(JsonLimits {
            depth_max: 100,
            scalar_bytes_max: 1 << 20,
            text_bytes_max: 1 << 20,
        });
        for chunk in chunks {
            tokenizer.feed(chunk, &mut document)?;
        }
        tokenizer.finish(&mut document)?;
        Ok(document.root)
    }

    /// The place of the value at `path`, made if it is not there yet.
    fn place(&mut self, path: Path<'_>) -> &mut Value {
        path.steps().fold(&mut self.root, |value, step| match step {
            Step::Key(key) => value
                .as_object_mut()
                .expect("a key is inside an object")
                .entry(key)
                .or_insert(Value::Null),
            Step::Index(index) => {
                let elements = value.as_array_mut().expect("an index is inside an array");
                if index == elements.len() {
                    elements.push(Value::Null);
                }
                &mut elements[index]
            }
        })
    }

    /// Fragments are unchecked: this receiver checks them as its contract asks.
    fn add_fragment(&mut self, bytes: &[u8]) -> Result<(), BodyError> {
        self.fragments.extend_from_slice(bytes);
        match bytes.iter().find(|&&byte| byte < 0x20) {
            Some(&byte) => Err(refused(SyntaxFault::ControlCharacter(byte))),
            None => Ok(()),
        }
    }

    fn take_fragments(&mut self) -> Result<Value, BodyError> {
        String::from_utf8(std::mem::take(&mut self.fragments))
            .map(Value::String)
            .map_err(|_| refused(SyntaxFault::InvalidUtf8))
    }
}

fn refused(fault: SyntaxFault) -> BodyError {
    BodyError::Syntax {
        field: String::new(),
        offset: 0,
        fault,
    }
}

impl Receiver for Document {
    fn string_start(&mut self, _: Path<'_>) -> Result<Delivery, BodyError> {
        Ok(self.delivery)
    }

    fn receive(&mut self, path: Path<'_>, event: Event<'_>) -> Result<(), BodyError> {
        let value = match event {
            Event::ObjectEnd | Event::ArrayEnd => return Ok(()),
            Event::Fragment(bytes) => return self.add_fragment(bytes),
            Event::Escape { character, .. } => {
                self.fragments
                    .extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                return Ok(());
            }
            Event::FragmentsEnd => self.take_fragments()?,
            Event::ObjectStart => Value::Object(Map::new()),
            Event::ArrayStart => Value::Array(Vec::new()),
            Event::Null => Value::Null,
            Event::Bool(value) => Value::Bool(value),
            Event::Number(text) => serde_json::from_str(text).map_err(|_| BodyError::Empty)?,
            Event::String(text) => Value::String(text.to_owned()),
        };
        *self.place(path) = value;
        Ok(())
    }
}

/// Cuts `bytes` into chunks of the given lengths, over and over.
fn cut<'a>(mut bytes: &'a [u8], lengths: &[usize]) -> Vec<&'a [u8]> {
    let mut chunks = Vec::new();
    for &length in lengths.iter().cycle() {
        if bytes.is_empty() {
            break;
        }
        let (chunk, rest) = bytes.split_at(length.min(bytes.len()));
        chunks.push(chunk);
        bytes = rest;
    }
    chunks
}

fn string_source() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        4 => "[ -!#-\\[\\]-~]{0,8}",
        2 => "[^\\x00-\\x1f\"\\\\]{0,4}",
        2 => r#"\\["\\/bfnrt]"#,
        2 => r"\\u[0-9a-cA-C][0-9a-fA-F]{3}",
        1 => r"\\u[dD][89abAB][0-9a-f]{2}\\u[dD][c-fC-F][0-9a-f]{2}",
        1 => r"\\u[dD][0-9a-f]{3}",
    ];
    vec(part, 0..4).prop_map(|parts| format!("\"{}\"", parts.concat()))
}

fn document_source() -> impl Strategy<Value = String> {
    let scalar = prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        Just("false".to_owned()),
        r"-?(0|[1-9][0-9]{0,20})(\.[0-9]{1,9})?([eE][+-]?[0-9]{1,2})?",
        string_source(),
    ];
    let space = || "[ \t\r\n]{0,2}";
    scalar.prop_recursive(5, 40, 5, move |inner| {
        let element = (space(), inner.clone(), space())
            .prop_map(|(before, value, after)| format!("{before}{value}{after}"));
        let member = (space(), string_source(), space(), element.clone())
            .prop_map(|(before, key, after, value)| format!("{before}{key}{after}:{value}"));
        prop_oneof![
            (space(), vec(element, 1..5))
                .prop_map(|(before, elements)| format!("{before}[{}]", elements.join(","))),
            (space(), vec(member, 1..5))
                .prop_map(|(before, members)| format!("{before}{{{}}}", members.join(","))),
            space().prop_map(|inside| format!("[{inside}]")),
            space().prop_map(|inside| format!("{{{inside}}}")),
        ]
    })
}

/// Where and what to change; `None` deletes.
fn mutation() -> impl Strategy<Value = (prop::sample::Index, Option<u8>, bool)> {
    let byte = prop_oneof![
        4 => prop::sample::select(br#"{}[]:,"\/utfnebE+-.0123456789 DdCc"#.to_vec()),
        1 => any::<u8>(),
    ];
    (
        any::<prop::sample::Index>(),
        prop::option::of(byte),
        any::<bool>(),
    )
}

fn mutate(source: &mut Vec<u8>, mutations: &[(prop::sample::Index, Option<u8>, bool)]) {
    for (place, byte, insert) in mutations {
        let place = place.index(source.len() + 1);
        match byte {
            Some(byte) if *insert || place == source.len() => source.insert(place, *byte),
            Some(byte) => source[place] = *byte,
            None if place < source.len() => drop(source.remove(place)),
            None => source.truncate(place / 2),
        }
    }
}

/// Asserts that we and serde_json agree on `source`; says whether it was accepted.
fn assert_agreement(source: &[u8], delivery: Delivery) -> Result<bool, TestCaseError> {
    let ours = Document::read(delivery, [source]);
    let reference = serde_json::from_slice::<Value>(source);
    match (ours, reference) {
        (Ok(ours), Ok(reference)) => {
            prop_assert_eq!(ours, reference);
            Ok(true)
        }
        // Stricter on purpose, and serde_json's own limit on floats: the text is kept here.
        (Err(BodyError::DuplicateKey { .. }), _) => Ok(false),
        (_, Err(error)) if error.to_string().contains("number out of range") => Ok(false),
        (Err(_), Err(_)) => Ok(false),
        (ours, reference) => Err(TestCaseError::fail(format!(
            "{}: ours {ours:?}, serde_json {reference:?}",
            source.escape_ascii()
        ))),
    }
}

fn delivery() -> impl Strategy<Value = Delivery> {
    prop::sample::select(vec![Delivery::Whole, Delivery::Fragments])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn a_document_is_judged_as_serde_json_judges_it(
        source in document_source(),
        delivery in delivery(),
    ) {
        assert_agreement(source.as_bytes(), delivery)?;
    }

    #[test]
    fn a_damaged_document_is_judged_as_serde_json_judges_it(
        source in document_source(),
        mutations in vec(mutation(), 1..4),
        delivery in delivery(),
    ) {
        let mut source = source.into_bytes();
        mutate(&mut source, &mutations);
        assert_agreement(&source, delivery)?;
    }

    #[test]
    fn values_and_errors_do_not_depend_on_the_chunks(
        source in document_source(),
        mutations in vec(mutation(), 0..3),
        lengths in vec(1_usize..9, 1..5),
        delivery in delivery(),
    ) {
        let mut source = source.into_bytes();
        mutate(&mut source, &mutations);
        let whole = Document::read(delivery, [&source[..]]);
        prop_assert_eq!(&whole, &Document::read(delivery, cut(&source, &lengths)));
        prop_assert_eq!(&whole, &Document::read(delivery, cut(&source, &[1])));
    }
}

#[test]
fn the_generated_documents_are_mostly_valid() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let accepted = (0..200)
        .filter(|_| {
            let tree = document_source().new_tree(&mut runner).unwrap();
            let source = proptest::strategy::ValueTree::current(&tree);
            assert_agreement(source.as_bytes(), Delivery::Whole).unwrap()
        })
        .count();
    assert!(accepted > 100, "only {accepted} of 200 compare a value");
}

#[test]
fn hard_cases_are_judged_as_serde_json_judges_them() {
    let cases: &[&[u8]] = &[
        b"",
        b" ",
        b"\xEF\xBB\xBF{}",
        b"{}{}",
        b"{} x",
        b"[1,]",
        b"{\"a\":1,}",
        b"[,1]",
        b"[1 2]",
        b"{\"a\" 1}",
        b"{a:1}",
        b"{'a':1}",
        b"nul",
        b"nulll",
        b"True",
        b"-",
        b"01",
        b"1.",
        b".5",
        b"1e",
        b"+1",
        b"0x10",
        b"NaN",
        b"Infinity",
        b"-0",
        b"1E400",
        b"\"\t\"",
        b"\"\x7f\"",
        b"\"\\x\"",
        b"\"\\u12\"",
        b"\"\\u12G4\"",
        b"\"\\uD83D\\uDE00\"",
        b"\"\\uD83D\"",
        b"\"\\uDE00\"",
        b"\"\\uD83D\\u0041\"",
        b"\"\\uD83D\\n\"",
        b"\"\\uD83Dx\"",
        b"\"\xFF\"",
        b"\"\xC0\xAF\"",
        b"\"\xED\xA0\x80\"",
        b"\"\xC3\\n\xA9\"",
        b"\"\\u0000\"",
        b"[1]//x",
        b"]",
        b"}",
        b"[}",
        b"{]",
        b"[[]",
        b"\"abc",
        b"\xA0{}",
        b"{}\0",
        b"{}\n",
        b"\x0c{}",
    ];
    for case in cases {
        for delivery in [Delivery::Whole, Delivery::Fragments] {
            assert_agreement(case, delivery).unwrap();
        }
    }
}

#[test]
fn every_byte_alone_in_a_string_and_outside_is_judged_as_serde_json_judges_it() {
    for byte in 0..=u8::MAX {
        for delivery in [Delivery::Whole, Delivery::Fragments] {
            assert_agreement(&[b'"', byte, b'"'], delivery).unwrap();
            assert_agreement(&[b'[', byte, b'0', b']'], delivery).unwrap();
        }
    }
}

#[test]
fn a_path_names_the_element_of_a_batch() {
    let source = br#"{"packages":[{"name":"a"},{"x":[{"y":tru}]}]}"#;
    let error = Document::read(Delivery::Whole, [&source[..]]).unwrap_err();
    assert_eq!(error.field(), "packages[1].x[0].y");
    assert_eq!(
        error.to_string(),
        "invalid JSON at byte 40, in `packages[1].x[0].y`: found `}`, expected true"
    );
}

#[test]
fn an_error_names_the_innermost_field_that_is_known() {
    let field = |source: &str| {
        let error = Document::read(Delivery::Whole, [source.as_bytes()]).unwrap_err();
        error.field().to_owned()
    };
    assert_eq!(field(r#"{"a":{"b":x}}"#), "a.b");
    assert_eq!(field(r#"{"a":{"b":1,x}}"#), "a");
    assert_eq!(field(r#"{"a":1,"b":[2,[],x]}"#), "b[2]");
    assert_eq!(field(r#"{"a":1}x"#), "");
}

#[test]
fn a_long_key_is_clipped_in_messages() {
    let source = format!("{{\"{}\":x}}", "é".repeat(500));
    let error = Document::read(Delivery::Whole, [source.as_bytes()]).unwrap_err();
    assert_eq!(error.field(), format!("{}…", "é".repeat(64)));
}
