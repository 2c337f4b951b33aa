//! Which tensors each blob may hold, of what type and shape. After this stage every tensor has a
//! meaning and every shape inside one blob agrees; nothing else is in the file. Whether the two blobs
//! and the models agree is the shape stage's question.

mod chain;
mod memory;
mod vector;
mod w_matrix;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::declared::PackageType;
use crate::header::Header;
use crate::limits::Limits;
use crate::monitor::Stage;
use crate::refusal::{Blob, Code, Refusal};
use crate::report::PackageDimensions;
use crate::tensor::{Dtype, Tensor};

pub(crate) use w_matrix::{Anchors, WMatrix, Weights};

/// The space of the states that W maps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "StateSpace")]
#[serde(rename_all = "snake_case")]
pub enum Space {
    /// Hidden states of a layer.
    Hidden,
    /// Input or sentence embeddings.
    Embedding,
    /// Keys or values of one head.
    KvHead,
    /// Keys or values of all heads of a layer, concatenated.
    KvConcat,
    /// Last hidden state to input embedding of the same model.
    Wa,
}

impl Space {
    const NAMES: [(&'static str, Self); 5] = [
        ("hidden", Self::Hidden),
        ("embedding", Self::Embedding),
        ("kv_head", Self::KvHead),
        ("kv_concat", Self::KvConcat),
        ("wa", Self::Wa),
    ];

    fn from_metadata(text: &str) -> Result<Self, Refusal> {
        let found = Self::NAMES
            .into_iter()
            .find_map(|(name, space)| (name == text).then_some(space));
        found.ok_or_else(|| {
            refusal(
                Code::MetadataValue,
                "`space` must be hidden, embedding, kv_head, kv_concat or wa",
            )
        })
    }
}

/// A payload whose tensors all have a meaning.
#[derive(Debug)]
pub(crate) struct Payload<'a> {
    /// The figures for the report.
    pub(crate) dimensions: PackageDimensions,
    /// Every tensor, to scan for values that are not finite.
    pub(crate) tensors: Vec<Tensor<'a>>,
    /// States of which no row may be all zeros.
    pub(crate) states: Vec<Tensor<'a>>,
}

/// One blob with its checked header, handing out each tensor once.
#[derive(Debug)]
pub(crate) struct File<'a> {
    blob: Blob,
    header: &'a Header,
    bytes: &'a [u8],
    taken: Vec<Tensor<'a>>,
}

impl<'a> File<'a> {
    pub(crate) fn new(blob: Blob, header: &'a Header, bytes: &'a [u8]) -> Self {
        Self {
            blob,
            header,
            bytes,
            taken: Vec::new(),
        }
    }

    fn metadata(&self, key: &str) -> Option<&'a str> {
        self.header.metadata.get(key).map(String::as_str)
    }

    fn has(&self, name: &str) -> bool {
        self.header.tensors.contains_key(name)
    }

    fn optional(&mut self, name: &str) -> Option<Tensor<'a>> {
        let tensor = Tensor::find(self.header, self.bytes, name)?;
        self.taken.push(tensor);
        Some(tensor)
    }

    fn required(&mut self, name: &str) -> Result<Tensor<'a>, Refusal> {
        self.optional(name).ok_or_else(|| {
            refusal(
                Code::MissingTensor,
                format!("the {} lacks the tensor `{name}`", self.blob),
            )
            .tensor(name)
        })
    }

    /// Ends the reading: whatever was not taken has no meaning here.
    fn finish(self) -> Result<Vec<Tensor<'a>>, Refusal> {
        if self.taken.len() == self.header.tensors.len() {
            return Ok(self.taken);
        }
        let known = |name: &str| self.taken.iter().any(|tensor| tensor.name == name);
        let stray = self
            .header
            .tensors
            .keys()
            .find(|name| !known(name))
            .map_or("", String::as_str);
        let message = format!("the {} has no place for the tensor `{stray}`", self.blob);
        Err(refusal(Code::UnexpectedTensor, message).tensor(stray))
    }
}

