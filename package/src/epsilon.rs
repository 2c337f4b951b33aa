//! The alignment error of a map on paired rows. With `R = X Wᵀ + 1bᵀ − Y`:
//!
//! - relative: ‖R‖ / ‖Y‖. Alone it flatters: model states share a large mean, and predicting nothing
//!   but that mean can score 0.05.
//! - centred: ‖R‖ / ‖Y − ȳ‖, which is sqrt(1 − R²).
//!
//! Products run in `f32` (in `f64` if anything is stored so), all norms add up in `f64`, and rows pass
//! through in blocks, so that memory does not grow with their number.

use std::borrow::Cow;

use crate::matrix::{Matrix, Order, ProductShape, Rows, multiply_transposed};
use crate::monitor::Monitor;
use crate::random::Random;
use crate::report::Interval;
use crate::tensor::Real;

/// Rows of one product: large enough for the kernel to reach its speed.
const BLOCK_ROWS_MAX: usize = 1024;
/// Values of one block buffer; there are four of them.
const BLOCK_VALUES_MAX: usize = 4 << 20;
/// Rows that are brought from the product's column order into row order at once.
const TILE_ROWS: usize = 32;
const RESAMPLES: usize = 2000;
/// Rows are resampled in at most this many groups of neighbours, which bounds the time.
const RESAMPLE_GROUPS_MAX: usize = 4096;
const RESAMPLE_SEED: u64 = 0x00a3_5eed;
const NULL_CONTROL_SEED: u64 = 0x0001_a551;

/// What a map does to a set of anchors.
#[derive(Debug, Clone, PartialEq)]
pub struct Measurement {
    /// ‖R‖ / ‖Y‖.
    pub relative: f64,
    /// ‖R‖ / ‖Y − ȳ‖.
    pub centred: f64,
    /// Median cosine between prediction and target, row by row.
    pub cosine_median: f64,
    /// sqrt of the median of ‖prediction − another row's target‖², in units of the mean ‖y − ȳ‖².
    /// Near sqrt(2) when the anchors differ from each other; small when most are copies, or when a
    /// few rows hold nearly all of the spread.
    pub null_control: f64,
    /// 95% bootstrap interval of [`Measurement::epsilon`].
    pub interval: Interval,
}

impl Measurement {
    /// The figure that rules: the larger of both errors.
    #[must_use]
    pub fn epsilon(&self) -> f64 {
        self.relative.max(self.centred)
    }
}

/// Measures `target ≈ source weightᵀ + bias` in double precision.
///
/// None when the shapes do not fit, or when all target rows are equal, so that there is no spread to
/// measure against.
#[must_use]
pub fn measure_epsilon(
    weight: &Matrix,
    bias: Option<&[f64]>,
    source: &Matrix,
    target: &Matrix,
) -> Option<Measurement> {
    let fits = source.columns == weight.columns
        && target.columns == weight.rows
        && source.rows == target.rows
        && bias.is_none_or(|bias| bias.len() == weight.rows);
    let map = LinearMap {
        layers: vec![Layer {
            values: Cow::Borrowed(&weight.values),
            outputs: weight.rows,
            inputs: weight.columns,
        }],
        bias: bias.map(<[f64]>::to_vec),
    };
    fits.then(|| measure(&map, source, target, &()).ok())
        .flatten()
}

/// One factor of a map, row-major [outputs, inputs].
#[derive(Debug)]
pub(crate) struct Layer<'a, T: Clone> {
    pub(crate) values: Cow<'a, [T]>,
    pub(crate) outputs: usize,
    pub(crate) inputs: usize,
}

/// `y = L_k ... L_1 x + b`. A factored W is never multiplied out.
#[derive(Debug)]
pub(crate) struct LinearMap<'a, T: Clone> {
    pub(crate) layers: Vec<Layer<'a, T>>,
    pub(crate) bias: Option<Vec<T>>,
}

/// Why there is no measurement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unmeasurable {
    /// The monitor stopped it.
    Cancelled,
    /// All targets are equal, to a millionth of their norm.
    NoSpread,
}

/// Squared norms of one row.
#[derive(Debug, Default, Clone, Copy)]
struct RowNorms {
    residual: f64,
    target: f64,
    spread: f64,
    against_another: f64,
    cosine: f64,
}

