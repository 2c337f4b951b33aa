//! `GET /api/ai/packages/best-matrix` and `POST /api/ai/compatibility`: which maps there are between two
//! models.

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use common::catalog::{self, KnownModel};
use common::limits::MODEL_NAME_CHARS_MAX;
use serde::Deserialize;
use serde_json::{Value, json};

use super::cached::{Answer, respond};
use super::filters::Parameters;
use super::view;
use crate::error::{ApiError, Code};
use crate::extract::{Json, QueryPairs};
use crate::routes::{Rendered, free_text, success};
use crate::state::ApiState;

/// Ways over another model that are shown.
const DETOURS: i64 = 3;

/// The best maps from one model to another, the best first.
pub async fn find_best_matrix(
    State(state): State<ApiState>,
    Extension(query): Extension<QueryPairs>,
) -> Result<Response, ApiError> {
    let mut parameters = Parameters::of(&query);
    let mut model = |name: &str| {
        let text = parameters.text_of_model(name);
        if text.is_none() {
            parameters.fault(name, "is required");
        }
        let typed = text.unwrap_or_default();
        let key = parameters.note_model(name, &typed);
        (typed, key)
    };
    let (typed_source, source) = model("sourceModel");
    let (typed_target, target) = model("targetModel");
    let limit = parameters.limit();
    let asked = format!("best-matrix?{}", parameters.finish()?);
    let make = async {
        let cards = catalog::best_matrices(state.pool(), &source, &target, limit).await?;
        let packages: Vec<Value> = cards.iter().map(view::card).collect();
        Ok(Answer::list(json!({
            "sourceModel": source,
            "targetModel": target,
            "best": packages.first(),
            "packages": packages,
        })))
    };
    let answer = match state.catalogue.known(&asked).await {
        Some(known) => known,
        None => state.catalogue.made(&asked, make).await?,
    };
    let echoes = [
        ("sourceModel", source.as_str(), typed_source.as_str()),
        ("targetModel", target.as_str(), typed_target.as_str()),
    ];
    Ok(respond(Rendered::echoing(answer, &echoes)))
}

/// From what to what.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Probe {
    source_model: String,
    target_model: String,
    /// The length of the states that the caller has.
    #[serde(default)]
    dimension: Option<usize>,
}

/// Tells whether there is a map from one model to another, or a way over a third.
pub async fn check_compatibility(
    State(state): State<ApiState>,
    Json(probe): Json<Probe>,
) -> Result<Response, ApiError> {
    let name = |field, text: &str| free_text::required(field, text, MODEL_NAME_CHARS_MAX);
    let source = name("sourceModel", &probe.source_model)?;
    let target = name("targetModel", &probe.target_model)?;
    if probe
        .dimension
        .is_some_and(|it| !(1..=131_072).contains(&it))
    {
        let fault = "must be from 1 to 131072";
        return Err(
            ApiError::new(Code::InvalidInput, format!("dimension {fault}."))
                .field("dimension", fault),
        );
    }
    let (pool, known) = (state.pool(), KnownModel::of(&source));
    let direct = catalog::best_matrices(pool, &source, &target, 1).await?;
    let back = catalog::best_matrices(pool, &target, &source, 1).await?;
    let detours = catalog::detours(pool, &source, &target, DETOURS).await?;
    let expected = known
        .hidden_dimension
        .or_else(|| direct.first()?.source_dimension?.try_into().ok());
    let fits = probe
        .dimension
        .zip(expected)
        .map(|(given, expected)| given == expected);
    let verdict = match (direct.first(), detours.is_empty(), fits) {
        (_, _, Some(false)) => "dimension_mismatch",
        (Some(_), ..) => "direct",
        (None, false, _) => "detour",
        (None, true, _) => "none",
    };
    let body = json!({
        "verdict": verdict,
        "source": known,
        "target": KnownModel::of(&target),
        "dimensionFits": fits,
        "expectedDimension": expected,
        "direct": direct.first().map(view::card),
        "reverse": back.first().map(view::card),
        "detours": detours,
    });
    Ok(success(StatusCode::OK, body))
}
