//! Any two blobs of any declared type: the verifier must come to a verdict.
#![no_main]

use libfuzzer_sys::fuzz_target;
use package::{Declared, Limits, PackageType, Verdict, verify};

fuzz_target!(|input: (u8, f64, Vec<u8>, Vec<u8>)| {
    let (kind, epsilon, package, w_matrix) = input;
    let declared = Declared {
        package_type: PackageType::ALL[usize::from(kind) % PackageType::ALL.len()],
        source_model: "gpt2".to_owned(),
        target_model: "unknown".to_owned(),
        epsilon,
    };
    let report = verify(&package, &w_matrix, &declared, &Limits::default(), &mut ());
    assert_eq!(report.refusal.is_some(), report.verdict == Verdict::Refused);
});