/// Measures in the precision `T`. The shapes must fit.
pub(crate) fn measure<T: Real>(
    map: &LinearMap<'_, T>,
    source: &dyn Rows<T>,
    target: &dyn Rows<T>,
    monitor: &dyn Monitor,
) -> Result<Measurement, Unmeasurable> {
    let mean = column_means(target);
    let others = Random::new(NULL_CONTROL_SEED).permutation(target.rows());
    let mut norms = Vec::with_capacity(target.rows());
    let block_rows = block_rows(map);
    let mut buffers = [const { Vec::new() }; 3];
    for first in (0..source.rows()).step_by(block_rows) {
        if monitor.cancelled() {
            return Err(Unmeasurable::Cancelled);
        }
        let rows = block_rows.min(source.rows() - first);
        predict(map, source, first..first + rows, &mut buffers);
        let block = Block {
            prediction: &buffers[0],
            first,
            rows,
        };
        compare(
            &block,
            map.bias.as_deref(),
            target,
            &mean,
            &others,
            &mut norms,
        );
    }
    summarise(&norms)
}

fn block_rows<T: Clone>(map: &LinearMap<'_, T>) -> usize {
    let widest = map
        .layers
        .iter()
        .map(|layer| layer.inputs.max(layer.outputs))
        .max()
        .unwrap_or(1);
    (BLOCK_VALUES_MAX / widest).clamp(1, BLOCK_ROWS_MAX)
}

fn column_means<T: Real>(target: &dyn Rows<T>) -> Vec<f64> {
    let mut sums = vec![0.0; target.columns()];
    let mut row = vec![T::default(); target.columns()];
    for index in 0..target.rows() {
        target.read_rows(index, &mut row);
        for (sum, value) in sums.iter_mut().zip(&row) {
            *sum += (*value).into();
        }
    }
    let count = target.rows() as f64;
    sums.iter_mut().for_each(|sum| *sum /= count);
    sums
}

/// Leaves the prediction without bias in the first buffer, column by column.
fn predict<T: Real>(
    map: &LinearMap<'_, T>,
    source: &dyn Rows<T>,
    rows: std::ops::Range<usize>,
    buffers: &mut [Vec<T>; 3],
) {
    let count = rows.len();
    let [prediction, input, output] = buffers;
    let stored = source.rows_in_place(rows.clone());
    if stored.is_none() {
        let values = room(input, count * source.columns());
        source.read_rows(rows.start, values);
    }
    for (index, layer) in map.layers.iter().enumerate() {
        let shape = ProductShape {
            rows: count,
            inner: layer.inputs,
            columns: layer.outputs,
        };
        let left = stored.filter(|_| index == 0).unwrap_or(input);
        if index + 1 == map.layers.len() {
            let product = room(prediction, count * layer.outputs);
            multiply_transposed(shape, left, &layer.values, product, Order::ColumnMajor);
        } else {
            let product = room(output, count * layer.outputs);
            multiply_transposed(shape, left, &layer.values, product, Order::RowMajor);
            std::mem::swap(input, output);
        }
    }
}

/// The first `length` values of a buffer, which is allocated anew when it is too short: zeroed by the
/// system, unlike one that is grown.
fn room<T: Real>(buffer: &mut Vec<T>, length: usize) -> &mut [T] {
    if buffer.len() < length {
        *buffer = vec![T::default(); length];
    }
    &mut buffer[..length]
}

/// Predictions of neighbouring rows, column by column.
struct Block<'a, T> {
    prediction: &'a [T],
    first: usize,
    rows: usize,
}

impl<T: Real> Block<'_, T> {
    /// Copies the rows from `start` on into `tile`, row by row, a cache line of columns at a time: the
    /// rows of a tile often lie a power of two apart, where they evict each other.
    fn read_tile(&self, start: usize, columns: usize, tile: &mut [T]) {
        const LINE: usize = 16;
        for first in (0..columns).step_by(LINE) {
            let line = LINE.min(columns - first);
            for (row, values) in tile.chunks_exact_mut(columns).enumerate() {
                for (offset, value) in values[first..first + line].iter_mut().enumerate() {
                    *value = self.prediction[(first + offset) * self.rows + start + row];
                }
            }
        }
    }
}

fn compare<T: Real>(
    block: &Block<'_, T>,
    bias: Option<&[T]>,
    target: &dyn Rows<T>,
    mean: &[f64],
    others: &[usize],
    norms: &mut Vec<RowNorms>,
) {
    let columns = target.columns();
    let mut tile = vec![T::default(); TILE_ROWS.min(block.rows) * columns];
    let mut actual = vec![T::default(); columns];
    let mut other = actual.clone();
    for start in (0..block.rows).step_by(TILE_ROWS) {
        let count = TILE_ROWS.min(block.rows - start);
        let tile = &mut tile[..count * columns];
        block.read_tile(start, columns, tile);
        for (offset, predicted) in tile.chunks_exact_mut(columns).enumerate() {
            let index = block.first + start + offset;
            target.read_rows(index, &mut actual);
            target.read_rows(others[index], &mut other);
            if let Some(bias) = bias {
                predicted
                    .iter_mut()
                    .zip(bias)
                    .for_each(|(value, bias)| *value = value.plus(*bias));
            }
            norms.push(row_norms(predicted, &actual, &other, mean));
        }
    }
}

