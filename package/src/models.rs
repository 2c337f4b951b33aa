//! Known open models and the dimensions of their spaces, to hold a seller's W against. The figures
//! are the models' published configurations; a model that is missing, or whose maker publishes no
//! dimensions, is *undisclosed*: its dimensions are the seller's word. Names are compared without
//! case, organisation, punctuation and the suffixes of derived weights that keep the dimensions.

/// The dimensions of one open model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ModelDimensions {
    /// Normalised name: lower-case letters, digits and dots.
    pub name: &'static str,
    /// Length of a hidden state or embedding.
    pub hidden: usize,
    /// Key/value heads of a layer and the length of each, where the cache is kept per head.
    pub key_value: Option<(usize, usize)>,
    /// The maker lets clients ask for shorter embeddings.
    pub shortens: bool,
}

/// What is known about a declared model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Model {
    /// Its dimensions are public.
    Open(&'static ModelDimensions),
    /// Nobody outside can check its dimensions.
    Undisclosed,
}

const fn open(name: &'static str, hidden: usize, heads: usize, head: usize) -> ModelDimensions {
    ModelDimensions {
        name,
        hidden,
        key_value: Some((heads, head)),
        shortens: false,
    }
}

const fn hidden_only(name: &'static str, hidden: usize) -> ModelDimensions {
    ModelDimensions {
        name,
        hidden,
        key_value: None,
        shortens: false,
    }
}

const fn shortening(name: &'static str, hidden: usize) -> ModelDimensions {
    ModelDimensions {
        name,
        hidden,
        key_value: None,
        shortens: true,
    }
}

const MODELS: [ModelDimensions; 44] = [
    open("gpt2", 768, 12, 64),
    open("gpt2medium", 1024, 16, 64),
    open("gpt2large", 1280, 20, 64),
    open("gpt2xl", 1600, 25, 64),
    open("bertbase", 768, 12, 64),
    open("bertlarge", 1024, 16, 64),
    open("distilbert", 768, 12, 64),
    open("distilbertbase", 768, 12, 64),
    open("allminilml6v2", 384, 12, 32),
    hidden_only("bgebase", 768),
    hidden_only("e5base", 768),
    hidden_only("bgelarge", 1024),
    hidden_only("textembeddingada002", 1536),
    shortening("textembedding3small", 1536),
    shortening("textembedding3large", 3072),
    open("llama27b", 4096, 32, 128),
    open("llama213b", 5120, 40, 128),
    open("llama270b", 8192, 8, 128),
    open("llama38b", 4096, 8, 128),
    open("llama3.18b", 4096, 8, 128),
    open("llama370b", 8192, 8, 128),
    open("llama3.170b", 8192, 8, 128),
    open("llama3.370b", 8192, 8, 128),
    open("llama3.1405b", 16384, 8, 128),
    open("llama3.21b", 2048, 8, 64),
    open("llama3.23b", 3072, 8, 128),
    open("mistral7b", 4096, 8, 128),
    open("mixtral8x7b", 4096, 8, 128),
    open("mixtral8x22b", 6144, 8, 128),
    open("mistrallarge2", 12288, 8, 128),
    open("qwen2.50.5b", 896, 2, 64),
    open("qwen2.51.5b", 1536, 2, 128),
    open("qwen2.53b", 2048, 2, 128),
    open("qwen2.57b", 3584, 4, 128),
    open("qwen2.514b", 5120, 8, 128),
    open("qwen2.532b", 5120, 8, 128),
    open("qwen2.572b", 8192, 8, 128),
    open("qwen34b", 2560, 8, 128),
    open("qwen38b", 4096, 8, 128),
    open("gemma22b", 2304, 4, 256),
    open("gemma29b", 3584, 8, 256),
    open("gemma227b", 4608, 16, 128),
    open("phi2", 2560, 32, 80),
    hidden_only("deepseekv3", 7168),
];

/// Suffixes that name derived weights of the same dimensions.
const SUFFIXES: [&str; 14] = [
    "instruct",
    "chat",
    "base",
    "hf",
    "it",
    "uncased",
    "cased",
    "en",
    "v0.1",
    "v0.2",
    "v0.3",
    "v1.5",
    "v2",
    "multilingual",
];

/// What is known about the model that a seller calls `name`.
#[must_use]
pub fn find_model(name: &str) -> Model {
    let mut name = normalise(name);
    loop {
        if let Some(found) = MODELS.iter().find(|model| model.name == name) {
            return Model::Open(found);
        }
        let Some(shorter) = SUFFIXES.iter().find_map(|suffix| name.strip_suffix(suffix)) else {
            return Model::Undisclosed;
        };
        name.truncate(shorter.len());
    }
}

/// Lower-case letters, digits and dots of the name after its organisation.
pub(crate) fn normalise(name: &str) -> String {
    let name = name.rsplit('/').next().unwrap_or(name).to_lowercase();
    let plain: String = name
        .chars()
        .filter(|c| c.is_alphanumeric() || *c == '.')
        .collect();
    plain
        .strip_prefix("meta")
        .map_or(plain.clone(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hidden(name: &str) -> Option<usize> {
        match find_model(name) {
            Model::Open(model) => Some(model.hidden),
            Model::Undisclosed => None,
        }
    }

    #[test]
    fn common_spellings_of_a_model_are_one_model() {
        for name in [
            "meta-llama/Meta-Llama-3-8B-Instruct",
            "llama-3-8b",
            "Llama 3 8B",
        ] {
            assert_eq!(hidden(name), Some(4096), "{name}");
        }
        assert_eq!(hidden("Qwen/Qwen2.5-7B-Instruct"), Some(3584));
        assert_eq!(hidden("sentence-transformers/all-MiniLM-L6-v2"), Some(384));
        assert_eq!(hidden("google-bert/bert-base-uncased"), Some(768));
        assert_eq!(hidden("BAAI/bge-base-en-v1.5"), Some(768));
        assert_eq!(hidden("mistralai/Mistral-7B-Instruct-v0.3"), Some(4096));
    }

    #[test]
    fn closed_unknown_and_similar_names_are_undisclosed() {
        for name in [
            "gpt-4",
            "claude-3-opus",
            "gemini-1.5-pro",
            "Qwen2-57B-A14B",
            "all-MiniLM-L6-v2-int8",
            "",
            "v2",
        ] {
            assert_eq!(hidden(name), None, "{name}");
        }
    }

    #[test]
    fn every_model_is_found_by_its_own_name() {
        for model in &MODELS {
            assert_eq!(find_model(model.name), Model::Open(model), "{}", model.name);
        }
    }
}
