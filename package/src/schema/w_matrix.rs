//! The W-matrix: `weight` [dt, ds], or the factors `lora_b` [dt, r] and `lora_a` [r, ds]; optionally
//! `bias` [dt], and `anchors.source` [n, ds] with `anchors.target` [n, dt]. The map is `y = W x + b`.

use super::{File, Space, check_float, check_rank, inconsistent, refusal};
use crate::limits::Limits;
use crate::refusal::{Code, Refusal};
use crate::tensor::{Dtype, Tensor};

/// The matrix itself.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Weights<'a> {
    /// `weight`.
    Dense(Tensor<'a>),
    /// `lora_b lora_a`.
    Factored { b: Tensor<'a>, a: Tensor<'a> },
}

/// Paired states of both models.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Anchors<'a> {
    pub(crate) source: Tensor<'a>,
    pub(crate) target: Tensor<'a>,
}

/// A W-matrix whose shapes agree.
#[derive(Debug)]
pub(crate) struct WMatrix<'a> {
    pub(crate) weights: Weights<'a>,
    pub(crate) bias: Option<Tensor<'a>>,
    pub(crate) anchors: Option<Anchors<'a>>,
    pub(crate) tensors: Vec<Tensor<'a>>,
    pub(crate) source_dimension: usize,
    pub(crate) target_dimension: usize,
    pub(crate) space: Option<Space>,
    pub(crate) source_model: Option<&'a str>,
    pub(crate) target_model: Option<&'a str>,
    pub(crate) fit_method: Option<&'a str>,
}

impl<'a> WMatrix<'a> {
    pub(super) fn read(mut file: File<'a>, limits: &Limits) -> Result<Self, Refusal> {
        let weights = read_weights(&mut file, limits)?;
        let (target_dimension, source_dimension) = match weights {
            Weights::Dense(weight) => (weight.rows(), weight.columns()),
            Weights::Factored { b, a } => (b.rows(), a.columns()),
        };
        let bias = file.optional("bias");
        if let Some(bias) = bias {
            check_float(&bias)?;
            check_rank(&bias, 1)?;
            if bias.rows() != target_dimension {
                return Err(inconsistent(&bias, &[target_dimension]));
            }
        }
        let anchors = read_anchors(&mut file, source_dimension, target_dimension)?;
        Ok(Self {
            weights,
            bias,
            anchors,
            source_dimension,
            target_dimension,
            space: file
                .metadata("space")
                .map(Space::from_metadata)
                .transpose()?,
            source_model: file.metadata("source.model"),
            target_model: file.metadata("target.model"),
            fit_method: file.metadata("fit.method"),
            tensors: file.finish()?,
        })
    }

    /// The inner rank of a factored matrix.
    pub(crate) fn lora_rank(&self) -> Option<usize> {
        match self.weights {
            Weights::Dense(_) => None,
            Weights::Factored { a, .. } => Some(a.rows()),
        }
    }

    /// Whether the matrix is stored with 16 bits per value.
    pub(crate) fn is_half(&self) -> bool {
        match self.weights {
            Weights::Dense(weight) => weight.dtype.is_half(),
            Weights::Factored { b, a } => b.dtype.is_half() || a.dtype.is_half(),
        }
    }

    /// Whether anything is stored in double precision, so that it must be computed in it.
    pub(crate) fn has_doubles(&self) -> bool {
        self.tensors.iter().any(|tensor| tensor.dtype == Dtype::F64)
    }
}

fn read_weights<'a>(file: &mut File<'a>, limits: &Limits) -> Result<Weights<'a>, Refusal> {
    if !file.has("lora_b") && !file.has("lora_a") {
        let weight = file.required("weight")?;
        check_float(&weight)?;
        check_rank(&weight, 2)?;
        return Ok(Weights::Dense(weight));
    }
    let (b, a) = (file.required("lora_b")?, file.required("lora_a")?);
    for factor in [&b, &a] {
        check_float(factor)?;
        check_rank(factor, 2)?;
    }
    if b.columns() != a.rows() {
        return Err(inconsistent(&a, &[b.columns(), a.columns()]));
    }
    let rank_max = limits.lora_rank_max.min(b.rows()).min(a.columns());
    if a.rows() > rank_max {
        let message = format!(
            "the factors have inner rank {}; at most {rank_max} here",
            a.rows()
        );
        return Err(refusal(Code::LoraRank, message).tensor(a.name));
    }
    Ok(Weights::Factored { b, a })
}

fn read_anchors<'a>(
    file: &mut File<'a>,
    source_dimension: usize,
    target_dimension: usize,
) -> Result<Option<Anchors<'a>>, Refusal> {
    let (source, target) = (
        file.optional("anchors.source"),
        file.optional("anchors.target"),
    );
    let (source, target) = match (source, target) {
        (Some(source), Some(target)) => (source, target),
        (None, None) => return Ok(None),
        _ => {
            let message = "anchors.source and anchors.target come together or not at all";
            return Err(refusal(Code::AnchorsIncomplete, message));
        }
    };
    for (tensor, dimension) in [(&source, source_dimension), (&target, target_dimension)] {
        check_float(tensor)?;
        check_rank(tensor, 2)?;
        if tensor.columns() != dimension || tensor.rows() != source.rows() {
            return Err(inconsistent(tensor, &[source.rows(), dimension]));
        }
    }
    Ok(Some(Anchors { source, target }))
}
