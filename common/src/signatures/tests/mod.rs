//! What the tests of signed statements share: the key of RFC 8037, a forger who has it, a receipt.

mod key_sets;
mod refusals;
mod statements;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use ring::signature::Ed25519KeyPair;
use serde_json::Value;

use super::{Receipt, SignatureError, Signer, Verifier};
use crate::config::SigningConfig;
use crate::ids::{PackagePublicId, UserId};

const TYP: &str = "test+jwt";
/// RFC 8037, appendix A.1 and A.2.
const RFC_SEED: &str = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
const RFC_X: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
/// RFC 8037, appendix A.3.
const RFC_THUMBPRINT: &str = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k";

fn signer_of(seed: &str, retired: &[&str]) -> Signer {
    let retired_keys = retired.iter().map(|key| key.parse().expect("a key"));
    Signer::new(&SigningConfig {
        key: seed.into(),
        retired_keys: retired_keys.collect(),
    })
}

fn signer() -> Signer {
    signer_of(RFC_SEED, &[])
}

fn verify(token: &str) -> Result<Value, SignatureError> {
    Verifier::from(&signer()).verify(TYP, token)
}

/// Signs any header and claims with the RFC's key.
fn forge(header: &Value, claims: &[u8]) -> String {
    let encode = |bytes: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(bytes);
    let signed = format!(
        "{}.{}",
        encode(header.to_string().as_bytes()),
        encode(claims)
    );
    let seed = hex::decode(RFC_SEED).expect("hex");
    let key = Ed25519KeyPair::from_seed_unchecked(&seed).expect("a seed");
    format!("{signed}.{}", encode(key.sign(signed.as_bytes()).as_ref()))
}

fn receipt() -> Receipt {
    let settled_at = "2026-01-02T03:04:05.678901Z".parse().expect("a time");
    Receipt {
        iss: "https://awareness.market".to_owned(),
        sub: "pur_0199f7a03c1e7d528f4a5b6c7d8e9f01".to_owned(),
        iat: 1_767_323_045,
        purchase_id: "pur_0199f7a03c1e7d528f4a5b6c7d8e9f01".to_owned(),
        buyer_id: UserId(uuid::Uuid::from_u128(1)),
        seller_id: UserId(uuid::Uuid::from_u128(2)),
        package_id: PackagePublicId::parse("pkg_0199").expect("an id"),
        package_type: package::PackageType::Vector,
        license_mode: "exclusive".to_owned(),
        amount_minor: 999,
        currency: "USD".to_owned(),
        price: "9.99".to_owned(),
        package_sha256: "aa".repeat(32),
        w_matrix_sha256: "bb".repeat(32),
        settled_at,
        refunded_at: None,
    }
}
