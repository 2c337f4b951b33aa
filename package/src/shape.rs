//! The shape stage: do W, the payload and the declared models fit each other? What the table of open
//! models knows is enforced; what nobody outside can know is said, not guessed.

use crate::declared::Declared;
use crate::findings::Findings;
use crate::models::{Model, find_model, normalise};
use crate::monitor::Stage;
use crate::refusal::{Blob, Code, Refusal};
use crate::report::PackageDimensions;
use crate::schema::{Space, WMatrix};

pub(crate) fn check(
    declared: &Declared,
    w_matrix: &WMatrix<'_>,
    package: PackageDimensions,
    findings: &mut Findings,
) -> Result<(), Refusal> {
    check_payload(w_matrix, package, findings)?;
    let space = match (w_matrix.space, package) {
        // A cache has no obvious space; states are hidden states unless said otherwise.
        (None, PackageDimensions::Memory { .. }) => None,
        (space, _) => Some(space.unwrap_or(Space::Hidden)),
    };
    if space == Some(Space::Wa) && w_matrix.source_dimension != w_matrix.target_dimension {
        let message = "a W of the space `wa` stays within one model and must be square";
        return Err(refusal(Code::SpaceDimension, message).blob(Blob::WMatrix));
    }
    let sides = [
        (
            "source",
            &declared.source_model,
            w_matrix.source_model,
            w_matrix.source_dimension,
        ),
        (
            "target",
            &declared.target_model,
            w_matrix.target_model,
            w_matrix.target_dimension,
        ),
    ];
    for (side, declared, in_metadata, dimension) in sides {
        if in_metadata.is_some_and(|name| normalise(name) != normalise(declared)) {
            let message = format!("the W-matrix names another {side} model than the upload");
            findings.warn(Code::ModelDiffers, message);
        }
        if let Some(space) = space {
            check_model(side, declared, space, dimension, findings)?;
        }
    }
    Ok(())
}

fn refusal(code: Code, message: impl Into<String>) -> Refusal {
    Refusal::new(Stage::Shape, code, message)
}

/// The payload's states must be ones that W accepts.
fn check_payload(
    w_matrix: &WMatrix<'_>,
    package: PackageDimensions,
    findings: &mut Findings,
) -> Result<(), Refusal> {
    let length = match package {
        PackageDimensions::Vector { dimension, .. }
        | PackageDimensions::Chain { dimension, .. } => dimension,
        PackageDimensions::Memory {
            key_value_heads,
            head_dimension,
            ..
        } => match w_matrix.space {
            Some(Space::KvHead) => head_dimension,
            Some(Space::KvConcat) => key_value_heads * head_dimension,
            Some(_) => {
                let message = "W does not map keys and values; its fit to the cache is unchecked";
                findings.warn(Code::SpaceUnchecked, message);
                return Ok(());
            }
            None => {
                let message = "W declares no space; its fit to the cache is unchecked";
                findings.warn(Code::SpaceUndeclared, message);
                return Ok(());
            }
        },
    };
    if length == w_matrix.source_dimension {
        return Ok(());
    }
    let message = format!(
        "the package's states have {length} values, W takes {}",
        w_matrix.source_dimension
    );
    Err(refusal(Code::SpaceDimension, message))
}

fn check_model(
    side: &str,
    name: &str,
    space: Space,
    dimension: usize,
    findings: &mut Findings,
) -> Result<(), Refusal> {
    let Model::Open(model) = find_model(name) else {
        let message = format!("the {side} model is undisclosed, its dimensions are self-declared");
        findings.info(Code::ModelUndisclosed, message);
        return Ok(());
    };
    let expected = match (space, model.key_value) {
        (Space::Hidden | Space::Embedding | Space::Wa, _) => model.hidden,
        (Space::KvHead, Some((_, head_dimension))) => head_dimension,
        (Space::KvConcat, Some((heads, head_dimension))) => heads * head_dimension,
        (Space::KvHead | Space::KvConcat, None) => {
            let message = format!("the cache layout of the {side} model is not in the table");
            findings.info(Code::SpaceUnchecked, message);
            return Ok(());
        }
    };
    if dimension == expected || (model.shortens && dimension < expected) {
        return Ok(());
    }
    let message = format!(
        "the {side} model {} has dimension {expected}, W has {dimension}",
        model.name
    );
    Err(refusal(Code::ModelDimension, message).blob(Blob::WMatrix))
}
