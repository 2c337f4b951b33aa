//! A chain package: `steps.{i}.state` [k, ds] for each step of a reasoning, and optionally, in the
//! metadata key `steps`, what each step says: a JSON array in the order of the states, whose parents
//! are earlier steps.

use serde::Deserialize;

use super::{File, Payload, check_float, check_rank, count_groups, inconsistent, refusal};
use crate::limits::Limits;
use crate::refusal::{Code, Refusal};
use crate::report::PackageDimensions;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    index: usize,
    #[serde(rename = "description")]
    _description: String,
    confidence: f64,
    parents: Vec<usize>,
}

pub(super) fn read<'a>(mut file: File<'a>, limits: &Limits) -> Result<Payload<'a>, Refusal> {
    let steps = count_groups(&file, "steps", "state")?.max(1);
    let mut states = Vec::with_capacity(steps);
    for step in 0..steps {
        let state = file.required(&format!("steps.{step}.state"))?;
        check_float(&state)?;
        check_rank(&state, 2)?;
        states.push(state);
    }
    let dimension = states[0].columns();
    if let Some(other) = states.iter().find(|state| state.columns() != dimension) {
        return Err(inconsistent(other, &[other.rows(), dimension]));
    }
    if let Some(text) = file.metadata("steps") {
        check_steps(text, steps, limits)?;
    }
    Ok(Payload {
        dimensions: PackageDimensions::Chain {
            steps,
            states: states.iter().map(|state| state.rows()).sum(),
            dimension,
        },
        states,
        tensors: file.finish()?,
    })
}

fn check_steps(text: &str, states: usize, limits: &Limits) -> Result<(), Refusal> {
    let invalid = |message: String| refusal(Code::StepsInvalid, message);
    if text.len() > limits.steps_bytes_max {
        let message = format!("`steps` has more than {} bytes", limits.steps_bytes_max);
        return Err(invalid(message));
    }
    let steps: Vec<Step> = serde_json::from_str(text)
        .map_err(|error| invalid(format!("`steps` is not a list of steps: {error}")))?;
    if steps.len() != states {
        return Err(invalid(format!(
            "`steps` lists {} steps for {states} states",
            steps.len()
        )));
    }
    for (index, step) in steps.iter().enumerate() {
        if step.index != index {
            return Err(invalid(format!(
                "step {index} of `steps` has the index {}",
                step.index
            )));
        }
        if !(0.0..=1.0).contains(&step.confidence) {
            return Err(invalid(format!(
                "the confidence of step {index} is not within 0 and 1"
            )));
        }
        if let Some(parent) = step.parents.iter().find(|parent| **parent >= index) {
            return Err(invalid(format!(
                "step {index} has the parent {parent}, which is not earlier"
            )));
        }
    }
    Ok(())
}
