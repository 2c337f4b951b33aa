//! Uploads: a package comes in.

use common::limits::BATCH_PACKAGES_MAX;
use common::webhooks::EventType;
use serde_json::{Map, Value, json};

use super::super::deliveries::Modes;
use super::super::operation::Operation;
use super::super::schema::{integer, nullable, number, partial, text, url, whole, word};

/// What the uploader, who becomes the seller, hears at the address of the upload.
const EVENTS: [EventType; 10] = [
    EventType::UploadCompleted,
    EventType::UploadFailed,
    EventType::BatchCompleted,
    EventType::ListingSoldOut,
    EventType::PackageTakenDown,
    EventType::PackageRestored,
    EventType::PurchaseRefunded,
    EventType::DisputeOpened,
    EventType::DisputeMeasured,
    EventType::DisputeResolved,
];

const REQUIRED: [&str; 7] = [
    "packageType",
    "name",
    "description",
    "sourceModel",
    "targetModel",
    "epsilon",
    "price",
];

pub fn operations() -> Vec<Operation> {
    let mut all = vec![
        upload_package(),
        batch_upload(),
        open_upload(),
        validate_package(),
    ];
    all.extend(following());
    all
}

/// What an upload looks like; the bytes stand for two files.
fn example() -> Value {
    json!({
        "packageType": "vector",
        "name": "GPT-4 Vision Capabilities",
        "description": "Pre-trained vision capabilities for GPT-4",
        "sourceModel": "gpt-3.5-turbo",
        "targetModel": "gpt-4",
        "epsilon": 0.05,
        "price": 9.99,
        "vectorData": "VGhlIGJ5dGVzIG9mIGEgZmlsZQ==",
        "wMatrixData": "VGhlIGJ5dGVzIG9mIGFub3RoZXI=",
    })
}

fn upload_package() -> Operation {
    let data = |media: &str| {
        let blob = |about: &str| match media {
            "json" => {
                json!({ "type": "string", "format": "byte", "description": format!("{about}, in base64.") })
            }
            _ => {
                json!({ "type": "string", "format": "binary", "description": format!("{about}.") })
            }
        };
        let blobs = json!({
            "vectorData": blob("The package, of packageType vector"),
            "kvCacheData": blob("The package, of packageType memory"),
            "chainData": blob("The package, of packageType chain"),
            "wMatrixData": blob("The alignment matrix"),
        });
        match media {
            "json" => request(&["wMatrixData"], &blobs),
            _ => fields(&["wMatrixData"], &blobs),
        }
    };
    let receipt = whole(json!({
        "uploadId": text("Whoever holds it may follow the upload."),
        "statusUrl": text("Where the upload is followed."),
        "message": text("What comes next, for people."),
    }));
    Operation::new("post", "/api/ai/upload-package", "upload_package", "uploads", "Upload a package")
        .about("The bytes are taken at once and validated later; follow `statusUrl` or listen at `webhookUrl`.")
        .header("Idempotency-Key")
        .content(
            true,
            json!({
                "application/json": { "schema": data("json") },
                "multipart/form-data": { "schema": data("form") },
            }),
        )
        .like(example())
        .answer(202, "Taken, to be validated.", &receipt)
        .faults(&[404])
        .rehearses()
        .calls_back("webhookUrl", Modes::Plain, &EVENTS)
}

fn batch_upload() -> Operation {
    let package = {
        let blob = |about: &str| json!({ "type": "string", "format": "byte", "description": format!("{about}, in base64.") });
        let blobs = json!({
            "vectorData": blob("The package, of packageType vector"),
            "kvCacheData": blob("The package, of packageType memory"),
            "chainData": blob("The package, of packageType chain"),
            "wMatrixData": blob("The alignment matrix"),
        });
        request(&["wMatrixData"], &blobs)
    };
    let body = json!({
        "packages": { "type": "array", "items": package, "minItems": 1, "maxItems": BATCH_PACKAGES_MAX,
                      "description": "The packages." },
        "webhookUrl": nullable(url("Where to hear of all of them, unless a package says another.")),
    });
    Operation::new("post", "/api/ai/batch-upload", "batch_upload", "uploads", "Upload up to ten packages")
        .about("Each package is judged by itself: a faulty one is refused, the others are taken. Against the limit of uploads a batch counts as many as it holds, all or none.")
        .header("Idempotency-Key")
        .body(partial(&["packages"], body))
        .like(json!({ "packages": [example()] }))
        .tells(
            202,
            "Taken, to be validated.",
            "batchId: text Whoever holds it may follow the batch.
             uploadIds: [text] Those that were taken.
             statusUrls: [text] Where each is followed.
             message: text For people.
             batchUrl: text Where all are followed.
             items: [object] The verdict on each package, in order.",
        )
        .faults(&[404])
        .rehearses()
        .calls_back("webhookUrl", Modes::Plain, &EVENTS)
}

fn validate_package() -> Operation {
    let mut operation = upload_package();
    operation = operation.renamed(
        "/api/ai/validate-package",
        "validate_package",
        "The verdict on a package that is not uploaded",
    );
    operation
        .about("Judges fields and bytes as an upload's would be, and tells all that is wrong at once. Nothing is kept.")
        .tells(
            200,
            "The verdict.",
            "valid: flag Whether it would be published.
             message: text|null Why it would be refused, as an upload would say it.
             verdict: object The verdict on its bytes.
             stages: [object] Each stage of the validation.
             dimensions: object Sizes of what was judged.",
        )
}

