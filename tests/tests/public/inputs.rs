//! Input is understood or refused by name, never misunderstood in silence.

use common::reqwest::Method;
use common::reqwest::header::{CONTENT_ENCODING, CONTENT_TYPE};
use serde_json::{Value, json};
use tests::client::send;
use tests::{Answer, Client, Sample, World};

use super::routes::served;

const UPLOAD: &str = "/api/ai/upload-package";

/// Who may call an operation, or is refused for nothing but the lack of a session.
fn caller<'a>(world: &'a World, path: &str) -> &'a Client {
    if path.starts_with("/admin/") {
        &world.operator
    } else {
        &world.seller
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_operation_refuses_a_parameter_that_it_does_not_have() {
    let world = World::only_api().await;
    let document = world.document().await;
    let (mut refused, mut dry) = (0, 0);
    for (method, path) in served() {
        let parameters = document["paths"][&path][&method]["parameters"].to_string();
        let tries_out = parameters.contains("\"dryRun\"");
        let verb = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
        for (query, name) in [("pageSize=5", "pageSize"), ("dryRun=true", "dryRun")] {
            if name == "dryRun" && (tries_out || method == "get") {
                continue;
            }
            let target = format!("{}?{query}", path.replace(['{', '}'], ""));
            let answer = send(caller(&world, &path).request(verb.clone(), &target)).await;
            // A route that needs a session is refused for that first.
            if answer.status == 403 {
                continue;
            }
            assert_eq!(answer.status, 400, "{method} {target}: {}", answer.text);
            assert!(
                answer.details()[name].is_string(),
                "{method} {target}: {}",
                answer.text
            );
            (refused, dry) = (refused + 1, dry + usize::from(name == "dryRun"));
        }
    }
    assert!(
        refused > 150 && dry > 40,
        "{refused} refused, {dry} of them dry runs"
    );
}

async fn send_form(world: &World, extra: &[(&'static str, &'static str)]) -> Answer {
    let form = Sample::vector(1).form().text("price", "0.5");
    let form = extra
        .iter()
        .fold(form, |form, (name, value)| form.text(*name, *value));
    send(world.seller.request(Method::POST, UPLOAD).multipart(form)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_misspelt_field_of_an_upload_is_named_with_the_one_that_was_meant() {
    let world = World::only_api().await;
    for (field, meant) in [
        ("suply", "supply"),
        ("isDraft", "draft"),
        ("webhookURL", "webhookUrl"),
        ("tag", "tags"),
    ] {
        let fault = format!("is unknown (did you mean {meant}?)");
        let mut request = Sample::vector(1).request();
        request[field] = json!("1");
        let batch = json!({ "packages": [request] });
        let form = send_form(&world, &[(field, "1")]).await;
        assert_eq!(form.details()[field], fault, "{}", form.text);
        for (path, body, name) in [
            (UPLOAD, &request, field.to_owned()),
            ("/api/ai/validate-package", &request, field.to_owned()),
            (
                "/api/ai/batch-upload",
                &batch,
                format!("packages[0].{field}"),
            ),
        ] {
            let answer = world.seller.post(path, body).await;
            assert_eq!(answer.fault(), (400, "INVALID_INPUT".to_owned()), "{path}");
            assert_eq!(answer.details()[name], fault, "{path}: {}", answer.text);
        }
    }
    let batch = json!({ "packages": [Sample::vector(1).request()], "webhookUrls": [] });
    let answer = world.seller.post("/api/ai/batch-upload", &batch).await;
    assert!(
        answer.details()["webhookUrls"].is_string(),
        "{}",
        answer.text
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flag_of_a_form_is_what_people_write_and_nothing_is_dropped_beside_metadata() {
    let world = World::only_api().await;
    for (draft, is_draft) in [("True", true), ("1", true), ("FALSE", false), ("0", false)] {
        let answer = send_form(&world, &[("draft", draft)]).await;
        assert_eq!(answer.status, 202, "{draft}: {}", answer.text);
        let drafts = "select count(*) from uploads where is_draft";
        let before = world.count(drafts).await;
        let again = send_form(&world, &[("draft", draft)]).await;
        assert_eq!(again.status, 202, "{}", again.text);
        let after = world.count(drafts).await;
        assert_eq!(after - before, i64::from(is_draft), "{draft}");
    }
    let unclear = send_form(&world, &[("draft", "yes")]).await;
    let fault = unclear.details()["draft"].to_string();
    assert!(fault.contains("must be true or false"), "{fault}");
    let beside = send_form(&world, &[("metadata", "{}")]).await;
    assert!(beside.details()["price"].is_string(), "{}", beside.text);
    let twice = send_form(&world, &[("metadata", "{}"), ("metadata", "{}")]).await;
    assert_eq!(twice.details()["metadata"], "must be given once");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_means_the_same_however_it_is_written() {
    let world = World::only_api().await;
    let post = |path: &'static str, body: String| {
        let request = world.seller.request(Method::POST, path);
        send(request.header(CONTENT_TYPE, "application/json").body(body))
    };
    let upload = Sample::vector(1).request().to_string();
    for price in ["10", "10.0", "1E+1", "0.1e2", "1000e-2"] {
        let body = upload.replace("\"price\":9.99", &format!("\"price\":{price}"));
        assert_ne!(body, upload);
        assert_eq!(post(UPLOAD, body).await.status, 202, "{price}");
        let prices = "select count(*) from uploads where price_minor <> 1000";
        assert_eq!(world.count(prices).await, 0, "{price}");
    }
    for amount in ["20.000000000000000001", "2000e-3.0", "2.0001e1"] {
        let top_up = format!("{{\"amount\":{amount},\"paymentMethodId\":\"pm_card_visa\"}}");
        let answer = post("/api/ai/credits/top-ups", top_up).await;
        assert_eq!(answer.status, 400, "{amount}: {}", answer.text);
    }
    for (rate, status) in [("5.0", 201), ("5e0", 201), ("0.5", 400)] {
        let url = world.webhook_url();
        let endpoint = format!("{{\"url\":\"{url}\",\"ratePerSecond\":{rate}}}");
        let answer = post("/api/ai/webhooks/endpoints", endpoint).await;
        assert_eq!(answer.status, status, "{rate}: {}", answer.text);
        assert!(!answer.text.contains("i64"), "{}", answer.text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_is_refused_for_what_it_is() {
    let world = World::only_api().await;
    let request = world.seller.request(Method::POST, "/api/ai/quotes");
    let packed = request
        .header(CONTENT_TYPE, "application/json")
        .header(CONTENT_ENCODING, "gzip")
        .body(vec![0x1f, 0x8b, 8, 0]);
    let answer = send(packed).await;
    assert_eq!(answer.fault(), (415, "UNSUPPORTED_MEDIA_TYPE".to_owned()));
    assert!(answer.text.contains("Content-Encoding"), "{}", answer.text);
    for path in [
        "/api/packages/download/vec%00tor/pkg_x",
        "/api/ai/packages/pkg_%00",
        "/api/ai/packages/%ff%fe",
    ] {
        let answer = world.seller.get(path).await;
        assert_eq!(answer.fault(), (400, "INVALID_INPUT".to_owned()), "{path}");
    }
    for query in [
        "webhooks/events?since=-5000-01-01T00:00:00Z",
        "webhooks/deliveries?until=%2B200000-01-01T00:00:00Z",
        "credits?asOf=0000-01-01T00:00:00Z",
        "earnings?asOf=yesterday",
    ] {
        let answer = world.seller.get(&format!("/api/ai/{query}")).await;
        assert_eq!(answer.fault(), (400, "INVALID_INPUT".to_owned()), "{query}");
        let details: Value = answer.details();
        let fault = details.as_object().unwrap().values().next().unwrap();
        assert!(
            fault.as_str().unwrap().contains("RFC 3339"),
            "{query}: {fault}"
        );
    }
    // Generated clients say that an empty body is JSON.
    let pause = world
        .operator
        .request(Method::POST, "/admin/queues/webhook/pause");
    let paused = send(pause.header(CONTENT_TYPE, "application/json")).await;
    assert_eq!(paused.status, 200, "{}", paused.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_list_has_one_shape_and_refuses_a_limit_out_of_range() {
    let world = World::only_api().await;
    let document = world.document().await;
    let mut lists = 0;
    for (method, path) in served() {
        let operation = &document["paths"][&path][&method];
        let has = |name: &str| {
            let mut names = operation["parameters"].as_array().into_iter().flatten();
            names.any(|it| it["name"] == name && it["in"] == "query")
        };
        assert!(!has("before"), "{path}: pages are asked for by cursor");
        if !has("limit") {
            continue;
        }
        let target = path.replace(['{', '}'], "");
        for limit in ["0", "-1", "100000", "99999999999999999999", "x"] {
            let target = format!("{target}?limit={limit}");
            let answer = caller(&world, &path).get(&target).await;
            let place = format!("{method} {target}: {}", answer.text);
            assert_eq!(answer.status, 400, "{place}");
            assert!(answer.details()["limit"].is_string(), "{place}");
        }
        if has("cursor") {
            let refused = caller(&world, &path)
                .get(&format!("{target}?cursor=!"))
                .await;
            let place = format!("{method} {target}: {}", refused.text);
            assert!(refused.details()["cursor"].is_string(), "{place}");
        }
        lists += 1;
    }
    assert!(lists > 15, "{lists} lists");
}

/// RFC 7396, and nothing is a change that changes nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_patch_keeps_what_it_does_not_name_and_clears_what_is_null() {
    let world = World::only_api().await;
    let new = json!({
        "url": "https://example.com/hooks",
        "description": "all of it",
        "headers": { "X-One": "1", "X-Two": "2" },
    });
    let endpoint = world
        .seller
        .post("/api/ai/webhooks/endpoints", &new)
        .await
        .data();
    let endpoint = format!(
        "/api/ai/webhooks/endpoints/{}",
        endpoint["endpointId"].as_str().unwrap()
    );
    let about = json!({ "about": "We align things." });
    let patch = async |path: &str, body: &Value| {
        let request = world.seller.request(Method::PATCH, path);
        send(request.header("if-match", "*").json(body)).await
    };
    patch("/api/ai/me", &about).await.data();
    for path in ["/api/ai/me", &endpoint] {
        let before = world.seller.get(path).await;
        let after = patch(path, &json!({})).await;
        assert_eq!(after.row_tag(), before.row_tag(), "{path}: {}", after.text);
        assert_eq!(after.data(), before.data());
    }
    let same = patch(&endpoint, &new).await.data();
    assert_eq!(same["version"], 1, "{same}");
    let refused = patch(&endpoint, &json!({ "url": null, "timeoutSeconds": null })).await;
    for field in ["url", "timeoutSeconds"] {
        assert!(refused.details()[field].is_string(), "{}", refused.text);
    }
    let change = json!({ "description": null, "headers": { "x-one": null, "X-Three": "3" } });
    let changed = patch(&endpoint, &change).await.data();
    assert_eq!(changed["description"], "");
    assert_eq!(changed["headerNames"], json!(["x-three", "x-two"]));
    assert_eq!(changed["url"], new["url"]);
    let cleared = patch("/api/ai/me", &json!({ "about": null })).await.data();
    assert_eq!(cleared["about"], Value::Null);
}
