//! What the sandbox knows: payments, charges, and the answers that idempotency keys remember.
//!
//! No I/O: a command changes the book and returns the answer; [`Book::take_told`] has what it tells. A key remembers
//! whatever came of a request that began to be executed, declines too; what was refused before that
//! (bad parameters, 503) may be tried again with it.

use std::collections::BTreeMap;

use chrono::Utc;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::fault::{Decline, Fault};
use super::form::Form;
use super::intent::{Intent, Status};
use super::method::{Behaviour, behaviour};
use super::reversal::Reversal;
use crate::limits;
use crate::private_file::random_hex;

/// Money that would have moved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Charge {
    pub id: String,
    /// The intent that it pays.
    pub payment_intent: String,
    pub amount_minor: i64,
    pub currency: String,
    pub created_unix_seconds: i64,
}

/// What a payment may be created with.
const CREATE_PARAMETERS: [&str; 7] = [
    "amount",
    "currency",
    "payment_method",
    "confirm",
    "description",
    "metadata",
    "automatic_payment_methods",
];

/// How a payment that waits is ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Succeed,
    Fail,
}

/// How an answer reaches the caller, if it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Manner {
    Answer,
    Silence,
    HangUp,
}

/// An answer.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) body: Value,
    pub(super) manner: Manner,
    /// Given before, to the same idempotency key.
    pub(super) is_replay: bool,
}

/// A webhook's body.
pub(super) type Event = Value;

/// What an idempotency key remembers.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Kept {
    path: String,
    form: Form,
    status: u16,
    body: Value,
    unix_seconds: i64,
}

/// The state of the sandbox.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Book {
    intents: BTreeMap<String, Intent>,
    charges: Vec<Charge>,
    #[serde(default)]
    pub(super) reversals: Vec<Reversal>,
    kept: BTreeMap<String, Kept>,
    /// How often each idempotency key was answered 503.
    turned_away: BTreeMap<String, u32>,
    /// What happened and was not told yet.
    #[serde(skip)]
    told: Vec<Event>,
}

impl Book {
    pub(super) fn charges(&self) -> &[Charge] {
        &self.charges
    }

    /// Oldest first: ids begin with the time.
    pub(super) fn intents(&self) -> impl Iterator<Item = &Intent> {
        self.intents.values()
    }

    pub(super) fn find(&self, id: &str) -> Result<&Intent, Fault> {
        self.intents.get(id).ok_or_else(|| Fault::no_intent(id))
    }

    /// Forgets the answers that the provider would have forgotten.
    pub(super) fn prune(&mut self) {
        let oldest = Utc::now().timestamp() - limits::CARD_KEY_SECONDS;
        self.kept.retain(|_, kept| kept.unix_seconds >= oldest);
        self.turned_away.clear();
    }

