//! The purchase that a path names.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use common::ids::PurchaseId;
use common::purchases::{self, PurchaseError};

use super::Path;
use crate::contract::Input;
use crate::error::ApiError;
use crate::state::ApiState;

/// A purchase by its id, or by the number that the first contract calls it by. It need not be the
/// caller's.
#[derive(Debug, Clone, Copy)]
pub struct PurchasePath(pub PurchaseId);

impl Input for PurchasePath {}

impl FromRequestParts<ApiState> for PurchasePath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, ApiError> {
        let Path(text) = Path::<String>::from_request_parts(parts, state).await?;
        let id = match text.parse::<i64>() {
            Ok(number) => purchases::find_by_number(state.pool(), number).await?,
            Err(_) => PurchaseId::parse(&text),
        };
        Ok(id.map(Self).ok_or(PurchaseError::NotFound)?)
    }
}