/// What comes after the bytes.
fn following() -> Vec<Operation> {
    let tag = "uploads";
    vec![
        Operation::new("post", "/api/ai/uploads/{uploadId}/commit", "commit_upload", tag, "The bytes are stored")
            .tells(
                202,
                "Taken, to be validated.",
                "uploadId: text The upload.\nstatusUrl: text Where it is followed.\nmessage: text For people.",
            )
            .faults(&[409]),
        Operation::new("get", "/api/ai/package-status/{uploadId}", "get_package_status", tag, "Follow an upload")
            .header("Prefer")
            .header("If-None-Match")
            .tells(
                200,
                "Where it stands.",
                "status: word(pending,processing,completed,failed) In a word.
                 progress: range(0,100) Per cent.
                 packageId: text|null The package, once it is published.
                 error: text|null Why it failed, for people.
                 errorCode: text|null Why it failed, for machines.
                 uploadId: text The upload.
                 stage: text What is being done.
                 attempts: int How often it was tried.
                 nextPollMs: int|null When to look again, in milliseconds.
                 verdict: object|null What the validation came to.
                 timestamps: object When each step was reached.",
            )
            .empty_answer(304, "As you know it."),
        Operation::new("get", "/api/ai/package-status/{uploadId}/events", "stream_package_status", tag, "Follow an upload as a stream")
            .shows(200, "Server-sent events, until it has ended.", "text/event-stream"),
        Operation::new("get", "/api/ai/batches/{batchId}", "get_batch", tag, "Follow a batch")
            .header("Prefer")
            .header("If-None-Match")
            .tells(
                200,
                "Where it stands.",
                "batchId: text The batch.
                 status: word(pending,processing,completed) `completed` once each upload has ended, however.
                 progress: range(0,100) Per cent, of all.
                 counts: object Uploads by status.
                 items: [object] Each package, in order.
                 createdAt: time When.
                 nextPollMs: int|null When to look again, in milliseconds.",
            )
            .empty_answer(304, "As you know it."),
    ]
}

fn open_upload() -> Operation {
    let digits = |about: &str| json!({ "type": "string", "pattern": "^[0-9a-fA-F]{64}$", "description": about });
    let mut example = example();
    let fields = example.as_object_mut().expect("an object");
    for (name, half) in [("vectorData", "package"), ("wMatrixData", "wMatrix")] {
        fields.remove(name);
        fields.insert(format!("{half}SizeBytes"), json!(1_048_576));
        fields.insert(
            format!("{half}Sha256"),
            json!("01935a7e4c1b7d209f3e6a5b8c2d4e08".repeat(2)),
        );
    }
    let sizes = json!({
        "packageSizeBytes": integer("The size of the package."),
        "packageSha256": digits("Its SHA-256."),
        "wMatrixSizeBytes": integer("The size of the alignment matrix."),
        "wMatrixSha256": digits("Its SHA-256."),
    });
    let names: Vec<&str> = sizes
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, _)| name.as_str())
        .collect();
    let put = whole(json!({
        "method": word("How.", &["PUT"]),
        "url": url("Where."),
        "headers": { "type": "object", "additionalProperties": { "type": "string" }, "description": "Sent along as they are." },
    }));
    let session = whole(json!({
        "uploadId": text("Whoever holds it may follow the upload."),
        "statusUrl": text("Where the upload is followed."),
        "commitUrl": text("Posted to once the bytes are stored."),
        "expiresInSeconds": integer("How long the addresses are good."),
        "package": put,
        "wMatrix": put,
    }));
    Operation::new(
        "post",
        "/api/ai/uploads",
        "open_upload",
        "uploads",
        "Open an upload whose bytes go straight to the store",
    )
    .header("Idempotency-Key")
    .body(request(&names, &sizes))
    .like(example)
    .answer(201, "Where to put the bytes.", &session)
    .calls_back("webhookUrl", Modes::Plain, &EVENTS)
}

/// The fields that both ways share, and those of one.
fn request(required: &[&str], own: &Value) -> Value {
    let mut schema = fields(required, own);
    let needed = schema["required"].clone();
    // In JSON null says nothing, as an absent field does.
    for (name, field) in schema["properties"].as_object_mut().into_iter().flatten() {
        if needed
            .as_array()
            .is_some_and(|needed| needed.iter().all(|each| each != name))
        {
            *field = nullable(field.take());
        }
    }
    schema
}

/// The fields as a form has them.
fn fields(required: &[&str], own: &Value) -> Value {
    let mut properties = json!({
        "packageType": word("What kind of package it is.", &["vector", "memory", "chain"]),
        "name": text("What it is called."),
        "description": text("What it is for."),
        "sourceModel": text("The model it comes from."),
        "targetModel": text("The model it is aligned to."),
        "epsilon": number("The declared alignment error, at most 0.10."),
        "price": number("With at most two decimals."),
        "licenseMode": word("Who may buy; `unlimited` if nothing is said.", &["unlimited", "limited", "exclusive"]),
        "supply": integer("How many may, if `limited`."),
        "webhookUrl": url("Where to hear of this upload, and later of its listing."),
    });
    if let (Some(all), Some(own)) = (properties.as_object_mut(), own.as_object()) {
        let own: Map<String, Value> = own.clone();
        all.extend(own);
    }
    partial(&[&REQUIRED, required].concat(), properties)
}
