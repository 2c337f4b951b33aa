//! `GET /api/ai/packages/best-matrix` and `POST /api/ai/compatibility`: which maps there are between two
//! models.

use axum::Extension;
use axum::extract::State;
use common::catalog::{self, Detour, KnownModel};
use common::limits::MODEL_NAME_CHARS_MAX;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::cached::{Found, respond};
use super::filters::Parameters;
use super::view::{Card, cards};
use crate::contract::{Answer, Ready};
use crate::error::{ApiError, Code};
use crate::extract::{Json, QueryPairs};
use crate::routes::{Rendered, free_text};
use crate::state::ApiState;

/// Ways over another model that are shown.
const DETOURS: i64 = 3;

/// The maps from one model to another.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BestMatrices {
    /// The model that they take.
    source_model: String,
    /// The model that they give.
    target_model: String,
    /// The best, if there is any.
    best: Option<Card>,
    /// All of them, the best first.
    packages: Vec<Card>,
}

/// Whether there is a way from one model to another.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Compatibility {
    verdict: CompatibilityVerdict,
    /// The model to start from.
    source: KnownModel,
    /// The model to arrive at.
    target: KnownModel,
    /// Whether the given length fits, if it is known.
    dimension_fits: Option<bool>,
    /// The length that is expected.
    expected_dimension: Option<usize>,
    /// The best map.
    direct: Option<Card>,
    /// The best map the other way.
    reverse: Option<Card>,
    /// Ways over a third model.
    detours: Vec<Detour>,
}

/// What the ways between two models come to.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum CompatibilityVerdict {
    /// There is a map.
    Direct,
    /// There is a way over a third model.
    Detour,
    /// There is no way.
    None,
    /// The states that you have do not fit.
    DimensionMismatch,
}

/// The best maps from one model to another, the best first.
pub async fn find_best_matrix(
    State(state): State<ApiState>,
    Extension(query): Extension<QueryPairs>,
) -> Result<Ready<BestMatrices>, ApiError> {
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
        let found = catalog::best_matrices(state.pool(), &source, &target, limit).await?;
        Ok(Found::list(BestMatrices {
            source_model: source.clone(),
            target_model: target.clone(),
            best: found.first().map(Card::from),
            packages: cards(&found),
        }))
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

/// From which model to which.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "CompatibilityRequest")]
pub struct Probe {
    /// The model to start from.
    #[schemars(length(min = 1, max = MODEL_NAME_CHARS_MAX))]
    source_model: String,
    /// The model to arrive at.
    #[schemars(length(min = 1, max = MODEL_NAME_CHARS_MAX))]
    target_model: String,
    /// The length of the states that you have.
    #[serde(default)]
    #[schemars(range(min = 1, max = 131_072))]
    dimension: Option<usize>,
}

/// Tells whether there is a map from one model to another, or a way over a third.
pub async fn check_compatibility(
    State(state): State<ApiState>,
    Json(probe): Json<Probe>,
) -> Result<Answer<Compatibility>, ApiError> {
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
        (_, _, Some(false)) => CompatibilityVerdict::DimensionMismatch,
        (Some(_), ..) => CompatibilityVerdict::Direct,
        (None, false, _) => CompatibilityVerdict::Detour,
        (None, true, _) => CompatibilityVerdict::None,
    };
    Ok(Answer::ok(Compatibility {
        verdict,
        source: known,
        target: KnownModel::of(&target),
        dimension_fits: fits,
        expected_dimension: expected,
        direct: direct.first().map(Card::from),
        reverse: back.first().map(Card::from),
        detours,
    }))
}
