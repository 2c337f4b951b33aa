//! `GET /api/ai/sellers/{sellerId}`: who sells, and what it has come to.

use axum::extract::State;
use axum::response::Response;
use common::accounts;
use common::catalog::{self, CatalogError, Filters, Sort};
use common::ids::UserId;
use serde_json::{Value, json};

use super::cached::Answer;
use super::view;
use crate::error::ApiError;
use crate::extract::Path;
use crate::state::ApiState;

/// Packages that a profile shows.
const SHOWN: i64 = 10;

/// Answers a seller's profile with the figures and the newest packages.
pub async fn get_seller(
    State(state): State<ApiState>,
    Path(seller): Path<UserId>,
) -> Result<Response, ApiError> {
    let make = async {
        let pool = state.pool();
        let profile = accounts::find_profile(pool, seller).await?;
        let profile = profile.ok_or(CatalogError::Unknown("seller"))?;
        let figures = catalog::seller_figures(pool, seller).await?;
        let filters = Filters {
            seller: Some(seller),
            ..Filters::default()
        };
        let (cards, _) = catalog::browse(pool, &filters, Sort::Newest, None, SHOWN).await?;
        let packages: Vec<Value> = cards.iter().map(view::card).collect();
        let mut data = json!(profile);
        data["figures"] = json!(figures);
        data["packages"] = json!(packages);
        Ok(Answer::list(data))
    };
    state.cached(&format!("seller/{seller}"), make).await
}
