//! Element types and the decoding of tensor bytes into `f32` or `f64`, in blocks, from unaligned
//! little-endian memory. Ranges are trusted: the header stage has checked them.

use std::borrow::Cow;
use std::fmt;

use half::f16;
use half::slice::HalfFloatSliceExt;
use serde::{Deserialize, Serialize};

use crate::header::Header;

/// An element type of the safetensors format that this crate accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
#[expect(missing_docs, reason = "the variants are the format's own names")]
pub enum Dtype {
    F64,
    F32,
    F16,
    BF16,
    I64,
    I32,
    I16,
    I8,
    U64,
    U32,
    U16,
    U8,
    Bool,
}

impl Dtype {
    const NAMES: [(&'static str, Self); 13] = [
        ("F64", Self::F64),
        ("F32", Self::F32),
        ("F16", Self::F16),
        ("BF16", Self::BF16),
        ("I64", Self::I64),
        ("I32", Self::I32),
        ("I16", Self::I16),
        ("I8", Self::I8),
        ("U64", Self::U64),
        ("U32", Self::U32),
        ("U16", Self::U16),
        ("U8", Self::U8),
        ("BOOL", Self::Bool),
    ];

    /// The dtype of a safetensors name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::NAMES
            .into_iter()
            .find_map(|(known, dtype)| (known == name).then_some(dtype))
    }

    /// The safetensors name.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::NAMES
            .into_iter()
            .find_map(|(name, dtype)| (dtype == self).then_some(name))
            .unwrap_or("")
    }

    /// Bytes of one element.
    #[must_use]
    pub const fn size_bytes(self) -> usize {
        match self {
            Self::F64 | Self::I64 | Self::U64 => 8,
            Self::F32 | Self::I32 | Self::U32 => 4,
            Self::F16 | Self::BF16 | Self::I16 | Self::U16 => 2,
            Self::I8 | Self::U8 | Self::Bool => 1,
        }
    }

    pub(crate) const fn is_float(self) -> bool {
        matches!(self, Self::F64 | Self::F32 | Self::F16 | Self::BF16)
    }

    pub(crate) const fn is_half(self) -> bool {
        matches!(self, Self::F16 | Self::BF16)
    }
}

impl fmt::Display for Dtype {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// A named view of one tensor's bytes.
#[derive(Clone, Copy)]
pub(crate) struct Tensor<'a> {
    pub(crate) name: &'a str,
    pub(crate) dtype: Dtype,
    pub(crate) shape: &'a [usize],
    pub(crate) bytes: &'a [u8],
}

impl fmt::Debug for Tensor<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {} {:?}", self.name, self.dtype, self.shape)
    }
}

impl<'a> Tensor<'a> {
    /// The tensor `name` of a file whose header was read from `file` itself.
    pub(crate) fn find(header: &'a Header, file: &'a [u8], name: &str) -> Option<Self> {
        let (name, info) = header.tensors.get_key_value(name)?;
        let bytes = file.get(header.data_start + info.begin..header.data_start + info.end)?;
        Some(Self {
            name,
            dtype: info.dtype,
            shape: &info.shape,
            bytes,
        })
    }

    /// Rows of a matrix; of a vector, its length.
    pub(crate) fn rows(&self) -> usize {
        self.shape.first().copied().unwrap_or(1)
    }

    /// Elements of one row.
    pub(crate) fn columns(&self) -> usize {
        self.shape.iter().skip(1).product()
    }

    pub(crate) fn row_bytes(&self) -> usize {
        self.columns() * self.dtype.size_bytes()
    }

    /// Decodes `out.len()` elements from the `first` one on. The dtype must be a float.
    pub(crate) fn read<T: Real>(&self, first: usize, out: &mut [T]) {
        let size = self.dtype.size_bytes();
        T::decode(
            self.dtype,
            &self.bytes[first * size..(first + out.len()) * size],
            out,
        );
    }

    /// All values: in place if possible, else decoded.
    pub(crate) fn values<T: Real>(&self) -> Cow<'a, [T]> {
        self.in_place().map_or_else(
            || {
                let mut values = vec![T::default(); self.shape.iter().product()];
                self.read(0, &mut values);
                Cow::Owned(values)
            },
            Cow::Borrowed,
        )
    }

    /// The values as they are stored, if that is in this precision and aligned.
    pub(crate) fn in_place<T: Real>(&self) -> Option<&'a [T]> {
        let same = self.dtype == T::DTYPE && cfg!(target_endian = "little");
        bytemuck::try_cast_slice(self.bytes).ok().filter(|_| same)
    }

    /// Index of the first element that is no finite number. Integers always are.
    pub(crate) fn first_not_finite(&self) -> Option<usize> {
        match self.dtype {
            Dtype::F64 => find(self.bytes, |bytes: [u8; 8]| {
                !f64::from_le_bytes(bytes).is_finite()
            }),
            Dtype::F32 => find(self.bytes, |bytes: [u8; 4]| {
                !f32::from_le_bytes(bytes).is_finite()
            }),
            Dtype::F16 => find(self.bytes, |bytes: [u8; 2]| {
                u16::from_le_bytes(bytes) & 0x7c00 == 0x7c00
            }),
            Dtype::BF16 => find(self.bytes, |bytes: [u8; 2]| {
                u16::from_le_bytes(bytes) & 0x7f80 == 0x7f80
            }),
            _ => None,
        }
    }
}

