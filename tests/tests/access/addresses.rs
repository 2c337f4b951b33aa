//! E-mail addresses are unverified, and an unverified one reserves nothing.

use serde_json::{Value, json};
use tests::{Answer, World};

use super::accounts::{PASSWORD, register};

const ADDRESS: &str = "grace@example.com";

async fn claim(world: &World, username: &str, password: &str) -> Answer {
    let body = json!({ "email": ADDRESS, "username": username, "password": password });
    world.anonymous.post("/api/auth/register", &body).await
}

async fn login(world: &World, body: Value) -> Answer {
    world.anonymous.post("/api/auth/login", &body).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_names_somebodys_address_keeps_nobody_out() {
    let world = World::only_api().await;
    for agent in ["Squatter 1", "Squatter 2"] {
        let body = json!({ "agentName": agent, "email": ADDRESS });
        let answer = world.anonymous.post("/api/ai/register", &body).await;
        assert_eq!(answer.status, 201, "{}", answer.text);
    }
    let registered = register(&world, "grace").await;
    assert_eq!(registered.status, 201, "{}", registered.text);
    let signed_in = login(&world, json!({ "email": ADDRESS, "password": PASSWORD })).await;
    assert_eq!(signed_in.data()["userId"], registered.data()["userId"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_those_who_claim_an_address_each_signs_in_by_its_own_password() {
    let world = World::only_api().await;
    let mut claims = Vec::new();
    for number in 0..5 {
        let (name, password) = (
            format!("claimer{number}"),
            format!("phrase number {number}"),
        );
        let answer = claim(&world, &name, &password).await;
        assert_eq!(answer.status, 201, "{}", answer.text);
        claims.push((name, password, answer.data()["userId"].clone()));
    }
    for (name, password, user) in &claims {
        for body in [
            json!({ "email": ADDRESS, "password": password }),
            json!({ "username": name, "password": password }),
        ] {
            assert_eq!(login(&world, body).await.data()["userId"], *user);
        }
    }
    let salts = "select count(distinct split_part(password_hash, '$', 5)) from users
                 where password_hash is not null";
    assert_eq!(
        world.count(salts).await,
        1,
        "one hash is worked out for all"
    );
    let swapped = json!({ "username": "claimer0", "password": "phrase number 1" });
    assert_eq!(login(&world, swapped).await.status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn registering_does_not_tell_which_addresses_have_accounts() {
    let world = World::only_api().await;
    let shape = |answer: &Answer| {
        let data = answer.data();
        let fields: Vec<String> = data.as_object().unwrap().keys().cloned().collect();
        (answer.status, fields)
    };
    let first = claim(&world, "grace", PASSWORD).await;
    let again = claim(&world, "hopper", "another long phrase").await;
    assert_eq!(shape(&first), shape(&again));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_verified_address_has_one_account_which_goes_first() {
    let world = World::only_api().await;
    claim(&world, "squatter", PASSWORD).await;
    let owner = claim(&world, "grace", PASSWORD).await.data()["userId"].clone();
    let verify = "update users set email_verified_at = now() where name = ";
    for (name, is_taken) in [("grace", true), ("squatter", false)] {
        let statement = sqlx::AssertSqlSafe(format!("{verify}'{name}'"));
        let verified = sqlx::query(statement).execute(&world.pool).await;
        assert_eq!(verified.is_ok(), is_taken, "{name}");
    }
    let signed_in = login(&world, json!({ "email": ADDRESS, "password": PASSWORD })).await;
    assert_eq!(signed_in.data()["userId"], owner);
}
