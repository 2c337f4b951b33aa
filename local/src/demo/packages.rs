//! The demo's packages, compiled into the launcher, and what must come of each.

use serde::Deserialize;

const MANIFEST: &str = include_str!("../../demo/manifest.json");

macro_rules! files {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_bytes!(concat!("../../demo/", $name)) as &[u8])),*]
    };
}

const FILES: &[(&str, &[u8])] = files![
    "minilm-int6.package.safetensors",
    "minilm-int6.w-matrix.safetensors",
    "glove-words.package.safetensors",
    "glove-words.w-matrix.safetensors",
    "release-memory.package.safetensors",
    "release-memory.w-matrix.safetensors",
    "van-reasoning.package.safetensors",
    "van-reasoning.w-matrix.safetensors",
];

/// A package and its expected fate.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DemoPackage {
    pub(super) package_file: String,
    pub(super) w_matrix_file: String,
    pub(super) package_type: String,
    pub(super) name: String,
    pub(super) description: String,
    pub(super) source_model: String,
    pub(super) target_model: String,
    pub(super) price: f64,
    pub(super) epsilon: f64,
    pub(super) expected: String,
    #[serde(default)]
    pub(super) expected_error: Option<String>,
}

impl DemoPackage {
    /// The field of the API that carries this type's data.
    pub(super) fn data_field(&self) -> &'static str {
        match self.package_type.as_str() {
            "memory" => "kvCacheData",
            "chain" => "chainData",
            _ => "vectorData",
        }
    }

    /// The package's bytes.
    pub(super) fn package(&self) -> &'static [u8] {
        bytes(&self.package_file)
    }

    /// The W-matrix's bytes.
    pub(super) fn w_matrix(&self) -> &'static [u8] {
        bytes(&self.w_matrix_file)
    }
}

/// All packages of the manifest.
pub(super) fn all() -> Result<Vec<DemoPackage>, serde_json::Error> {
    serde_json::from_str(MANIFEST)
}

fn bytes(name: &str) -> &'static [u8] {
    FILES
        .iter()
        .find(|(file, _)| *file == name)
        .map_or(&[], |(_, bytes)| bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_the_manifest_is_compiled_in() {
        let packages = all().unwrap();
        assert!(packages.len() >= 4);
        for package in packages {
            assert!(!package.package().is_empty(), "{}", package.package_file);
            assert!(!package.w_matrix().is_empty(), "{}", package.w_matrix_file);
        }
    }
}
