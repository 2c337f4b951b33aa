//! `awareness verify`: the server's verdict on local files. It tells the W-matrix from the payload by
//! their tensors, takes what is not declared from the metadata, and prints the report as a table or,
//! with `--json`, exactly as the server stores it. It sends nothing anywhere.

mod report;

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use package::{Declared, Header, Limits, PackageType, Report, Verdict, check_header, verify};

use report::table;

const ACCEPTED: u8 = 0;
const REFUSED: u8 = 1;
const UNUSABLE: u8 = 2;

/// Judge a package as the marketplace would.
#[derive(Debug, clap::Args)]
pub struct VerifyArgs {
    /// The W-matrix and the package, in any order.
    #[arg(required = true, num_args = 1..=2, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Print the report as JSON.
    #[arg(long)]
    json: bool,
    /// Type of the package: vector, memory or chain [default: by its tensors].
    #[arg(long, value_name = "TYPE")]
    package_type: Option<PackageType>,
    /// Declared epsilon [default: `epsilon.declared` of the metadata].
    #[arg(long, value_name = "NUMBER")]
    epsilon: Option<f64>,
    /// Declared source model [default: `source.model` of the metadata].
    #[arg(long, value_name = "NAME")]
    source_model: Option<String>,
    /// Declared target model [default: `target.model` of the metadata].
    #[arg(long, value_name = "NAME")]
    target_model: Option<String>,
}

/// Runs the command. Exit status: 0 accepted, 1 refused, 2 the call cannot be carried out.
#[must_use]
pub fn run(args: VerifyArgs) -> ExitCode {
    let limits = Limits::default();
    match judge(&args, &limits).and_then(|report| Ok((render(&report, &args)?, report.verdict))) {
        Ok((text, verdict)) => {
            print!("{text}");
            ExitCode::from(if verdict == Verdict::Accepted {
                ACCEPTED
            } else {
                REFUSED
            })
        }
        Err(message) => {
            eprintln!("awareness verify: {message}");
            ExitCode::from(UNUSABLE)
        }
    }
}

fn render(report: &Report, args: &VerifyArgs) -> Result<String, String> {
    if !args.json {
        return Ok(table(report));
    }
    let json = serde_json::to_string_pretty(report).map_err(|error| error.to_string())?;
    Ok(json + "\n")
}

/// One input file, and its header if it has a valid one.
struct Input {
    bytes: Vec<u8>,
    header: Option<Header>,
}

impl Input {
    /// Reads at most one byte more than the limit: enough for the verdict that it is too large.
    fn read(path: &Path, limits: &Limits) -> Result<Self, String> {
        let mut bytes = Vec::new();
        File::open(path)
            .and_then(|file| {
                file.take(limits.total_bytes_max + 1)
                    .read_to_end(&mut bytes)
            })
            .map_err(|error| format!("{}: {error}", path.display()))?;
        let header = check_header(&bytes, bytes.len() as u64, limits).ok();
        Ok(Self { bytes, header })
    }

    fn has(&self, name: &str) -> bool {
        self.header
            .as_ref()
            .is_some_and(|header| header.tensors.contains_key(name))
    }

    fn is_w_matrix(&self) -> bool {
        ["weight", "lora_a", "lora_b"]
            .iter()
            .any(|name| self.has(name))
    }

    fn package_type(&self) -> Option<PackageType> {
        let first_tensors = [
            (PackageType::Vector, "vector"),
            (PackageType::Memory, "layers.0.key"),
            (PackageType::Chain, "steps.0.state"),
        ];
        first_tensors
            .into_iter()
            .find_map(|(package_type, name)| self.has(name).then_some(package_type))
    }

    fn metadata(&self, key: &str) -> Option<&str> {
        self.header.as_ref()?.metadata.get(key).map(String::as_str)
    }
}

fn judge(args: &VerifyArgs, limits: &Limits) -> Result<Report, String> {
    let inputs: Result<Vec<_>, _> = args
        .files
        .iter()
        .map(|path| Input::read(path, limits))
        .collect();
    let mut inputs = inputs?;
    let [first, second] = inputs.as_slice() else {
        return Err("a package is two files: the W-matrix and the package".to_owned());
    };
    // A file that cannot be read as either takes the place that the other one leaves free.
    if second.is_w_matrix() && !first.is_w_matrix() || first.package_type().is_some() {
        inputs.reverse();
    }
    let declared = declare(args, &inputs[0], &inputs[1])?;
    Ok(verify(
        &inputs[1].bytes,
        &inputs[0].bytes,
        &declared,
        limits,
        &mut (),
    ))
}

