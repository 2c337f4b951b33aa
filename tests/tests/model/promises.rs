//! What clients were told, against what is there: nothing lost, doubled, invented or taken back.

use std::collections::{BTreeMap, BTreeSet};

use common::ids::{PackageId, PurchaseId, UserId};
use common::purchases::PurchaseState;
use uuid::Uuid;

use super::books::{Books, PurchaseRow};
use super::history::{Buy, History, Told};
use super::judge::{Rule, Verdict};

/// Every answer is true, or was until a legal step later.
pub fn judge_answers(verdict: &mut Verdict, buy: &Buy, by_id: &BTreeMap<PurchaseId, &PurchaseRow>) {
    for answer in &buy.answers {
        let (id, state, price_minor) = match answer.told {
            Told::Purchase {
                id,
                state,
                price_minor,
            } => (id, Some(state), price_minor),
            Told::BoughtBefore(id) => (id, None, None),
            Told::Refused(_) | Told::Unknown => continue,
        };
        let found = by_id.get(&id);
        let Some(row) = found.filter(|row| row.buyer == buy.buyer && row.listing == buy.listing)
        else {
            verdict.find(Rule::Lost, format!("{answer:?} of {buy:?}"));
            continue;
        };
        let Some(state) = state else { continue };
        verdict.must(leads_to(state, row.state), Rule::Undone, || {
            format!("{id} was told as {state} and is {}", row.state)
        });
        let said = [price_minor, buy.expected_minor];
        let is_right = said.iter().flatten().all(|said| *said == row.price_minor)
            && buy.quoted_minor.is_none_or(|most| row.price_minor <= most);
        verdict.must(is_right, Rule::WrongPrice, || {
            format!("{id} costs {} against {buy:?}", row.price_minor)
        });
    }
}

/// A key stands for one purchase, which every repeat was told.
pub fn judge_key(verdict: &mut Verdict, buy: &Buy, books: &Books) {
    let Some(key) = &buy.key else { return };
    let told: BTreeSet<PurchaseId> = buy.purchases().collect();
    verdict.must(told.len() <= 1, Rule::Doubled, || {
        format!("one key, {told:?}")
    });
    let kept = books.keys.get(&(buy.buyer, key.clone()));
    verdict.must(kept == told.first(), Rule::Lost, || {
        format!("key {key} is kept for {kept:?}, and was told {told:?}")
    });
}

/// Every purchase comes from one request: one that was answered, or one whose answer was lost.
pub fn judge_origins(verdict: &mut Verdict, history: &History, books: &Books) {
    let mut kept_for: BTreeMap<PurchaseId, usize> = BTreeMap::new();
    for id in books.keys.values() {
        *kept_for.entry(*id).or_default() += 1;
    }
    for (id, keys) in kept_for {
        verdict.must(keys == 1, Rule::Inconsistent, || {
            format!("{id} belongs to {keys} keys")
        });
    }
    let mut claimed: BTreeMap<PurchaseId, usize> = BTreeMap::new();
    let mut lost_answers: BTreeMap<(UserId, PackageId), usize> = BTreeMap::new();
    for buy in &history.buys {
        let told: BTreeSet<PurchaseId> = buy.purchases().collect();
        for id in &told {
            *claimed.entry(*id).or_default() += 1;
        }
        if buy.has_unknown() {
            verdict.unknown += 1;
            if told.is_empty() {
                *lost_answers.entry((buy.buyer, buy.listing)).or_default() += 1;
            }
            let was_answered = |row: &PurchaseRow| {
                let answered = buy.answers.iter().filter(|a| a.told != Told::Unknown);
                let mut ids = answered.filter_map(|answer| answer.request_id.as_deref());
                ids.any(|id| id == row.request_id)
            };
            let own = books.purchases.iter().filter(|row| told.contains(&row.id));
            verdict.unknown_happened += own.filter(|row| !was_answered(row)).count();
        }
    }
    for row in &books.purchases {
        match claimed.get(&row.id) {
            Some(1) => {}
            Some(_) => verdict.find(
                Rule::Doubled,
                format!("{} answers two intentions to buy", row.id),
            ),
            None => match lost_answers.get_mut(&(row.buyer, row.listing)) {
                Some(left) if *left > 0 => {
                    *left -= 1;
                    verdict.unknown_happened += 1;
                }
                _ => verdict.find(Rule::Invented, format!("{row:?}")),
            },
        }
    }
}

/// Who has it gets it, nobody else does, and each time is on record.
pub fn judge_downloads(
    verdict: &mut Verdict,
    history: &History,
    by_id: &BTreeMap<PurchaseId, &PurchaseRow>,
) {
    let mut known: BTreeMap<PurchaseId, i64> = BTreeMap::new();
    let mut unknown: BTreeMap<(UserId, PackageId), i64> = BTreeMap::new();
    for download in &history.downloads {
        if let Some(id) = download.handed {
            *known.entry(id).or_default() += 1;
            let is_owned = by_id.get(&id).is_some_and(|row| {
                row.buyer == download.buyer && row.listing == download.listing && row.is_settled()
            });
            verdict.must(is_owned, Rule::Invented, || format!("{download:?}"));
        } else if !download.is_known {
            let place = (download.buyer, download.listing);
            *unknown.entry(place).or_default() += 1;
        } else {
            let is_kept = |id| by_id.get(id).is_some_and(|row| row.state.is_granted());
            let is_refused = download.owned.iter().any(is_kept);
            verdict.must(!is_refused, Rule::Lost, || format!("{download:?}"));
        }
    }
    for row in by_id.values() {
        let least = known.get(&row.id).copied().unwrap_or_default();
        let lost = unknown.get(&(row.buyer, row.listing)).copied();
        let most = least + lost.unwrap_or_default();
        verdict.must((least..=most).contains(&row.downloads), Rule::Lost, || {
            format!("{least} to {most} downloads: {row:?}")
        });
    }
}

pub fn judge_changes(verdict: &mut Verdict, history: &History, books: &Books) {
    for change in &history.changes {
        let kept = books.prices.get(&(change.listing, change.version));
        verdict.must(kept == Some(&change.price_minor), Rule::Lost, || {
            format!("{change:?} is kept as {kept:?}")
        });
    }
    let made: BTreeSet<Uuid> = history
        .adjustments
        .iter()
        .filter(|adjustment| adjustment.is_made)
        .map(|adjustment| adjustment.id)
        .collect();
    for id in &made {
        let times = books.adjustments.get(id).copied().unwrap_or_default();
        verdict.must(times > 0, Rule::Lost, || format!("adjustment {id}"));
        verdict.must(times <= 1, Rule::Doubled, || format!("adjustment {id}"));
    }
    for id in books.adjustments.keys() {
        verdict.must(made.contains(id), Rule::Invented, || {
            format!("adjustment {id}")
        });
    }
}

/// Whether a purchase may have come from one state to the other.
pub fn leads_to(from: PurchaseState, to: PurchaseState) -> bool {
    use PurchaseState::{
        AwaitingPayment, Disputed, Failed, PaymentUnknown, Pending, Refunded, Settled,
    };
    from == to
        || match from {
            AwaitingPayment | PaymentUnknown => true,
            Pending => !matches!(to, AwaitingPayment | PaymentUnknown),
            Settled | Disputed => matches!(to, Settled | Disputed | Refunded),
            Failed | Refunded => false,
        }
}
