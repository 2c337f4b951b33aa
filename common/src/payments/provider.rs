//! The conversation with the provider about one payment. No transaction is open meanwhile.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::PgPool;

use super::{Answer, METADATA_PAYMENT_ID, Payment, Reason, Verdict};
use crate::cards::{Cards, NewIntent};
use crate::ids::PaymentId;
use crate::limits::CARD_KEY_AGE_MAX;

/// What the provider says about the payment: created there if it does not know it, retrieved if it
/// does; and cancelled there if it must not be paid any more. Said twice, or by two at once, it
/// charges once.
pub async fn consult(
    pool: &PgPool,
    cards: &Cards,
    payment: &Payment,
) -> Result<Answer, sqlx::Error> {
    let answer = match &payment.provider_id {
        Some(id) => Answer::to_retrieve(payment, cards.retrieve_intent(id).await, Utc::now()),
        None => create(pool, cards, payment).await?,
    };
    Ok(match (&answer.verdict, &answer.provider_id) {
        (Verdict::Hopeless(reason), Some(id)) => cancel(cards, payment, id, reason).await,
        _ => answer,
    })
}

async fn create(pool: &PgPool, cards: &Cards, payment: &Payment) -> Result<Answer, sqlx::Error> {
    let Some(age) = begin_sending(pool, payment.id).await? else {
        let reason = match payment.called_off_at {
            Some(_) => Reason::Canceled,
            None => Reason::Expired,
        };
        return Ok(Answer::unheard(Verdict::Over(reason)));
    };
    if age > CARD_KEY_AGE_MAX {
        let reason = "the provider may have forgotten the key: asking again could charge again";
        return Ok(Answer::unheard(Verdict::Suspect(reason.to_owned())));
    }
    let key = payment.id.to_string();
    let new = NewIntent {
        amount_minor: payment.amount_minor,
        currency: &payment.currency,
        payment_method: payment.method_id.clone(),
        idempotency_key: &key,
        description: match payment.purchase_id {
            Some(_) => "Awareness Market: a package",
            None => "Awareness Market: credits",
        },
        metadata: &[(METADATA_PAYMENT_ID, key.clone())],
    };
    let result = cards.create_intent(&new).await;
    Ok(Answer::to_create(payment, result, Utc::now()))
}

/// Notes that the provider is asked from now on, before it is. How long ago it was first asked; none
/// for a payment that never was and is called off or whose time is over: it never will be.
async fn begin_sending(pool: &PgPool, id: PaymentId) -> Result<Option<Duration>, sqlx::Error> {
    let sent_at: Option<DateTime<Utc>> = sqlx::query_scalar(
        "update payments
         set sent_at = coalesce(sent_at, now())
         where id = $1
           and (sent_at is not null or (expires_at > now() and called_off_at is null))
         returning sent_at",
    )
    .bind(id)
    .fetch_optional(pool)
    .await?;
    Ok(sent_at.map(|sent_at| (Utc::now() - sent_at).to_std().unwrap_or_default()))
}

/// Whatever comes of the cancellation, what is retrieved after it counts.
async fn cancel(cards: &Cards, payment: &Payment, id: &str, reason: &Reason) -> Answer {
    let refused = cards.cancel_intent(id).await.err();
    let answer = Answer::to_retrieve(payment, cards.retrieve_intent(id).await, Utc::now());
    let verdict = match answer.verdict {
        Verdict::Over(_) => Verdict::Over(reason.clone()),
        Verdict::Hopeless(_) => Verdict::Later(refused.map_or_else(
            || "it is cancelled, and the provider does not show it yet".to_owned(),
            |error| format!("it cannot be cancelled yet: {error}"),
        )),
        other => other,
    };
    Answer {
        verdict,
        provider_id: Some(id.to_owned()),
        ..answer
    }
}
