//! What clients do, and what they remember of it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::{Value, json};

use super::Lost;
use super::client::{Caller, Reply};
use super::plan::{Kind, Mix};
use crate::api::{Api, read};
use crate::failure::Failure;

/// Streams and leases that the clients contend for.
pub const PLACES: usize = 4;
/// A client that is late by so many versions gives up.
const TRIES_MAX: u32 = 50;
/// How long the holder of a lease works.
const WORK: Duration = Duration::from_millis(2);
const LEASE_MS: u64 = 30_000;
const LEASE_WAIT_MS: u64 = 20_000;

/// What all clients share.
#[derive(Debug)]
pub struct Shared {
    /// The account that the streams and leases belong to.
    pub owner: Caller,
    pub run: String,
    /// The package that is bought: its id, type and price.
    pub package: Option<Package>,
    /// Counters that are read and written without care: only whoever holds the lease of that place may.
    counters: [Mutex<u64>; PLACES],
}

/// What is bought.
#[derive(Debug, Clone, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Package {
    pub package_id: String,
    package_type: String,
    #[serde(default)]
    pub price_minor: i64,
}

/// What became of an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    Done,
    /// The lease was not granted in time.
    LeaseTimeout,
    /// It was refused, with the code.
    Refused(String),
    /// Nobody knows.
    Lost,
}

impl Outcome {
    pub fn is_lost(&self) -> bool {
        *self == Self::Lost
    }
}

/// A client, and what it remembers.
#[derive(Debug)]
pub struct Player {
    shared: Arc<Shared>,
    number: u16,
    /// The account that it buys with.
    pub buyer: Option<Caller>,
    random: StdRng,
    /// Each operation with its milliseconds.
    pub done: Vec<(Kind, Outcome, f64)>,
    /// Versions that were not as expected.
    pub conflicts: u64,
    /// Events that it appended: the stream, the event's own number, and whether it was acknowledged.
    pub appended: Vec<(String, String, bool)>,
    /// Sections that it went through with the lease of a place.
    pub sections: [u64; PLACES],
    /// The purchase that it holds.
    purchase: Option<String>,
    pub bought: u64,
    pub returned: u64,
}

impl Shared {
    /// An account for the streams and leases, and the package that is bought.
    pub async fn prepare(
        api: &Api,
        run: &str,
        mix: &Mix,
        package: Option<String>,
    ) -> Result<Self, Failure> {
        let owner = Caller::create(api, &format!("stress-{run}"), false).await?;
        let package = match mix.has_purchases() {
            true => Some(find_package(&owner, package).await?),
            false => None,
        };
        Ok(Self {
            owner,
            run: run.to_owned(),
            package,
            counters: Default::default(),
        })
    }

    pub fn stream(&self, place: usize) -> String {
        format!("stress-{}.{place}", self.run)
    }

    pub fn resource(&self, place: usize) -> String {
        format!("stress-{}-{place}", self.run)
    }

    pub fn counter(&self, place: usize) -> u64 {
        *self.counters[place]
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn set_counter(&self, place: usize, value: u64) {
        *self.counters[place]
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = value;
    }
}

/// The package of that id, or the cheapest on the market.
async fn find_package(caller: &Caller, id: Option<String>) -> Result<Package, Failure> {
    let unusable = |message: &str| Failure::Unusable(vec![message.to_owned()]);
    let path = match &id {
        Some(id) => format!("/api/ai/packages/{id}"),
        None => "/api/ai/packages?sort=price&limit=1".to_owned(),
    };
    let reply = caller.read(&path).await?;
    let package = match id {
        Some(_) => reply.whole().clone(),
        None => reply.data("packages")[0].clone(),
    };
    if !reply.status.is_success() || package.is_null() {
        return Err(unusable(
            "there is no package to buy; upload one, name one with --package, or leave purchases out of --mix",
        ));
    }
    read(package)
}

impl Player {
    pub fn new(shared: Arc<Shared>, number: u16, buyer: Option<Caller>, seed: u64) -> Self {
        Self {
            shared,
            number,
            buyer,
            random: StdRng::seed_from_u64(seed ^ (u64::from(number) << 32)),
            done: Vec::new(),
            conflicts: 0,
            appended: Vec::new(),
            sections: [0; PLACES],
            purchase: None,
            bought: 0,
            returned: 0,
        }
    }

    /// All of its operations, one after the other.
    pub async fn play(&mut self, mix: &Mix, operations: u32) {
        for nth in 0..operations {
            let kind = mix.draw(&mut self.random);
            let place = self.random.random_range(0..PLACES);
            let begun = Instant::now();
            let outcome = match kind {
                Kind::Optimistic => self.append_expecting(place, nth).await,
                Kind::Append => self.append(place, nth).await,
                Kind::Lease => self.work_under_lease(place).await,
                Kind::Purchase => self.trade().await,
            };
            let outcome = outcome.unwrap_or(Outcome::Lost);
            self.done
                .push((kind, outcome, begun.elapsed().as_secs_f64() * 1e3));
        }
    }

