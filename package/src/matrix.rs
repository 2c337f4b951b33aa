//! Dense matrices and the one product that everything costs: `A Bᵀ`, on one thread, in `f32` or
//! `f64`, through the `gemm` crate's kernels, which pick the widest vectors at run time.

use std::ops::Range;

use gemm::Parallelism;

use crate::tensor::{Real, Tensor};

/// A dense row-major matrix of doubles.
#[derive(Debug, Clone, PartialEq)]
pub struct Matrix {
    pub(crate) rows: usize,
    pub(crate) columns: usize,
    pub(crate) values: Vec<f64>,
}

impl Matrix {
    /// A matrix of row-major values; none if their number is not `rows * columns` or is zero.
    #[must_use]
    pub fn new(rows: usize, columns: usize, values: Vec<f64>) -> Option<Self> {
        let fits = rows.checked_mul(columns) == Some(values.len()) && !values.is_empty();
        fits.then_some(Self {
            rows,
            columns,
            values,
        })
    }

    /// A matrix of `value(row, column)`; none without elements.
    #[must_use]
    pub fn from_fn(
        rows: usize,
        columns: usize,
        mut value: impl FnMut(usize, usize) -> f64,
    ) -> Option<Self> {
        let indices = (0..rows).flat_map(|row| (0..columns).map(move |column| (row, column)));
        let values = indices.map(|(row, column)| value(row, column)).collect();
        Self::new(rows, columns, values)
    }

    /// Number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of columns.
    #[must_use]
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// The values, row by row.
    #[must_use]
    pub fn values(&self) -> &[f64] {
        &self.values
    }
}

/// Rows that can be read in blocks, wherever they are stored.
pub(crate) trait Rows<T> {
    fn rows(&self) -> usize;
    fn columns(&self) -> usize;
    /// Reads whole rows from `first_row` on until `out` is full.
    fn read_rows(&self, first_row: usize, out: &mut [T]);
    /// The rows as they are stored, if that is in this precision and aligned.
    fn rows_in_place(&self, rows: Range<usize>) -> Option<&[T]>;
}

impl<T: Real> Rows<T> for Tensor<'_> {
    fn rows(&self) -> usize {
        Tensor::rows(self)
    }

    fn columns(&self) -> usize {
        Tensor::columns(self)
    }

    fn read_rows(&self, first_row: usize, out: &mut [T]) {
        self.read(first_row * Tensor::columns(self), out);
    }

    fn rows_in_place(&self, rows: Range<usize>) -> Option<&[T]> {
        let columns = Tensor::columns(self);
        self.in_place()?
            .get(rows.start * columns..rows.end * columns)
    }
}

impl Rows<f64> for Matrix {
    fn rows(&self) -> usize {
        self.rows
    }

    fn columns(&self) -> usize {
        self.columns
    }

    fn read_rows(&self, first_row: usize, out: &mut [f64]) {
        let first = first_row * self.columns;
        out.copy_from_slice(&self.values[first..first + out.len()]);
    }

    fn rows_in_place(&self, rows: Range<usize>) -> Option<&[f64]> {
        self.values
            .get(rows.start * self.columns..rows.end * self.columns)
    }
}

/// Sizes of a product `[rows, inner] x [columns, inner]ᵀ`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ProductShape {
    pub(crate) rows: usize,
    pub(crate) inner: usize,
    pub(crate) columns: usize,
}

/// Where an element of the product lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    RowMajor,
    /// A tenth faster for tall products than row-major.
    ColumnMajor,
}

/// `product = left rightᵀ`, both factors row-major.
///
/// # Panics
/// If a slice is shorter than `shape` says: that is a bug of this crate, not of the input.
pub(crate) fn multiply_transposed<T: Real>(
    shape: ProductShape,
    left: &[T],
    right: &[T],
    product: &mut [T],
    order: Order,
) {
    let ProductShape {
        rows,
        inner,
        columns,
    } = shape;
    assert!(left.len() >= rows * inner && right.len() >= columns * inner);
    assert!(product.len() >= rows * columns);
    let (column_stride, row_stride) = match order {
        Order::RowMajor => (1, columns as isize),
        Order::ColumnMajor => (rows as isize, 1),
    };
    #[expect(unsafe_code, reason = "the only fast product on offer takes pointers")]
    // SAFETY: the strides describe rows x inner, inner x columns and rows x columns elements, which
    // lie inside the slices by the assertions above; the product is borrowed exclusively.
    unsafe {
        gemm::gemm(
            rows,
            columns,
            inner,
            product.as_mut_ptr(),
            column_stride,
            row_stride,
            false,
            left.as_ptr(),
            1,
            inner as isize,
            right.as_ptr(),
            inner as isize,
            1,
            T::ZERO,
            T::ONE,
            false,
            false,
            false,
            Parallelism::None,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_product_equals_its_definition(rows in 1usize..40, inner in 1usize..40, columns in 1usize..40) {
            let left: Vec<f64> = (0..rows * inner).map(|i| f64::from((i * 37 % 101) as u32) - 50.0).collect();
            let right: Vec<f64> = (0..columns * inner).map(|i| f64::from((i * 53 % 97) as u32) - 48.0).collect();
            let mut by_rows = vec![f64::NAN; rows * columns];
            let mut by_columns = by_rows.clone();
            let shape = ProductShape { rows, inner, columns };
            multiply_transposed(shape, &left, &right, &mut by_rows, Order::RowMajor);
            multiply_transposed(shape, &left, &right, &mut by_columns, Order::ColumnMajor);
            for row in 0..rows {
                for column in 0..columns {
                    let exact: f64 = (0..inner).map(|k| left[row * inner + k] * right[column * inner + k]).sum();
                    prop_assert_eq!(by_rows[row * columns + column], exact);
                    prop_assert_eq!(by_columns[column * rows + row], exact);
                }
            }
        }
    }
}
