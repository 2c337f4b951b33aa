//! What an owner says of an agent, and within which bounds.

use serde_json::{Value, json};
use unicode_normalization::UnicodeNormalization as _;

use super::Availability;
use crate::limits::{
    AGENT_CAPACITY_MAX, AGENT_DESCRIPTION_CHARS_MAX, AGENT_METADATA_BYTES_MAX,
    AGENT_NAME_CHARS_MAX, CAPABILITIES_MAX, CAPABILITY_CHARS_MAX,
};
use crate::merge_patch::Patch;
use crate::money::{DEFAULT_CURRENCY, PRICE_MINOR_MAX};
use crate::uploads::FieldFault;
use crate::webhooks::{Policy, check_url};

/// All that an owner says.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct Profile {
    pub name: String,
    pub description: String,
    pub capabilities: Vec<String>,
    pub cost_per_task_minor: i64,
    pub currency: String,
    pub capacity_per_hour: Option<i32>,
    pub availability: Availability,
    pub endpoint_url: Option<String>,
    pub card_url: Option<String>,
    pub metadata: Value,
}

/// What to change; none leaves a field as it is.
#[derive(Debug, Clone, Default)]
pub struct ProfileChanges {
    pub name: Option<String>,
    pub description: Patch<String>,
    pub capabilities: Option<Vec<String>>,
    pub cost_per_task_minor: Option<i64>,
    pub capacity_per_hour: Patch<i64>,
    pub availability: Option<Availability>,
    pub endpoint_url: Patch<String>,
    pub card_url: Patch<String>,
    pub metadata: Patch<Value>,
}

impl Default for Profile {
    /// That of an agent of which nothing is said yet.
    fn default() -> Self {
        Self {
            name: String::new(),
            description: String::new(),
            capabilities: Vec::new(),
            cost_per_task_minor: 0,
            currency: DEFAULT_CURRENCY.to_owned(),
            capacity_per_hour: None,
            availability: Availability::Online,
            endpoint_url: None,
            card_url: None,
            metadata: json!({}),
        }
    }
}

impl Profile {
    /// With the changes made; all that is wrong with it then, if something is.
    pub fn with(
        mut self,
        changes: ProfileChanges,
        policy: &Policy,
    ) -> Result<Self, Vec<FieldFault>> {
        if let Some(name) = changes.name {
            self.name = name.nfc().collect::<String>().trim().to_owned();
        }
        self.description = changes.description.or(self.description);
        if let Some(capabilities) = changes.capabilities {
            self.capabilities = normalised(&capabilities);
        }
        self.cost_per_task_minor = changes
            .cost_per_task_minor
            .unwrap_or(self.cost_per_task_minor);
        let capacity = changes
            .capacity_per_hour
            .or_option(self.capacity_per_hour.map(i64::from));
        self.capacity_per_hour = capacity.and_then(|capacity| i32::try_from(capacity).ok());
        self.availability = changes.availability.unwrap_or(self.availability);
        self.endpoint_url = changes.endpoint_url.or_option(self.endpoint_url);
        self.card_url = changes.card_url.or_option(self.card_url);
        self.metadata = match changes.metadata {
            Patch::Keep => self.metadata,
            Patch::Clear => json!({}),
            Patch::Set(metadata) => metadata,
        };
        let mut faults = self.faults(policy);
        if capacity.is_some_and(|capacity| !(1..=AGENT_CAPACITY_MAX).contains(&capacity)) {
            let message = format!("must be from 1 to {AGENT_CAPACITY_MAX}");
            faults.push(FieldFault::new("capacityPerHour", message));
        }
        if faults.is_empty() {
            Ok(self)
        } else {
            Err(faults)
        }
    }

    fn faults(&self, policy: &Policy) -> Vec<FieldFault> {
        let mut faults = Vec::new();
        let mut require = |is_met: bool, field: &str, message: String| {
            if !is_met {
                faults.push(FieldFault::new(field, message));
            }
        };
        let is_shown = |text: &str| !text.chars().any(char::is_control);
        require(
            (1..=AGENT_NAME_CHARS_MAX).contains(&self.name.chars().count()) && is_shown(&self.name),
            "name",
            format!("must have 1 to {AGENT_NAME_CHARS_MAX} characters, and no control characters"),
        );
        require(
            self.description.chars().count() <= AGENT_DESCRIPTION_CHARS_MAX,
            "description",
            format!("must have at most {AGENT_DESCRIPTION_CHARS_MAX} characters"),
        );
        require(
            (1..=CAPABILITIES_MAX).contains(&self.capabilities.len()),
            "capabilities",
            format!("must name 1 to {CAPABILITIES_MAX} capabilities"),
        );
        let is_capability = |text: &String| {
            (1..=CAPABILITY_CHARS_MAX).contains(&text.chars().count()) && is_shown(text)
        };
        require(
            self.capabilities.iter().all(is_capability),
            "capabilities",
            format!(
                "must each have 1 to {CAPABILITY_CHARS_MAX} characters, and no control characters"
            ),
        );
        require(
            (0..=PRICE_MINOR_MAX).contains(&self.cost_per_task_minor),
            "costPerTaskMinor",
            format!("must be from 0 to {PRICE_MINOR_MAX}"),
        );
        require(
            self.metadata.is_object()
                && self.metadata.to_string().len() <= AGENT_METADATA_BYTES_MAX,
            "metadata",
            format!("must be an object of at most {AGENT_METADATA_BYTES_MAX} bytes"),
        );
        for (field, url) in [
            ("endpointUrl", &self.endpoint_url),
            ("cardUrl", &self.card_url),
        ] {
            if let Some(Err(refusal)) = url.as_ref().map(|url| check_url(url, policy)) {
                require(false, field, refusal.to_string());
            }
        }
        faults
    }
}

/// Capabilities as they are compared: trimmed, in compatibility form and lower case, each once.
pub fn normalised(capabilities: &[String]) -> Vec<String> {
    let mut unique: Vec<String> = Vec::with_capacity(capabilities.len());
    for text in capabilities {
        let capability = normalised_capability(text);
        if !unique.contains(&capability) {
            unique.push(capability);
        }
    }
    unique
}

/// A capability as it is compared.
pub fn normalised_capability(text: &str) -> String {
    let folded = text.nfkc().collect::<String>().to_lowercase();
    folded.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capabilities_that_mean_one_thing_are_one() {
        let given = [
            " Vision ",
            "vision",
            "ＶＩＳＩＯＮ",
            "image  to\ttext",
            "ÉTÉ",
        ];
        let given = given.map(str::to_owned);
        assert_eq!(normalised(&given), ["vision", "image to text", "été"]);
    }
}
