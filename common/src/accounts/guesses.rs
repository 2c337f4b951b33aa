//! Counts wrong passwords, so that nobody guesses for long and no stranger locks anybody out.
//!
//! Who tries is one of three, for each account behind a login: a device that signed in to it before, a
//! network that did, or a stranger. Each has windows of its own, so what strangers guess keeps neither a
//! known device nor a known network out. Strangers are counted by login and network, with a delay that
//! grows; by network alone; and by login over all networks, those that were wrong before apart from those
//! that try for the first time: a newcomer shares its window with other newcomers only, and waits for half a
//! minute at most.
//!
//! A try is counted before the password is looked at and given back if it was right, so tries at the same
//! moment do not pass together. Proved by `tests/tests/access/guesses.rs`.

use std::sync::LazyLock;
use std::time::Duration;

use super::login::{Device, Login};
use super::{AccountError, ReachedGuesses};
use crate::config::{Calls, Per, RatePolicy};
use crate::ids::{SessionId, UserId};
use crate::limits::{
    WRONG_PASSWORDS_FIRST, WRONG_PASSWORDS_KNOWN, WRONG_PASSWORDS_NETWORK,
    WRONG_PASSWORDS_NEWCOMERS, WRONG_PASSWORDS_RETRIES, WRONG_PASSWORDS_SESSION,
    WRONG_PASSWORDS_STRANGER,
};
use crate::throttle::{Ask, Standing, Throttle};

static KNOWN: LazyLock<RatePolicy> =
    LazyLock::new(|| policy("wrong-password", WRONG_PASSWORDS_KNOWN));
static STRANGER: LazyLock<[RatePolicy; 3]> = LazyLock::new(|| {
    let [brief, quarter, day] = WRONG_PASSWORDS_STRANGER;
    [
        policy("wrong-password-brief", brief),
        policy("wrong-password-quarter", quarter),
        policy("wrong-password-day", day),
    ]
});
static FIRST: LazyLock<RatePolicy> =
    LazyLock::new(|| policy("wrong-password-first", WRONG_PASSWORDS_FIRST));
static NEWCOMERS: LazyLock<RatePolicy> =
    LazyLock::new(|| policy("wrong-password-newcomers", WRONG_PASSWORDS_NEWCOMERS));
static RETRIES: LazyLock<RatePolicy> =
    LazyLock::new(|| policy("wrong-password-retries", WRONG_PASSWORDS_RETRIES));
static NETWORK: LazyLock<RatePolicy> =
    LazyLock::new(|| policy("wrong-password-network", WRONG_PASSWORDS_NETWORK));
static SESSION: LazyLock<RatePolicy> =
    LazyLock::new(|| policy("wrong-password-session", WRONG_PASSWORDS_SESSION));

fn policy(name: &str, (quota, window_seconds): (u64, u64)) -> RatePolicy {
    RatePolicy {
        name: name.to_owned(),
        quota,
        window_seconds,
        per: Per::User,
        calls: Calls::SignIn,
    }
}

/// Counts tries; clones share what they count.
#[derive(Debug, Clone)]
pub struct Guesses(Throttle);

/// The accounts behind a login that know who tries.
#[derive(Debug, Default)]
pub(super) struct Known {
    pub by_device: Vec<UserId>,
    pub by_network: Vec<UserId>,
}

/// A try that is counted.
#[derive(Debug, Default)]
pub(super) struct Try {
    /// An account that knows the device and may be opened.
    pub device_of: Option<UserId>,
    /// Which accounts that know who tries may be opened.
    pub known: Vec<UserId>,
    /// Whether others may.
    pub others: bool,
    taken: Vec<Ask<'static>>,
}

impl Known {
    /// All of them.
    pub fn all(&self) -> Vec<UserId> {
        [self.by_device.as_slice(), &self.by_network].concat()
    }
}

impl Guesses {
    /// Counts with that throttle.
    pub fn new(throttle: Throttle) -> Self {
        Self(throttle)
    }