/// The passes are fused in pairs: the rows come from the cache, and what costs is the conversion to double precision.
fn row_norms<T: Real>(predicted: &[T], actual: &[T], other: &[T], mean: &[f64]) -> RowNorms {
    let [residual, inner] = sums_of(predicted, actual, |predicted, actual| {
        [
            (predicted - actual) * (predicted - actual),
            predicted * actual,
        ]
    });
    let [against_another, length] = sums_of(predicted, other, |predicted, other| {
        [
            (predicted - other) * (predicted - other),
            predicted * predicted,
        ]
    });
    let [spread, target] = sums_of(actual, mean, |actual, mean| {
        [(actual - mean) * (actual - mean), actual * actual]
    });
    let scale = (length * target).sqrt();
    let cosine = if scale > 0.0 { inner / scale } else { 0.0 };
    RowNorms {
        residual,
        target,
        spread,
        against_another,
        cosine,
    }
}

/// Adds up two terms in eight lanes each, which lets the compiler use vector registers.
#[inline]
fn sums_of<T: Real, U: Real>(
    left: &[T],
    right: &[U],
    terms: impl Fn(f64, f64) -> [f64; 2],
) -> [f64; 2] {
    const LANES: usize = 8;
    let (left, left_rest) = left.as_chunks::<LANES>();
    let (right, right_rest) = right.as_chunks::<LANES>();
    let (mut first, mut second) = ([0.0; LANES], [0.0; LANES]);
    for (left, right) in left.iter().zip(right) {
        for lane in 0..LANES {
            let [one, other] = terms(left[lane].into(), right[lane].into());
            first[lane] += one;
            second[lane] += other;
        }
    }
    let mut sums = [first.iter().sum::<f64>(), second.iter().sum()];
    for (left, right) in left_rest.iter().zip(right_rest) {
        let [one, other] = terms((*left).into(), (*right).into());
        sums[0] += one;
        sums[1] += other;
    }
    sums
}

fn summarise(norms: &[RowNorms]) -> Result<Measurement, Unmeasurable> {
    let total = total_of(norms);
    let no_spread = total.spread.is_finite() && total.spread <= 1e-12 * total.target;
    if norms.is_empty() || no_spread {
        return Err(Unmeasurable::NoSpread);
    }
    let mean_spread = total.spread / norms.len() as f64;
    let against_another = median(norms.iter().map(|row| row.against_another));
    Ok(Measurement {
        relative: (total.residual / total.target).sqrt(),
        centred: (total.residual / total.spread).sqrt(),
        cosine_median: median(norms.iter().map(|row| row.cosine)),
        null_control: (against_another / mean_spread).sqrt(),
        interval: bootstrap(norms),
    })
}

fn total_of(norms: &[RowNorms]) -> RowNorms {
    norms
        .iter()
        .fold(RowNorms::default(), |total, row| RowNorms {
            residual: total.residual + row.residual,
            target: total.target + row.target,
            spread: total.spread + row.spread,
            ..total
        })
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_unstable_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len() % 2 == 1 {
        values[middle]
    } else {
        f64::midpoint(values[middle - 1], values[middle])
    }
}

/// Percentile bootstrap over the rows' squared norms; no product is computed again.
fn bootstrap(norms: &[RowNorms]) -> Interval {
    let group_rows = norms.len().div_ceil(RESAMPLE_GROUPS_MAX);
    let groups: Vec<RowNorms> = norms.chunks(group_rows).map(total_of).collect();
    let mut random = Random::new(RESAMPLE_SEED);
    let mut errors: Vec<f64> = (0..RESAMPLES)
        .map(|_| {
            let (mut residual, mut smaller) = (0.0, [0.0; 2]);
            for _ in 0..groups.len() {
                let group = &groups[random.below(groups.len())];
                residual += group.residual;
                smaller[0] += group.target;
                smaller[1] += group.spread;
            }
            (residual / smaller[0].min(smaller[1])).sqrt()
        })
        .collect();
    errors.sort_unstable_by(f64::total_cmp);
    let at = |fraction: f64| errors[(fraction * (RESAMPLES - 1) as f64).round() as usize];
    Interval {
        low: at(0.025),
        high: at(0.975),
        resamples: RESAMPLES,
        seed: RESAMPLE_SEED,
    }
}