fn declare(args: &VerifyArgs, w_matrix: &Input, package: &Input) -> Result<Declared, String> {
    let text = |given: &Option<String>, key: &str| {
        given.clone().or_else(|| {
            w_matrix
                .metadata(key)
                .or(package.metadata(key))
                .map(str::to_owned)
        })
    };
    let epsilon_of = |input: &Input| input.metadata("epsilon.declared")?.parse().ok();
    let readable = w_matrix.header.is_some() && package.header.is_some();
    let epsilon = args
        .epsilon
        .or_else(|| epsilon_of(w_matrix))
        .or_else(|| epsilon_of(package));
    // An unreadable file is refused before its declaration matters.
    let epsilon = match epsilon {
        Some(epsilon) => epsilon,
        None if !readable => 0.0,
        None => return Err("the metadata declares no epsilon; pass --epsilon".to_owned()),
    };
    Ok(Declared {
        package_type: args
            .package_type
            .or(package.package_type())
            .unwrap_or(PackageType::Vector),
        source_model: text(&args.source_model, "source.model")
            .unwrap_or_else(|| "undeclared".to_owned()),
        target_model: text(&args.target_model, "target.model")
            .unwrap_or_else(|| "undeclared".to_owned()),
        epsilon,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser as _;
    use package::write::{TensorData, safetensors};
    use package::{Blob, Code, Dtype};

    #[derive(Debug, clap::Parser)]
    struct Command {
        #[command(flatten)]
        verify: VerifyArgs,
    }

    /// A folder of its own for each test, removed when the test ends.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir()
                .join(format!("awareness-verify-{name}-{}", std::process::id()));
            std::fs::create_dir_all(&path).unwrap();
            Self(path)
        }

        fn file(&self, name: &str, bytes: &[u8]) -> String {
            let path = self.0.join(name);
            std::fs::write(&path, bytes).unwrap();
            path.to_str().unwrap().to_owned()
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    fn args(words: &[&str]) -> VerifyArgs {
        Command::try_parse_from([&["verify"], words].concat())
            .unwrap()
            .verify
    }

    fn report(words: &[&str]) -> Result<Report, String> {
        judge(&args(words), &Limits::default())
    }

    fn w_matrix(metadata: &[(&str, &str)]) -> Vec<u8> {
        let identity: Vec<f64> = (0..64)
            .map(|i| f64::from(u8::from(i / 8 == i % 8)))
            .collect();
        safetensors(
            metadata,
            &[TensorData::floats("weight", Dtype::F32, &[8, 8], &identity)],
        )
    }

    fn chain() -> Vec<u8> {
        safetensors(
            &[],
            &[TensorData::floats(
                "steps.0.state",
                Dtype::F32,
                &[1, 8],
                &[1.0; 8],
            )],
        )
    }

    #[test]
    fn files_are_told_apart_and_declared_by_their_own_contents() {
        let folder = Folder::new("apart");
        let metadata = [
            ("epsilon.declared", "0.04"),
            ("source.model", "a"),
            ("target.model", "b"),
        ];
        let (w, package) = (
            folder.file("w", &w_matrix(&metadata)),
            folder.file("p", &chain()),
        );
        let (one, other) = (
            report(&[&w, &package]).unwrap(),
            report(&[&package, &w]).unwrap(),
        );
        assert_eq!(one.verdict, Verdict::Accepted);
        assert_eq!((&one.inputs, one.epsilon.declared), (&other.inputs, 0.04));
        let declared = report(&[&w, &package, "--epsilon", "0.15"]).unwrap();
        assert_eq!(
            declared.failure_message().unwrap(),
            "W-Matrix epsilon too high: 0.15 (max: 0.10)"
        );
    }

    #[test]
    fn the_exit_status_tells_accepted_refused_and_unusable_apart() {
        let folder = Folder::new("exit");
        let (w, package) = (folder.file("w", &w_matrix(&[])), folder.file("p", &chain()));
        let status = |words: &[&str]| format!("{:?}", run(args(words)));
        let expected = |code: u8| format!("{:?}", ExitCode::from(code));
        assert_eq!(status(&[&w, &package, "--epsilon", "0.05"]), expected(0));
        assert_eq!(status(&[&w, &package, "--epsilon", "0.15"]), expected(1));
        assert_eq!(status(&[&w, &package]), expected(2));
        assert_eq!(status(&[&w]), expected(2));
        assert_eq!(status(&[&w, "/nowhere/at/all"]), expected(2));
    }

    #[test]
    fn an_unreadable_file_is_refused_by_name() {
        let folder = Folder::new("unreadable");
        let (w, pickle) = (
            folder.file("w", &w_matrix(&[])),
            folder.file("p", b"\x80\x04\x95abcdefghij"),
        );
        for words in [[&w, &pickle], [&pickle, &w]] {
            let refusal = report(&words.map(String::as_str)).unwrap().refusal.unwrap();
            assert_eq!(
                (refusal.code, refusal.blob),
                (Code::Pickle, Some(Blob::Package))
            );
        }
    }

    #[test]
    fn json_is_exactly_the_report_and_the_table_shows_its_figures() {
        let folder = Folder::new("json");
        let (w, package) = (folder.file("w", &w_matrix(&[])), folder.file("p", &chain()));
        let args = args(&[&w, &package, "--epsilon", "0.05", "--json"]);
        let report = judge(&args, &Limits::default()).unwrap();
        let text = render(&report, &args).unwrap();
        assert_eq!(serde_json::from_str::<Report>(&text).unwrap(), report);
        let table = table(&report);
        for expected in [
            "ACCEPTED",
            "epsilon declared  0.050000",
            "chain, 1 steps",
            &report.inputs.w_matrix_sha256,
        ] {
            assert!(
                table.contains(expected),
                "{expected} is missing in\n{table}"
            );
        }
    }
}
