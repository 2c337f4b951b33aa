//! The rules of `verdict`, case by case.

use std::collections::BTreeMap;

use chrono::TimeDelta;

use super::*;
use crate::cards::Doubt;
use crate::ids::{ApiKeyId, PaymentId, UserId};
use crate::payments::Purpose;

fn payment() -> Payment {
    let now = Utc::now();
    Payment {
        id: PaymentId::new(),
        user_id: UserId::new(),
        api_key_id: ApiKeyId::new(),
        purpose: Purpose::TopUp,
        purchase_id: None,
        amount_minor: 2000,
        currency: "USD".to_owned(),
        method_id: Some("pm_card_visa".to_owned()),
        state: PaymentState::Created,
        provider_id: None,
        client_secret: None,
        reason_code: None,
        decline_code: None,
        message: None,
        request_id: "req_1".to_owned(),
        webhook_url: None,
        version: 1,
        looks: 0,
        sent_at: None,
        expires_at: now + TimeDelta::hours(1),
        called_off_at: None,
        delayed_at: None,
        created_at: now,
        finished_at: None,
    }
}

fn intent(status: IntentStatus) -> Intent {
    let amount_received_minor = match status {
        IntentStatus::Succeeded => 2000,
        _ => 0,
    };
    Intent {
        id: "pi_1".to_owned(),
        status,
        client_secret: Some("pi_1_secret".into()),
        amount_minor: 2000,
        amount_received_minor,
        currency: "usd".to_owned(),
        last_error: None,
        metadata: BTreeMap::new(),
    }
}

fn decline() -> Decline {
    Decline {
        code: Some("card_declined".to_owned()),
        decline_code: Some("insufficient_funds".to_owned()),
        message: "Your card has insufficient funds.".to_owned(),
    }
}

fn created(payment: &Payment, result: Result<Intent, CardError>) -> Verdict {
    Answer::to_create(payment, result, Utc::now()).verdict
}

fn retrieved(payment: &Payment, result: Result<Intent, CardError>) -> Verdict {
    Answer::to_retrieve(payment, result, Utc::now()).verdict
}

fn refused(status: u16) -> CardError {
    CardError::Refused {
        status,
        code: None,
        message: "No such PaymentMethod.".to_owned(),
    }
}

#[test]
fn only_the_whole_amount_in_its_currency_is_paid() {
    let payment = payment();
    let paid = intent(IntentStatus::Succeeded);
    assert_eq!(created(&payment, Ok(paid.clone())), Verdict::Paid);
    for other in [
        Intent {
            amount_minor: 1999,
            ..paid.clone()
        },
        Intent {
            amount_received_minor: 1999,
            ..paid.clone()
        },
        Intent {
            currency: "eur".to_owned(),
            ..paid.clone()
        },
    ] {
        let verdict = created(&payment, Ok(other.clone()));
        assert!(matches!(verdict, Verdict::Suspect(_)), "{other:?}");
    }
    let known = Payment {
        provider_id: Some("pi_2".to_owned()),
        ..payment
    };
    let verdict = retrieved(&known, Ok(paid));
    assert!(matches!(verdict, Verdict::Suspect(_)), "another payment");
}

#[test]
fn what_may_have_charged_somebody_is_never_over() {
    let payment = payment();
    for doubt in [Doubt::Timeout, Doubt::Status(503), Doubt::UnderWay] {
        let verdict = created(&payment, Err(CardError::Unknown(doubt)));
        assert!(matches!(verdict, Verdict::Unclear(_)), "{verdict:?}");
    }
    for status in [
        IntentStatus::RequiresCapture,
        IntentStatus::Other("requires_patience".to_owned()),
    ] {
        let verdict = retrieved(&payment, Ok(intent(status)));
        assert!(matches!(verdict, Verdict::Unclear(_)), "{verdict:?}");
    }
    let verdict = created(&payment, Err(CardError::IdempotencyConflict));
    assert!(matches!(verdict, Verdict::Suspect(_)), "{verdict:?}");
}

#[test]
fn a_question_without_an_answer_says_nothing_new() {
    let payment = payment();
    for error in [
        CardError::Unknown(Doubt::Timeout),
        CardError::RateLimited { retry_after: None },
    ] {
        let verdict = retrieved(&payment, Err(error));
        assert!(matches!(verdict, Verdict::Later(_)), "{verdict:?}");
        for state in PaymentState::ALL {
            assert_eq!(verdict.next_state(state), None);
        }
    }
    let gone = retrieved(&payment, Err(refused(404)));
    assert!(matches!(gone, Verdict::Suspect(_)), "{gone:?}");
}

