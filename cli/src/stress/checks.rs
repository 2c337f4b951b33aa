//! Whether what the market says in the end is what the clients were answered.

use std::collections::HashMap;

use serde::Serialize;
use serde_json::json;

use super::client::{CREDITS_MINOR, Caller};
use super::operations::{PLACES, Player, Shared};
use crate::api::Api;
use crate::failure::Failure;

/// A claim, and what speaks against it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Check {
    pub claim: &'static str,
    pub is_true: bool,
    pub fault: Option<String>,
}

impl Check {
    fn new(claim: &'static str, fault: Option<String>) -> Self {
        Self {
            claim,
            is_true: fault.is_none(),
            fault,
        }
    }
}

/// All checks.
pub async fn run(api: &Api, shared: &Shared, players: &[Player]) -> Result<Vec<Check>, Failure> {
    let mut versions_fault = None;
    let mut appended_fault = None;
    for place in 0..PLACES {
        let stream = shared.stream(place);
        let (versions, names) = read_stream(&shared.owner, &stream).await?;
        let gap = versions
            .iter()
            .zip(1..)
            .find(|(found, expected)| **found != *expected);
        if let Some((found, expected)) = gap {
            versions_fault = Some(format!("{stream}: {found} instead of {expected}"));
        }
        appended_fault = appended_fault.or(compare(&stream, &names, players));
    }
    let mut checks = vec![
        Check::new(
            "Each acknowledged event is in its stream once",
            appended_fault,
        ),
        Check::new("Versions have no gap", versions_fault),
        Check::new(
            "One holder of a lease at a time",
            check_sections(shared, players),
        ),
        Check::new("All leases are released", check_leases(shared).await?),
    ];
    if shared.package.is_some() {
        checks.push(Check::new(
            "Each buyer has what it did not spend",
            check_credits(shared, players).await?,
        ));
    }
    let audit = api.post(&["ledger", "audit"], &json!({})).await?;
    let fault = (audit["isSound"] != true).then(|| audit["audit"]["findings"].to_string());
    checks.push(Check::new("The ledger is sound", fault));
    let history = api.post(&["events", "verify"], &json!({})).await?;
    let fault = (history["isSound"] != true).then(|| history["differences"].to_string());
    checks.push(Check::new("Rows are what their events say", fault));
    Ok(checks)
}

/// The versions of a stream, and who wrote each of its events.
async fn read_stream(owner: &Caller, stream: &str) -> Result<(Vec<i64>, Vec<String>), Failure> {
    let (mut versions, mut names, mut cursor) = (Vec::new(), Vec::new(), String::new());
    loop {
        let path = format!("/api/ai/event-streams/{stream}/events?limit=50&cursor={cursor}");
        let page = owner.read(&path).await?;
        let events = page.data("events").as_array().cloned().unwrap_or_default();
        for event in &events {
            versions.push(event["version"].as_i64().unwrap_or_default());
            names.push(event["data"]["by"].as_str().unwrap_or_default().to_owned());
        }
        match page.data("nextCursor").as_str() {
            Some(next) => next.clone_into(&mut cursor),
            None => return Ok((versions, names)),
        }
    }
}

fn compare(stream: &str, names: &[String], players: &[Player]) -> Option<String> {
    let mut found: HashMap<&str, u64> = HashMap::new();
    for name in names {
        *found.entry(name).or_default() += 1;
    }
    let appended = players.iter().flat_map(|player| &player.appended);
    for (_, name, is_acknowledged) in appended.filter(|(of, _, _)| of == stream) {
        match (found.remove(name.as_str()), is_acknowledged) {
            (Some(1), _) | (None, false) => {}
            (count, _) => {
                let count = count.unwrap_or(0);
                return Some(format!("{stream}: event {name} is there {count} times"));
            }
        }
    }
    let stranger = found.keys().next()?;
    Some(format!(
        "{stream}: event {stranger} was refused, and is there"
    ))
}

fn check_sections(shared: &Shared, players: &[Player]) -> Option<String> {
    (0..PLACES).find_map(|place| {
        let entered: u64 = players.iter().map(|player| player.sections[place]).sum();
        let counted = shared.counter(place);
        (entered != counted).then(|| {
            format!(
                "{}: {entered} held it, and their counter says {counted}",
                shared.resource(place)
            )
        })
    })
}

async fn check_leases(shared: &Shared) -> Result<Option<String>, Failure> {
    let held = shared.owner.read("/api/ai/leases").await?;
    if !held.status.is_success() {
        return Ok(Some(held.refusal()));
    }
    let leases = held.data("leases").as_array().cloned().unwrap_or_default();
    Ok(leases
        .first()
        .map(|lease| format!("{} is held", lease["resource"])))
}

async fn check_credits(shared: &Shared, players: &[Player]) -> Result<Option<String>, Failure> {
    let Some(package) = &shared.package else {
        return Ok(None);
    };
    for (number, player) in players.iter().enumerate() {
        let Some(buyer) = &player.buyer else {
            continue;
        };
        let credits = buyer.read("/api/ai/credits").await?;
        let has = credits.data("balanceMinor").as_i64().unwrap_or_default();
        let owned = player.bought.cast_signed() - player.returned.cast_signed();
        let expected = CREDITS_MINOR - owned * package.price_minor;
        if has != expected && player.done.iter().all(|(_, outcome, _)| !outcome.is_lost()) {
            return Ok(Some(format!(
                "client {number} has {has} instead of {expected}"
            )));
        }
    }
    Ok(None)
}
