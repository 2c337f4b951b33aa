//! Singular values of W, without multiplying a factored W out. W is reduced to a triangle of its
//! smaller side by one QR factorisation in place; up to a limit all singular values of the triangle
//! are computed, above it the two ends by Lanczos iteration and the orthogonality by random probes.
//! Everything is in `f64`: in `f32` a condition number of 1e8 cannot be told from infinity.

use faer::linalg::matmul::triangular::{self, BlockStructure};
use faer::linalg::triangular_solve;
use faer::{Accum, Mat, MatMut, MatRef, Par, Side};

use crate::matrix::{Matrix, Rows};
use crate::monitor::Monitor;
use crate::random::Random;
use crate::report::SpectralMethod;
use crate::schema::Weights;
use crate::triangle::{NoSpectrum, go_on, tall, triangle_in_place, upper_triangle};

/// Steps after which the ends of a spectrum of some thousand values stand to about 1e-3.
const LANCZOS_STEPS_MAX: usize = 48;
const LANCZOS_SEED: u64 = 0x001a_c205;
/// Probes after which the norm of ‖WᵀW − I‖ stands to about 1% at the sizes that use them.
const PROBES: usize = 64;
const PROBE_SEED: u64 = 0x0009_20be;

/// The singular values of a matrix, all of them or the ends.
#[derive(Debug, Clone, PartialEq)]
pub struct Spectrum {
    /// How the figures were found.
    pub method: SpectralMethod,
    /// The largest singular value.
    pub sigma_max: f64,
    /// The smallest; of a factored matrix the smallest within its inner rank.
    pub sigma_min: f64,
    /// All of them, in descending order, when they were computed.
    pub singular_values: Option<Vec<f64>>,
    /// min(‖WᵀW − I‖, ‖WWᵀ − I‖) / sqrt(smaller side).
    pub orthogonality: f64,
}

impl Spectrum {
    /// sigma_max / sigma_min; none for a singular matrix.
    #[must_use]
    pub fn condition(&self) -> Option<f64> {
        Some(self.sigma_max / self.sigma_min).filter(|condition| condition.is_finite())
    }

    /// How many singular values exceed `fraction` of the largest, when all are known.
    #[must_use]
    pub fn effective_rank(&self, fraction: f64) -> Option<usize> {
        let floor = self.sigma_max * fraction;
        let values = self.singular_values.as_ref()?;
        Some(values.iter().filter(|value| **value > floor).count())
    }
}

/// The spectrum of a dense matrix; all singular values if its smaller side is at most
/// `full_dimension_max`. None when the values overflow a double.
#[must_use]
pub fn spectrum(matrix: &Matrix, full_dimension_max: usize) -> Option<Spectrum> {
    dense(matrix, full_dimension_max, &()).ok()
}

/// The spectrum of W, unless the monitor stops it.
pub(crate) fn spectrum_of(
    weights: &Weights<'_>,
    full_dimension_max: usize,
    monitor: &dyn Monitor,
) -> Result<Spectrum, NoSpectrum> {
    match weights {
        Weights::Dense(weight) => dense(weight, full_dimension_max, monitor),
        Weights::Factored { b, a } => factored(b, a, monitor),
    }
}

fn dense(
    matrix: &dyn Rows<f64>,
    full_dimension_max: usize,
    monitor: &dyn Monitor,
) -> Result<Spectrum, NoSpectrum> {
    let smaller = matrix.rows().min(matrix.columns());
    if smaller <= full_dimension_max {
        let triangle = upper_triangle(matrix, monitor)?;
        go_on(monitor)?;
        return from_all(triangle.as_ref(), smaller).ok_or(NoSpectrum::NotFinite);
    }
    let mut work = tall(matrix);
    from_ends(triangle_in_place(&mut work, monitor)?, monitor)
}

/// For `B A` with `B = Q_b R_b` and `Aᵀ = Q_a R_a`, the singular values are those of `R_b R_aᵀ`.
fn factored(
    b: &dyn Rows<f64>,
    a: &dyn Rows<f64>,
    monitor: &dyn Monitor,
) -> Result<Spectrum, NoSpectrum> {
    let core = upper_triangle(b, monitor)? * upper_triangle(a, monitor)?.transpose();
    go_on(monitor)?;
    from_all(core.as_ref(), b.rows().min(a.columns())).ok_or(NoSpectrum::NotFinite)
}

