//! What people write for people: trimmed, bounded, and free of control characters.

use crate::error::{ApiError, Code};

/// The text of a field that must say something.
pub fn required(field: &str, text: &str, chars_max: usize) -> Result<String, ApiError> {
    let text = text.trim();
    let count = text.chars().count();
    let fault = if count == 0 || count > chars_max {
        format!("must have 1 to {chars_max} characters, and has {count}")
    } else if text
        .chars()
        .any(|char| char.is_control() && char != '\n' && char != '\t')
    {
        "must have no control characters".to_owned()
    } else {
        return Ok(text.to_owned());
    };
    Err(ApiError::new(Code::InvalidInput, format!("{field} {fault}.")).field(field, fault))
}

/// The same of a field that may be left out, or empty.
pub fn optional(
    field: &str,
    text: Option<&str>,
    chars_max: usize,
) -> Result<Option<String>, ApiError> {
    text.filter(|text| !text.trim().is_empty())
        .map(|text| required(field, text, chars_max))
        .transpose()
}
