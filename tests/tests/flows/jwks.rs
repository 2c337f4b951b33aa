//! The public keys: whoever verifies a receipt finds them as any JOSE library expects them.

use common::config::SigningConfig;
use common::signatures::{Jwks, Signer, Verifier};
use serde_json::{Value, json};
use tests::World;
use tests::world::SIGNING_KEY;

#[tokio::test]
async fn anybody_reads_the_live_and_the_retired_key_without_an_envelope() {
    let world = World::only_api().await;
    let answer = world.anonymous.get("/.well-known/jwks.json").await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answer.header("content-type"), "application/jwk-set+json");
    assert_eq!(answer.header("cache-control"), "public, max-age=300");
    let okp = |x: &str, kid: &str| json!({"kty": "OKP", "crv": "Ed25519", "x": x, "kid": kid, "alg": "EdDSA", "use": "sig"});
    let live = okp(
        "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
        "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k",
    );
    let retired = okp(
        "PUAXw-hDiVqStwqnTRt-vJyYLM8uxJaMwM1V8Sr0Zgw",
        "FtIu-VbGrfe_KB6CH7GNwODB72MNxj_ml11dEvO-7kk",
    );
    assert_eq!(answer.json(), json!({"keys": [live, retired]}));

    let signer = Signer::new(&SigningConfig {
        key: SIGNING_KEY.into(),
        retired_keys: Vec::new(),
    });
    let token = signer.sign("test+jwt", &json!({"said": true}));
    let verifier = Verifier::try_from(&Jwks::parse(&answer.text).unwrap()).unwrap();
    let claims: Value = verifier.verify("test+jwt", &token).unwrap();
    assert_eq!(claims, json!({"said": true}));
}
