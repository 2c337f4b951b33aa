//! The spectral stage: is W a usable map, judged by its singular values?

use crate::findings::Findings;
use crate::limits::Limits;
use crate::monitor::{Monitor, Stage};
use crate::refusal::{Blob, Code, Refusal};
use crate::report::SpectralReport;
use crate::schema::WMatrix;
use crate::spectral::spectrum_of;
use crate::triangle::NoSpectrum;

/// Orthogonality score above which a matrix that is declared orthogonal is not.
const ORTHOGONALITY_MAX: f64 = 0.1;

/// Measures W; the figures are returned even if [`check`] refuses them.
pub(crate) fn measure(
    w_matrix: &WMatrix<'_>,
    limits: &Limits,
    monitor: &dyn Monitor,
) -> Result<SpectralReport, Refusal> {
    let full_dimension_max = limits.full_spectrum_dimension_max;
    let spectrum = spectrum_of(&w_matrix.weights, full_dimension_max, monitor);
    let spectrum = spectrum.map_err(|none| match none {
        NoSpectrum::Cancelled => Refusal::cancelled(Stage::Spectral),
        NoSpectrum::NotFinite => refusal(
            Code::SpectrumNotFinite,
            "the singular values of W overflow".to_owned(),
        ),
    })?;
    Ok(SpectralReport {
        method: spectrum.method,
        sigma_max: spectrum.sigma_max,
        sigma_min: spectrum.sigma_min,
        condition: spectrum.condition(),
        effective_rank: spectrum.effective_rank(condition_warning(w_matrix, limits).recip()),
        orthogonality: spectrum.orthogonality,
        low_rank: w_matrix.lora_rank().is_some(),
    })
}

/// Judges the figures of W.
pub(crate) fn check(
    report: &SpectralReport,
    w_matrix: &WMatrix<'_>,
    limits: &Limits,
    findings: &mut Findings,
) -> Result<(), Refusal> {
    if report.sigma_max < limits.sigma_max_floor {
        let message = format!(
            "W vanishes: its largest singular value is {:.3e}",
            report.sigma_max
        );
        return Err(refusal(Code::MatrixVanishes, message));
    }
    if !report.low_rank {
        check_rank(report, w_matrix, limits, findings)?;
    }
    let condition = report.condition.unwrap_or(f64::INFINITY);
    if condition >= limits.condition_max && !report.low_rank {
        let message = format!("W is singular in practice: its condition number is {condition:.3e}");
        return Err(refusal(Code::IllConditioned, message));
    }
    if condition > condition_warning(w_matrix, limits) {
        let message = format!("the condition number of W is {condition:.3e}");
        findings.warn(Code::IllConditioned, message);
    }
    let claims_orthogonal = w_matrix.fit_method.is_some_and(|method| {
        let method = method.to_lowercase();
        method.contains("orthogonal") || method.contains("procrustes")
    });
    if claims_orthogonal && report.orthogonality > ORTHOGONALITY_MAX {
        let message = format!(
            "W is declared orthogonal; it is off by {:.3}",
            report.orthogonality
        );
        findings.warn(Code::NotOrthogonal, message);
    }
    Ok(())
}

fn refusal(code: Code, message: String) -> Refusal {
    Refusal::new(Stage::Spectral, code, message).blob(Blob::WMatrix)
}

fn condition_warning(w_matrix: &WMatrix<'_>, limits: &Limits) -> f64 {
    if w_matrix.is_half() {
        limits.condition_warning_half
    } else {
        limits.condition_warning
    }
}

fn check_rank(
    report: &SpectralReport,
    w_matrix: &WMatrix<'_>,
    limits: &Limits,
    findings: &mut Findings,
) -> Result<(), Refusal> {
    let smaller = w_matrix.source_dimension.min(w_matrix.target_dimension);
    let Some(rank) = report.effective_rank else {
        let message = "W is too large for all its singular values; its effective rank is unknown";
        findings.info(Code::SpectrumPartial, message);
        return Ok(());
    };
    if (rank as f64) < limits.effective_rank_fraction_min * smaller as f64 {
        let message = format!(
            "W has effective rank {rank} of {smaller}; a low-rank W must be sent as lora_b and lora_a"
        );
        return Err(refusal(Code::RankDeficient, message));
    }
    Ok(())
}
