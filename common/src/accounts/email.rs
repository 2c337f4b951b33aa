//! E-mail addresses as they are compared.

use email_address::{EmailAddress, Options};

use crate::limits::EMAIL_BYTES_MAX;

/// An e-mail address as RFC 5321 has them (without SMTPUTF8), in lower case, its domain as DNS has it.
pub(super) fn normal_email(text: &str) -> Option<String> {
    let options = Options::default()
        .with_required_tld()
        .without_display_text()
        .without_domain_literal();
    let email = EmailAddress::parse_with_options(text.trim(), options).ok()?;
    let domain = url::Host::parse(email.domain()).ok()?;
    let normal = format!("{}@{domain}", email.local_part()).to_lowercase();
    (email.local_part().is_ascii() && normal.len() <= EMAIL_BYTES_MAX).then_some(normal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_one_that_a_mail_server_takes() {
        for (typed, normal) in [
            (
                " Grace.Hopper+navy@Example.COM ",
                "grace.hopper+navy@example.com",
            ),
            (
                "o'neil!#$%&*/=?^_`{|}~@example.com",
                "o'neil!#$%&*/=?^_`{|}~@example.com",
            ),
            ("\"two words\"@example.com", "\"two words\"@example.com"),
            ("grace@bücher.example", "grace@xn--bcher-kva.example"),
        ] {
            assert_eq!(normal_email(typed).as_deref(), Some(normal));
        }
        let long = format!("{}@example.com", "a".repeat(65));
        let refused = [
            "",
            "@",
            "grace",
            "grace@",
            "@example.com",
            "grace@localhost",
            "a..b@example.com",
            ".a@example.com",
            "a@b@example.com",
            "a b@example.com",
            "a@-.com",
            "a@exa mple.com",
            "grace@[192.0.2.1]",
            "g\0@example.com",
            "Grace <grace@example.com>",
            "grâce@example.com",
            &long,
        ];
        for typed in refused {
            assert!(normal_email(typed).is_none(), "{typed}");
        }
    }
}
