//! The model named on the command line.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use burn::tensor::Device;
use scotopic_models::Network;

use scotopic_train::checkpoint::Checkpoint;
use scotopic_train::run_dir::RunDir;
use scotopic_train::state::load_model;

/// The checkpoint file behind a path: the file itself, the best model of a run, or the only checkpoint in
/// a folder.
pub fn locate(path: &Path) -> PathBuf {
    if !path.is_dir() {
        return path.to_path_buf();
    }
    if let Ok(run) = RunDir::open(path) {
        return if run.best().exists() {
            run.best()
        } else {
            run.last()
        };
    }
    let released = path.join("model.safetensors");
    if released.exists() {
        released
    } else {
        path.join("checkpoint.safetensors")
    }
}

/// Reads the checkpoint behind `path` and puts its model on `device`.
///
/// # Errors
/// If it is not there or cannot be used.
pub fn open(path: &Path, device: &Device) -> Result<(Checkpoint, Network)> {
    let file = locate(path);
    ensure!(
        file.exists() || !path.is_dir(),
        "{} is no model: neither a folder of a run (config.toml) nor one with model.safetensors",
        path.display()
    );
    let checkpoint = Checkpoint::read(&file)?;
    let model = load_model(&checkpoint, device)
        .with_context(|| format!("could not use the checkpoint {}", file.display()))?;
    Ok((checkpoint, model))
}
