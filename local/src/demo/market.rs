//! A newcomer's way: an agent makes its account, finds a package by a misspelt word, uploads a batch, and
//! meets the limits.

use std::net::{IpAddr, Ipv4Addr};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use common::reqwest::Client;
use futures::future::join_all;
use serde_json::{Value, json};

use super::caller::Caller;
use super::packages::DemoPackage;
use super::{DemoError, DemoReport};
use crate::stack::Stack;

/// This address of the machine is not trusted, so it meets the limits.
const UNTRUSTED: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));
/// One more than an address may ask in a minute.
const TOO_MANY: usize = 101;

/// Registers, searches, uploads a batch and asks too often.
pub(super) async fn explore(
    stack: &Stack,
    package: &DemoPackage,
    report: &mut DemoReport,
) -> Result<(), DemoError> {
    let agent = register(stack, report).await?;
    search(&agent, package, report).await?;
    batch(&agent, package, report).await?;
    ask_too_often(stack, report).await
}

/// An agent's own account, and a key that may do less.
async fn register(stack: &Stack, report: &mut DemoReport) -> Result<Caller, DemoError> {
    let nobody = Caller::new(stack, "");
    let name = format!("Demo agent {}", common::ids::random_hex::<4>());
    let made = nobody
        .post("/api/ai/register", &json!({ "agentName": name }))
        .await?;
    let agent = Caller::new(stack, made.text("apiKey"));
    let narrow = json!({
        "name": "looks",
        "permissions": ["download"],
        "limits": { "budgetDayMinor": 0 },
    });
    let narrow = agent.post("/api/ai/keys", &narrow).await?;
    let looks = Caller::new(stack, narrow.text("apiKey"));
    let refused = looks.post("/api/ai/upload-package", &json!({})).await?;
    report.add(
        "an agent registers itself, and a narrower key may not upload".to_owned(),
        made.status == 201 && narrow.status == 201 && refused.status == 403,
        refused.body["error"]["message"].to_string(),
    );
    Ok(agent)
}

/// The longest word of the package's name, its last two letters swapped.
async fn search(
    agent: &Caller,
    package: &DemoPackage,
    report: &mut DemoReport,
) -> Result<(), DemoError> {
    let words = package.name.split(|char: char| !char.is_alphabetic());
    let longest = words.max_by_key(|word| word.len()).unwrap_or_default();
    let mut letters: Vec<char> = longest.chars().collect();
    if letters.len() > 2 {
        let last = letters.len() - 1;
        letters.swap(last - 1, last);
    }
    let misspelt: String = letters.into_iter().collect();
    let found = agent
        .get(&format!("/api/ai/search-packages?query={misspelt}&limit=5"))
        .await?;
    let names: Vec<&Value> = found.body["data"]["results"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|result| &result["name"])
        .collect();
    report.add(
        format!("a search for {misspelt} finds {}", package.name),
        names.iter().any(|name| **name == *package.name),
        json!(names).to_string(),
    );
    Ok(())
}

/// Two packages in one request, one of them faulty.
async fn batch(
    agent: &Caller,
    package: &DemoPackage,
    report: &mut DemoReport,
) -> Result<(), DemoError> {
    let mut good = json!({
        "packageType": package.package_type,
        "name": package.name,
        "description": package.description,
        "sourceModel": package.source_model,
        "targetModel": package.target_model,
        "epsilon": package.epsilon,
        "price": package.price,
        "wMatrixData": STANDARD.encode(package.w_matrix()),
    });
    good[package.data_field()] = json!(STANDARD.encode(package.package()));
    let mut faulty = good.clone();
    faulty["name"] = json!("x");
    let body = json!({ "packages": [good, faulty] });
    let dry_run = agent
        .post("/api/ai/batch-upload?dryRun=true", &body)
        .await?;
    let taken = agent.post("/api/ai/batch-upload", &body).await?;
    let items = &taken.body["data"]["items"];
    report.add(
        "of a batch the good package is taken and the faulty one refused by name".to_owned(),
        dry_run.status == 200
            && taken.status == 202
            && items[0]["accepted"] == true
            && items[1]["error"]["details"]["name"].is_string(),
        items[1]["error"]["message"].to_string(),
    );
    Ok(())
}

/// Anonymous requests from an address that is not trusted.
async fn ask_too_often(stack: &Stack, report: &mut DemoReport) -> Result<(), DemoError> {
    let http = Client::builder().local_address(UNTRUSTED).build()?;
    let url = format!("{}/api/ai/categories", stack.base_url);
    let answers = join_all((0..TOO_MANY).map(|_| http.get(&url).send())).await;
    let mut passed = 0;
    for answer in answers {
        passed += usize::from(answer?.status().is_success());
    }
    report.add(
        format!("of {TOO_MANY} anonymous requests in a minute 100 pass"),
        passed == TOO_MANY - 1,
        format!("{passed} passed"),
    );
    Ok(())
}
