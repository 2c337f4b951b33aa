//! `GET /api/ai/sellers/{sellerId}`: who sells, and what it has come to.

use axum::extract::State;
use common::accounts::{self, Profile};
use common::catalog::{self, CatalogError, Filters, SellerFigures, Sort};
use common::ids::UserId;
use schemars::JsonSchema;
use serde::Serialize;

use super::cached::Found;
use super::view::{Card, cards};
use crate::contract::Ready;
use crate::error::ApiError;
use crate::extract::Path;
use crate::state::ApiState;

/// Packages that a profile shows.
const SHOWN: i64 = 10;

/// A seller.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Seller {
    #[serde(flatten)]
    profile: Profile,
    figures: SellerFigures,
    /// The newest ten packages.
    packages: Vec<Card>,
}

/// Answers a seller's profile with the figures and the newest packages.
pub async fn get_seller(
    State(state): State<ApiState>,
    Path(seller): Path<UserId>,
) -> Result<Ready<Seller>, ApiError> {
    let make = async {
        let pool = state.pool();
        let profile = accounts::find_profile(pool, seller).await?;
        let profile = profile.ok_or(CatalogError::Unknown("seller"))?;
        let figures = catalog::seller_figures(pool, seller).await?;
        let filters = Filters {
            seller: Some(seller),
            ..Filters::default()
        };
        let (newest, _) = catalog::browse(pool, &filters, Sort::Newest, None, SHOWN).await?;
        Ok(Found::list(Seller {
            profile,
            figures,
            packages: cards(&newest),
        }))
    };
    state.cached(&format!("seller/{seller}"), make).await
}
