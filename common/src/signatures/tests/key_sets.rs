//! Sets of keys: which are published, which are trusted, which cannot be used.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::{RFC_SEED, RFC_THUMBPRINT, RFC_X, TYP, signer, signer_of, verify};
use crate::limits::KEY_SET_BYTES_MAX;
use crate::signatures::{Jwks, SignatureError, Verified, Verifier};

#[test]
fn a_retired_key_verifies_and_a_stranger_s_does_not() {
    let old = signer_of(&"11".repeat(32), &[]);
    let old_public = BASE64_URL_SAFE_NO_PAD
        .decode(&old.jwks().keys[0].x)
        .expect("base64");
    let old_public = hex::encode(old_public);
    let token = old.sign(TYP, &json!({}));
    let error = verify(&token).expect_err("a stranger's");
    assert!(matches!(&error, SignatureError::UnknownKey(id) if id == old.key_id()));

    // Listed twice, and the live key among the retired: each is published once.
    let live_public = hex::encode(BASE64_URL_SAFE_NO_PAD.decode(RFC_X).expect("base64"));
    let signer = signer_of(RFC_SEED, &[&old_public, &old_public, &live_public]);
    let kids: Vec<String> = signer.jwks().keys.into_iter().map(|key| key.kid).collect();
    assert_eq!(kids, [RFC_THUMBPRINT, old.key_id()]);
    let verified: Verified<Value> = Verifier::from(&signer).open(TYP, &token).expect("known");
    assert_eq!(verified.key_id, old.key_id());
}

#[test]
fn a_key_set_is_read_from_its_text_and_keys_of_others_are_passed_over() {
    let jwks = serde_json::to_string(&signer().jwks()).expect("JSON");
    let parsed = Jwks::parse(&jwks).expect("a key set");
    assert_eq!(parsed, signer().jwks());
    let mixed = json!({"keys": [
        {"kty": "RSA", "n": "AQAB", "e": "AQAB"},
        {"kty": "OKP", "crv": "X25519", "x": RFC_X},
        {"kty": "OKP", "crv": "Ed25519", "x": RFC_X, "kid": "another name", "d": "ignored"},
    ]});
    let mixed = Jwks::parse(&mixed.to_string()).expect("a key set");
    let verifier = Verifier::try_from(&mixed).expect("one key");
    let token = signer().sign(TYP, &json!({"a": 1}));
    assert_eq!(
        verifier.verify::<Value>(TYP, &token).expect("it holds"),
        json!({"a": 1})
    );
}

#[test]
fn a_key_set_that_cannot_verify_says_why() {
    let refusal = |text: &str| {
        let parsed = Jwks::parse(text).and_then(|jwks| Verifier::try_from(&jwks));
        parsed.expect_err("unusable").to_string()
    };
    assert!(refusal("[]").contains("no JSON Web Key Set"));
    assert!(refusal(r#"{"keys":[]}"#).contains("no Ed25519 key"));
    let padded = format!("{RFC_X}=");
    for x in ["", "AAAA", padded.as_str()] {
        let text = json!({"keys": [{"kty": "OKP", "crv": "Ed25519", "x": x}]}).to_string();
        assert!(refusal(&text).starts_with("the 1. key"), "{x}");
    }
    for (name, value) in [
        ("use", "enc"),
        ("alg", "ES256"),
        ("crv", "X25519"),
        ("kty", "EC"),
    ] {
        let mut key = json!({"kty": "OKP", "crv": "Ed25519", "x": RFC_X});
        key[name] = json!(value);
        assert!(refusal(&json!({"keys": [key]}).to_string()).contains("no Ed25519 key"));
    }
    assert!(refusal(&" ".repeat(KEY_SET_BYTES_MAX + 1)).contains("longer"));
}
