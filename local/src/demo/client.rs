//! The few calls of the public API that the demo makes, as a stranger would make them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use common::reqwest::multipart::{Form, Part};
use common::reqwest::{Client, RequestBuilder, Response};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::DemoError;
use super::packages::DemoPackage;

/// A client of the API with a key.
#[derive(Debug, Clone)]
pub(super) struct ApiClient {
    http: Client,
    base_url: String,
    api_key: String,
    webhook_url: String,
}

/// How an upload was accepted.
#[derive(Debug)]
pub(super) struct Accepted {
    pub(super) upload_id: String,
    pub(super) is_replay: bool,
}

impl ApiClient {
    pub(super) fn new(base_url: &str, api_key: &str, webhook_url: String) -> Self {
        common::tls::install_provider();
        Self {
            http: Client::new(),
            base_url: base_url.to_owned(),
            api_key: api_key.to_owned(),
            webhook_url,
        }
    }

    /// The seed's form: JSON with base64.
    pub(super) async fn upload_json(
        &self,
        package: &DemoPackage,
        w_matrix: &[u8],
        idempotency_key: &str,
    ) -> Result<Accepted, DemoError> {
        let mut body = self.fields(package);
        body.insert(
            package.data_field().into(),
            STANDARD.encode(package.package()).into(),
        );
        body.insert("wMatrixData".into(), STANDARD.encode(w_matrix).into());
        let request = self
            .post("/api/ai/upload-package")
            .header("idempotency-key", idempotency_key)
            .json(&body);
        accepted(request.send().await?).await
    }

    /// `multipart/form-data` with raw bytes.
    pub(super) async fn upload_form(&self, package: &DemoPackage) -> Result<Accepted, DemoError> {
        let mut form = Form::new();
        for (name, value) in self.fields(package) {
            let text = value
                .as_str()
                .map_or_else(|| value.to_string(), ToOwned::to_owned);
            form = form.text(name, text);
        }
        form = form
            .part(
                package.data_field(),
                Part::bytes(package.package()).file_name("package"),
            )
            .part(
                "wMatrixData",
                Part::bytes(package.w_matrix()).file_name("w-matrix"),
            );
        let request = self.post("/api/ai/upload-package").multipart(form);
        accepted(request.send().await?).await
    }

    /// A session: the bytes go straight to the store.
    pub(super) async fn upload_presigned(
        &self,
        package: &DemoPackage,
    ) -> Result<Accepted, DemoError> {
        let mut body = self.fields(package);
        for (name, bytes) in [
            ("package", package.package()),
            ("wMatrix", package.w_matrix()),
        ] {
            body.insert(format!("{name}SizeBytes"), bytes.len().into());
            body.insert(
                format!("{name}Sha256"),
                hex::encode(Sha256::digest(bytes)).into(),
            );
        }
        let session = data(self.post("/api/ai/uploads").json(&body).send().await?).await?;
        for (name, bytes) in [
            ("package", package.package()),
            ("wMatrix", package.w_matrix()),
        ] {
            let put = &session[name];
            let mut request = self.http.put(text(&put["url"])).body(bytes);
            for (header, value) in put["headers"].as_object().into_iter().flatten() {
                request = request.header(header, text(value));
            }
            refused(request.send().await?).await?;
        }
        accepted(self.post(text(&session["commitUrl"])).send().await?).await
    }

    /// The status once the upload has ended.
    pub(super) async fn ended(&self, upload_id: &str) -> Result<Value, DemoError> {
        let url = format!("{}/api/ai/package-status/{upload_id}", self.base_url);
        data(
            self.http
                .get(url)
                .header("prefer", "wait=60")
                .send()
                .await?,
        )
        .await
    }

    /// The stages that the event stream shows until the upload has ended.
    pub(super) async fn stages(&self, upload_id: &str) -> Result<Vec<String>, DemoError> {
        let url = format!("{}/api/ai/package-status/{upload_id}/events", self.base_url);
        let stream = refused(self.http.get(url).send().await?)
            .await?
            .text()
            .await?;
        let events = stream.lines().filter_map(|line| line.strip_prefix("data:"));
        let mut stages: Vec<String> = Vec::new();
        for event in events.filter_map(|text| serde_json::from_str::<Value>(text).ok()) {
            stages.push(format!("{} {} %", text(&event["stage"]), event["progress"]));
        }
        Ok(stages)
    }

    fn post(&self, path: &str) -> RequestBuilder {
        self.http
            .post(format!("{}{path}", self.base_url))
            .bearer_auth(&self.api_key)
    }

    fn fields(&self, package: &DemoPackage) -> Map<String, Value> {
        let fields = json!({
            "packageType": package.package_type,
            "name": package.name,
            "description": package.description,
            "sourceModel": package.source_model,
            "targetModel": package.target_model,
            "epsilon": package.epsilon,
            "price": package.price,
            "webhookUrl": self.webhook_url,
        });
        fields.as_object().cloned().unwrap_or_default()
    }
}

async fn accepted(response: Response) -> Result<Accepted, DemoError> {
    let is_replay = response.headers().contains_key("idempotent-replayed");
    let data = data(response).await?;
    Ok(Accepted {
        upload_id: text(&data["uploadId"]).to_owned(),
        is_replay,
    })
}

/// The data of a good answer.
async fn data(response: Response) -> Result<Value, DemoError> {
    let mut body: Value = refused(response).await?.json().await?;
    Ok(body["data"].take())
}

/// The response, unless it is an error.
async fn refused(response: Response) -> Result<Response, DemoError> {
    if response.status().is_success() {
        return Ok(response);
    }
    Err(DemoError::Refused {
        status: response.status().as_u16(),
        body: response.text().await?,
    })
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