    /// The events since the last call, in the order in which they are to be sent.
    pub(super) fn take_told(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.told)
    }

    /// A POST to `path`, executed once for each key.
    pub(super) fn post(&mut self, path: &str, form: Form, key: Option<&str>) -> Reply {
        if let Some((key, kept)) = key.and_then(|key| Some((key, self.kept.get(key)?))) {
            if kept.path != path || kept.form != form {
                return Reply::fault(&Fault::key_reused(key));
            }
            return Reply {
                is_replay: true,
                ..Reply::new(kept.status, kept.body.clone())
            };
        }
        let (reply, is_outcome) = match self.execute(path, &form, key) {
            Ok((intent, manner)) => {
                let answer = Reply::new(200, intent.to_json());
                (Reply { manner, ..answer }, true)
            }
            Err(fault) => (Reply::fault(&fault), fault.is_outcome),
        };
        if let Some(key) = key.filter(|_| is_outcome) {
            let kept = Kept {
                path: path.to_owned(),
                form,
                status: reply.status,
                body: reply.body.clone(),
                unix_seconds: Utc::now().timestamp(),
            };
            self.kept.insert(key.to_owned(), kept);
        }
        reply
    }

    fn execute(
        &mut self,
        path: &str,
        form: &Form,
        key: Option<&str>,
    ) -> Result<(Intent, Manner), Fault> {
        let below = path.strip_prefix("/v1/payment_intents").unwrap_or_default();
        let segments: Vec<&str> = below.split('/').skip(1).collect();
        match segments[..] {
            [] => self.create(form, key),
            [id, "confirm"] => self.confirm(id, form, key),
            [id, "cancel"] => Ok((self.cancel(id, form)?, Manner::Answer)),
            _ => Err(Fault::no_route("POST", path)),
        }
    }

    fn create(&mut self, form: &Form, key: Option<&str>) -> Result<(Intent, Manner), Fault> {
        form.only(&CREATE_PARAMETERS)?;
        let (name, behaviour) = form.payment_method()?.unzip();
        let intent = new_intent(form, name)?;
        let behaviour = match (form.get("confirm"), behaviour) {
            (Some("true"), None) => return Err(Fault::missing("payment_method")),
            (Some("true"), behaviour) => behaviour,
            _ => None,
        };
        if let Some(behaviour) = behaviour {
            self.turn_away(behaviour, key)?;
        }
        self.tell("payment_intent.created", &intent);
        self.intents.insert(intent.id.clone(), intent.clone());
        match behaviour {
            Some(behaviour) => self.pay(intent, behaviour),
            None => Ok((intent, Manner::Answer)),
        }
    }

    fn confirm(
        &mut self,
        id: &str,
        form: &Form,
        key: Option<&str>,
    ) -> Result<(Intent, Manner), Fault> {
        form.only(&["payment_method"])?;
        let mut intent = self.find(id)?.clone();
        let waits = [Status::RequiresPaymentMethod, Status::RequiresConfirmation];
        if !waits.contains(&intent.status) {
            return Err(unexpected(&intent, "confirm"));
        }
        let named = form.payment_method()?;
        let kept = intent.payment_method.as_ref();
        let kept = kept.and_then(|name| Some((name.clone(), behaviour(name)?)));
        let (name, behaviour) = named
            .or(kept)
            .ok_or_else(|| unexpected(&intent, "confirm"))?;
        self.turn_away(behaviour, key)?;
        intent.payment_method = Some(name);
        self.pay(intent, behaviour)
    }

    fn cancel(&mut self, id: &str, form: &Form) -> Result<Intent, Fault> {
        form.only(&["cancellation_reason"])?;
        let mut intent = self.find(id)?.clone();
        let too_late = [Status::Processing, Status::Succeeded, Status::Canceled];
        if too_late.contains(&intent.status) {
            return Err(unexpected(&intent, "cancel"));
        }
        intent.canceled_unix_seconds = Some(Utc::now().timestamp());
        Ok(self.move_to(intent, Status::Canceled, "payment_intent.canceled"))
    }

    /// Ends what waits for the buyer or the bank.
    pub(super) fn complete(&mut self, id: &str, outcome: Outcome) -> Result<Intent, Fault> {
        let intent = self.find(id)?.clone();
        match (intent.status, outcome) {
            (Status::RequiresAction | Status::Processing, Outcome::Succeed) => {
                Ok(self.charge(intent))
            }
            (Status::RequiresAction, Outcome::Fail) => {
                let decline = Decline {
                    code: "payment_intent_authentication_failure".to_owned(),
                    decline_code: None,
                    message: "The provided PaymentMethod has failed authentication.".to_owned(),
                };
                Ok(self.decline(intent, decline))
            }
            (Status::Processing, Outcome::Fail) => {
                let decline = card_declined("generic_decline", "Your card was declined.");
                Ok(self.decline(intent, decline))
            }
            _ => Err(unexpected(&intent, "complete")),
        }
    }

    /// Fails for a method that plays a provider which is down, as often as it does.
    fn turn_away(&mut self, behaviour: Behaviour, key: Option<&str>) -> Result<(), Fault> {
        if behaviour != Behaviour::PaysAfterFaults {
            return Ok(());
        }
        let key = key.unwrap_or_default().to_owned();
        let times = self.turned_away.entry(key).or_default();
        if *times >= limits::CARD_FAULTS {
            return Ok(());
        }
        *times += 1;
        Err(Fault::down())
    }

    /// Lets the method do what it does.
    fn pay(&mut self, mut intent: Intent, behaviour: Behaviour) -> Result<(Intent, Manner), Fault> {
        intent.last_error = None;
        let intent = match behaviour {
            Behaviour::Declines {
                decline_code,
                message,
            } => {
                let decline = card_declined(decline_code, message);
                let intent = self.decline(intent, decline.clone());
                return Err(Fault::declined(&decline, intent.to_json()));
            }
            Behaviour::NeedsAction => {
                let kind = "payment_intent.requires_action";
                self.move_to(intent, Status::RequiresAction, kind)
            }
            Behaviour::Processes => {
                self.move_to(intent, Status::Processing, "payment_intent.processing")
            }
            _ => self.charge(intent),
        };
        let manner = match behaviour {
            Behaviour::PaysSilently => Manner::Silence,
            Behaviour::PaysAndHangsUp => Manner::HangUp,
            _ => Manner::Answer,
        };
        if behaviour == Behaviour::PaysTwiceTold {
            // What is told here is of this request alone.
            self.told.reverse();
            self.told.extend(self.told.first().cloned());
        }
        Ok((intent, manner))
    }

    fn charge(&mut self, mut intent: Intent) -> Intent {
        let charge = Charge {
            id: new_id("ch"),
            payment_intent: intent.id.clone(),
            amount_minor: intent.amount_minor,
            currency: intent.currency.clone(),
            created_unix_seconds: Utc::now().timestamp(),
        };
        intent.amount_received_minor = intent.amount_minor;
        intent.charge = Some(charge.id.clone());
        self.charges.push(charge);
        self.move_to(intent, Status::Succeeded, "payment_intent.succeeded")
    }

    fn decline(&mut self, mut intent: Intent, decline: Decline) -> Intent {
        intent.payment_method = None;
        intent.last_error = Some(decline);
        let kind = "payment_intent.payment_failed";
        self.move_to(intent, Status::RequiresPaymentMethod, kind)
    }

    fn move_to(&mut self, mut intent: Intent, status: Status, kind: &str) -> Intent {
        intent.status = status;
        self.tell(kind, &intent);
        self.intents.insert(intent.id.clone(), intent.clone());
        intent
    }

    fn tell(&mut self, kind: &str, intent: &Intent) {
        self.tell_of(kind, intent.to_json());
    }

    pub(super) fn tell_of(&mut self, kind: &str, object: Value) {
        self.told.push(json!({
            "id": new_id("evt"),
            "object": "event",
            "created": Utc::now().timestamp(),
            "data": {"object": object},
            "livemode": false,
            "pending_webhooks": 1,
            "type": kind,
        }));
    }
}

