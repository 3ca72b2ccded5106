//! Checkpoints: one safetensors file, written atomically.
//!
//! ```text
//! model.<path>              weights
//! average.<path>            running average of the weights, where there is one
//! optimizer.<path>.mean     first moment
//! optimizer.<path>.norm     infinity norm
//! metadata                  format, version, kind, config (TOML), image (JSON), progress (JSON), sha256
//! ```
//!
//! Any safetensors reader sees the weights. The checksum covers names, shapes, values and metadata, so
//! that a flipped bit, which safetensors itself would load, is refused.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use scotopic_datasets::{ImageShape, PixelScale, Standardisation};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::config::RunConfig;
use crate::parameters::{Arrays, HostArray};
use scotopic_datasets::{bounded, replace::replace};

const FORMAT: &str = "scotopic";
const VERSION: &str = "1";
/// Larger files are refused before they are read.
const MOST_BYTES: u64 = 8 << 30;

/// The purpose of a checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CheckpointKind {
    /// Weights for inference.
    Model,
    /// Everything needed to continue training.
    Training,
}

/// The images the model was trained on.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ImageInfo {
    /// Channels, height, width.
    pub shape: ImageShape,
    /// Standardisation of the pixels in training.
    pub standardisation: Standardisation,
    /// The scale of the training pixels before it; files of earlier versions do not say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pixels: Option<PixelScale>,
}

/// The progress of a run.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Progress {
    /// Iterations done.
    pub iteration: usize,
    /// Optimiser steps done.
    pub optimizer_steps: u64,
    /// Lowest validation free energy so far.
    pub best: Option<f64>,
    /// Validations since then.
    pub since_best: usize,
    /// Seconds of training, summed over interruptions.
    pub seconds: f64,
    /// Digest of the data.
    pub data: String,
}

/// A checkpoint in memory.
#[derive(Debug, Clone, PartialEq)]
pub struct Checkpoint {
    /// Its purpose.
    pub kind: CheckpointKind,
    /// The run's configuration.
    pub config: RunConfig,
    /// The images the model was trained on.
    pub image: ImageInfo,
    /// The progress of the run.
    pub progress: Progress,
    /// All tensors, by name.
    pub arrays: Arrays,
}

impl Checkpoint {
    /// The arrays whose name starts with `prefix.`, without it.
    pub fn part(&self, prefix: &str) -> Arrays {
        let prefix = format!("{prefix}.");
        self.arrays
            .iter()
            .filter_map(|(name, array)| {
                Some((name.strip_prefix(&prefix)?.to_string(), array.clone()))
            })
            .collect()
    }

    /// Writes the file atomically.
    ///
    /// # Errors
    /// If a value is not finite (nothing is written then), or the file cannot be written.
    pub fn write(&self, path: &Path) -> Result<()> {
        for (name, array) in &self.arrays {
            if let Some(at) = array.values.iter().position(|v| !v.is_finite()) {
                bail!(
                    "{name}[{at}] is {}: a checkpoint with it would be useless and is not written",
                    array.values[at]
                );
            }
        }
        let mut metadata = BTreeMap::from([
            ("format".to_string(), FORMAT.to_string()),
            ("version".to_string(), VERSION.to_string()),
            ("kind".to_string(), serde_json::to_string(&self.kind)?),
            ("config".to_string(), self.config.to_toml()?),
            ("image".to_string(), serde_json::to_string(&self.image)?),
            (
                "progress".to_string(),
                serde_json::to_string(&self.progress)?,
            ),
        ]);
        metadata.insert("sha256".to_string(), digest(&metadata, &self.arrays));
        let bytes: Vec<(&String, Vec<u8>)> = self
            .arrays
            .iter()
            .map(|(name, a)| {
                (
                    name,
                    a.values.iter().flat_map(|v| v.to_le_bytes()).collect(),
                )
            })
            .collect();
        let views = bytes
            .iter()
            .map(|(name, b)| {
                let shape = self.arrays[*name].shape.clone();
                Ok((name.as_str(), TensorView::new(Dtype::F32, shape, b)?))
            })
            .collect::<Result<Vec<_>>>()?;
        let file = safetensors::serialize(views, Some(metadata.into_iter().collect()))?;
        Ok(replace(path, &file)?)
    }

