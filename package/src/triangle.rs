//! The triangle R of a QR factorisation, which has the singular values of the matrix and only its smaller
//! side. It is most of the work on a large W, so it is made panel by panel and can be stopped between them.

use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::householder;
use faer::linalg::qr::no_pivoting::factor;
use faer::{Conj, Mat, MatMut, MatRef, Par};

use crate::matrix::Rows;
use crate::monitor::Monitor;

/// Rows that are transposed at once.
const TILE_ROWS: usize = 16;
/// Columns that are factorised before the monitor is asked again: a multiple of the blocks that the
/// factorisation works in, so that a panel costs little more than a part of the whole.
const PANEL_COLUMNS: usize = 256;

/// Why there is no spectrum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoSpectrum {
    /// The monitor stopped it.
    Cancelled,
    /// The values overflow a double.
    NotFinite,
}

/// An error if nobody waits for the spectrum any more.
pub(crate) fn go_on(monitor: &dyn Monitor) -> Result<(), NoSpectrum> {
    match monitor.cancelled() {
        true => Err(NoSpectrum::Cancelled),
        false => Ok(()),
    }
}

/// R as a matrix of its own; the large work space is free again when it returns.
pub(crate) fn upper_triangle(
    matrix: &dyn Rows<f64>,
    monitor: &dyn Monitor,
) -> Result<Mat<f64>, NoSpectrum> {
    let mut work = tall(matrix);
    let triangle = triangle_in_place(&mut work, monitor)?;
    Ok(Mat::from_fn(
        triangle.nrows(),
        triangle.ncols(),
        |row, column| {
            if row <= column {
                triangle[(row, column)]
            } else {
                0.0
            }
        },
    ))
}

/// The matrix, or its transpose, such that it has at least as many rows as columns.
pub(crate) fn tall(matrix: &dyn Rows<f64>) -> Mat<f64> {
    let (rows, columns) = (matrix.rows(), matrix.columns());
    if rows <= columns {
        let mut transposed = Mat::zeros(columns, rows);
        for row in 0..rows {
            matrix.read_rows(row, transposed.col_as_slice_mut(row));
        }
        return transposed;
    }
    let mut copy = Mat::zeros(rows, columns);
    let mut tile = vec![0.0; TILE_ROWS * columns];
    for first in (0..rows).step_by(TILE_ROWS) {
        let count = TILE_ROWS.min(rows - first);
        let tile = &mut tile[..count * columns];
        matrix.read_rows(first, tile);
        for column in 0..columns {
            let out = &mut copy.col_as_slice_mut(column)[first..first + count];
            for (row, value) in out.iter_mut().enumerate() {
                *value = tile[row * columns + column];
            }
        }
    }
    copy
}

/// The upper triangle R of the QR factorisation, made panel by panel, so that it can be stopped; what lies
/// below its diagonal is no part of it.
pub(crate) fn triangle_in_place<'a>(
    tall: &'a mut Mat<f64>,
    monitor: &dyn Monitor,
) -> Result<MatRef<'a, f64>, NoSpectrum> {
    let (rows, columns) = (tall.nrows(), tall.ncols());
    for first in (0..columns).step_by(PANEL_COLUMNS) {
        go_on(monitor)?;
        let width = PANEL_COLUMNS.min(columns - first);
        let below = tall
            .as_mut()
            .submatrix_mut(first, first, rows - first, columns - first);
        factorise_panel(below, width);
    }
    let triangle = tall.get(..columns, ..columns);
    triangle
        .is_all_finite()
        .then_some(triangle)
        .ok_or(NoSpectrum::NotFinite)
}

/// Factorises the first columns, and turns the others by the same reflections.
fn factorise_panel(matrix: MatMut<'_, f64>, width: usize) {
    let (mut panel, rest) = matrix.split_at_col_mut(width);
    let rows = panel.nrows();
    let block = factor::recommended_block_size::<f64>(rows, width);
    let mut reflectors = Mat::zeros(block, width);
    let scratch =
        factor::qr_in_place_scratch::<f64>(rows, width, block, Par::Seq, Default::default());
    let scratch =
        scratch.or(
            householder::apply_block_householder_sequence_transpose_on_the_left_in_place_scratch::<
                f64,
            >(rows, block, rest.ncols()),
        );
    let mut memory = MemBuffer::new(scratch);
    let stack = MemStack::new(&mut memory);
    factor::qr_in_place(
        panel.as_mut(),
        reflectors.as_mut(),
        Par::Seq,
        stack,
        Default::default(),
    );
    if rest.ncols() > 0 {
        householder::apply_block_householder_sequence_transpose_on_the_left_in_place_with_conj(
            panel.as_ref(),
            reflectors.as_ref(),
            Conj::No,
            rest,
            Par::Seq,
            stack,
        );
    }
}