/// Scans in blocks without an early exit inside one, so that the compiler can use vector registers.
fn find<const N: usize>(bytes: &[u8], bad: impl Fn([u8; N]) -> bool) -> Option<usize> {
    const BLOCK: usize = 4096;
    let (elements, _) = bytes.as_chunks::<N>();
    let hit = elements
        .chunks(BLOCK)
        .position(|block| block.iter().fold(false, |any, element| any | bad(*element)))?;
    let start = hit * BLOCK;
    elements[start..]
        .iter()
        .position(|element| bad(*element))
        .map(|index| start + index)
}

/// The two precisions that are computed in.
pub(crate) trait Real: Copy + Default + Into<f64> + fmt::Debug + bytemuck::Pod {
    const DTYPE: Dtype;
    const ZERO: Self;
    const ONE: Self;

    /// Decodes floats of any accepted width; narrowing F64 to `f32` rounds.
    fn decode(dtype: Dtype, bytes: &[u8], out: &mut [Self]);

    fn plus(self, other: Self) -> Self;
}

impl Real for f32 {
    const DTYPE: Dtype = Dtype::F32;
    const ZERO: Self = 0.0;
    const ONE: Self = 1.0;

    fn decode(dtype: Dtype, bytes: &[u8], out: &mut [Self]) {
        match dtype {
            Dtype::F64 => convert(bytes, out, |bytes| f64::from_le_bytes(bytes) as f32),
            Dtype::F32 => convert(bytes, out, f32::from_le_bytes),
            Dtype::BF16 => {
                convert(bytes, out, |bytes| {
                    f32::from_bits(u32::from(u16::from_le_bytes(bytes)) << 16)
                });
            }
            Dtype::F16 => decode_f16(bytes, out),
            other => unreachable!("the schema admits floats only, not {other}"),
        }
    }

    fn plus(self, other: Self) -> Self {
        self + other
    }
}

impl Real for f64 {
    const DTYPE: Dtype = Dtype::F64;
    const ZERO: Self = 0.0;
    const ONE: Self = 1.0;

    fn decode(dtype: Dtype, bytes: &[u8], out: &mut [Self]) {
        if dtype == Dtype::F64 {
            return convert(bytes, out, f64::from_le_bytes);
        }
        let mut narrow = [0.0f32; 1024];
        let size = dtype.size_bytes();
        for (bytes, out) in bytes
            .chunks(narrow.len() * size)
            .zip(out.chunks_mut(narrow.len()))
        {
            let narrow = &mut narrow[..out.len()];
            f32::decode(dtype, bytes, narrow);
            for (wide, narrow) in out.iter_mut().zip(narrow) {
                *wide = f64::from(*narrow);
            }
        }
    }

    fn plus(self, other: Self) -> Self {
        self + other
    }
}

fn convert<const N: usize, T>(bytes: &[u8], out: &mut [T], convert: impl Fn([u8; N]) -> T) {
    let (elements, _) = bytes.as_chunks::<N>();
    for (value, element) in out.iter_mut().zip(elements) {
        *value = convert(*element);
    }
}

/// `half` converts eight at a time with F16C where the processor has it, but from aligned memory.
fn decode_f16(bytes: &[u8], out: &mut [f32]) {
    let mut aligned = [f16::ZERO; 1024];
    for (bytes, out) in bytes
        .chunks(aligned.len() * 2)
        .zip(out.chunks_mut(aligned.len()))
    {
        let aligned = &mut aligned[..out.len()];
        convert(bytes, aligned, f16::from_le_bytes);
        aligned.convert_to_f32_slice(out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use half::bf16;

    fn tensor(dtype: Dtype, bytes: &[u8]) -> Tensor<'_> {
        Tensor {
            name: "t",
            dtype,
            shape: &[],
            bytes,
        }
    }

    #[test]
    fn every_half_float_decodes_exactly_at_any_alignment() {
        let bytes: Vec<u8> = std::iter::once(0)
            .chain((0..=u16::MAX).flat_map(u16::to_le_bytes))
            .collect();
        let mut out = vec![0f32; 1 << 16];
        f32::decode(Dtype::F16, &bytes[1..], &mut out);
        for (bits, value) in (0..=u16::MAX).zip(&out) {
            let expected = f16::from_bits(bits).to_f32();
            assert!(expected.to_bits() == value.to_bits() || (expected.is_nan() && value.is_nan()));
        }
        f32::decode(Dtype::BF16, &bytes[1..], &mut out);
        for (bits, value) in (0..=u16::MAX).zip(&out) {
            let expected = bf16::from_bits(bits).to_f32();
            assert!(expected.to_bits() == value.to_bits() || (expected.is_nan() && value.is_nan()));
        }
    }

    #[test]
    fn the_first_value_that_is_not_finite_is_found_in_every_float_type() {
        let mut halves = vec![0u8; 20_000];
        halves[2 * 7001..][..2].copy_from_slice(&f16::INFINITY.to_le_bytes());
        assert_eq!(tensor(Dtype::F16, &halves).first_not_finite(), Some(7001));
        halves[2 * 5000..][..2].copy_from_slice(&bf16::NAN.to_le_bytes());
        assert_eq!(tensor(Dtype::BF16, &halves).first_not_finite(), Some(5000));
        let singles: Vec<u8> = [1.0, f32::NEG_INFINITY]
            .into_iter()
            .flat_map(f32::to_le_bytes)
            .collect();
        assert_eq!(tensor(Dtype::F32, &singles).first_not_finite(), Some(1));
        let doubles: Vec<u8> = [f64::MAX, f64::NAN]
            .into_iter()
            .flat_map(f64::to_le_bytes)
            .collect();
        assert_eq!(tensor(Dtype::F64, &doubles).first_not_finite(), Some(1));
        assert_eq!(tensor(Dtype::I8, &[0xff; 64]).first_not_finite(), None);
    }
}