    /// Reads a file and validates all of it.
    ///
    /// # Errors
    /// Names the file and the fault: missing, truncated, not safetensors, of another format or
    /// version, changed since it was written, of the wrong number type, not finite.
    pub fn read(path: &Path) -> Result<Self> {
        Self::parse(path)
            .with_context(|| format!("could not use the checkpoint {}", path.display()))
    }

    fn parse(path: &Path) -> Result<Self> {
        let bytes = bounded::read_file(path, MOST_BYTES)?;
        let (_, header) =
            SafeTensors::read_metadata(&bytes).context("it is not a whole safetensors file")?;
        let tensors =
            SafeTensors::deserialize(&bytes).context("it is not a whole safetensors file")?;
        let empty = HashMap::new();
        let mut metadata: BTreeMap<String, String> = header
            .metadata()
            .as_ref()
            .unwrap_or(&empty)
            .iter()
            .map(|(k, v)| (k.clone(), v.clone()))
            .collect();
        let claimed = metadata.remove("sha256");
        let field = |name: &str| -> Result<&String> {
            metadata.get(name).with_context(|| {
                format!("its metadata has no `{name}`: it was not written by this program")
            })
        };
        let format = field("format")?;
        ensure!(
            format == FORMAT,
            "its format is `{format}`, expected `{FORMAT}`"
        );
        let version = field("version")?;
        ensure!(
            version == VERSION,
            "its version is {version}; this program reads version {VERSION}"
        );
        let mut arrays = Arrays::new();
        for (name, view) in tensors.iter() {
            ensure!(
                view.dtype() == Dtype::F32,
                "{name} holds {:?}, expected F32",
                view.dtype()
            );
            let values: Vec<f32> = view
                .data()
                .chunks_exact(4)
                .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]))
                .collect();
            if let Some(at) = values.iter().position(|v| !v.is_finite()) {
                bail!("{name}[{at}] is {}, expected a finite number", values[at]);
            }
            arrays.insert(
                name.to_string(),
                HostArray {
                    shape: view.shape().to_vec(),
                    values,
                },
            );
        }
        let claimed =
            claimed.context("its metadata has no `sha256`: it was not written by this program")?;
        ensure!(
            digest(&metadata, &arrays) == claimed,
            "its checksum does not fit its contents: it was changed or damaged after it was written"
        );
        let field = |name: &str| metadata.get(name).map(String::as_str).unwrap_or_default();
        let config: RunConfig =
            toml::from_str(field("config")).context("its configuration does not parse")?;
        config
            .validate()
            .context("its configuration is not valid")?;
        Ok(Self {
            kind: serde_json::from_str(field("kind")).context("its kind does not parse")?,
            config,
            image: serde_json::from_str(field("image"))
                .context("its image description does not parse")?,
            progress: serde_json::from_str(field("progress"))
                .context("its progress does not parse")?,
            arrays,
        })
    }
}

/// SHA-256 in hexadecimal over metadata, names, shapes and values.
fn digest(metadata: &BTreeMap<String, String>, arrays: &Arrays) -> String {
    let mut hash = Sha256::new();
    // Lengths go in before contents, so that no two different checkpoints feed the same bytes.
    let mut text = |s: &str| {
        hash.update((s.len() as u64).to_le_bytes());
        hash.update(s.as_bytes());
    };
    for (key, value) in metadata {
        text(key);
        text(value);
    }
    for (name, array) in arrays {
        let mut values = Vec::with_capacity(array.values.len() * 4 + 64);
        values.extend((array.shape.len() as u64).to_le_bytes());
        values.extend(array.shape.iter().flat_map(|&n| (n as u64).to_le_bytes()));
        values.extend(array.values.iter().flat_map(|v| v.to_le_bytes()));
        hash.update((name.len() as u64).to_le_bytes());
        hash.update(name.as_bytes());
        hash.update(&values);
    }
    hash.finalize().iter().map(|b| format!("{b:02x}")).collect()
}
