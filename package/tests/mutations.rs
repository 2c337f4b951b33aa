//! Any bytes at all: no mutation of a valid package makes the verifier panic, and whatever its header
//! parser accepts, the reference parser accepts with the same meaning.

#![expect(clippy::unwrap_used, reason = "helpers of a test")]

mod builder;

use builder::Builder;
use package::write::{TensorData, safetensors};
use package::{Dtype, Limits, Verdict, check_header, verify};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use safetensors::SafeTensors;

/// One edit of a file.
#[derive(Debug, Clone)]
enum Edit {
    Set(Index, u8),
    Insert(Index, Vec<u8>),
    Remove(Index, usize),
    Truncate(Index),
    Swap(Index, Index),
}

fn edit() -> impl Strategy<Value = Edit> {
    let tokens: Vec<&'static [u8]> = vec![
        b"{",
        b"}",
        b"[",
        b"]",
        b",",
        b":",
        b"\"",
        b"0",
        b"-1",
        b"1e9",
        b"null",
        b"\\u0061",
        b" ",
        b"\0",
        b"\"a\":{}",
    ];
    prop_oneof![
        (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Edit::Set(at, byte)),
        (any::<Index>(), select(tokens)).prop_map(|(at, token)| Edit::Insert(at, token.to_vec())),
        (any::<Index>(), 1usize..40).prop_map(|(at, count)| Edit::Remove(at, count)),
        any::<Index>().prop_map(Edit::Truncate),
        (any::<Index>(), any::<Index>()).prop_map(|(a, b)| Edit::Swap(a, b)),
    ]
}

/// Edits within the first `reach` bytes, where the structure is, or anywhere.
fn apply(file: &mut Vec<u8>, edits: &[Edit], reach: usize) {
    for edit in edits {
        let length = file.len().min(reach).max(1);
        if file.is_empty() {
            return;
        }
        match edit {
            Edit::Set(at, byte) => file[at.index(length)] = *byte,
            Edit::Insert(at, bytes) => {
                let at = at.index(length);
                file.splice(at..at, bytes.iter().copied());
            }
            Edit::Remove(at, count) => {
                let at = at.index(length);
                file.drain(at..(at + count).min(file.len()));
            }
            Edit::Truncate(at) => file.truncate(at.index(length)),
            Edit::Swap(a, b) => file.swap(a.index(length), b.index(length)),
        }
    }
}

/// Makes the stated header length true again, so that edits reach the parser behind it.
fn reframe(file: &mut [u8], header_end: usize) {
    if let Some(length) = file.first_chunk_mut::<8>() {
        *length = (header_end as u64).saturating_sub(8).to_le_bytes();
    }
}

fn agree_with_the_reference(file: &[u8]) -> Result<(), TestCaseError> {
    let Ok(ours) = check_header(file, file.len() as u64, &Limits::default()) else {
        return Ok(());
    };
    let theirs = SafeTensors::deserialize(file);
    prop_assert!(
        theirs.is_ok(),
        "accepted here, refused by the reference: {:?}",
        theirs.err()
    );
    let theirs = theirs.unwrap();
    prop_assert_eq!(ours.tensors.len(), theirs.len());
    for (name, info) in &ours.tensors {
        let view = theirs.tensor(name).unwrap();
        prop_assert_eq!(view.shape(), &info.shape[..]);
        prop_assert_eq!(
            format!("{:?}", view.dtype()).to_uppercase(),
            info.dtype.name()
        );
        let start = ours.data_start;
        prop_assert_eq!(view.data(), &file[start + info.begin..start + info.end]);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn no_mutation_makes_the_verifier_panic(edits in vec(edit(), 1..6), in_header in any::<bool>(), keep_frame in any::<bool>()) {
        let builder = Builder::vector(6, 5, 0.04);
        let mut file = builder.w_matrix();
        let header_end = 8 + file[..2].iter().rev().fold(0, |sum, byte| sum * 256 + usize::from(*byte));
        let length = file.len();
        apply(&mut file, &edits, if in_header { header_end } else { length });
        if keep_frame && in_header {
            let header_end = (header_end + file.len()).saturating_sub(length);
            reframe(&mut file, header_end);
        }
        agree_with_the_reference(&file)?;
        let limits = Limits::default();
        let as_w_matrix = builder.report_with(&file);
        prop_assert_eq!(as_w_matrix.refusal.is_some(), as_w_matrix.verdict == Verdict::Refused);
        let as_package = verify(&file, &file, &builder.declared, &limits, &mut ());
        prop_assert_eq!(as_package.verdict, Verdict::Refused);
    }

    #[test]
    fn any_bytes_are_answered_with_a_refusal(bytes in vec(any::<u8>(), 0..300)) {
        let builder = Builder::vector(6, 5, 0.04);
        let report = verify(&bytes, &bytes, &builder.declared, &Limits::default(), &mut ());
        prop_assert_eq!(report.verdict, Verdict::Refused);
    }

    #[test]
    fn well_formed_files_are_read_like_the_reference_reads_them(
        shapes in vec((vec(1usize..5, 0..4), select(vec![Dtype::F64, Dtype::F32, Dtype::F16, Dtype::BF16, Dtype::I64, Dtype::I8, Dtype::Bool])), 1..6),
        text in "\\PC{0,20}",
    ) {
        // The reference writer orders by alignment; so do we, to stay among files both must accept.
        let mut shapes = shapes;
        shapes.sort_by_key(|(_, dtype)| std::cmp::Reverse(dtype.size_bytes()));
        let tensors: Vec<_> = shapes
            .into_iter()
            .enumerate()
            .map(|(index, (shape, dtype))| {
                let size = shape.iter().product::<usize>() * dtype.size_bytes();
                TensorData { name: format!("t.{index}"), dtype, shape, bytes: vec![1; size] }
            })
            .collect();
        let file = safetensors(&[("text", &text)], &tensors);
        let header = check_header(&file, file.len() as u64, &Limits::default());
        prop_assert_eq!(&header.unwrap().metadata["text"], &text);
        agree_with_the_reference(&file)?;
    }

    #[test]
    fn floats_of_any_bits_never_make_the_verifier_panic(bits in vec(any::<u64>(), 16), dtype in select(vec![Dtype::F64, Dtype::F32, Dtype::F16, Dtype::BF16])) {
        let mut builder = Builder::vector(4, 4, 0.04);
        builder.dtype = dtype;
        let mut weight = builder.weight_tensor();
        weight.bytes = bits.iter().flat_map(|bits| bits.to_le_bytes()[..dtype.size_bytes()].to_vec()).collect();
        let mut tensors = builder.anchor_tensors().to_vec();
        tensors.push(weight);
        let report = builder.report_with(&safetensors(&[], &tensors));
        prop_assert_eq!(report.refusal.is_some(), report.verdict == Verdict::Refused);
    }
}
