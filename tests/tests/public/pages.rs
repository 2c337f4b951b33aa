//! What is to be read: pages about codes, the documentation, what language models take.

use common::reqwest::Method;
use serde_json::Value;
use tests::World;

#[tokio::test(flavor = "multi_thread")]
async fn each_code_of_the_document_has_its_page() {
    let world = World::only_api().await;
    let document = world.document().await;
    let codes = &document["components"]["schemas"]["FaultDetail"]["properties"]["code"]["examples"];
    let codes = codes.as_array().unwrap();
    assert!(codes.len() >= 17);
    for code in codes {
        let path = format!("/errors/{}", code.as_str().unwrap());
        let page = world.anonymous.get(&path).await;
        assert_eq!(page.status, 200, "{path}");
        assert!(page.text.contains(code.as_str().unwrap()));
        assert!(
            page.header("content-security-policy")
                .contains("default-src 'none'")
        );
    }
    assert_eq!(world.anonymous.get("/errors/NOTHING").await.status, 404);
    for page in [
        "versions", "search", "agents", "events", "leases", "webhooks", "codes",
    ] {
        let page = world.anonymous.get(&format!("/docs/{page}")).await;
        assert_eq!(
            (page.status, page.header("content-type")),
            (200, "text/html; charset=utf-8")
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_bare_address_leads_to_all_that_can_be_read() {
    let world = World::only_api().await;
    let home = world.anonymous.get("/").await;
    assert_eq!(home.header("content-type"), "text/html; charset=utf-8");
    let links: Vec<&str> = home.text.split("href=\"").skip(1).collect();
    assert!(links.len() >= 9, "{}", home.text);
    for link in links {
        let path = link.split('"').next().unwrap();
        assert_eq!(world.anonymous.get(path).await.status, 200, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_answer_is_compressed_for_who_accepts_it_under_a_tag_of_its_own() {
    let world = World::only_api().await;
    let path = "/api/ai/openapi-3.1.json";
    let plain = world.anonymous.get(path).await;
    let request = |tag: &str| {
        let request = world.anonymous.request(Method::GET, path);
        let request = request.header("accept-encoding", "gzip");
        request.header("if-none-match", tag.to_owned())
    };
    let compressed = request("\"none\"").send().await.unwrap();
    assert_eq!(compressed.headers()["content-encoding"], "gzip");
    let vary = format!("{:?}", compressed.headers().get_all("vary"));
    assert!(vary.contains("accept-encoding"), "{vary}");
    let size = compressed.bytes().await.unwrap().len();
    assert!(
        size * 5 < plain.text.len(),
        "{size} of {}",
        plain.text.len()
    );
    let short = world.anonymous.request(Method::GET, "/health");
    let short = short
        .header("accept-encoding", "gzip")
        .send()
        .await
        .unwrap();
    assert!(!short.headers().contains_key("content-encoding"));
}

#[tokio::test(flavor = "multi_thread")]
async fn tools_come_in_the_form_of_each_kind_of_model() {
    let world = World::only_api().await;
    let tools = |form: &str| {
        let path = format!("/api/ai/tools.json?format={form}");
        let client = world.anonymous.clone();
        async move {
            client.get(&path).await.json()["tools"]
                .as_array()
                .unwrap()
                .clone()
        }
    };
    let search = |tools: Vec<Value>| {
        let is_it = |tool: &&Value| tool.to_string().contains("\"search_capabilities\"");
        tools.iter().find(is_it).unwrap().clone()
    };
    let openai = search(tools("openai").await);
    assert_eq!(openai["function"]["name"], "search_capabilities");
    let anthropic = search(tools("anthropic").await);
    let mcp = search(tools("mcp").await);
    assert_eq!(mcp["annotations"]["readOnlyHint"], true);
    for schema in [
        &openai["function"]["parameters"],
        &anthropic["input_schema"],
        &mcp["inputSchema"],
    ] {
        assert_eq!(schema["required"], serde_json::json!(["query"]));
        assert!(schema["properties"]["packageType"].is_object(), "{schema}");
        let validator = jsonschema::draft202012::new(schema).unwrap();
        assert!(validator.is_valid(&serde_json::json!({ "query": "vision", "limit": 5 })));
        assert!(!validator.is_valid(&serde_json::json!({ "limit": 500 })));
    }
    assert_eq!(
        world
            .anonymous
            .get("/api/ai/tools.json?format=x")
            .await
            .status,
        400
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_for_language_models_leads_to_what_there_is() {
    let world = World::only_api().await;
    let page = world.anonymous.get("/llms.txt").await;
    assert!(page.text.starts_with("# Awareness Market\n"));
    let links = page.text.split("](https://awareness.market").skip(1);
    let mut count = 0;
    for link in links {
        let path = link.split(')').next().unwrap();
        assert_eq!(world.anonymous.get(path).await.status, 200, "{path}");
        count += 1;
    }
    assert!(count > 20);
}
