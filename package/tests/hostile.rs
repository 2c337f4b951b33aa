//! Hostile files are refused with their own code, from as few bytes as possible, and files at the
//! limits are not.

mod builder;
mod corpus;

use builder::Builder;
use corpus::{ONE, announced, containers, four, headers, many_tensors};
use package::{Blob, Code, Limits, Verdict, check_header, verify};

#[test]
fn every_hostile_file_is_refused_with_its_own_code() {
    let honest = Builder::vector(16, 16, 0.05);
    for (name, bytes, code) in containers().into_iter().chain(headers()) {
        let found = check_header(&bytes, bytes.len() as u64, &Limits::default());
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
