//! A verdict as a table for people: every figure of the report, in the order of the stages.

use std::fmt::Write as _;

use package::{Blob, PackageDimensions, Report, Severity, StageVerdict, Verdict};

/// The report for people: verdict, stages with findings, figures.
pub(super) fn table(report: &Report) -> String {
    let mut text = String::new();
    let verdict = if report.verdict == Verdict::Accepted {
        "ACCEPTED"
    } else {
        "REFUSED"
    };
    row(&mut text, "verdict", verdict);
    if let Some(refusal) = &report.refusal {
        row(&mut text, "reason", &refusal.message);
        let blob = refusal.blob.map_or("both files", |blob| match blob {
            Blob::Package => "the package",
            Blob::WMatrix => "the W-matrix",
        });
        row(
            &mut text,
            "found in",
            &format!("{blob}, stage {}", refusal.stage),
        );
    }
    row(&mut text, "evidence", &name_of(&report.evidence_level));
    row(
        &mut text,
        "tier",
        &report.tier.as_ref().map_or("none".to_owned(), name_of),
    );
    text.push('\n');
    for stage in &report.stages {
        let mark = match stage.verdict {
            StageVerdict::Passed => "passed",
            StageVerdict::Warned => "warned",
            StageVerdict::Refused => "refused",
            StageVerdict::Skipped => "-",
        };
        let _ = writeln!(
            text,
            "{:<18}{mark:<10}{:>10.1} ms",
            stage.stage.as_str(),
            stage.duration_ms
        );
        for finding in &stage.findings {
            let severity = match finding.severity {
                Severity::Info => "note",
                Severity::Warning => "warning",
                Severity::Error => "error",
            };
            let _ = writeln!(
                text,
                "  {severity}: {} [{}]",
                finding.message,
                name_of(&finding.code)
            );
        }
    }
    text.push('\n');
    epsilon_rows(&mut text, report);
    spectral_rows(&mut text, report);
    input_rows(&mut text, report);
    text
}

fn row(text: &mut String, name: &str, value: &str) {
    let _ = writeln!(text, "{name:<18}{value}");
}

/// The wire name of a closed list's member.
fn name_of(value: &impl serde::Serialize) -> String {
    serde_json::to_value(value)
        .ok()
        .and_then(|json| json.as_str().map(str::to_owned))
        .unwrap_or_default()
}

fn epsilon_rows(text: &mut String, report: &Report) {
    let epsilon = &report.epsilon;
    row(
        text,
        "epsilon declared",
        &format!("{:.6}", epsilon.declared),
    );
    let Some(measured) = epsilon.measured else {
        return row(text, "epsilon measured", "-");
    };
    row(
        text,
        "epsilon measured",
        &format!("{measured:.6} (limit {:.2})", epsilon.limit),
    );
    let figures = [
        ("  relative", epsilon.relative),
        ("  centred", epsilon.centred),
        ("cosine median", epsilon.cosine_median),
        ("null control", epsilon.null_control),
    ];
    for (name, value) in figures {
        row(
            text,
            name,
            &value.map_or("-".to_owned(), |value| format!("{value:.6}")),
        );
    }
    if let Some(interval) = &epsilon.interval {
        let range = format!("{:.6} to {:.6}", interval.low, interval.high);
        row(
            text,
            "95% interval",
            &format!("{range} ({} resamples)", interval.resamples),
        );
    }
    row(
        text,
        "anchors",
        &format!(
            "{} ({} distinct)",
            epsilon.anchors, epsilon.anchors_distinct
        ),
    );
}

fn spectral_rows(text: &mut String, report: &Report) {
    let Some(spectral) = &report.spectral else {
        return;
    };
    let range = format!("{:.6} to {:.6}", spectral.sigma_min, spectral.sigma_max);
    row(text, "singular values", &range);
    let condition = spectral
        .condition
        .map_or("singular".to_owned(), |value| format!("{value:.4e}"));
    row(text, "condition", &condition);
    if let Some(rank) = spectral.effective_rank {
        row(text, "effective rank", &rank.to_string());
    }
    row(
        text,
        "orthogonality",
        &format!("{:.6}", spectral.orthogonality),
    );
}

fn input_rows(text: &mut String, report: &Report) {
    if let Some(w_matrix) = &report.dimensions.w_matrix {
        row(
            text,
            "W",
            &format!(
                "{} x {} (target x source)",
                w_matrix.target, w_matrix.source
            ),
        );
    }
    let package = report.dimensions.package.map(|package| match package {
        PackageDimensions::Vector { vectors, dimension } => format!("vector, {vectors} of {dimension}"),
        PackageDimensions::Memory { layers, key_value_heads, tokens, head_dimension } => {
            format!("memory, {layers} layers, {key_value_heads} heads of {head_dimension}, {tokens} tokens")
        }
        PackageDimensions::Chain { steps, states, dimension } => {
            format!("chain, {steps} steps, {states} states of {dimension}")
        }
    });
    if let Some(package) = package {
        row(text, "package", &package);
    }
    let inputs = &report.inputs;
    for (name, size, hash) in [
        (
            "W SHA-256",
            inputs.w_matrix_size_bytes,
            &inputs.w_matrix_sha256,
        ),
        (
            "package SHA-256",
            inputs.package_size_bytes,
            &inputs.package_sha256,
        ),
    ] {
        row(text, name, &format!("{hash} ({size} bytes)"));
    }
}
