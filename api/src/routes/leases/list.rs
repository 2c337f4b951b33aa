//! `GET /api/ai/leases`.

use axum::extract::State;
use common::ids::UserId;
use common::leases::{self, Resource};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::view::Lease;
use crate::contract::Answer;
use crate::error::ApiError;
use crate::extract::{Caller, Query};
use crate::routes::page::{self, LongLimit, NextCursor, PageCursor};
use crate::state::ApiState;

/// Which page.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LeaseQuery {
    cursor: Option<PageCursor>,
    limit: Option<LongLimit>,
}

/// A page of leases that are held, by resource.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LeasePage {
    leases: Vec<Lease>,
    next_cursor: NextCursor,
}

/// The leases that the caller's account holds.
pub async fn list_leases(
    State(state): State<ApiState>,
    Caller(principal): Caller,
    Query(query): Query<LeaseQuery>,
) -> Result<Answer<LeasePage>, ApiError> {
    query.page()?.of(&state, principal.user).await
}

impl LeaseQuery {
    /// The page, if there is one.
    pub fn page(&self) -> Result<Page, ApiError> {
        Ok(Page {
            after: page::cursor(self.cursor.as_ref(), Resource::parse)?,
            limit: page::rows(self.limit)?,
        })
    }
}

/// A page of what somebody holds.
#[derive(Debug)]
pub struct Page {
    after: Option<Resource>,
    limit: i64,
}

impl Page {
    /// The page of an account.
    pub async fn of(&self, state: &ApiState, owner: UserId) -> Result<Answer<LeasePage>, ApiError> {
        let held = leases::list(state.pool(), owner, self.after.as_ref(), self.limit).await?;
        let next_cursor = page::next(&held, self.limit, |lease| lease.resource.clone());
        let leases = held.into_iter().map(Lease::from).collect();
        Ok(Answer::ok(LeasePage {
            leases,
            next_cursor,
        }))
    }
}
