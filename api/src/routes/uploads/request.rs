//! What sellers send, for the document. The bodies are read as they arrive, by `receive`, which names every
//! fault at once.

#![expect(dead_code, reason = "only the schemas are used")]

use common::catalog::{Category, LicenseMode};
use common::ids::PackagePublicId;
use common::limits::BATCH_PACKAGES_MAX;
use common::schema::inline_schema;
use package::PackageType;
use schemars::JsonSchema;
use serde_json::{Value, json};

/// The fields of a package.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase")]
struct PackageFields {
    package_type: PackageType,
    /// The package's name.
    #[schemars(length(min = 3, max = 100))]
    name: String,
    /// What it is for.
    #[schemars(length(min = 10, max = 1000))]
    description: String,
    /// The model that it comes from.
    source_model: String,
    /// The model that it is aligned to.
    target_model: String,
    /// The declared alignment error.
    #[schemars(range(min = 0.0, max = 0.1), example = 0.05)]
    epsilon: f64,
    /// The price, with at most two decimals.
    #[schemars(range(min = 0.0), example = 9.99)]
    price: f64,
    /// Who may buy it; the default is `unlimited`.
    license_mode: Option<LicenseMode>,
    /// How many may buy it, if the license is `limited`.
    #[schemars(range(min = 1))]
    supply: Option<i64>,
    category: Option<Category>,
    /// Words to find it by.
    tags: Option<Vec<String>>,
    /// Its semantic version; the default is 1.0.0.
    #[schemars(example = "1.0.0")]
    version: Option<String>,
    /// An earlier version of the same package.
    version_of: Option<PackagePublicId>,
    /// Whether it is published for you alone.
    draft: Option<bool>,
    /// The address that gets the events of this upload, and later of its listing.
    #[schemars(url)]
    webhook_url: Option<String>,
}

/// Bytes, in base64.
struct Base64;

/// A file.
struct File;

inline_schema!(Base64, { "type": "string", "format": "byte" });
inline_schema!(File, { "type": "string", "format": "binary" });

/// A package with its bytes in base64.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase", deny_unknown_fields, example = package_example())]
#[schemars(rename = "PackageUpload")]
pub struct PackageInJson {
    #[serde(flatten)]
    fields: PackageFields,
    /// The bytes of a package of the type `vector`.
    vector_data: Option<Base64>,
    /// The bytes of a package of the type `memory`.
    kv_cache_data: Option<Base64>,
    /// The bytes of a package of the type `chain`.
    chain_data: Option<Base64>,
    /// The bytes of the alignment matrix.
    w_matrix_data: Base64,
}

/// A package as a form.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "PackageUploadForm")]
pub struct PackageForm {
    #[serde(flatten)]
    fields: PackageFields,
    /// The file of a package of the type `vector`.
    vector_data: Option<File>,
    /// The file of a package of the type `memory`.
    kv_cache_data: Option<File>,
    /// The file of a package of the type `chain`.
    chain_data: Option<File>,
    /// The file of the alignment matrix.
    w_matrix_data: File,
}

/// Several packages.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "BatchUpload", example = json!({ "packages": [package_example()] }))]
pub struct Batch {
    #[schemars(length(min = 1, max = BATCH_PACKAGES_MAX))]
    packages: Vec<PackageInJson>,
    /// The address that gets the events of the packages that name none.
    #[schemars(url)]
    webhook_url: Option<String>,
}

/// A package whose bytes are sent to the store.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase", deny_unknown_fields, example = session_example())]
pub struct UploadSessionRequest {
    #[serde(flatten)]
    fields: PackageFields,
    /// The size of the package.
    #[schemars(range(min = 1))]
    package_size_bytes: u64,
    /// The SHA-256 of the package.
    #[schemars(regex(pattern = "^[0-9a-fA-F]{64}$"))]
    package_sha256: String,
    /// The size of the alignment matrix.
    #[schemars(range(min = 1))]
    w_matrix_size_bytes: u64,
    /// The SHA-256 of the alignment matrix.
    #[schemars(regex(pattern = "^[0-9a-fA-F]{64}$"))]
    w_matrix_sha256: String,
}

/// What an upload looks like; the bytes stand for two files.
fn package_example() -> Value {
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

fn session_example() -> Value {
    let mut example = package_example();
    let fields = example.as_object_mut().expect("an object");
    for (name, part) in [("vectorData", "package"), ("wMatrixData", "wMatrix")] {
        fields.remove(name);
        fields.insert(format!("{part}SizeBytes"), json!(1_048_576));
        let digest = "01935a7e4c1b7d209f3e6a5b8c2d4e08".repeat(2);
        fields.insert(format!("{part}Sha256"), json!(digest));
    }
    example
}
