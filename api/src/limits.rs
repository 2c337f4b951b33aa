//! Which windows a request counts in, and how they stand.

use std::net::IpAddr;

use chrono::Utc;
use common::admission::Network;
use common::config::{Calls, Per, RateConfig, RatePolicy};
use common::identity::Principal;
use common::throttle::{Ask, Standing, Throttle};

/// What kind of call it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Browse,
    Upload,
    Validate,
    Purchase,
    SignIn,
    Register,
    Other,
}

impl Kind {
    /// What a call takes back that is refused for what it says: ten typos lock nobody out. Only from the
    /// windows for calls of its kind alone; and tries to sign in or to register always count.
    pub fn returnable(self, counted: &[Counted]) -> Vec<Counted> {
        if !matches!(self, Self::Upload | Self::Validate | Self::Purchase) {
            return Vec::new();
        }
        let of_its_kind = counted.iter().filter(|each| each.is_for(self));
        of_its_kind.cloned().collect()
    }

    /// What a dry run of it is.
    pub fn dry_run(self) -> Self {
        match self {
            Self::Upload => Self::Validate,
            Self::Purchase => Self::Other,
            kind => kind,
        }
    }

    /// Whether a policy for those calls counts it.
    pub fn is_counted_by(self, calls: Calls) -> bool {
        match calls {
            Calls::Every | Calls::Anonymous | Calls::Session => false,
            Calls::Browse => self == Self::Browse,
            Calls::Upload => self == Self::Upload,
            Calls::Validate => self == Self::Validate,
            Calls::Purchase => self == Self::Purchase,
            Calls::SignIn => self == Self::SignIn,
            Calls::Register => self == Self::Register,
        }
    }
}

/// A window that a request counts in, before it is asked.
#[derive(Debug, Clone)]
pub struct Counted {
    policy: RatePolicy,
    subject: String,
    units: i64,
}

/// The same, after it was asked.
#[derive(Debug, Clone)]
pub struct Applied {
    pub policy: RatePolicy,
    pub standing: Standing,
}

/// The windows of a request, none for a trusted address.
pub fn applied(
    rates: &RateConfig,
    address: Option<IpAddr>,
    caller: Option<&Principal>,
    kind: Kind,
    units: i64,
) -> Vec<Counted> {
    if address.is_some_and(|address| rates.trusts(address)) {
        return Vec::new();
    }
    let policies = rates.policies.iter();
    policies
        .filter(|policy| counts(policy.calls, caller, kind))
        .filter_map(|policy| {
            Some(Counted {
                policy: policy.clone(),
                subject: subject(policy.per, address, caller)?,
                units,
            })
        })
        .collect()
}

fn counts(calls: Calls, caller: Option<&Principal>, kind: Kind) -> bool {
    let is_session = caller.is_some_and(|caller| caller.session.is_some());
    match calls {
        Calls::Every => true,
        Calls::Anonymous => caller.is_none(),
        Calls::Session => is_session,
        calls => kind.is_counted_by(calls),
    }
}

/// Whose window it is; nobody has none per user and none per key, and a session is no key.
fn subject(per: Per, address: Option<IpAddr>, caller: Option<&Principal>) -> Option<String> {
    match per {
        Per::Ip => Some(Network::of(address?).to_string()),
        Per::User => caller.map(|caller| caller.user.to_string()),
        Per::Key => caller
            .filter(|caller| caller.session.is_none())
            .map(|caller| caller.key.to_string()),
    }
}

impl Counted {
    /// Whether it counts calls of that kind alone.
    pub fn is_for(&self, kind: Kind) -> bool {
        kind.is_counted_by(self.policy.calls)
    }
}

impl Applied {
    /// Gives back what these windows were asked for: how they stand then.
    pub async fn give_back(throttle: &Throttle, mut counted: Vec<Counted>) -> Vec<Self> {
        for each in &mut counted {
            each.units = -each.units;
        }
        Self::take(throttle, counted).await
    }

    /// A window that was only looked at refuses if it has nothing left.
    pub fn refuse_if_full(&mut self) {
        if self.standing.used >= self.policy.quota {
            self.standing.wait = Some(self.standing.frees_in);
        }
    }

    /// Asks all windows at once.
    pub async fn take(throttle: &Throttle, counted: Vec<Counted>) -> Vec<Self> {
        let asks: Vec<Ask<'_>> = counted
            .iter()
            .map(|each| Ask {
                policy: &each.policy,
                subject: each.subject.clone(),
                units: each.units,
            })
            .collect();
        let standings = throttle.take(&asks).await;
        let policies = counted.into_iter().map(|each| each.policy);
        policies
            .zip(standings)
            .map(|(policy, standing)| Self { policy, standing })
            .collect()
    }

    /// Units that are left.
    pub fn remaining(&self) -> u64 {
        self.policy.quota.saturating_sub(self.standing.used)
    }

    /// Until something is free again, or until the request would pass.
    pub fn frees_in_seconds(&self) -> u64 {
        let standing = &self.standing;
        let span = standing.wait.unwrap_or(standing.frees_in);
        span.as_secs_f64().ceil() as u64
    }

    /// The same in Unix seconds.
    pub fn resets_at(&self) -> i64 {
        Utc::now().timestamp() + self.frees_in_seconds().cast_signed()
    }

    /// Orders windows: one that refuses before one that does not, then by the share that is left.
    pub fn tightness(&self) -> (bool, u64) {
        let share = self.remaining() * 10_000 / self.policy.quota.max(1);
        (self.standing.wait.is_none(), share)
    }
}