    /// Counts a try at a login; refuses it if none of the accounts behind the login may be tried now.
    pub(super) async fn reserve(
        &self,
        login: &Login,
        device: &Device,
        known: &Known,
    ) -> Result<Try, AccountError> {
        let (subject, network) = (login.subject(), device.network().to_string());
        let mut reserved = Try::default();
        let mut refusals = Vec::new();
        let of_device = device.digest().map(hex::encode).unwrap_or_default();
        for (accounts, whose, is_device) in [
            (&known.by_device, &of_device, true),
            (&known.by_network, &network, false),
        ] {
            if accounts.is_empty() {
                continue;
            }
            let asks = vec![ask(&KNOWN, format!("{subject}:{whose}"))];
            match self.take(&asks).await {
                Ok(()) => {
                    if is_device {
                        reserved.device_of = accounts.first().copied();
                    }
                    reserved.known.extend_from_slice(accounts);
                    reserved.taken.extend(asks);
                }
                Err(refusal) => refusals.push(refusal),
            }
        }
        // A name has one account: if that knows who tries, there are no others.
        let has_others = login.as_email().is_some() || known.all().is_empty();
        if has_others {
            match self.take_as_stranger(&subject, &network, device).await {
                Ok(asks) => {
                    reserved.others = true;
                    reserved.taken.extend(asks);
                }
                Err(refusal) => refusals.push(refusal),
            }
        }
        match refusals.into_iter().min_by_key(|refusal| refusal.wait) {
            Some(refusal) if reserved.taken.is_empty() => {
                Err(AccountError::TooManyGuesses(Box::new(refusal)))
            }
            _ => Ok(reserved),
        }
    }

    /// Counts a try at the old password of whoever sets a new one.
    pub(super) async fn reserve_in_session(
        &self,
        user: UserId,
        session: SessionId,
    ) -> Result<Try, AccountError> {
        let taken = vec![ask(&SESSION, format!("{user}:{session}"))];
        match self.take(&taken).await {
            Ok(()) => Ok(Try {
                taken,
                ..Try::default()
            }),
            Err(refusal) => Err(AccountError::TooManyGuesses(Box::new(refusal))),
        }
    }

    /// A try was no guess: the password was right, or was not looked at.
    pub(super) async fn give_back(&self, reserved: &Try) {
        self.0.give_back(&reserved.taken).await;
    }

    /// Takes from the windows of strangers: what was taken. Whether it is the first try of its network is
    /// decided with the rest, so that tries at the same moment are not all the first.
    async fn take_as_stranger(
        &self,
        subject: &str,
        network: &str,
        device: &Device,
    ) -> Result<Vec<Ask<'static>>, ReachedGuesses> {
        let pair = || format!("{subject}:{network}");
        let mut both: Vec<Ask<'static>> =
            STRANGER.iter().map(|policy| ask(policy, pair())).collect();
        if !device.is_trusted {
            both.push(ask(&NETWORK, network.to_owned()));
        }
        let first = [ask(&FIRST, pair()), ask(&NEWCOMERS, subject.to_owned())];
        let asks = [first.as_slice(), &both].concat();
        let standings = self.0.take(&asks).await;
        let is_first = standings.first().is_none_or(|it| it.wait.is_none());
        if is_first {
            return reached(&asks, standings).map_or(Ok(asks), Err);
        }
        both.push(ask(&RETRIES, subject.to_owned()));
        self.take(&both).await.map(|()| both)
    }

    async fn take(&self, asks: &[Ask<'static>]) -> Result<(), ReachedGuesses> {
        let standings = self.0.take(asks).await;
        reached(asks, standings).map_or(Ok(()), Err)
    }
}

/// The window that makes one wait longest, if any does.
fn reached(asks: &[Ask<'static>], standings: Vec<Standing>) -> Option<ReachedGuesses> {
    let reached = |(ask, standing): (&Ask<'static>, Standing)| {
        standing.wait.map(|wait| ReachedGuesses {
            policy: ask.policy.clone(),
            wait: wait.max(Duration::from_secs(1)),
        })
    };
    let reached = asks.iter().zip(standings).filter_map(reached);
    reached.max_by_key(|reached| reached.wait)
}

fn ask(policy: &'static RatePolicy, subject: String) -> Ask<'static> {
    Ask {
        policy,
        subject,
        units: 1,
    }
}
