//! Published vectors, round trips, and our statements through another implementation.

use std::process::Command;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use proptest::prelude::*;
use ring::signature::{ED25519, UnparsedPublicKey};
use serde_json::{Value, json};

use super::{RFC_THUMBPRINT, RFC_X, TYP, forge, receipt, signer, signer_of};
use crate::limits::SIGNED_STATEMENT_BYTES_MAX;
use crate::signatures::{Jwks, PublicKey, Quote, Receipt, SignatureError, Verifier};

/// RFC 8037, appendix A.4.
const RFC_SIGNED: &str = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
const RFC_SIGNATURE: &str =
    "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";

#[test]
fn the_published_key_has_its_published_thumbprint() {
    let signer = signer();
    assert_eq!(signer.key_id(), RFC_THUMBPRINT);
    let key = &signer.jwks().keys[0];
    assert_eq!((key.x.as_str(), key.kid.as_str()), (RFC_X, RFC_THUMBPRINT));
}

#[test]
fn the_published_signature_is_made_and_verified() {
    let claims = b"Example of Ed25519 signing";
    let token = forge(&json!({"alg": "EdDSA"}), claims);
    assert_eq!(token, format!("{RFC_SIGNED}.{RFC_SIGNATURE}"));
    let key = PublicKey::from_base64url(RFC_X).expect("a key");
    let signature = BASE64_URL_SAFE_NO_PAD
        .decode(RFC_SIGNATURE)
        .expect("base64");
    assert!(key.verifies(RFC_SIGNED.as_bytes(), &signature));
}

#[test]
fn the_same_claims_give_the_same_bytes() {
    let token = signer().sign(Receipt::TYP, &receipt());
    assert_eq!(token, signer().sign(Receipt::TYP, &receipt()));
    let header = token.split('.').next().expect("a header");
    let header = BASE64_URL_SAFE_NO_PAD.decode(header).expect("base64");
    let expected =
        format!(r#"{{"alg":"EdDSA","typ":"awareness-receipt+jwt","kid":"{RFC_THUMBPRINT}"}}"#);
    assert_eq!(String::from_utf8(header).expect("text"), expected);
    assert!(
        token.len() < SIGNED_STATEMENT_BYTES_MAX / 4,
        "{}",
        token.len()
    );
}

#[test]
fn the_claims_of_a_receipt_are_what_its_readers_know() {
    let json = serde_json::to_value(receipt()).expect("JSON");
    let names: Vec<&str> = json
        .as_object()
        .expect("claims")
        .keys()
        .map(String::as_str)
        .collect();
    let expected = "iss sub iat purchaseId buyerId sellerId packageId packageType licenseMode \
                    amountMinor currency price packageSha256 wMatrixSha256 settledAt";
    assert_eq!(names.join(" "), expected);
    assert_eq!(json["settledAt"], "2026-01-02T03:04:05.678901Z");
    assert_eq!(
        (&json["packageType"], &json["price"]),
        (&json!("vector"), &json!("9.99"))
    );
}

#[test]
fn a_quote_holds_until_the_second_of_its_end_and_is_no_receipt() {
    let claims = json!({
        "iss": "https://awareness.market", "sub": "quo_1", "iat": 1000, "exp": 1600,
        "quoteId": "quo_1", "buyerId": uuid::Uuid::from_u128(1), "packageId": "pkg_1",
        "packageType": "chain", "listingVersion": 3, "amountMinor": 999, "currency": "USD",
        "price": "9.99", "packageSha256": "aa".repeat(32), "wMatrixSha256": "bb".repeat(32),
    });
    let token = signer().sign(Quote::TYP, &claims);
    let verifier = Verifier::from(&signer());
    let quote: Quote = verifier.verify(Quote::TYP, &token).expect("it holds");
    assert_eq!(serde_json::to_value(&quote).expect("JSON"), claims);
    assert!(quote.is_live_at(1599) && !quote.is_live_at(1600));
    let error = verifier.verify::<Receipt>(Receipt::TYP, &token);
    assert!(
        matches!(error, Err(SignatureError::WrongType { .. })),
        "{error:?}"
    );
}

/// `openssl pkeyutl` over the signed bytes; none if there is no openssl.
fn openssl_accepts(key: &PublicKey, message: &[u8], signature: &[u8]) -> Option<bool> {
    let folder =
        std::env::temp_dir().join(format!("awareness-signatures-{}", uuid::Uuid::new_v4()));
    std::fs::create_dir(&folder).expect("a folder");
    // RFC 8410: the SubjectPublicKeyInfo of an Ed25519 key is this prefix and the key.
    let mut spki = hex::decode("302a300506032b6570032100").expect("hex");
    let x = BASE64_URL_SAFE_NO_PAD
        .decode(key.to_base64url())
        .expect("base64");
    spki.extend(x);
    for (name, bytes) in [
        ("key", &spki[..]),
        ("message", message),
        ("signature", signature),
    ] {
        std::fs::write(folder.join(name), bytes).expect("a file");
    }
    let words =
        "pkeyutl -verify -pubin -keyform DER -inkey key -rawin -in message -sigfile signature";
    let run = Command::new("openssl")
        .args(words.split(' '))
        .current_dir(&folder)
        .output();
    std::fs::remove_dir_all(&folder).expect("our own folder");
    match run {
        Ok(output) => Some(output.status.success()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => panic!("openssl: {error}"),
    }
}

#[test]
fn openssl_accepts_our_receipts_and_no_others() {
    let token = signer().sign(Receipt::TYP, &receipt());
    let (signed, signature) = token.rsplit_once('.').expect("parts");
    let signature = BASE64_URL_SAFE_NO_PAD.decode(signature).expect("base64");
    let jwks = signer().jwks();
    let key = PublicKey::from_base64url(&jwks.keys[0].x).expect("a key");
    let Some(accepted) = openssl_accepts(&key, signed.as_bytes(), &signature) else {
        eprintln!("skipped: openssl is not installed");
        return;
    };
    assert!(accepted);
    let changed = signed.replacen('e', "f", 1);
    assert_eq!(
        openssl_accepts(&key, changed.as_bytes(), &signature),
        Some(false)
    );
}

proptest! {
    #[test]
    fn a_round_trip_gives_the_claims_back(seed in any::<[u8; 32]>(), text in ".{0,200}", number in any::<i64>()) {
        let signer = signer_of(&hex::encode(seed), &[]);
        let claims = json!({"text": text, "number": number});
        let token = signer.sign(TYP, &claims);
        let jwks = Jwks::parse(&serde_json::to_string(&signer.jwks()).expect("JSON")).expect("a set");
        let verifier = Verifier::try_from(&jwks).expect("a key");
        prop_assert_eq!(verifier.verify::<Value>(TYP, &token).expect("it holds"), claims);

        // The bytes on the curve, without any of our own code on the way back.
        let (signed, signature) = token.rsplit_once('.').expect("parts");
        let decode = |text: &str| BASE64_URL_SAFE_NO_PAD.decode(text).expect("base64");
        let key = UnparsedPublicKey::new(&ED25519, decode(&jwks.keys[0].x));
        prop_assert!(key.verify(signed.as_bytes(), &decode(signature)).is_ok());
    }
}