fn from_all(square: MatRef<'_, f64>, smaller_side: usize) -> Option<Spectrum> {
    if !square.is_all_finite() {
        return None;
    }
    let values = square.singular_values().ok()?;
    let missing = smaller_side - values.len();
    let off: f64 = values
        .iter()
        .map(|value| (value * value - 1.0).powi(2))
        .sum();
    let spectrum = Spectrum {
        method: SpectralMethod::SingularValues,
        sigma_max: *values.first()?,
        sigma_min: *values.last()?,
        orthogonality: ((off + missing as f64) / smaller_side as f64).sqrt(),
        singular_values: Some(values),
    };
    (spectrum.sigma_max.is_finite() && spectrum.orthogonality.is_finite()).then_some(spectrum)
}

fn from_ends(triangle: MatRef<'_, f64>, monitor: &dyn Monitor) -> Result<Spectrum, NoSpectrum> {
    let size = triangle.nrows();
    let largest = largest_eigenvalue(size, monitor, |mut vector| {
        let image = upper_times(triangle, vector.as_ref());
        transposed_upper_times(triangle, image.as_ref(), vector.as_mut());
    });
    let inverse_of_smallest = largest_eigenvalue(size, monitor, |mut vector| {
        let lower = triangle.transpose();
        triangular_solve::solve_lower_triangular_in_place(lower, vector.as_mut(), Par::Seq);
        triangular_solve::solve_upper_triangular_in_place(triangle, vector.as_mut(), Par::Seq);
    });
    // What was stopped halfway is no figure.
    go_on(monitor)?;
    let spectrum = Spectrum {
        method: SpectralMethod::Lanczos,
        sigma_max: largest.ok_or(NoSpectrum::NotFinite)?.sqrt(),
        // A triangle that cannot be inverted in double precision has no smallest singular value.
        sigma_min: inverse_of_smallest.map_or(0.0, |inverse| inverse.sqrt().recip()),
        singular_values: None,
        orthogonality: probed_orthogonality(triangle),
    };
    (spectrum.sigma_max.is_finite() && spectrum.orthogonality.is_finite())
        .then_some(spectrum)
        .ok_or(NoSpectrum::NotFinite)
}

fn upper_times(triangle: MatRef<'_, f64>, right: MatRef<'_, f64>) -> Mat<f64> {
    let mut product = Mat::zeros(right.nrows(), right.ncols());
    triangular::matmul(
        product.as_mut(),
        BlockStructure::Rectangular,
        Accum::Replace,
        triangle,
        BlockStructure::TriangularUpper,
        right,
        BlockStructure::Rectangular,
        1.0,
        Par::Seq,
    );
    product
}

fn transposed_upper_times(triangle: MatRef<'_, f64>, right: MatRef<'_, f64>, out: MatMut<'_, f64>) {
    triangular::matmul(
        out,
        BlockStructure::Rectangular,
        Accum::Replace,
        triangle.transpose(),
        BlockStructure::TriangularLower,
        right,
        BlockStructure::Rectangular,
        1.0,
        Par::Seq,
    );
}

/// Hutchinson's estimate of ‖RᵀR − I‖ / sqrt(size) from random signs.
fn probed_orthogonality(triangle: MatRef<'_, f64>) -> f64 {
    let size = triangle.nrows();
    let mut random = Random::new(PROBE_SEED);
    let probes = Mat::from_fn(size, PROBES, |_, _| random.sign());
    let image = upper_times(triangle, probes.as_ref());
    let mut back = Mat::zeros(size, PROBES);
    transposed_upper_times(triangle, image.as_ref(), back.as_mut());
    let off = (&back - &probes).squared_norm_l2();
    (off / PROBES as f64 / size as f64).sqrt()
}

