//! Measures the upload parser: one 50 MiB package as base64 JSON in 64 KiB chunks, best of seven.
//!
//! `cargo run --release -p api --example body_bench`. Prints GB/s of body, alone, with SHA-256 and
//! with slashes escaped, beside the bare libraries, and how much memory the parser added.

use std::hint::black_box;
use std::time::{Duration, Instant};

use api::body::{Piece, UploadLimits, UploadParser};
use sha2::{Digest, Sha256};

const CHUNK_BYTES: usize = 64 * 1024;
const ROUNDS: usize = 7;

fn main() {
    if let Some(added_kib) = peak_added_kib() {
        println!("peak memory added by one 50 MiB upload: {added_kib} KiB");
    }
    let bytes = noise(UploadLimits::default().blobs_bytes_max as usize);
    let text = base64_simd::STANDARD.encode_to_string(&bytes);
    let escaped = body(&text.replace('/', "\\/"));
    let plain = body(&text);
    let expected = Sha256::digest(&bytes);
    drop(bytes);

    report("parser", plain.len(), || {
        black_box(parse(&plain, |_| {}));
    });
    report("parser, every `/` escaped", escaped.len(), || {
        black_box(parse(&escaped, |_| {}));
    });
    let slashes = body(&"\\/".repeat(text.len() - 4));
    report("parser, nothing but `\\/`", slashes.len(), || {
        black_box(parse(&slashes, |_| {}));
    });
    report("parser + SHA-256", plain.len(), || {
        let mut hash = Sha256::new();
        parse(&plain, |block| hash.update(block));
        assert_eq!(hash.finalize(), expected);
    });
    let mut block = vec![0; CHUNK_BYTES];
    report("bare base64-simd", text.len(), || {
        decode(&text, &mut block, |decoded| {
            black_box(decoded);
        });
    });
    report("bare base64-simd + SHA-256", text.len(), || {
        let mut hash = Sha256::new();
        decode(&text, &mut block, |decoded| hash.update(decoded));
        assert_eq!(hash.finalize(), expected);
    });
}

fn body(text: &str) -> Vec<u8> {
    format!(r#"{{"packageType":"vector","name":"n","price":9.99,"vectorData":"{text}"}}"#)
        .into_bytes()
}

fn parse(body: &[u8], mut on_block: impl FnMut(&[u8])) -> usize {
    let mut parser = UploadParser::new(UploadLimits::default());
    let mut decoded_bytes = 0;
    for chunk in body.chunks(CHUNK_BYTES) {
        parser
            .feed(chunk, &mut |piece| {
                if let Piece::BlobBytes(block) = piece {
                    decoded_bytes += block.len();
                    on_block(block);
                }
            })
            .expect("the body is valid");
    }
    parser.finish().expect("the body is complete");
    decoded_bytes
}

fn decode(text: &str, block: &mut [u8], mut on_block: impl FnMut(&[u8])) {
    for chunk in text.as_bytes().chunks(CHUNK_BYTES) {
        let room = base64_simd::Out::from_slice(block);
        let decoded = base64_simd::STANDARD.decode(chunk, room);
        on_block(decoded.expect("the text is valid"));
    }
}

fn report(name: &str, bytes: usize, mut work: impl FnMut()) {
    let time = |_| {
        let start = Instant::now();
        work();
        start.elapsed()
    };
    let best = (0..ROUNDS).map(time).min().unwrap_or(Duration::MAX);
    let rate = bytes as f64 / best.as_secs_f64() / 1e9;
    println!(
        "{name:28} {:6.1} ms  {rate:5.2} GB/s",
        best.as_secs_f64() * 1e3
    );
}

/// Bytes without a pattern, the same on every run (splitmix64).
fn noise(length: usize) -> Vec<u8> {
    let mut state = 0_u64;
    let words = std::iter::repeat_with(|| {
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed ^ (mixed >> 27)
    });
    words.flat_map(u64::to_le_bytes).take(length).collect()
}

/// How far one upload, of the same chunk again and again, raises the peak of a fresh process.
fn peak_added_kib() -> Option<u64> {
    let chunk = [b'A'; CHUNK_BYTES];
    let limits = UploadLimits::default();
    let before = peak_resident_kib()?;
    let mut parser = UploadParser::new(limits);
    let mut decoded_bytes = 0;
    let mut count = |piece: Piece<'_>| {
        if let Piece::BlobBytes(block) = piece {
            decoded_bytes += black_box(block).len() as u64;
        }
    };
    let mut feed = |chunk: &[u8]| parser.feed(chunk, &mut count).expect("the body is valid");
    feed(br#"{"name":"n","vectorData":""#);
    for _ in 0..limits.blobs_bytes_max * 4 / 3 / CHUNK_BYTES as u64 {
        feed(&chunk);
    }
    feed(br#""}"#);
    parser.finish().expect("the body is complete");
    assert!(decoded_bytes > limits.blobs_bytes_max - CHUNK_BYTES as u64);
    Some(peak_resident_kib()? - before)
}

/// The peak resident memory of this process, where the system tells.
fn peak_resident_kib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}
