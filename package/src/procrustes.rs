//! The orthogonal Procrustes problem: the rotation that carries one point set closest to another. It
//! gives the error that no orthogonal W can beat.

use faer::MatRef;

use crate::matrix::Matrix;

/// The best orthogonal map between two point sets.
#[derive(Debug, Clone, PartialEq)]
pub struct Procrustes {
    /// The orthogonal matrix Q that minimises ‖source Q − target‖.
    pub rotation: Matrix,
    /// Sum of the singular values of sourceᵀ target.
    pub scale: f64,
    /// ‖source Q − target‖² at its minimum: ‖source‖² + ‖target‖² − 2 scale.
    pub residual_squared: f64,
}

/// Solves the orthogonal Procrustes problem for points in rows (Schönemann 1966).
///
/// None when the shapes differ or the decomposition does not converge.
#[must_use]
pub fn orthogonal_procrustes(source: &Matrix, target: &Matrix) -> Option<Procrustes> {
    if (source.rows, source.columns) != (target.rows, target.columns) {
        return None;
    }
    let (source_view, target_view) = (view(source), view(target));
    let decomposition = (source_view.transpose() * target_view).svd().ok()?;
    let rotation = decomposition.U() * decomposition.V().transpose();
    let scale: f64 = decomposition.S().column_vector().iter().sum();
    let norms = source_view.squared_norm_l2() + target_view.squared_norm_l2();
    Some(Procrustes {
        rotation: Matrix::from_fn(source.columns, source.columns, |row, column| {
            rotation[(row, column)]
        })?,
        scale,
        residual_squared: (norms - 2.0 * scale).max(0.0),
    })
}

fn view(matrix: &Matrix) -> MatRef<'_, f64> {
    MatRef::from_row_major_slice(&matrix.values, matrix.rows, matrix.columns)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of SciPy's reference page for `scipy.linalg.orthogonal_procrustes`.
    #[test]
    fn the_rotation_and_scale_are_those_of_scipy_linalg() {
        let a = Matrix::new(2, 3, vec![2.0, 0.0, 1.0, -2.0, 0.0, 0.0]).unwrap();
        let b = Matrix::new(2, 3, vec![1.0, 0.0, 2.0, 0.0, 0.0, -2.0]).unwrap();
        let found = orthogonal_procrustes(&a, &b).unwrap();
        assert!((found.scale - 9.0).abs() < 1e-12);
        assert!(found.residual_squared < 1e-12);
        for row in 0..3 {
            for column in 0..3 {
                let expected: f64 = if row + column == 2 { 1.0 } else { 0.0 };
                let value = found.rotation.values()[row * 3 + column];
                // The middle axis carries no weight, so that its sign is free.
                let value = if row == 1 { value.abs() } else { value };
                assert!((value - expected).abs() < 1e-12, "{row} {column} {value}");
            }
        }
    }

    /// The example of SciPy's reference page for `scipy.spatial.procrustes`: after centring and
    /// scaling to norm one, the disparity is 1 − scale².
    #[test]
    fn the_disparity_of_scipy_spatial_is_zero() {
        let standard = |values: [f64; 8]| {
            let means = [0, 1].map(|c| values.iter().skip(c).step_by(2).sum::<f64>() / 4.0);
            let centred: Vec<f64> = values
                .iter()
                .enumerate()
                .map(|(i, v)| v - means[i % 2])
                .collect();
            let norm = centred.iter().map(|v| v * v).sum::<f64>().sqrt();
            Matrix::new(4, 2, centred.into_iter().map(|v| v / norm).collect()).unwrap()
        };
        let a = standard([1.0, 3.0, 1.0, 2.0, 1.0, 1.0, 2.0, 1.0]);
        let b = standard([4.0, -2.0, 4.0, -4.0, 4.0, -6.0, 2.0, -6.0]);
        let scale = orthogonal_procrustes(&a, &b).unwrap().scale;
        assert!((1.0 - scale * scale).abs() < 1e-12);
    }
}
