//! Everything that is refused, each for its own reason.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use proptest::prelude::*;
use ring::signature::Ed25519KeyPair;
use serde_json::{Value, json};

use super::{RFC_THUMBPRINT, RFC_X, TYP, forge, receipt, signer, signer_of, verify};
use crate::limits::SIGNED_STATEMENT_BYTES_MAX;
use crate::signatures::{Receipt, SignatureError, Verifier};

#[test]
fn each_forged_header_is_refused_for_its_own_reason() {
    let header = |name: &str, value: Value| {
        let mut header = json!({"alg": "EdDSA", "typ": TYP, "kid": RFC_THUMBPRINT});
        header[name] = value;
        forge(&header, b"{}")
    };
    assert!(
        verify(&header("x", json!(1))).is_ok(),
        "the forger is no good"
    );
    for algorithm in ["none", "None", "HS256", "eddsa", "Ed25519", ""] {
        let refused = verify(&header("alg", json!(algorithm)));
        let found =
            matches!(&refused, Err(SignatureError::WrongAlgorithm(name)) if name == algorithm);
        assert!(found, "{refused:?}");
    }
    for critical in [json!(["b64"]), json!([]), json!("exp"), json!(null)] {
        let refused = verify(&header("crit", critical));
        assert!(
            matches!(refused, Err(SignatureError::CriticalExtension)),
            "{refused:?}"
        );
    }
    for typ in ["", "JWT", "Test+jwt", "application/test+jwt"] {
        let refused = verify(&header("typ", json!(typ)));
        assert!(
            matches!(refused, Err(SignatureError::WrongType { .. })),
            "{refused:?}"
        );
    }
    for kid in ["", "1", RFC_X] {
        let refused = verify(&header("kid", json!(kid)));
        assert!(
            matches!(refused, Err(SignatureError::UnknownKey(_))),
            "{refused:?}"
        );
    }
    for header in [json!([]), json!({}), json!({"alg": 1}), json!("EdDSA")] {
        let refused = verify(&forge(&header, b"{}"));
        assert!(
            matches!(refused, Err(SignatureError::Shape(_))),
            "{refused:?}"
        );
    }
}

#[test]
fn a_key_that_the_token_brings_along_is_not_trusted() {
    let stranger = signer_of(&"22".repeat(32), &[]);
    let jwk = &stranger.jwks().keys[0];
    let key = Ed25519KeyPair::from_seed_unchecked(&[0x22; 32]).expect("a seed");
    let header = json!({"alg": "EdDSA", "typ": TYP, "kid": RFC_THUMBPRINT, "jwk": jwk,
                        "jku": "https://elsewhere.example/jwks.json"});
    let signed = format!("{}.e30", BASE64_URL_SAFE_NO_PAD.encode(header.to_string()));
    let signature = BASE64_URL_SAFE_NO_PAD.encode(key.sign(signed.as_bytes()));
    let refused = verify(&format!("{signed}.{signature}"));
    assert!(
        matches!(refused, Err(SignatureError::BadSignature)),
        "{refused:?}"
    );
}

#[test]
fn what_is_no_compact_form_is_refused() {
    let good = signer().sign(TYP, &json!({}));
    let (signed, signature) = good.rsplit_once('.').expect("parts");
    let (header, claims) = signed.split_once('.').expect("parts");
    for (token, expected) in [
        (String::new(), "it has not three parts"),
        ("a".to_owned(), "it has not three parts"),
        (signed.to_owned(), "it has not three parts"),
        (format!("{good}.{signature}"), "it has not three parts"),
        (format!("%.{claims}.{signature}"), "the header is not"),
        (format!(" {good}"), "the header is not"),
        (
            format!("{header}.{claims}=.{signature}"),
            "the claims are not",
        ),
        (format!("{good}="), "the signature is not"),
        (format!("{good}\n"), "the signature is not"),
        (
            format!("{signed}.{}+/", &signature[..84]),
            "the signature is not",
        ),
    ] {
        let refused = verify(&token);
        assert!(
            matches!(refused, Err(SignatureError::Shape(why)) if why.starts_with(expected)),
            "{token}: {refused:?}"
        );
    }
    // Without a signature, and with one that is too short.
    for token in [
        format!("{signed}."),
        format!("{signed}.{}", &signature[..84]),
    ] {
        let refused = verify(&token);
        assert!(
            matches!(refused, Err(SignatureError::BadSignature)),
            "{refused:?}"
        );
    }
    let long = format!("{signed}.{}", "A".repeat(SIGNED_STATEMENT_BYTES_MAX));
    assert!(matches!(verify(&long), Err(SignatureError::TooLong)));
}

#[test]
fn claims_of_another_shape_are_refused_although_they_are_signed() {
    let header = json!({"alg": "EdDSA", "typ": Receipt::TYP, "kid": RFC_THUMBPRINT});
    let complete = serde_json::to_string(&receipt()).expect("JSON");
    let doubled = complete.replacen('{', r#"{"amountMinor":1,"#, 1);
    for claims in ["", "{}", "[]", &complete[1..], &doubled] {
        let token = forge(&header, claims.as_bytes());
        let refused = Verifier::from(&signer()).verify::<Receipt>(Receipt::TYP, &token);
        assert!(
            matches!(refused, Err(SignatureError::Claims(_))),
            "{claims}: {refused:?}"
        );
    }
}

/// 2^252 + 27742317777372353535851937790883648493, little-endian.
const ORDER: &str = "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010";

#[test]
fn a_signature_whose_scalar_is_not_reduced_is_refused() {
    let token = signer().sign(TYP, &json!({}));
    let (signed, signature) = token.rsplit_once('.').expect("parts");
    let mut bytes = BASE64_URL_SAFE_NO_PAD.decode(signature).expect("base64");
    let order = hex::decode(ORDER).expect("hex");
    let mut carry = 0_u16;
    for (byte, add) in bytes[32..].iter_mut().zip(order) {
        let sum = u16::from(*byte) + u16::from(add) + carry;
        *byte = (sum & 0xff) as u8;
        carry = sum >> 8;
    }
    assert_eq!(carry, 0, "the sum fits");
    let refused = verify(&format!(
        "{signed}.{}",
        BASE64_URL_SAFE_NO_PAD.encode(bytes)
    ));
    assert!(
        matches!(refused, Err(SignatureError::BadSignature)),
        "{refused:?}"
    );
}

#[test]
fn a_flipped_bit_anywhere_is_refused() {
    let token = signer().sign(Receipt::TYP, &receipt());
    let verifier = Verifier::from(&signer());
    assert_eq!(
        verifier
            .verify::<Receipt>(Receipt::TYP, &token)
            .expect("it holds"),
        receipt()
    );
    let mut refused = 0;
    for at in 0..token.len() {
        for bit in 0..8 {
            let mut bytes = token.clone().into_bytes();
            bytes[at] ^= 1 << bit;
            // The highest bit makes it no text at all, which nobody can hand over.
            let Ok(changed) = String::from_utf8(bytes) else {
                continue;
            };
            let verdict = verifier.verify::<Receipt>(Receipt::TYP, &changed);
            assert!(verdict.is_err(), "bit {bit} of byte {at}");
            refused += 1;
        }
    }
    assert_eq!(refused, token.len() * 7);
}

proptest! {
    #[test]
    fn any_text_is_refused_without_a_panic(token in "(eyJhbGciOiJFZERTQSJ9)?[A-Za-z0-9._ä-]{0,200}") {
        prop_assert!(verify(&token).is_err());
    }
}
