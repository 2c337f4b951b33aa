//! Any bytes as a file: the header check must answer, and what it accepts must lie inside the file.
#![no_main]

use libfuzzer_sys::fuzz_target;
use package::{Limits, check_header};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(header) = check_header(bytes, bytes.len() as u64, &Limits::default()) {
        for info in header.tensors.values() {
            assert!(info.begin < info.end && header.data_start + info.end <= bytes.len());
        }
    }
});
