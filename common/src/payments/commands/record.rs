//! Writes down what the provider said of a payment, and credits what arrived.

use super::tell::tell_in_tx;
use crate::events;
use crate::ids::PaymentId;
use crate::ledger::{self, Posting};
use crate::limits::{CARD_LOOK_MAX, CARD_LOOK_MIN};
use crate::outbox::Tx;
use crate::payments::{
    Answer, CHANGED, Payment, PaymentError, PaymentState, Reason, Verdict, lock_in_tx,
};

/// Records the answer about a payment that the caller has locked. The payment as it is now, if that
/// changed it.
pub async fn record_in_tx(
    tx: &mut Tx,
    payment: &Payment,
    answer: &Answer,
    trace: &str,
) -> Result<Option<Payment>, PaymentError> {
    let next = answer.verdict.next_state(payment.state);
    if next == Some(PaymentState::Succeeded) {
        let posting = Posting::top_up(payment.id.0, payment.user_id, payment.amount_minor);
        ledger::post_in_tx(tx, &posting, &payment.currency, trace).await?;
    }
    Ok(change_in_tx(tx, payment, next, answer, trace).await?)
}

/// Says that nobody knows what became of a payment that is not over. The payment, if that is news.
pub async fn doubt_in_tx(
    tx: &mut Tx,
    id: PaymentId,
    reason: &str,
    trace: &str,
) -> Result<Option<Payment>, sqlx::Error> {
    let Some(payment) = lock_in_tx(tx, id).await? else {
        return Ok(None);
    };
    let answer = Answer::unheard(Verdict::Unclear(reason.to_owned()));
    let next = answer.verdict.next_state(payment.state);
    change_in_tx(tx, &payment, next, &answer, trace).await
}

/// The payment in its next state, if it takes one, with what follows from that.
async fn change_in_tx(
    tx: &mut Tx,
    payment: &Payment,
    next: Option<PaymentState>,
    answer: &Answer,
    trace: &str,
) -> Result<Option<Payment>, sqlx::Error> {
    if payment.state.is_final() && next.is_none() {
        return Ok(None);
    }
    write_in_tx(tx, payment, next, answer).await?;
    let Some(next) = next else {
        return Ok(None);
    };
    let data =
        serde_json::json!({ "purchase": payment.purchase_id, "verdict": word(&answer.verdict) });
    events::append_in_tx(tx, payment.id.0, &format!("payment.{next}"), trace, data).await?;
    tx.announce(CHANGED, payment.id.to_string());
    let changed = lock_in_tx(tx, payment.id).await?;
    let changed = changed.expect("this transaction holds the row");
    tell_in_tx(tx, &changed, trace).await?;
    Ok(Some(changed))
}

/// The row after the answer. What was learned is kept; the next look comes later than the last, but at once if
/// a notice came before its payment's name was known.
async fn write_in_tx(
    tx: &mut Tx,
    payment: &Payment,
    next: Option<PaymentState>,
    answer: &Answer,
) -> Result<(), sqlx::Error> {
    let state = next.unwrap_or(payment.state);
    let reason = match &answer.verdict {
        Verdict::Over(reason) => Some(reason),
        _ => None,
    };
    let secret = answer.secret().filter(|_| !state.is_final());
    sqlx::query(
        "with early as (
             update payment_notices
             set payment_id = $1
             where provider_id = $3
               and payment_id is null
             returning id
         )
         update payments
         set state = $2,
             provider_id = coalesce(provider_id, $3),
             client_secret = case when $9 then null else coalesce($4, client_secret) end,
             reason_code = $5,
             decline_code = $6,
             message = $7,
             version = version + $8::bigint,
             delayed_at = null,
             finished_at = case when $9 then coalesce(finished_at, now()) end,
             looks = looks + 1,
             next_look_at = case
                 when exists (select from early) then now()
                 when expires_at > now() then least(expires_at, now() + make_interval(secs => $10))
                 else now() + make_interval(secs => $10)
             end
         where id = $1",
    )
    .bind(payment.id)
    .bind(state)
    .bind(&answer.provider_id)
    .bind(secret)
    .bind(reason.map(Reason::code))
    .bind(reason.and_then(Reason::decline_code))
    .bind(message(&answer.verdict))
    .bind(i64::from(next.is_some()))
    .bind(state.is_final())
    .bind(look_delay_seconds(payment.looks))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// What the payer reads, and of a payment in doubt the operator.
fn message(verdict: &Verdict) -> Option<String> {
    match verdict {
        Verdict::Over(reason) => Some(reason.message()),
        Verdict::Unclear(text) | Verdict::Suspect(text) | Verdict::Later(text) => {
            Some(text.clone())
        }
        _ => None,
    }
}

fn word(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Paid => "paid",
        Verdict::Over(reason) => reason.code(),
        Verdict::Open(_) => "open",
        Verdict::Hopeless(_) => "hopeless",
        Verdict::Unclear(_) => "unclear",
        Verdict::Later(_) => "later",
        Verdict::Faulty(_) => "faulty",
        Verdict::Suspect(_) => "suspect",
    }
}

/// After so many looks, the next one comes this much later.
pub(super) fn look_delay_seconds(looks: i32) -> f64 {
    let doubled = CARD_LOOK_MIN.as_secs_f64() * 2_f64.powi(looks.clamp(0, 20));
    doubled.min(CARD_LOOK_MAX.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_become_rarer_and_never_cease() {
        assert_eq!(look_delay_seconds(0), CARD_LOOK_MIN.as_secs_f64());
        assert_eq!(look_delay_seconds(1), 2.0 * CARD_LOOK_MIN.as_secs_f64());
        assert_eq!(look_delay_seconds(i32::MAX), CARD_LOOK_MAX.as_secs_f64());
    }
}