#[test]
fn a_named_card_that_is_declined_is_cancelled_and_a_chosen_one_may_be_changed() {
    let named = payment();
    let chosen = Payment {
        method_id: None,
        ..payment()
    };
    let declined = Intent {
        last_error: Some(decline()),
        ..intent(IntentStatus::RequiresPaymentMethod)
    };
    let error = CardError::Declined {
        intent: Some(Box::new(declined.clone())),
        decline: decline(),
    };
    let reason = Reason::Declined(decline());
    assert_eq!(
        created(&named, Err(error)),
        Verdict::Hopeless(reason.clone())
    );
    assert_eq!(
        retrieved(&chosen, Ok(declined.clone())),
        Verdict::Open(PaymentState::RequiresPaymentMethod)
    );
    let cancelled = Intent {
        status: IntentStatus::Canceled,
        ..declined
    };
    assert_eq!(retrieved(&named, Ok(cancelled)), Verdict::Over(reason));
}

#[test]
fn a_payer_who_never_comes_is_cancelled_and_a_bank_at_work_is_not() {
    let late = Payment {
        expires_at: Utc::now() - TimeDelta::seconds(1),
        ..payment()
    };
    for status in [
        IntentStatus::RequiresAction,
        IntentStatus::RequiresConfirmation,
        IntentStatus::RequiresPaymentMethod,
    ] {
        let verdict = retrieved(&late, Ok(intent(status)));
        assert_eq!(verdict, Verdict::Hopeless(Reason::Expired));
    }
    let verdict = retrieved(&late, Ok(intent(IntentStatus::Processing)));
    assert_eq!(verdict, Verdict::Open(PaymentState::Processing));
    let verdict = retrieved(&late, Ok(intent(IntentStatus::Succeeded)));
    assert_eq!(verdict, Verdict::Paid);
}

#[test]
fn a_payment_that_was_called_off_is_cancelled_and_its_money_is_credited_all_the_same() {
    let off = Payment {
        called_off_at: Some(Utc::now()),
        ..payment()
    };
    for status in [
        IntentStatus::RequiresAction,
        IntentStatus::RequiresConfirmation,
        IntentStatus::RequiresPaymentMethod,
    ] {
        let verdict = retrieved(&off, Ok(intent(status)));
        assert_eq!(verdict, Verdict::Hopeless(Reason::Canceled));
    }
    let verdict = retrieved(&off, Ok(intent(IntentStatus::Succeeded)));
    assert_eq!(verdict, Verdict::Paid);
}

#[test]
fn only_what_the_bank_has_seen_is_under_way() {
    let open = |status| retrieved(&payment(), Ok(intent(status)));
    assert_eq!(
        open(IntentStatus::RequiresConfirmation),
        Verdict::Open(PaymentState::RequiresPaymentMethod)
    );
    assert_eq!(
        open(IntentStatus::RequiresAction),
        Verdict::Open(PaymentState::RequiresAction)
    );
}

#[test]
fn an_unknown_method_ends_the_payment_and_a_refusal_of_our_request_or_account_does_not() {
    let payment = payment();
    let verdict = created(&payment, Err(CardError::MethodUnknown));
    assert_eq!(verdict, Verdict::Over(Reason::MethodUnknown));
    for status in [400, 401, 403, 404] {
        let verdict = created(&payment, Err(refused(status)));
        assert!(matches!(verdict, Verdict::Faulty(_)), "{status}");
    }
}

#[test]
fn money_that_arrives_late_is_credited_and_nothing_else_changes_what_is_over() {
    for over in [PaymentState::Failed, PaymentState::Canceled] {
        assert_eq!(
            Verdict::Paid.next_state(over),
            Some(PaymentState::Succeeded)
        );
        let doubt = Verdict::Unclear(String::new());
        assert_eq!(doubt.next_state(over), None);
        let open = Verdict::Open(PaymentState::Processing);
        assert_eq!(open.next_state(over), None);
    }
    for verdict in [
        Verdict::Paid,
        Verdict::Over(Reason::Expired),
        Verdict::Unclear(String::new()),
    ] {
        assert_eq!(verdict.next_state(PaymentState::Succeeded), None);
    }
}
