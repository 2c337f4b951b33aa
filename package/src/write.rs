//! Writes small safetensors files, for tests, fixtures and tools. It does not check what it writes:
//! the verifier does.

use half::{bf16, f16};

use crate::tensor::Dtype;

/// One tensor to write.
#[derive(Debug, Clone)]
pub struct TensorData {
    /// Its name.
    pub name: String,
    /// Its element type.
    pub dtype: Dtype,
    /// The lengths of its axes.
    pub shape: Vec<usize>,
    /// Its values, little-endian.
    pub bytes: Vec<u8>,
}

impl TensorData {
    /// A float tensor; the values are rounded to `dtype`, which must be F64, F32, F16 or BF16. Any
    /// other dtype gives an empty tensor.
    #[must_use]
    pub fn floats(name: &str, dtype: Dtype, shape: &[usize], values: &[f64]) -> Self {
        let bytes = match dtype {
            Dtype::F64 => values
                .iter()
                .flat_map(|value| value.to_le_bytes())
                .collect(),
            Dtype::F32 => values
                .iter()
                .flat_map(|value| (*value as f32).to_le_bytes())
                .collect(),
            Dtype::F16 => values
                .iter()
                .flat_map(|value| f16::from_f64(*value).to_le_bytes())
                .collect(),
            Dtype::BF16 => values
                .iter()
                .flat_map(|value| bf16::from_f64(*value).to_le_bytes())
                .collect(),
            _ => Vec::new(),
        };
        Self {
            name: name.to_owned(),
            dtype,
            shape: shape.to_vec(),
            bytes,
        }
    }
}

/// A safetensors file of the tensors in the given order, its header padded to eight bytes.
#[must_use]
pub fn safetensors(metadata: &[(&str, &str)], tensors: &[TensorData]) -> Vec<u8> {
    let mut entries = Vec::new();
    if !metadata.is_empty() {
        let texts: serde_json::Map<_, _> = metadata
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).into()))
            .collect();
        entries.push(format!(
            "\"__metadata__\":{}",
            serde_json::Value::from(texts)
        ));
    }
    let mut begin = 0;
    for tensor in tensors {
        let end = begin + tensor.bytes.len();
        let name = serde_json::Value::from(tensor.name.as_str());
        let (dtype, shape) = (tensor.dtype, &tensor.shape);
        entries.push(format!(
            "{name}:{{\"dtype\":\"{dtype}\",\"shape\":{shape:?},\"data_offsets\":[{begin},{end}]}}"
        ));
        begin = end;
    }
    let mut header = format!("{{{}}}", entries.join(","));
    while header.len() % 8 != 0 {
        header.push(' ');
    }
    frame(
        &header,
        tensors.iter().map(|tensor| tensor.bytes.as_slice()),
    )
}

/// A file of this header text and data, however wrong they are.
#[must_use]
pub fn frame<'a>(header: &str, data: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend_from_slice(header.as_bytes());
    for bytes in data {
        file.extend_from_slice(bytes);
    }
    file
}
