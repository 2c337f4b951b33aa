//! How much memory a verdict takes, counted by the allocator. Alone in its binary, so that nothing
//! else allocates while it counts.

mod builder;

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

use builder::{Builder, noise};
use package::write::{TensorData, safetensors};
use package::{Dtype, Limits, verify};

struct Counting;

static LIVE_BYTES: AtomicUsize = AtomicUsize::new(0);
static PEAK_BYTES: AtomicUsize = AtomicUsize::new(0);

#[expect(unsafe_code, reason = "a counting allocator can only be written so")]
// SAFETY: every call goes to the system allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let live = LIVE_BYTES.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
        PEAK_BYTES.fetch_max(live, Ordering::Relaxed);
        // SAFETY: passed on as received.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        LIVE_BYTES.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: passed on as received.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// A BF16 package whose tensors have the given shapes.
fn package_of(shapes: &[(&str, [usize; 2])]) -> Vec<u8> {
    let tensors: Vec<_> = shapes
        .iter()
        .enumerate()
        .map(|(seed, (name, shape))| {
            let bits = |index: usize| {
                let value = noise(seed, index / shape[1], index % shape[1]) as f32;
                ((value.to_bits() >> 16) as u16).to_le_bytes()
            };
            let bytes = (0..shape[0] * shape[1]).flat_map(bits).collect();
            TensorData {
                name: (*name).to_owned(),
                dtype: Dtype::BF16,
                shape: shape.to_vec(),
                bytes,
            }
        })
        .collect();
    safetensors(&[], &tensors)
}

fn peak_bytes_of(w_matrix: &[u8], source: usize) -> usize {
    let package = Builder::vector(source, 1, 0.05).package;
    let declared = Builder::vector(source, 1, 0.05).declared;
    let before = LIVE_BYTES.load(Ordering::Relaxed);
    PEAK_BYTES.store(before, Ordering::Relaxed);
    let report = verify(&package, w_matrix, &declared, &Limits::default(), &mut ());
    assert!(
        report.spectral.is_some()
            && report.epsilon.measured.is_some() != report.epsilon.anchors.eq(&0)
    );
    PEAK_BYTES.load(Ordering::Relaxed) - before
}

#[test]
fn the_largest_packages_stay_within_the_documented_memory() {
    const CONSTANT_BYTES: usize = 64 << 20;
    // A quarter of the size limit each: the multiple is what is tested, and it is the same.
    for shapes in [
        vec![("weight", [2500, 2500])],
        vec![
            ("weight", [1000, 1000]),
            ("anchors.source", [3000, 1000]),
            ("anchors.target", [3000, 1000]),
        ],
        vec![
            ("weight", [64, 40]),
            ("anchors.source", [60_000, 40]),
            ("anchors.target", [60_000, 64]),
        ],
        vec![("weight", [40, 100_000])],
        vec![("weight", [100_000, 40])],
        vec![("lora_b", [3000, 800]), ("lora_a", [800, 3000])],
    ] {
        let source = shapes
            .iter()
            .find(|(name, _)| *name == "weight" || *name == "lora_a")
            .unwrap()
            .1[1];
        let file = package_of(&shapes);
        let peak = peak_bytes_of(&file, source);
        assert!(
            peak <= 4 * file.len() + CONSTANT_BYTES,
            "{shapes:?}: {peak} bytes for {}",
            file.len()
        );
    }
}
