//! The document itself, as A2A 1.0 has it: what must be there, and what more a card here must say.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::limits::AGENT_SKILLS_MAX;
use crate::webhooks::{Policy, check_url};

/// What A2A 1.0 requires of a card. What else one says is kept, and not read.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "A2aAgentCard")]
#[serde(rename_all = "camelCase")]
pub struct AgentCard {
    /// The name that people see.
    pub name: String,
    /// What it does, in words.
    pub description: String,
    /// Its own version.
    pub version: String,
    /// Where it is called, the best first.
    pub supported_interfaces: Vec<CardInterface>,
    pub capabilities: CardCapabilities,
    /// Media types that it takes.
    pub default_input_modes: Vec<String>,
    /// Media types that it answers.
    pub default_output_modes: Vec<String>,
    /// What it can do.
    pub skills: Vec<AgentSkill>,
}

/// Where an agent is called, and in which protocol.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "A2aInterface")]
#[serde(rename_all = "camelCase")]
pub struct CardInterface {
    /// The address.
    #[schemars(url)]
    pub url: String,
    /// `JSONRPC`, `GRPC` or `HTTP+JSON`.
    pub protocol_binding: String,
    /// The version of A2A.
    pub protocol_version: String,
}

/// What of the protocol an agent supports.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "A2aCapabilities")]
#[serde(default, rename_all = "camelCase")]
pub struct CardCapabilities {
    /// Whether it streams what it does.
    pub streaming: bool,
    /// Whether it calls back.
    pub push_notifications: bool,
}

/// Something that an agent can do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "AgentSkill")]
pub struct AgentSkill {
    /// Its id within the card.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What it does, in words.
    pub description: String,
    /// Words to find it by.
    pub tags: Vec<String>,
}

/// Reads a document as the card of an agent that is called at that endpoint; or says what is wrong with it.
pub fn check(text: &str, endpoint: Option<&str>, policy: &Policy) -> Result<AgentCard, String> {
    let mut reader = serde_json::Deserializer::from_str(text);
    let card: AgentCard = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let path = error.path().to_string();
        let reason = error.into_inner();
        match path.as_str() {
            "." => format!("it is not a card of A2A 1.0: {reason}"),
            path => format!("it is not a card of A2A 1.0: {path}: {reason}"),
        }
    })?;
    reader
        .end()
        .map_err(|error| format!("it is not one JSON document: {error}"))?;
    if card.supported_interfaces.is_empty() {
        return Err("supportedInterfaces is empty".to_owned());
    }
    if card.skills.len() > AGENT_SKILLS_MAX {
        return Err(format!("it has more than {AGENT_SKILLS_MAX} skills"));
    }
    // PostgreSQL keeps no NUL.
    if text.contains("\\u0000") {
        return Err("it has NUL in its text".to_owned());
    }
    for (index, interface) in card.supported_interfaces.iter().enumerate() {
        check_url(&interface.url, policy)
            .map_err(|refusal| format!("supportedInterfaces[{index}].url: {refusal}"))?;
    }
    let is_endpoint = |endpoint: &str| {
        let mut interfaces = card.supported_interfaces.iter();
        interfaces.any(|interface| is_one_address(&interface.url, endpoint))
    };
    if endpoint.is_some_and(|endpoint| !is_endpoint(endpoint)) {
        return Err("none of its supportedInterfaces is the endpointUrl of the agent".to_owned());
    }
    Ok(card)
}

/// Whether two texts name one address. A slash at the end is no difference.
fn is_one_address(one: &str, other: &str) -> bool {
    let read = |text: &str| {
        let url = Url::parse(text).ok()?;
        Some(url.as_str().trim_end_matches('/').to_owned())
    };
    read(one).is_some_and(|one| Some(one) == read(other))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const ENDPOINT: &str = "https://agents.example.com/vision";

    fn card() -> Value {
        json!({
            "name": "Vision",
            "description": "Finds what is in an image.",
            "version": "2.1",
            "provider": { "organization": "Example", "url": "https://example.com" },
            "supportedInterfaces": [
                { "url": ENDPOINT, "protocolBinding": "JSONRPC", "protocolVersion": "1.0" },
            ],
            "capabilities": { "streaming": true },
            "defaultInputModes": ["image/png"],
            "defaultOutputModes": ["text/plain"],
            "skills": [{ "id": "find", "name": "Find", "description": "Finds things.", "tags": ["vision"] }],
        })
    }

    fn checked(card: &Value) -> Result<AgentCard, String> {
        check(&card.to_string(), Some(ENDPOINT), &Policy::default())
    }

    #[test]
    fn a_card_that_names_the_endpoint_is_sound_whatever_else_it_says() {
        assert_eq!(checked(&card()).unwrap().skills[0].id, "find");
        let slash = check(
            &card().to_string(),
            Some(&format!("{ENDPOINT}/")),
            &Policy::default(),
        );
        assert!(slash.is_ok(), "{slash:?}");
        assert!(check(&card().to_string(), None, &Policy::default()).is_ok());
    }

    #[test]
    fn each_field_that_a2a_requires_is_asked_for_by_name() {
        let fields: Vec<String> = serde_json::to_value(checked(&card()).unwrap())
            .unwrap()
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect();
        assert_eq!(fields.len(), 8);
        for field in fields {
            let mut without = card();
            without.as_object_mut().unwrap().remove(&field);
            let fault = checked(&without).unwrap_err();
            assert!(fault.contains(&format!("`{field}`")), "{fault}");
        }
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        let with = |pointer: &str, value: Value| {
            let mut card = card();
            *card.pointer_mut(pointer).unwrap() = value;
            checked(&card).unwrap_err()
        };
        assert!(with("/skills/0/tags", json!("vision")).contains("skills[0].tags"));
        assert!(with("/supportedInterfaces", json!([])).contains("is empty"));
        let other = json!("https://agents.example.com/other");
        assert!(with("/supportedInterfaces/0/url", other).contains("endpointUrl"));
        let inside = json!("https://10.0.0.1/");
        assert!(with("/supportedInterfaces/0/url", inside).contains("supportedInterfaces[0].url"));
        assert!(with("/skills/0/name", json!("a\0b")).contains("NUL"));
        let text = format!("{} {{}}", card());
        assert!(check(&text, None, &Policy::default()).is_err());
        assert!(check("<html>", None, &Policy::default()).is_err());
    }
}
