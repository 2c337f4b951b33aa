//! A process with other keys than those of its database stops before it serves.

use common::canaries::{KeyError, check_keys};
use common::config::{SecretConfig, SigningConfig};
use common::identity::Sealer;
use common::signatures::Signer;
use tests::World;

fn signer(digit: &str, retired: &[&Signer]) -> Signer {
    let public_half = |signer: &&Signer| {
        let key = signer.jwks().keys.remove(0);
        let bytes = base64_url(&key.x);
        hex::encode(bytes).parse().expect("32 bytes")
    };
    Signer::new(&SigningConfig {
        key: digit.repeat(64).into(),
        retired_keys: retired.iter().map(public_half).collect(),
    })
}

fn base64_url(text: &str) -> Vec<u8> {
    use base64::Engine as _;
    base64::prelude::BASE64_URL_SAFE_NO_PAD
        .decode(text)
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn another_master_key_or_an_unknown_signing_key_stops_a_process() {
    let world = World::only_api().await;
    sqlx::query("delete from canaries where name = 'signing_key'")
        .execute(&world.pool)
        .await
        .unwrap();
    let sealer = Sealer::new(&world.secrets());
    let (first, other) = (signer("1", &[]), signer("2", &[]));
    let next = signer("2", &[&first]);
    let check =
        async |sealer: &Sealer, signer: &Signer| check_keys(&world.pool, sealer, signer).await;
    for _ in 0..2 {
        check(&sealer, &first).await.unwrap();
    }
    let stopped = check(&sealer, &other).await.unwrap_err();
    assert!(
        matches!(&stopped, KeyError::SigningKey { signed_with } if signed_with == first.key_id())
    );
    check(&sealer, &next)
        .await
        .expect("the first key is retired");
    assert!(check(&sealer, &first).await.is_err(), "the first key went");

    let wrong = Sealer::new(&SecretConfig {
        master_key: "e".repeat(64).into(),
    });
    let stopped = check(&wrong, &next).await.unwrap_err();
    assert!(matches!(stopped, KeyError::MasterKey), "{stopped}");
    // A database from before there were canaries has sealed keys.
    sqlx::query("delete from canaries")
        .execute(&world.pool)
        .await
        .unwrap();
    let stopped = check(&wrong, &next).await.unwrap_err();
    assert!(matches!(stopped, KeyError::MasterKey), "{stopped}");
}
