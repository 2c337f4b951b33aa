//! The finite stage: every float is a number, W has no empty row or column, and no state is empty.

use crate::monitor::{Monitor, Stage};
use crate::refusal::{Blob, Code, Refusal};
use crate::schema::{Payload, WMatrix, Weights};
use crate::tensor::{Dtype, Real, Tensor};

pub(crate) fn check(
    w_matrix: &WMatrix<'_>,
    payload: &Payload<'_>,
    monitor: &dyn Monitor,
) -> Result<(), Refusal> {
    for (blob, tensors) in [
        (Blob::WMatrix, &w_matrix.tensors),
        (Blob::Package, &payload.tensors),
    ] {
        for tensor in tensors {
            if monitor.cancelled() {
                return Err(Refusal::cancelled(Stage::Finite));
            }
            check_values(tensor).map_err(|refusal| refusal.blob(blob))?;
        }
    }
    check_weights(&w_matrix.weights).map_err(|refusal| refusal.blob(Blob::WMatrix))?;
    for state in &payload.states {
        check_lines(state, true, false).map_err(|refusal| refusal.blob(Blob::Package))?;
    }
    Ok(())
}

fn refusal(code: Code, tensor: &Tensor<'_>, message: String) -> Refusal {
    Refusal::new(Stage::Finite, code, message).tensor(tensor.name)
}

fn check_values(tensor: &Tensor<'_>) -> Result<(), Refusal> {
    let Some(index) = tensor.first_not_finite() else {
        return Ok(());
    };
    let message = format!(
        "`{}` holds NaN or infinity, first at element {index}",
        tensor.name
    );
    Err(refusal(Code::NotFinite, tensor, message))
}

/// A zero row of W is a target coordinate that is never reached, a zero column a source coordinate
/// that is ignored. In factors they show as zero rows of B and zero columns of A.
fn check_weights(weights: &Weights<'_>) -> Result<(), Refusal> {
    match weights {
        Weights::Dense(weight) => check_lines(weight, true, true),
        Weights::Factored { b, a } => {
            check_lines(b, true, false)?;
            check_lines(a, false, true)
        }
    }
}

fn check_lines(tensor: &Tensor<'_>, rows: bool, columns: bool) -> Result<(), Refusal> {
    let (zero_row, zero_column) = match tensor.dtype {
        Dtype::F64 => zero_lines::<f64>(tensor),
        _ => zero_lines::<f32>(tensor),
    };
    if let Some(row) = zero_row.filter(|_| rows) {
        let message = format!("row {row} of `{}` is all zeros", tensor.name);
        return Err(refusal(Code::ZeroRow, tensor, message));
    }
    if let Some(column) = zero_column.filter(|_| columns) {
        let message = format!("column {column} of `{}` is all zeros", tensor.name);
        return Err(refusal(Code::ZeroColumn, tensor, message));
    }
    Ok(())
}

/// The first row and the first column without a value other than zero.
fn zero_lines<T: Real + PartialEq>(tensor: &Tensor<'_>) -> (Option<usize>, Option<usize>) {
    let mut row = vec![T::ZERO; tensor.columns()];
    let mut column_used = vec![false; tensor.columns()];
    let mut zero_row = None;
    for index in 0..tensor.rows() {
        tensor.read(index * row.len(), &mut row);
        let mut row_used = false;
        for (used, value) in column_used.iter_mut().zip(&row) {
            let nonzero = *value != T::ZERO;
            *used |= nonzero;
            row_used |= nonzero;
        }
        if !row_used && zero_row.is_none() {
            zero_row = Some(index);
        }
    }
    (zero_row, column_used.iter().position(|used| !used))
}
