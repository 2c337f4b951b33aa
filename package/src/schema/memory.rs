//! A memory package: the key/value cache of a text. For each layer `layers.{i}.key` and `.value`
//! [heads, tokens, head dimension], the same for all layers; 8 bit caches also carry `.key_scale` and
//! `.value_scale`; `positions` I64 [tokens] is optional.

use super::{
    File, Payload, check_dtype, check_float, check_rank, count_groups, inconsistent, refusal,
};
use crate::refusal::{Code, Refusal};
use crate::report::PackageDimensions;
use crate::tensor::{Dtype, Tensor};

pub(super) fn read(mut file: File<'_>) -> Result<Payload<'_>, Refusal> {
    let layers = count_groups(&file, "layers", "key")?.max(1);
    let first = file.required("layers.0.key")?;
    check_rank(&first, 3)?;
    let [heads, tokens, head_dimension] = [first.shape[0], first.shape[1], first.shape[2]];
    for layer in 0..layers {
        for member in ["key", "value"] {
            let name = format!("layers.{layer}.{member}");
            // The first key is already taken.
            let tensor = if tensor_is(&first, &name) {
                first
            } else {
                file.required(&name)?
            };
            check_cache(&mut file, &tensor, first.shape)?;
        }
    }
    if let Some(positions) = file.optional("positions") {
        check_positions(&positions, tokens)?;
    }
    Ok(Payload {
        dimensions: PackageDimensions::Memory {
            layers,
            key_value_heads: heads,
            tokens,
            head_dimension,
        },
        states: Vec::new(),
        tensors: file.finish()?,
    })
}

fn tensor_is(tensor: &Tensor<'_>, name: &str) -> bool {
    tensor.name == name
}

fn check_cache(file: &mut File<'_>, tensor: &Tensor<'_>, shape: &[usize]) -> Result<(), Refusal> {
    if tensor.shape != shape {
        return Err(inconsistent(tensor, shape));
    }
    if tensor.dtype != Dtype::I8 {
        return check_float(tensor);
    }
    let scale = file.required(&format!("{}_scale", tensor.name))?;
    check_float(&scale)?;
    check_rank(&scale, 3)?;
    let broadcasts = scale
        .shape
        .iter()
        .zip(shape)
        .all(|(own, whole)| *own == 1 || own == whole);
    if broadcasts {
        Ok(())
    } else {
        Err(inconsistent(&scale, shape))
    }
}

fn check_positions(positions: &Tensor<'_>, tokens: usize) -> Result<(), Refusal> {
    check_dtype(positions, Dtype::I64)?;
    check_rank(positions, 1)?;
    if positions.rows() != tokens {
        return Err(inconsistent(positions, &[tokens]));
    }
    let (values, _) = positions.bytes.as_chunks::<8>();
    if values.iter().any(|value| i64::from_le_bytes(*value) < 0) {
        let message = "`positions` holds a negative position";
        return Err(refusal(Code::MetadataValue, message).tensor(positions.name));
    }
    Ok(())
}
