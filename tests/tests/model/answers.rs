//! What the answers of the API mean to a buyer.

use common::ids::PurchaseId;
use common::purchases::PurchaseState;
use serde_json::Value;

use super::ground::Reply;
use super::history::Told;

/// The state that a purchase was shown in.
pub fn state_of(data: &Value) -> Option<PurchaseState> {
    serde_json::from_value(data["status"].clone()).ok()
}

/// The purchase that an answer names.
pub fn id_of(object: &Value) -> Option<PurchaseId> {
    PurchaseId::parse(object["purchaseId"].as_str()?)
}

/// What an answer to a purchase means; none if it must not be.
pub fn told(reply: &Reply) -> Option<Told> {
    let (data, error) = (&reply.body["data"], &reply.body["error"]);
    let details = &error["details"];
    let message = error["message"].as_str().unwrap_or_default();
    match reply.status {
        None | Some(503 | 504) => Some(Told::Unknown),
        Some(200 | 202) => Some(Told::Purchase {
            id: id_of(data)?,
            state: state_of(data)?,
            price_minor: Some(data["priceMinor"].as_i64()?),
        }),
        Some(409) if details["reason"].as_str() == Some("QUOTE_EXPIRED") => {
            Some(Told::Refused("quote expired"))
        }
        Some(400) if details["paymentMethod"].is_string() => {
            Some(Told::Refused("no sum for a card"))
        }
        Some(409) if details["reason"].as_str() == Some("RESERVED") => {
            Some(Told::Refused("reserved"))
        }
        Some(409) if details["payUrl"].is_string() => Some(Told::BoughtBefore(id_of(details)?)),
        Some(402 | 409) => match id_of(details) {
            Some(id) if details["reason"].is_string() => Some(Told::Purchase {
                id,
                state: PurchaseState::Failed,
                price_minor: None,
            }),
            Some(id) => Some(Told::BoughtBefore(id)),
            None if reply.status == Some(402) => Some(Told::Refused("not enough credits")),
            None if details["currentPrice"].is_string() => Some(Told::Refused("price changed")),
            None if message.contains("sold out") => Some(Told::Refused("sold out")),
            None if message.contains("not for sale") => Some(Told::Refused("paused")),
            None => None,
        },
        Some(403) => Some(Told::Refused("own package")),
        Some(_) => None,
    }
}

/// Its line in the table.
pub fn label_of(told: &Told) -> &'static str {
    match told {
        Told::Purchase { state, .. } => state.as_str(),
        Told::BoughtBefore(_) => "bought before",
        Told::Refused(why) => why,
        Told::Unknown => "unknown",
    }
}
