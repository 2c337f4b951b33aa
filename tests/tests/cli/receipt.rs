//! `awareness receipt verify`: an offline check by the built program, with files alone.

use std::path::PathBuf;

use common::config::SigningConfig;
use common::ids::{PackagePublicId, UserId};
use common::signatures::{Receipt, Signer};
use package::PackageType;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;
use uuid::Uuid;

use super::ground::{Call, awareness, awareness_fed};

const PACKAGE: &[u8] = b"the bytes that were bought";
const W_MATRIX: &[u8] = b"and their matrix";

/// What a buyer has in a folder.
struct Purchase {
    folder: TempDir,
    signer: Signer,
    receipt: Receipt,
}

impl Purchase {
    fn new() -> Self {
        let receipt = Receipt {
            iss: "https://awareness.market".to_owned(),
            sub: "pur_1".to_owned(),
            iat: 1_767_323_045,
            purchase_id: "pur_1".to_owned(),
            buyer_id: UserId(Uuid::from_u128(1)),
            seller_id: UserId(Uuid::from_u128(2)),
            package_id: PackagePublicId::parse("pkg_1").unwrap(),
            package_type: PackageType::Chain,
            license_mode: "exclusive".to_owned(),
            amount_minor: 999,
            currency: "USD".to_owned(),
            price: "9.99".to_owned(),
            package_sha256: hex::encode(Sha256::digest(PACKAGE)),
            w_matrix_sha256: hex::encode(Sha256::digest(W_MATRIX)),
            settled_at: "2026-01-02T03:04:05.678Z".parse().unwrap(),
            refunded_at: None,
        };
        let purchase = Self {
            folder: tempfile::tempdir().unwrap(),
            signer: signer("1a"),
            receipt,
        };
        let jwks = serde_json::to_string(&purchase.signer.jwks()).unwrap();
        purchase.file("jwks.json", jwks.as_bytes());
        purchase.file("receipt.jws", purchase.token().as_bytes());
        purchase.file("package", PACKAGE);
        purchase.file("w", W_MATRIX);
        purchase
    }

    fn token(&self) -> String {
        self.signer.sign(Receipt::TYP, &self.receipt)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn file(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.path(name), bytes).unwrap();
    }

    /// `receipt verify`, with the names of files as paths, and the keys unless others are given.
    async fn verify(&self, words: &[&str]) -> Call {
        let is_name = |word: &str| !word.starts_with('-');
        let place = |word: &&str| match is_name(word) {
            true => self.path(word).to_str().unwrap().to_owned(),
            false => (*word).to_owned(),
        };
        let mut all = vec!["receipt".to_owned(), "verify".to_owned()];
        all.extend(words.iter().map(place));
        if !words.contains(&"--keys") {
            all.extend(["--keys".to_owned(), place(&"jwks.json")]);
        }
        let all: Vec<&str> = all.iter().map(String::as_str).collect();
        awareness(&[], &all).await
    }

    /// The reason of a refusal, which is on standard output with status 1.
    async fn refusal(&self, words: &[&str]) -> String {
        let call = self.verify(&[words, &["--json"]].concat()).await;
        assert_eq!(call.status, 1, "{call:?}");
        let verdict: Value = serde_json::from_str(&call.stdout).unwrap();
        assert_eq!(verdict["valid"], false);
        verdict["reason"].as_str().unwrap().to_owned()
    }
}

fn signer(byte: &str) -> Signer {
    Signer::new(&SigningConfig {
        key: byte.repeat(32).into(),
        retired_keys: Vec::new(),
    })
}

#[tokio::test]
async fn a_valid_receipt_shows_what_was_bought_for_how_much_when_and_under_which_key() {
    let purchase = Purchase::new();
    let shown = purchase.verify(&["receipt.jws"]).await.done();
    let key_id = purchase.signer.key_id();
    for expected in [
        "VALID",
        "pur_1",
        "pkg_1, chain",
        "exclusive",
        "9.99 USD",
        "2026-01-02T03:04:05Z",
        "https://awareness.market",
        key_id,
        &purchase.receipt.package_sha256,
        "no file compared",
    ] {
        assert!(
            shown.contains(expected),
            "{expected} is missing in\n{shown}"
        );
    }
    let json = purchase.verify(&["receipt.jws", "--json"]).await.json();
    let receipt = serde_json::to_value(&purchase.receipt).unwrap();
    let expected = json!({"valid": true, "receipt": receipt, "keyId": key_id, "compared": []});
    assert_eq!(json, expected);
}

#[tokio::test]
async fn the_receipt_of_a_refunded_purchase_is_valid_and_says_so() {
    let mut purchase = Purchase::new();
    purchase.receipt.refunded_at = Some("2026-01-03T00:00:00Z".parse().unwrap());
    purchase.file("refunded.jws", purchase.token().as_bytes());
    let shown = purchase.verify(&["refunded.jws"]).await.done();
    let expected = "2026-01-02T03:04:05Z, REFUNDED 2026-01-03T00:00:00Z";
    assert!(
        shown.contains("VALID") && shown.contains(expected),
        "{shown}"
    );
}

