//! The epsilon stage: recomputes the alignment error on the package's own anchors and holds it
//! against the limit. It proves arithmetic, not quality: whoever picks the anchors can make them up,
//! which is why the level of evidence stays at self-attested.

use crate::epsilon::{Layer, LinearMap, Measurement, Unmeasurable, measure};
use crate::findings::Findings;
use crate::limits::Limits;
use crate::monitor::{Monitor, Stage};
use crate::policy::epsilon_too_high;
use crate::refusal::{Blob, Code, Refusal};
use crate::report::EpsilonReport;
use crate::schema::{Anchors, WMatrix, Weights};
use crate::tensor::{Real, Tensor};

/// Ratio of both errors from which the common mean of the targets is worth a word.
const COMMON_MEAN_RATIO: f64 = 2.0;

/// Measures into `report`. Without anchors there is nothing to measure, only to say so.
pub(crate) fn measure_into(
    report: &mut EpsilonReport,
    w_matrix: &WMatrix<'_>,
    limits: &Limits,
    findings: &mut Findings,
    monitor: &dyn Monitor,
) -> Result<(), Refusal> {
    let Some(anchors) = &w_matrix.anchors else {
        findings.info(Code::AnchorsMissing, "there are no anchors to measure on");
        return Ok(());
    };
    report.anchors = anchors.source.rows();
    report.anchors_distinct = distinct_rows(&anchors.source);
    check_rows(report, w_matrix, limits, findings)?;
    let measurement = if w_matrix.has_doubles() {
        measure_in::<f64>(w_matrix, anchors, monitor)
    } else {
        measure_in::<f32>(w_matrix, anchors, monitor)
    };
    let measurement = measurement.map_err(|reason| match reason {
        Unmeasurable::Cancelled => Refusal::cancelled(Stage::Epsilon),
        Unmeasurable::NoSpread => degenerate("all target anchors are equal".to_owned()),
    })?;
    check_measurement(&measurement, report, limits, findings)
}

fn refusal(code: Code, message: String) -> Refusal {
    Refusal::new(Stage::Epsilon, code, message).blob(Blob::WMatrix)
}

fn degenerate(message: String) -> Refusal {
    refusal(Code::AnchorsDegenerate, message)
}

/// Sorting compares rows up to their first difference; hashing would read all of every row.
fn distinct_rows(tensor: &Tensor<'_>) -> usize {
    let mut rows: Vec<&[u8]> = tensor.bytes.chunks_exact(tensor.row_bytes()).collect();
    rows.sort_unstable();
    rows.dedup();
    rows.len()
}

fn check_rows(
    report: &EpsilonReport,
    w_matrix: &WMatrix<'_>,
    limits: &Limits,
    findings: &mut Findings,
) -> Result<(), Refusal> {
    let (rows, distinct) = (report.anchors, report.anchors_distinct);
    if distinct * 2 < rows {
        return Err(degenerate(format!(
            "only {distinct} of {rows} anchors are distinct"
        )));
    }
    if distinct < rows {
        let message = format!("{} of {rows} anchors are repeated", rows - distinct);
        findings.warn(Code::AnchorsRepeated, message);
    }
    if distinct < limits.anchors_min {
        let message = format!(
            "{distinct} distinct anchors are too few; {} make evidence",
            limits.anchors_min
        );
        findings.warn(Code::AnchorsFew, message);
    }
    if rows <= w_matrix.source_dimension {
        let message = format!(
            "{rows} anchors for {} source dimensions: a W fitted on these very rows would score zero, \
             so the figure counts only if they were held out",
            w_matrix.source_dimension
        );
        findings.info(Code::AnchorsMaybeInSample, message);
    }
    Ok(())
}

fn measure_in<T: Real>(
    w_matrix: &WMatrix<'_>,
    anchors: &Anchors<'_>,
    monitor: &dyn Monitor,
) -> Result<Measurement, Unmeasurable> {
    let layers = match &w_matrix.weights {
        Weights::Dense(weight) => vec![layer(weight)],
        Weights::Factored { b, a } => vec![layer(a), layer(b)],
    };
    let bias = w_matrix.bias.map(|bias| bias.values().into_owned());
    measure::<T>(
        &LinearMap { layers, bias },
        &anchors.source,
        &anchors.target,
        monitor,
    )
}

fn layer<'a, T: Real>(tensor: &Tensor<'a>) -> Layer<'a, T> {
    Layer {
        values: tensor.values(),
        outputs: tensor.rows(),
        inputs: tensor.columns(),
    }
}

fn check_measurement(
    measurement: &Measurement,
    report: &mut EpsilonReport,
    limits: &Limits,
    findings: &mut Findings,
) -> Result<(), Refusal> {
    let epsilon = measurement.epsilon();
    if !epsilon.is_finite() {
        return Err(refusal(
            Code::EpsilonNotFinite,
            "the alignment error overflows".to_owned(),
        ));
    }
    report.measured = Some(epsilon);
    report.relative = Some(measurement.relative);
    report.centred = Some(measurement.centred);
    report.cosine_median = Some(measurement.cosine_median);
    report.null_control = Some(measurement.null_control);
    if report.anchors_distinct >= limits.anchors_min {
        report.interval = Some(measurement.interval);
        // A control that is no number does not pass.
        if measurement.null_control.is_nan() || measurement.null_control < limits.null_control_min {
            return Err(degenerate(format!(
                "the anchors are degenerate: against another row's target the median anchor is off by \
                 {:.2} only, where {:.2} is the least",
                measurement.null_control, limits.null_control_min
            )));
        }
    }
    if epsilon > limits.epsilon_max {
        return Err(refusal(
            Code::EpsilonTooHigh,
            epsilon_too_high(epsilon, limits.epsilon_max),
        ));
    }
    if measurement.centred > COMMON_MEAN_RATIO * measurement.relative {
        let message = "most of the targets' norm is a common mean; the centred error rules";
        findings.info(Code::CommonMean, message);
    }
    Ok(())
}