impl Reply {
    pub(super) fn new(status: u16, body: Value) -> Self {
        Self {
            status,
            body,
            manner: Manner::Answer,
            is_replay: false,
        }
    }

    pub(super) fn fault(fault: &Fault) -> Self {
        Self::new(fault.status, fault.to_json())
    }
}

fn new_intent(form: &Form, payment_method: Option<String>) -> Result<Intent, Fault> {
    let id = new_id("pi");
    Ok(Intent {
        client_secret: format!("{id}_secret_{}", random_hex::<12>()),
        id,
        amount_minor: form.amount_minor()?,
        amount_received_minor: 0,
        currency: form.currency()?,
        description: form.get("description").map(str::to_owned),
        metadata: form.metadata()?,
        status: match payment_method {
            Some(_) => Status::RequiresConfirmation,
            None => Status::RequiresPaymentMethod,
        },
        payment_method,
        charge: None,
        created_unix_seconds: Utc::now().timestamp(),
        canceled_unix_seconds: None,
        last_error: None,
    })
}

fn card_declined(decline_code: &str, message: &str) -> Decline {
    Decline {
        code: "card_declined".to_owned(),
        decline_code: Some(decline_code.to_owned()),
        message: message.to_owned(),
    }
}

fn unexpected(intent: &Intent, verb: &str) -> Fault {
    let object = intent.to_json();
    let message = format!(
        "You cannot {verb} this PaymentIntent because it has a status of {} and the payment method {}.",
        object["status"], object["payment_method"],
    );
    Fault::unexpected_state(message, object)
}

/// `<prefix>_…`; later ones sort after earlier ones.
pub(super) fn new_id(prefix: &str) -> String {
    let now_ms = Utc::now().timestamp_millis();
    format!("{prefix}_{now_ms:012x}{}", random_hex::<8>())
}
