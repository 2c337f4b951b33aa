//! Counts and audits those who want to operate and may not.
//!
//! A network has few wrong tokens; after them it is refused whatever it sends, so that a token cannot be
//! guessed. Addresses that are trusted are never refused a right token. The audit log notes the first
//! refusal of a network within a window, and in all a bounded number.

use std::net::IpAddr;
use std::sync::LazyLock;

use common::admission::Network;
use common::audit::{self, Act};
use common::config::{Calls, Per, RatePolicy};
use common::ids::UserId;
use common::limits::{REFUSED_OPERATORS_AUDITED, REFUSED_OPERATORS_AUDITED_ALL, WRONG_OPERATORS};
use common::throttle::Ask;

use super::limit::refusal;
use crate::error::ApiError;
use crate::limits::Applied;
use crate::state::ApiState;

static WRONG: LazyLock<RatePolicy> = LazyLock::new(|| policy("wrong-operator", WRONG_OPERATORS));
static AUDITED: LazyLock<RatePolicy> =
    LazyLock::new(|| policy("refused-operator", REFUSED_OPERATORS_AUDITED));
static AUDITED_ALL: LazyLock<RatePolicy> =
    LazyLock::new(|| policy("refused-operators", REFUSED_OPERATORS_AUDITED_ALL));

fn policy(name: &str, (quota, window_seconds): (u64, u64)) -> RatePolicy {
    RatePolicy {
        name: name.to_owned(),
        quota,
        window_seconds,
        per: Per::Ip,
        calls: Calls::Every,
    }
}

/// Somebody who may not operate.
#[derive(Debug)]
pub(super) struct Refused {
    pub error: ApiError,
    /// Who it is, if that is known.
    pub user: Option<UserId>,
    pub address: Option<IpAddr>,
}

impl Refused {
    /// As the audit log names it.
    pub fn actor(&self) -> &'static str {
        match self.user {
            Some(_) => "refused user",
            None => "refused",
        }
    }
}

/// Counts a refusal and notes it in the audit log: what it is answered.
pub(super) async fn count(state: &ApiState, refused: &Refused, act: &Act<'_>) -> ApiError {
    let Some(address) = refused.address else {
        return refused.error.clone();
    };
    let network = Network::of(address).to_string();
    note(state, &network, refused, act).await;
    if state.rates.trusts(address) {
        return refused.error.clone();
    }
    let reached = reached(state, network, 1).await;
    reached.unwrap_or_else(|| refused.error.clone())
}

/// Refuses the right token from a network that sent too many wrong ones. They are counted in Redis's
/// order, so of many tokens that come together no more than the window's are looked at.
pub(super) async fn check(state: &ApiState, address: Option<IpAddr>) -> Result<(), ApiError> {
    match address {
        Some(address) if !state.rates.trusts(address) => {
            let network = Network::of(address).to_string();
            reached(state, network, 0).await.map_or(Ok(()), Err)
        }
        _ => Ok(()),
    }
}

async fn reached(state: &ApiState, network: String, units: i64) -> Option<ApiError> {
    let ask = Ask {
        policy: &WRONG,
        subject: network,
        units,
    };
    let standings = state.throttle.take(&[ask]).await;
    let mut windows: Vec<Applied> = standings
        .into_iter()
        .map(|standing| Applied {
            policy: WRONG.clone(),
            standing,
        })
        .collect();
    if units == 0 {
        windows.iter_mut().for_each(Applied::refuse_if_full);
    }
    refusal(&windows)
}

async fn note(state: &ApiState, network: &str, refused: &Refused, act: &Act<'_>) {
    let ask = |policy, subject: &str| Ask {
        policy,
        subject: subject.to_owned(),
        units: 1,
    };
    let asks = [ask(&*AUDITED, network), ask(&*AUDITED_ALL, "all")];
    let standings = state.throttle.take(&asks).await;
    if standings.iter().any(|standing| standing.wait.is_some()) {
        return;
    }
    let status = refused.error.code.status().as_u16();
    if let Err(error) = audit::note(state.pool(), act, status).await {
        tracing::warn!(%error, "A refused operator is not in the audit log");
    }
}
