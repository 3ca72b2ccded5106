//! What the tests share: running the program in a folder of its own, tiny runs, golden files.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use safetensors::{Dtype, SafeTensors};
use scotopic_train::device::{open, survey};
use tempfile::TempDir;

/// What a run of the program left behind.
#[derive(Debug)]
pub struct Done {
    /// The exit code; none where a signal ended it.
    pub code: Option<i32>,
    /// Its stdout.
    pub out: String,
    /// Its stderr.
    pub err: String,
}

impl Done {
    /// The stdout of a run that must have gone well.
    #[track_caller]
    pub fn good(self) -> String {
        assert_eq!(
            self.code,
            Some(0),
            "stdout: {}\nstderr: {}",
            self.out,
            self.err
        );
        self.out
    }

    /// The message of a run that must have failed with `code`: on stderr, in one piece, without a panic.
    #[track_caller]
    pub fn bad(self, code: i32) -> String {
        assert_eq!(
            self.code,
            Some(code),
            "stdout: {}\nstderr: {}",
            self.out,
            self.err
        );
        assert_eq!(self.out, "", "an error belongs on stderr");
        assert!(!self.err.contains("panicked"), "{}", self.err);
        assert!(!self.err.trim().is_empty(), "an error without a message");
        self.err
    }

    /// The stdout of a run that must have gone well, as JSON.
    #[track_caller]
    pub fn json(self) -> serde_json::Value {
        let text = self.good();
        serde_json::from_str(&text).unwrap_or_else(|e| panic!("not JSON ({e}): {text}"))
    }
}

/// The program with these arguments, in `folder`, apart from the environment of whoever runs the tests.
pub fn command(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_scotopic"));
    command
        .args(args)
        .current_dir(folder)
        .env("COLUMNS", "100")
        // Mesa complains on stderr where this is not set.
        .env("XDG_RUNTIME_DIR", std::env::temp_dir())
        .env_remove("SCOTOPIC_DATA")
        .env_remove("CLICOLOR_FORCE");
    command
}

/// Runs the program to its end.
pub fn scotopic(folder: &Path, args: &[&str]) -> Done {
    let output = command(folder, args)
        .stdin(Stdio::null())
        .output()
        .expect("the program starts");
    Done {
        code: output.status.code(),
        out: String::from_utf8(output.stdout).expect("stdout is UTF-8"),
        err: String::from_utf8(output.stderr).expect("stderr is UTF-8"),
    }
}

/// Runs the program where it has no files.
pub fn alone(args: &[&str]) -> Done {
    scotopic(folder().path(), args)
}

/// Starts the program and does not wait.
pub fn start(folder: &Path, args: &[&str]) -> Child {
    command(folder, args)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts")
}

/// Whether a device is there; says so where it is not.
pub fn available(name: &str) -> bool {
    let found = survey().into_iter().find(|found| found.name == name);
    let there = found.is_some_and(|found| found.available);
    if !there {
        eprintln!("skipped on {name}: not there");
    }
    there && open(name.parse().expect("a device")).is_ok()
}

/// An empty folder that goes away with the value.
pub fn folder() -> TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

/// `scotopic train` on 160 patches of 8×8 with 12 neurons: 5 batches an epoch, 30 iterations, a
/// validation and a checkpoint every 10, a row of metrics for every iteration. Milliseconds. On flex unless `more`
/// says otherwise.
pub fn tiny(more: &[&str]) -> Vec<String> {
    let sets = [
        "data.size=8",
        "data.train=160",
        "data.validation=40",
        "data.seed=0",
        "model.latents=12",
        "inference.steps=4",
        "train.iterations=30",
        "train.batch_size=32",
        "train.learning_rate.peak=0.005",
        "train.learning_rate.warmup=0.1",
        "train.log_every=1",
        "train.save_every=10",
        "validation.every=10",
    ];
    let mut args = ["train", "--preset", "smoke"].map(String::from).to_vec();
    if !more.contains(&"--device") {
        args.extend(["--device", "flex"].map(String::from));
    }
    for set in sets {
        args.extend(["--set".to_string(), set.to_string()]);
    }
    args.extend(more.iter().map(ToString::to_string));
    args
}

/// Runs a tiny training in `folder/name` and returns that path.
#[track_caller]
pub fn trained(folder: &Path, name: &str, more: &[&str]) -> PathBuf {
    let args = tiny(&[&["--out", name], more].concat());
    scotopic(folder, &strings(&args)).good();
    folder.join(name)
}

/// Borrows.
pub fn strings(args: &[String]) -> Vec<&str> {
    args.iter().map(String::as_str).collect()
}

/// Everything below `folder`, relative, sorted: to see that nothing was written.
pub fn listing(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(next) = open.pop() {
        for entry in std::fs::read_dir(&next).expect("a readable folder") {
            let path = entry.expect("a readable entry").path();
            if path.is_dir() {
                open.push(path.clone());
            }
            found.push(
                path.strip_prefix(folder)
                    .expect("below the folder")
                    .to_path_buf(),
            );
        }
    }
    found.sort();
    found
}

/// Numbers of a golden file, as f64 whatever they are stored as.
#[derive(Debug)]
pub struct Golden {
    bytes: Vec<u8>,
}

impl Golden {
    /// Opens a golden file of the iterative Poisson VAE: below `$SCOTOPIC_REFERENCE`, else the reference beside the
    /// workspace, else the fixtures in it.
    #[track_caller]
    pub fn open(name: &str) -> Self {
        Self::find(name).unwrap_or_else(|| panic!("no golden file {name}"))
    }

    /// The same where the file may be missing: the workspace holds only some.
    pub fn find(name: &str) -> Option<Self> {
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let roots = match std::env::var_os("SCOTOPIC_REFERENCE") {
            Some(root) => vec![PathBuf::from(root)],
            None => vec![
                workspace.join("../shared/reference"),
                workspace.join("tests/fixtures"),
            ],
        };
        let paths: Vec<PathBuf> = roots
            .iter()
            .flat_map(|root| {
                ["ipvae/golden", "golden", ""].map(|below| root.join(below).join(name))
            })
            .collect();
        let path = paths.iter().find(|path| path.is_file())?;
        Some(Self {
            bytes: std::fs::read(path).expect("a readable golden file"),
        })
    }

    /// Shape and values of a tensor.
    #[track_caller]
    pub fn get(&self, name: &str) -> (Vec<usize>, Vec<f64>) {
        let file = SafeTensors::deserialize(&self.bytes).expect("a safetensors file");
        let view = file.tensor(name).unwrap_or_else(|e| panic!("{name}: {e}"));
        let values = match view.dtype() {
            Dtype::F64 => view
                .data()
                .chunks_exact(8)
                .map(|b| f64::from_le_bytes(b.try_into().unwrap()))
                .collect(),
            Dtype::F32 => view
                .data()
                .chunks_exact(4)
                .map(|b| f64::from(f32::from_le_bytes(b.try_into().unwrap())))
                .collect(),
            other => panic!("{name} holds {other:?}"),
        };
        (view.shape().to_vec(), values)
    }

    /// The values of a tensor.
    #[track_caller]
    pub fn values(&self, name: &str) -> Vec<f64> {
        self.get(name).1
    }
}

/// The folder of real data sets, if there is one with MNIST in it.
pub fn mnist() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/datasets");
    let set = std::env::var_os("SCOTOPIC_DATA").map(PathBuf::from);
    let found = [set, Some(beside)].into_iter().flatten();
    let mut found = found.filter(|root| root.join("mnist/t10k-images-idx3-ubyte.gz").exists());
    found.next()?.canonicalize().ok()
}