/// Reads the W-matrix blob.
pub(crate) fn read_w_matrix<'a>(
    header: &'a Header,
    bytes: &'a [u8],
    limits: &Limits,
) -> Result<WMatrix<'a>, Refusal> {
    let file = File::new(Blob::WMatrix, header, bytes);
    check_metadata(&file)
        .and_then(|()| WMatrix::read(file, limits))
        .map_err(|refusal| refusal.blob(Blob::WMatrix))
}

/// Reads the payload blob.
pub(crate) fn read_payload<'a>(
    package_type: PackageType,
    header: &'a Header,
    bytes: &'a [u8],
    limits: &Limits,
) -> Result<Payload<'a>, Refusal> {
    let file = File::new(Blob::Package, header, bytes);
    let payload = check_metadata(&file).and_then(|()| match package_type {
        PackageType::Vector => vector::read(file),
        PackageType::Memory => memory::read(file),
        PackageType::Chain => chain::read(file, limits),
    });
    payload.map_err(|refusal| refusal.blob(Blob::Package))
}

/// All metadata is optional and unknown keys are free; the keys that carry meaning must be valid.
fn check_metadata(file: &File<'_>) -> Result<(), Refusal> {
    if let Some(version) = file.metadata("lpkg.version")
        && version != "1"
    {
        return Err(refusal(
            Code::UnsupportedVersion,
            "`lpkg.version` must be 1",
        ));
    }
    if let Some(epsilon) = file.metadata("epsilon.declared")
        && !epsilon
            .parse()
            .is_ok_and(|value: f64| value.is_finite() && value >= 0.0)
    {
        return Err(refusal(
            Code::MetadataValue,
            "`epsilon.declared` must be a number from 0",
        ));
    }
    if let Some(rope) = file.metadata("rope")
        && !matches!(rope, "pre" | "post")
    {
        return Err(refusal(Code::MetadataValue, "`rope` must be pre or post"));
    }
    file.metadata("space")
        .map_or(Ok(()), |text| Space::from_metadata(text).map(drop))
}

fn refusal(code: Code, message: impl Into<String>) -> Refusal {
    Refusal::new(Stage::Schema, code, message)
}

fn check_rank(tensor: &Tensor<'_>, rank: usize) -> Result<(), Refusal> {
    if tensor.shape.len() == rank {
        return Ok(());
    }
    let message = format!(
        "`{}` must have {rank} axes, not {}",
        tensor.name,
        tensor.shape.len()
    );
    Err(refusal(Code::WrongRank, message).tensor(tensor.name))
}

fn check_float(tensor: &Tensor<'_>) -> Result<(), Refusal> {
    if tensor.dtype.is_float() {
        return Ok(());
    }
    let message = format!(
        "`{}` must be F64, F32, F16 or BF16, not {}",
        tensor.name, tensor.dtype
    );
    Err(refusal(Code::WrongDtype, message).tensor(tensor.name))
}

fn check_dtype(tensor: &Tensor<'_>, dtype: Dtype) -> Result<(), Refusal> {
    if tensor.dtype == dtype {
        return Ok(());
    }
    let message = format!("`{}` must be {dtype}, not {}", tensor.name, tensor.dtype);
    Err(refusal(Code::WrongDtype, message).tensor(tensor.name))
}

fn inconsistent(tensor: &Tensor<'_>, expected: &[usize]) -> Refusal {
    let message = format!(
        "`{}` has the shape {:?}; {expected:?} was expected",
        tensor.name, tensor.shape
    );
    refusal(Code::InconsistentShape, message).tensor(tensor.name)
}

/// How many groups `prefix.0.`, `prefix.1.`, ... there are; refuses a gap in the numbering.
fn count_groups(file: &File<'_>, prefix: &str, first_member: &str) -> Result<usize, Refusal> {
    let count = (0..)
        .take_while(|i| file.has(&format!("{prefix}.{i}.{first_member}")))
        .count();
    let suffix = format!(".{first_member}");
    let members = file
        .header
        .tensors
        .keys()
        .filter(|name| name.starts_with(prefix) && name.ends_with(&suffix));
    if members.count() == count {
        return Ok(count);
    }
    let missing = format!("{prefix}.{count}.{first_member}");
    let message = format!("the numbering has a gap: `{missing}` is missing");
    Err(refusal(Code::NumberingGap, message).tensor(&missing))
}