    async fn append(&mut self, place: usize, nth: u32) -> Result<Outcome, Lost> {
        let stream = self.shared.stream(place);
        let reply = self.send_event(&stream, nth, None).await?;
        Ok(outcome(&reply))
    }

    async fn append_expecting(&mut self, place: usize, nth: u32) -> Result<Outcome, Lost> {
        let stream = self.shared.stream(place);
        let path = format!("/api/ai/event-streams/{stream}/events?direction=backwards&limit=1");
        let newest = self.shared.owner.get(&path).await?;
        let mut expected = newest.data("events")[0]["version"].as_i64().unwrap_or(0);
        for _ in 0..TRIES_MAX {
            let reply = self.send_event(&stream, nth, Some(expected)).await?;
            if reply.detail("reason") != "VERSION_CONFLICT" {
                return Ok(outcome(&reply));
            }
            self.conflicts += 1;
            expected = reply.detail("actual").as_i64().unwrap_or(0);
        }
        Ok(Outcome::Refused("409 CONFLICT".to_owned()))
    }

    async fn send_event(
        &mut self,
        stream: &str,
        nth: u32,
        expected: Option<i64>,
    ) -> Result<Reply, Lost> {
        let name = format!("{}/{nth}", self.number);
        let mut body =
            json!({ "events": [{ "eventType": "stress.happened", "data": { "by": name } }] });
        if let Some(expected) = expected {
            body["expectedVersion"] = expected.into();
        }
        let path = format!("/api/ai/event-streams/{stream}/events");
        let reply = self.shared.owner.post(&path, &body).await;
        match &reply {
            Ok(reply) if reply.status.is_client_error() => {}
            Ok(reply) => {
                let is_done = reply.status.is_success();
                self.appended.push((stream.to_owned(), name, is_done));
            }
            Err(_) => self.appended.push((stream.to_owned(), name, false)),
        }
        reply
    }

    /// Reads a counter, works, and writes it back: right only if nobody else does so meanwhile.
    async fn work_under_lease(&mut self, place: usize) -> Result<Outcome, Lost> {
        let resource = self.shared.resource(place);
        let body = json!({
            "resource": resource,
            "owner": format!("client-{}", self.number),
            "ttlMs": LEASE_MS,
            "waitMs": LEASE_WAIT_MS,
        });
        let owner = &self.shared.owner;
        let granted = owner.post("/api/ai/leases", &body).await?;
        if granted.status == 409 {
            return Ok(Outcome::LeaseTimeout);
        }
        let Some(token) = granted.data("token").as_str() else {
            return Ok(outcome(&granted));
        };
        let seen = self.shared.counter(place);
        tokio::time::sleep(WORK).await;
        self.shared.set_counter(place, seen + 1);
        self.sections[place] += 1;
        let path = format!("/api/ai/leases/{resource}");
        let released = owner.delete(&path, token).await?;
        Ok(outcome(&released))
    }

    /// Buys the package, or returns it.
    async fn trade(&mut self) -> Result<Outcome, Lost> {
        let (Some(buyer), Some(package)) = (&self.buyer, &self.shared.package) else {
            return Ok(Outcome::Done);
        };
        if let Some(purchase) = &self.purchase {
            let path = format!("/api/ai/purchases/{purchase}/refund");
            let reply = buyer.post(&path, &json!({})).await?;
            if reply.status.is_success() {
                self.purchase = None;
                self.returned += 1;
            }
            return Ok(outcome(&reply));
        }
        let body = json!({
            "packageId": package.package_id,
            "packageType": package.package_type,
            "paymentMethod": "credits",
        });
        let reply = buyer.post("/api/ai/purchase-package", &body).await?;
        if reply.status == 200 {
            self.purchase = id(reply.data("purchaseId"));
            self.bought += 1;
        }
        Ok(outcome(&reply))
    }
}

fn id(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn outcome(reply: &Reply) -> Outcome {
    match reply.status.is_success() {
        true => Outcome::Done,
        false => Outcome::Refused(reply.refusal()),
    }
}

/// How many refusals of each code there were.
pub fn refusals(players: &[Player]) -> BTreeMap<String, u64> {
    let mut codes = BTreeMap::new();
    for (_, outcome, _) in players.iter().flat_map(|player| &player.done) {
        if let Outcome::Refused(code) = outcome {
            *codes.entry(code.clone()).or_default() += 1;
        }
    }
    codes
}