/// The largest eigenvalue of a symmetric positive semidefinite operator, by Lanczos iteration with
/// full reorthogonalisation; a lower bound. None when the operator overflows or the monitor stops it.
fn largest_eigenvalue(
    size: usize,
    monitor: &dyn Monitor,
    apply: impl Fn(MatMut<'_, f64>),
) -> Option<f64> {
    let mut random = Random::new(LANCZOS_SEED);
    let mut current = Mat::from_fn(size, 1, |_, _| random.sign() / (size as f64).sqrt());
    let mut basis: Vec<Mat<f64>> = Vec::new();
    let (mut diagonal, mut off_diagonal) = (Vec::new(), Vec::new());
    while basis.len() < LANCZOS_STEPS_MAX.min(size) {
        if monitor.cancelled() {
            return None;
        }
        let mut next = current.clone();
        apply(next.as_mut());
        let overlap = (current.transpose() * &next)[(0, 0)];
        if !overlap.is_finite() {
            return None;
        }
        diagonal.push(overlap);
        basis.push(current);
        // Twice is enough (Kahan, Parlett).
        for _ in 0..2 {
            for earlier in &basis {
                let overlap = (earlier.transpose() * &next)[(0, 0)];
                next -= earlier * faer::Scale(overlap);
            }
        }
        let norm = next.norm_l2();
        if norm <= f64::EPSILON * overlap {
            break;
        }
        off_diagonal.push(norm);
        current = next * faer::Scale(norm.recip());
    }
    let steps = diagonal.len();
    let tridiagonal = Mat::from_fn(steps, steps, |row, column| match row.abs_diff(column) {
        0 => diagonal[row],
        1 => off_diagonal[row.min(column)],
        _ => 0.0,
    });
    let eigenvalues = tridiagonal.self_adjoint_eigenvalues(Side::Lower).ok()?;
    eigenvalues
        .last()
        .copied()
        .filter(|value| value.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(value: f64, expected: f64, relative: f64) -> bool {
        ((value - expected) / expected).abs() <= relative
    }

    fn noise(rows: usize, columns: usize) -> Matrix {
        let mut random = Random::new(3);
        Matrix::from_fn(rows, columns, |_, _| (0..12).map(|_| random.sign()).sum()).unwrap()
    }

    /// Condition numbers of Hilbert matrices from 40-digit arithmetic.
    #[test]
    fn the_condition_numbers_of_hilbert_matrices_are_the_known_ones() {
        for (size, expected) in [
            (3, 524.056_777_586_06),
            (5, 4.766_072_502e5),
            (8, 1.525_757_574_16e10),
        ] {
            let hilbert = Matrix::from_fn(size, size, |i, j| 1.0 / (i + j + 1) as f64).unwrap();
            let condition = spectrum(&hilbert, 1536).unwrap().condition().unwrap();
            assert!(close(condition, expected, 1e-7), "{size}: {condition}");
        }
    }

    #[test]
    fn the_ends_by_iteration_agree_with_the_whole_spectrum() {
        for (rows, columns) in [(300, 300), (300, 180), (180, 300)] {
            let matrix = noise(rows, columns);
            let (all, ends) = (
                spectrum(&matrix, 1536).unwrap(),
                spectrum(&matrix, 0).unwrap(),
            );
            assert_eq!(ends.method, SpectralMethod::Lanczos);
            assert!(close(ends.sigma_max, all.sigma_max, 1e-3));
            assert!(close(ends.sigma_min, all.sigma_min, 1e-2));
            assert!(close(ends.orthogonality, all.orthogonality, 3e-2));
        }
    }

    #[test]
    fn an_orthogonal_matrix_scores_zero_and_a_singular_one_has_no_condition() {
        for full_dimension_max in [0, 1536] {
            let identity = Matrix::from_fn(40, 40, |i, j| f64::from(u8::from(i == j))).unwrap();
            let found = spectrum(&identity, full_dimension_max).unwrap();
            assert!(found.orthogonality < 1e-12);
            assert!(close(found.condition().unwrap(), 1.0, 1e-12));
        }
        let mut ones = Matrix::from_fn(8, 8, |_, _| 1.0).unwrap();
        let found = spectrum(&ones, 1536).unwrap();
        assert!(found.condition().is_none_or(|condition| condition > 1e14));
        assert_eq!(found.effective_rank(1e-6), Some(1));
        ones.values.fill(1e300);
        assert_eq!(spectrum(&ones, 1536), None);
    }

    #[test]
    fn a_factored_matrix_has_the_spectrum_of_its_product() {
        let (b, a) = (noise(40, 7), noise(7, 30));
        let product = Matrix::from_fn(40, 30, |i, j| {
            (0..7)
                .map(|k| b.values[i * 7 + k] * a.values[k * 30 + j])
                .sum()
        });
        let whole = spectrum(&product.unwrap(), 1536).unwrap();
        let factors = factored(&b, &a, &()).unwrap();
        assert!(close(factors.sigma_max, whole.sigma_max, 1e-12));
        assert!(close(
            factors.sigma_min,
            whole.singular_values.as_ref().unwrap()[6],
            1e-9
        ));
        assert!(close(factors.orthogonality, whole.orthogonality, 1e-12));
        assert_eq!(whole.effective_rank(1e-6), Some(7));
    }
}
