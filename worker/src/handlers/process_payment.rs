//! Asks the card provider about a payment, and writes down what it says.
//!
//! The provider is asked first, with the payment's id as the idempotency key, and no transaction is
//! open meanwhile; then one transaction ends the job and moves the money.

use common::cards::Cards;
use common::chargebacks;
use common::ids::PaymentId;
use common::jobs::Lease;
use common::payments::{self, Payment, PaymentState, Verdict};
use common::purchases;

use super::finish_alone;
use crate::{Context, JobError};

/// Runs the job.
pub async fn run(context: &Context, lease: &Lease) -> Result<(), JobError> {
    let payment = payments::find(context.pool(), PaymentId(lease.subject)).await?;
    let Some(payment) = payment.filter(may_change) else {
        return finish_alone(&context.outbox, lease).await;
    };
    let has_succeeded = payment.state == PaymentState::Succeeded;
    if has_succeeded && !chargebacks::concerns(context.pool(), payment.id).await? {
        return finish_alone(&context.outbox, lease).await;
    }
    let Some(cards) = &context.cards else {
        return Err(JobError::Snooze {
            reason: "cards are off".to_owned(),
        });
    };
    if has_succeeded {
        return look_back(context, lease, cards, &payment).await;
    }
    let answer = payments::consult(context.pool(), cards, &payment).await?;
    if let Verdict::Faulty(reason) = answer.verdict {
        purchases::commands::delay_payment(&context.outbox, &payment).await?;
        return Err(JobError::retry(reason));
    }
    purchases::commands::pay(&context.outbox, lease, &answer).await??;
    Ok(())
}

/// Hands evidence over, and writes down what of the payment went back to its card.
async fn look_back(
    context: &Context,
    lease: &Lease,
    cards: &Cards,
    payment: &Payment,
) -> Result<(), JobError> {
    let Some(intent) = &payment.provider_id else {
        return finish_alone(&context.outbox, lease).await;
    };
    for (dispute, evidence) in chargebacks::unsent(context.pool(), payment.id).await? {
        cards.answer_dispute(&dispute, &evidence).await?;
        chargebacks::commands::note_sent(context.pool(), &dispute).await?;
    }
    let reversals = cards.list_reversals(intent).await?;
    chargebacks::commands::record(&context.outbox, lease, payment, &reversals).await??;
    Ok(())
}

/// One that failed is asked after too, when the provider gives notice: its money would be credited. One that
/// succeeded may go back to its card.
fn may_change(payment: &Payment) -> bool {
    match payment.state {
        PaymentState::Failed | PaymentState::Canceled => payment.provider_id.is_some(),
        _ => true,
    }
}
