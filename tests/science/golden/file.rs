//! Finding and reading recordings.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use safetensors::{Dtype, SafeTensors};
use serde_json::Value;

/// Shape and values of one recorded tensor.
#[derive(Debug, Clone)]
pub struct Array {
    pub shape: Vec<usize>,
    pub values: Vec<f64>,
}

/// The tensors of one file by name.
#[derive(Debug, Clone)]
pub struct Tensors {
    title: String,
    arrays: BTreeMap<String, Array>,
}

impl Tensors {
    /// The tensor of this name, or a failure that names the file.
    pub fn array(&self, name: &str) -> &Array {
        self.arrays
            .get(name)
            .unwrap_or_else(|| panic!("{} has no tensor {name}", self.title))
    }

    pub fn values(&self, name: &str) -> &[f64] {
        &self.array(name).values
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, &Array)> {
        self.arrays
            .iter()
            .map(|(name, array)| (name.as_str(), array))
    }
}

/// A folder with a `golden.json`.
#[derive(Debug, Clone)]
pub struct Recording {
    folder: PathBuf,
    pub index: Value,
}

impl Recording {
    /// The file `<stem>.safetensors`, where there is one.
    pub fn tensors(&self, stem: &str) -> Option<Tensors> {
        tensors(&self.folder.join(format!("{stem}.safetensors")))
    }
}

/// The tensors of a file, where there is one.
pub fn tensors(path: &Path) -> Option<Tensors> {
    let bytes = std::fs::read(path).ok()?;
    let file =
        SafeTensors::deserialize(&bytes).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let arrays = file.iter().map(|(name, view)| {
        let values = match view.dtype() {
            Dtype::F64 => numbers(view.data(), f64::from_le_bytes),
            Dtype::F32 => numbers(view.data(), |b| f64::from(f32::from_le_bytes(b))),
            other => panic!("{}: {name} is {other:?}", path.display()),
        };
        let shape = view.shape().to_vec();
        (name.to_string(), Array { shape, values })
    });
    Some(Tensors {
        title: path.display().to_string(),
        arrays: arrays.collect(),
    })
}

fn numbers<const N: usize>(bytes: &[u8], read: impl Fn([u8; N]) -> f64) -> Vec<f64> {
    let (words, rest) = bytes.as_chunks::<N>();
    assert!(rest.is_empty(), "a tensor ends in the middle of a number");
    words.iter().map(|&word| read(word)).collect()
}

/// A folder below `$SCOTOPIC_REFERENCE`; without that variable below the reference folder next to this workspace, or else
/// the fixtures that come with it.
pub fn reference(folder: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    match std::env::var_os("SCOTOPIC_REFERENCE") {
        // A relative path is one from the workspace.
        Some(path) => root.join(path).join(folder),
        None => {
            let beside = root.join("../shared/reference").join(folder);
            if beside.is_dir() {
                beside
            } else {
                root.join("tests/fixtures").join(folder)
            }
        }
    }
}

/// Every recording below `ipvae/golden` of the [`reference`].
pub fn recordings() -> Vec<Recording> {
    let folder = reference("ipvae/golden");
    let mut found = Vec::new();
    search(&folder, &mut found);
    assert!(
        !found.is_empty(),
        "no golden.json below {}",
        folder.display()
    );
    found
}

fn search(folder: &Path, found: &mut Vec<Recording>) {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    if let Ok(text) = std::fs::read_to_string(folder.join("golden.json")) {
        let index = serde_json::from_str(&text)
            .unwrap_or_else(|e| panic!("{}/golden.json: {e}", folder.display()));
        found.push(Recording {
            folder: folder.to_path_buf(),
            index,
        });
    }
    let mut below: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    below.sort();
    for path in below.into_iter().filter(|path| path.is_dir()) {
        search(&path, found);
    }
}

#[test]
fn recordings_are_whole() {
    for recording in recordings() {
        let files = recording.index["files"].as_object();
        for (name, stated) in files.expect("golden.json has `files`") {
            let path = recording.folder.join(name);
            let bytes = std::fs::metadata(&path).map(|m| m.len());
            let bytes = bytes.unwrap_or_else(|e| panic!("{}: {e}", path.display()));
            assert_eq!(Some(bytes), stated["bytes"].as_u64(), "{}", path.display());
        }
    }
}
