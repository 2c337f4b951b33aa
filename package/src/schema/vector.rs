//! A vector package: `vector` [k, ds], one state per row, and nothing else.

use super::{File, Payload, check_float, check_rank};
use crate::refusal::Refusal;
use crate::report::PackageDimensions;

pub(super) fn read(mut file: File<'_>) -> Result<Payload<'_>, Refusal> {
    let vector = file.required("vector")?;
    check_float(&vector)?;
    check_rank(&vector, 2)?;
    Ok(Payload {
        dimensions: PackageDimensions::Vector {
            vectors: vector.rows(),
            dimension: vector.columns(),
        },
        states: vec![vector],
        tensors: file.finish()?,
    })
}
