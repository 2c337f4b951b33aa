//! `awareness receipt`: whether a receipt is the marketplace's, checked offline against its saved keys,
//! and whether the downloaded files are the ones that were bought. It sends nothing anywhere.

mod files;
mod view;

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use common::limits::KEY_SET_BYTES_MAX;
use common::signatures::{Jwks, Receipt, SignatureError, Verified, Verifier};
use serde_json::Value;

use crate::failure::Failure;
use crate::output::Output;
use files::{Blob, Mismatch};

/// A file that holds a receipt: the token of a few KiB, or an answer of the API around it.
const RECEIPT_FILE_BYTES_MAX: usize = 64 * 1024;
/// Standard input.
const DASH: &str = "-";

/// Check receipts of purchases.
#[derive(Debug, Args)]
pub struct ReceiptArgs {
    #[command(subcommand)]
    command: ReceiptCommand,
}

#[derive(Debug, Subcommand)]
enum ReceiptCommand {
    #[command(
        after_help = "Save the keys once: curl -fsS $AWARENESS_BASE_URL/.well-known/jwks.json \
                            -o jwks.json\n\n\
                            Example: awareness receipt verify receipt.jws --keys jwks.json \
                            --package package.safetensors --w-matrix w.safetensors"
    )]
    Verify(VerifyArgs),
}

/// Check a receipt offline. Exit status: 0 valid, 1 refused, 2 the call cannot be carried out.
#[derive(Debug, Args)]
struct VerifyArgs {
    /// The receipt: the token alone, or the API's JSON answer; `-` is standard input.
    #[arg(default_value = DASH, value_name = "FILE")]
    receipt: PathBuf,
    /// The marketplace's public keys, saved from /.well-known/jwks.json.
    #[arg(long, value_name = "FILE")]
    keys: PathBuf,
    /// The downloaded package, to be compared with the receipt.
    #[arg(long, value_name = "FILE")]
    package: Option<PathBuf>,
    /// The downloaded W-matrix, to be compared with the receipt.
    #[arg(long, value_name = "FILE")]
    w_matrix: Option<PathBuf>,
    /// Print the verdict as JSON.
    #[arg(long)]
    json: bool,
}

/// A receipt that holds, and the files that are the ones it names.
#[derive(Debug)]
struct Valid {
    receipt: Verified<Receipt>,
    compared: Vec<Blob>,
}

/// Why a receipt is not accepted.
#[derive(Debug, thiserror::Error)]
enum Refusal {
    #[error(transparent)]
    Statement(#[from] SignatureError),
    #[error(transparent)]
    File(#[from] Mismatch),
}

/// Runs the command.
pub fn run(args: ReceiptArgs) -> Result<Output, Failure> {
    let ReceiptCommand::Verify(args) = args.command;
    let verdict = judge(&args)?;
    let text = if args.json {
        view::json(&verdict)
    } else {
        view::table(&verdict)
    };
    Ok(Output::new(text).complete(verdict.is_ok()))
}

/// The verdict; the outer error is a call that cannot be carried out.
fn judge(args: &VerifyArgs) -> Result<Result<Valid, Refusal>, Failure> {
    let keys = read(&args.keys, KEY_SET_BYTES_MAX)?;
    let verifier = Jwks::parse(&keys)
        .and_then(|jwks| Verifier::try_from(&jwks))
        .map_err(|error| unusable(&args.keys, error))?;
    let token = token_of(&args.receipt)?;
    let receipt: Verified<Receipt> = match verifier.open(Receipt::TYP, &token) {
        Ok(receipt) => receipt,
        Err(error) => return Ok(Err(error.into())),
    };
    let claims = &receipt.claims;
    let given = [
        (Blob::Package, &args.package, &claims.package_sha256),
        (Blob::WMatrix, &args.w_matrix, &claims.w_matrix_sha256),
    ];
    let mut compared = Vec::new();
    for (blob, path, sha256) in given {
        let Some(path) = path else { continue };
        let verdict = files::compare(blob, path, sha256).map_err(|error| unusable(path, error))?;
        match verdict {
            Ok(()) => compared.push(blob),
            Err(mismatch) => return Ok(Err(mismatch.into())),
        }
    }
    Ok(Ok(Valid { receipt, compared }))
}

/// The token of a receipt file: its whole text, or `data.receipt` of an answer.
fn token_of(path: &Path) -> Result<String, Failure> {
    let text = read(path, RECEIPT_FILE_BYTES_MAX)?;
    let text = text.trim();
    if !text.starts_with('{') {
        return Ok(text.to_owned());
    }
    let answer: Value = serde_json::from_str(text).map_err(|error| unusable(path, error))?;
    let token = answer.pointer("/data/receipt").and_then(Value::as_str);
    token.map(str::to_owned).ok_or_else(|| {
        let missing = "it is JSON without `data.receipt`, so no answer with a receipt";
        unusable(path, missing)
    })
}

fn read(path: &Path, bytes_max: usize) -> Result<String, Failure> {
    let source: Box<dyn Read> = if path.as_os_str() == DASH {
        Box::new(std::io::stdin())
    } else {
        Box::new(File::open(path).map_err(|error| unusable(path, error))?)
    };
    let mut text = String::new();
    source
        .take(bytes_max as u64 + 1)
        .read_to_string(&mut text)
        .map_err(|error| unusable(path, error))?;
    if text.len() > bytes_max {
        return Err(unusable(
            path,
            format!("it is longer than {bytes_max} bytes"),
        ));
    }
    Ok(text)
}

fn unusable(path: &Path, error: impl std::fmt::Display) -> Failure {
    Failure::Unusable(vec![format!("{}: {error}", path.display())])
}
