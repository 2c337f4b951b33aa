//! What a receiver may ask of us in the response header `webhook-delivery`.

/// The response header.
pub const DIRECTIVE_HEADER: &str = "webhook-delivery";

/// A wish of the receiver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Directive {
    /// Send nothing more to this endpoint.
    Disable,
    /// Do not send this message again.
    AbortMessage,
}

/// Reads the header; anything else is no directive.
pub fn parse(text: &str) -> Option<Directive> {
    match text.trim().to_ascii_lowercase().as_str() {
        "disable" => Some(Directive::Disable),
        "abort-message" => Some(Directive::AbortMessage),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_two_directives_are_read_and_nothing_else() {
        assert_eq!(parse("disable"), Some(Directive::Disable));
        assert_eq!(parse(" Abort-Message "), Some(Directive::AbortMessage));
        for text in ["", "disabled", "abort", "disable, abort-message", "stop"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
