//! What happens to a payment after it succeeded: cardholders dispute it, or it is refunded.

use super::book::{Book, new_id};
use super::fault::Fault;
use super::intent::Status;
use super::reversal::{Reversal, ReversalStatus};

impl Book {
    pub(super) fn reversals_of(&self, intent: &str, are_disputes: bool) -> Vec<&Reversal> {
        let all = self.reversals.iter();
        all.filter(|it| it.payment_intent == intent && it.is_dispute() == are_disputes)
            .collect()
    }

    /// Takes money of a payment back, or asks for it.
    pub(super) fn reverse(
        &mut self,
        intent: &str,
        amount_minor: Option<i64>,
        status: ReversalStatus,
    ) -> Result<Reversal, Fault> {
        let intent = self.find(intent)?.clone();
        let amount_minor = amount_minor.unwrap_or(intent.amount_minor);
        if intent.status != Status::Succeeded || !(1..=intent.amount_minor).contains(&amount_minor)
        {
            return Err(Fault::invalid("Only what was charged can go back."));
        }
        let is_refund = status == ReversalStatus::Succeeded;
        let reversal = Reversal {
            id: new_id(if is_refund { "re" } else { "dp" }),
            charge: intent.charge.clone().unwrap_or_default(),
            payment_intent: intent.id,
            amount_minor,
            currency: intent.currency,
            status,
            evidence: None,
            created_unix_seconds: Reversal::now(),
        };
        self.reversals.push(reversal.clone());
        let kind = match is_refund {
            true => "refund.created",
            false => "charge.dispute.created",
        };
        self.tell_of(kind, reversal.to_json());
        Ok(reversal)
    }

    /// Moves a dispute on, or decides it.
    pub(super) fn move_dispute(
        &mut self,
        id: &str,
        status: ReversalStatus,
        evidence: Option<&str>,
    ) -> Result<Reversal, Fault> {
        let disputes = self.reversals.iter_mut();
        let dispute = disputes.filter(|it| it.is_dispute()).find(|it| it.id == id);
        let dispute = dispute.ok_or_else(|| Fault::invalid(format!("No such dispute: '{id}'")))?;
        dispute.status = status;
        if let Some(text) = evidence {
            dispute.evidence = Some(text.to_owned());
        }
        let dispute = dispute.clone();
        let kind = match status {
            ReversalStatus::Won | ReversalStatus::Lost | ReversalStatus::WarningClosed => {
                "charge.dispute.closed"
            }
            _ => "charge.dispute.updated",
        };
        self.tell_of(kind, dispute.to_json());
        Ok(dispute)
    }
}