#[tokio::test]
async fn the_token_is_taken_from_a_file_an_answer_or_standard_input() {
    let purchase = Purchase::new();
    let answer = json!({"success": true, "data": {"receipt": purchase.token()}}).to_string();
    purchase.file("answer.json", answer.as_bytes());
    purchase.file("line.jws", format!("{}\n", purchase.token()).as_bytes());
    for file in ["answer.json", "line.jws"] {
        purchase.verify(&[file]).await.done();
    }
    let keys = purchase.path("jwks.json");
    let words = ["receipt", "verify", "--keys", keys.to_str().unwrap()];
    for input in [answer, purchase.token()] {
        for words in [&words[..], &[&words[..], &["-"]].concat()] {
            awareness_fed(&[], words, &input).await.done();
        }
    }
}

#[tokio::test]
async fn downloaded_files_are_compared_with_what_was_bought() {
    let purchase = Purchase::new();
    let both = ["receipt.jws", "--package", "package", "--w-matrix", "w"];
    let shown = purchase.verify(&both).await.done();
    assert_eq!(shown.matches("the file is the same").count(), 2, "{shown}");
    let json = purchase
        .verify(&[&both[..], &["--json"]].concat())
        .await
        .json();
    assert_eq!(json["compared"], json!(["package", "wMatrix"]));

    let swapped = ["receipt.jws", "--package", "w"];
    let reason = purchase.refusal(&swapped).await;
    let digests = (
        &purchase.receipt.w_matrix_sha256,
        &purchase.receipt.package_sha256,
    );
    assert!(
        reason.contains("is not the package that was bought"),
        "{reason}"
    );
    assert!(
        reason.contains(digests.0) && reason.contains(digests.1),
        "{reason}"
    );
    let reason = purchase
        .refusal(&["receipt.jws", "--w-matrix", "package"])
        .await;
    assert!(
        reason.contains("is not the W-matrix that was bought"),
        "{reason}"
    );
    std::fs::File::create(purchase.path("huge"))
        .and_then(|file| file.set_len(common::limits::PACKAGE_BYTES_MAX + 1))
        .unwrap();
    let reason = purchase
        .refusal(&["receipt.jws", "--package", "huge"])
        .await;
    assert!(reason.contains("no package has over"), "{reason}");
}

#[tokio::test]
async fn a_refused_receipt_says_why_and_ends_with_1() {
    let purchase = Purchase::new();
    let token = purchase.token();
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let changed = format!("{}.{signature}", signed.replacen(".e", ".f", 1));
    let other_type = purchase
        .signer
        .sign("awareness-quote+jwt", &purchase.receipt);
    let evil_type = purchase
        .signer
        .sign("\u{1b}[2J\nreceipt  VALID", &purchase.receipt);
    let stranger = signer("2b").sign(Receipt::TYP, &purchase.receipt);
    let empty = purchase.signer.sign(Receipt::TYP, &json!({}));
    for (token, expected) in [
        (changed, "its signature does not match"),
        (
            other_type,
            "it is of type awareness-quote+jwt, not awareness-receipt+jwt",
        ),
        (evil_type.clone(), "it is of type"),
        (stranger, "which is not among the known ones"),
        (
            empty,
            "its claims are not those of its type: missing field `iss`",
        ),
        ("no token".to_owned(), "it is no JWS in compact form"),
        ("a".repeat(9000), "it is longer than 8192 bytes"),
        (String::new(), "it is no JWS in compact form"),
    ] {
        purchase.file("other.jws", token.as_bytes());
        let reason = purchase.refusal(&["other.jws"]).await;
        assert!(reason.contains(expected), "{reason}");
    }
    purchase.file("evil.jws", evil_type.as_bytes());
    let shown = purchase.verify(&["evil.jws"]).await;
    assert_eq!(shown.status, 1, "{shown:?}");
    assert!(
        shown
            .stdout
            .starts_with("receipt  REFUSED\nreason   it is of type \\u{1b}[2J\\n")
    );
    assert_eq!(shown.stdout.lines().count(), 2, "{shown:?}");
}

#[tokio::test]
async fn an_unusable_call_ends_with_2_and_names_the_file() {
    let purchase = Purchase::new();
    purchase.file("empty.json", b"{\"keys\":[]}");
    purchase.file(
        "error.json",
        b"{\"success\":false,\"error\":{\"code\":\"NOT_FOUND\"}}",
    );
    purchase.file("binary", &[0xff, 0xfe]);
    purchase.file("long", &[b'a'; 70_000]);
    for (words, expected) in [
        (&["nowhere"][..], "nowhere: No such file"),
        (
            &["error.json"],
            "error.json: it is JSON without `data.receipt`",
        ),
        (&["binary"], "binary: stream did not contain valid UTF-8"),
        (&["long"], "long: it is longer than 65536 bytes"),
        (
            &["receipt.jws", "--keys", "nowhere"],
            "nowhere: No such file",
        ),
        (
            &["receipt.jws", "--keys", "receipt.jws"],
            "it is no JSON Web Key Set",
        ),
        (
            &["receipt.jws", "--keys", "empty.json"],
            "it holds no Ed25519 key",
        ),
        (
            &["receipt.jws", "--package", "nowhere"],
            "nowhere: No such file",
        ),
    ] {
        let message = purchase.verify(words).await.failed(2);
        assert!(message.contains(expected), "{message}");
    }
    let keyless = awareness(&[], &["receipt", "verify"]).await.failed(2);
    assert!(keyless.contains("--keys"), "{keyless}");
}
