//! A trained network.

use std::path::{Path, PathBuf};

use numpy::PyArray2;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use scotopic::decoder::Decoder;
use scotopic::noise::NoiseKey;
use scotopic::posterior::Sampling;
use scotopic_cli::args::load;
use scotopic_cli::commands::import::{self, ImportArgs};
use scotopic_cli::commands::infer::recording;
use scotopic_cli::commands::model::locate;
use scotopic_datasets::ImageSet;
use scotopic_datasets::stimulus::Frames;
use scotopic_models::Network as Model;
use scotopic_train::checkpoint::{Checkpoint, CheckpointKind};
use scotopic_train::device::{self, DeviceChoice, Opened};
use scotopic_train::evaluate::{EvaluationConfig, evaluate, validation};
use scotopic_train::film_metrics::evaluate_films;
use scotopic_train::state::load_model;

use super::images::{array, numbers, standardised};
use super::stream::{Stream, drive};
use super::{Result, process};

/// A network with fixed weights.
#[pyclass(frozen, module = "scotopic._scotopic")]
pub struct Network {
    checkpoint: Checkpoint,
    model: Model,
    opened: Opened,
}

/// The device of this name.
///
/// # Errors
/// For a name that is none, a device that is not there, or in a process that was forked from one that used networks.
pub fn open(name: &str) -> anyhow::Result<Opened> {
    process::check()?;
    let choice: DeviceChoice = name
        .parse()
        .map_err(|error| anyhow::anyhow!("setting `device`: found {name:?}: {error}"))?;
    device::open(choice)
}

impl Network {
    /// The network of a checkpoint, on a device.
    ///
    /// # Errors
    /// If its weights do not fit its configuration.
    pub fn of(checkpoint: Checkpoint, opened: Opened) -> anyhow::Result<Self> {
        let model = load_model(&checkpoint, &opened.device)?;
        Ok(Self {
            checkpoint,
            model,
            opened,
        })
    }

    /// The network in a file.
    ///
    /// # Errors
    /// If it is not there or cannot be used.
    pub fn read(path: &Path, opened: Opened) -> anyhow::Result<Self> {
        Self::of(Checkpoint::read(&locate(path))?, opened)
    }
}

#[pymethods]
impl Network {
    /// The network in a run folder, the folder of a released checkpoint, or a checkpoint file.
    #[staticmethod]
    fn load(py: Python<'_>, path: PathBuf, device: &str) -> Result<Self> {
        Ok(py.detach(|| Self::read(&path, open(device)?))?)
    }

    /// A PyTorch checkpoint of the published iterative VAEs, with the configuration of a preset.
    #[staticmethod]
    fn import_published(
        py: Python<'_>,
        file: PathBuf,
        preset: Option<String>,
        size: Option<(u32, u32)>,
        device: &str,
    ) -> Result<Self> {
        let args = ImportArgs {
            file,
            out: PathBuf::new(),
            preset,
            config: None,
            sets: Vec::new(),
            height: size.map(|size| size.0),
            width: size.map(|size| size.1),
            data: None,
            json: false,
            force: Default::default(),
        };
        Ok(py.detach(|| Self::of(import::checkpoint(&args)?.0, open(device)?))?)
    }

    /// Writes the weights and the configuration to a file.
    fn save(&self, py: Python<'_>, path: PathBuf) -> Result<()> {
        let mut kept = self.checkpoint.clone();
        kept.kind = CheckpointKind::Model;
        kept.arrays.retain(|name, _| name.starts_with("model."));
        Ok(py.detach(|| kept.write(&path))?)
    }

    /// The configuration of its training, as JSON.
    fn config(&self) -> Result<String> {
        Ok(serde_json::to_string(&self.checkpoint.config)?)
    }

    /// Latents.
    #[getter]
    fn latents(&self) -> usize {
        self.model.latents()
    }

    /// Channels, height and width of an image.
    #[getter]
    fn shape(&self) -> (usize, usize, usize) {
        let shape = self.checkpoint.image.shape;
        (shape.channels, shape.height, shape.width)
    }

    /// The mean and standard deviation that pixels are standardised with.
    #[getter]
    fn standardisation(&self) -> (f32, f32) {
        let scale = self.checkpoint.image.standardisation;
        (scale.mean, scale.std)
    }

    /// The name of its device.
    #[getter]
    fn device(&self) -> &str {
        &self.opened.name
    }

    /// What its samples and the means of its posterior are called.
    #[getter]
    fn terms(&self) -> (&'static str, &'static str) {
        let terms = self.checkpoint.config.model.family.info().terms;
        (terms.samples, terms.means)
    }

    /// The atoms `[latents, pixels]` of a linear decoder, pixel per spike.
    fn atoms<'py>(&self, py: Python<'py>) -> Result<Bound<'py, PyAny>> {
        let Some(atoms) = self.model.decoder.atoms() else {
            return Err(anyhow::anyhow!(
                "this network has a decoder that is not linear, and no atoms"
            )
            .into());
        };
        let shape = atoms.dims();
        let values = py.detach(|| atoms.try_into_vec_as::<f32>());
        let values =
            values.map_err(|error| anyhow::anyhow!("could not read from the device: {error:?}"))?;
        Ok(array(py, values, shape)?)
    }

    /// Inference on images in rows `[steps · images, pixels]`, one frame after the other, by name: samples
    /// `[T, images, latents]`, means `[images, latents]`, reconstructions `[images, pixels]`, those by the means after the
    /// steps `moments` `[moments, images, pixels]`, free energy, −ln p(x|z) and KL `[T, images]` in nats.
    #[allow(clippy::too_many_arguments)] // called with keywords
    fn infer<'py>(
        &self,
        py: Python<'py>,
        pixels: &Bound<'py, PyArray2<f32>>,
        frames: usize,
        steps: Option<usize>,
        seed: u64,
        already: bool,
        moments: Vec<usize>,
    ) -> Result<Bound<'py, PyDict>> {
        let (values, [rows, width]) = numbers(pixels)?;
        let image = self.checkpoint.image;
        let inferred = py.detach(|| -> anyhow::Result<_> {
            process::check()?;
            let set = standardised(values, &image, already)?;
            let trained = self.checkpoint.config.steps_per_image();
            let steps = steps.unwrap_or(if frames > 1 { frames } else { trained });
            let frames = Frames {
                steps: frames,
                batch: rows / frames.max(1),
                pixels: width,
                data: set.pixels().to_vec(),
            };
            let few = if moments.is_empty() { 0 } else { frames.batch };
            recording::record(
                &self.model,
                &self.checkpoint.config,
                &frames,
                (steps, seed),
                (few, &moments),
                &self.opened,
                &|| Ok(Python::attach(|py| py.check_signals())?),
            )
            .map(|recorded| (recorded, steps, frames.batch))
        });
        py.check_signals()?;
        let (recorded, steps, images) = inferred?;
        let free_energy = recorded.free_energy(images)?;
        let latents = self.model.latents();
        let told = PyDict::new(py);
        let tell = |name: &str, values: Vec<f32>, shape: &[usize]| -> PyResult<()> {
            let flat = numpy::PyArray1::from_vec(py, values);
            told.set_item(name, flat.call_method1("reshape", (shape.to_vec(),))?)
        };
        let all = (|| -> PyResult<()> {
            tell("samples", recorded.samples, &[steps, images, latents])?;
            tell("means", recorded.means, &[images, latents])?;
            tell("reconstruction", recorded.by_sample, &[images, width])?;
            tell("reconstruction_means", recorded.by_means, &[images, width])?;
            let shape = [moments.len(), images, width];
            tell("unfolding", recorded.unfolding, &shape)?;
            tell("free_energy", free_energy, &[steps, images])?;
            tell("negative_log_likelihood", recorded.nll, &[steps, images])?;
            tell("kl", recorded.kl, &[steps, images])
        })();
        all?;
        told.set_item("zeros", recorded.zeros)?;
        Ok(told)
    }

    /// The metrics on images in rows, or on a split of the data that it was trained on, as JSON.
    #[allow(clippy::too_many_arguments)] // called with keywords
    fn evaluate(
        &self,
        py: Python<'_>,
        pixels: Option<&Bound<'_, PyArray2<f32>>>,
        already: bool,
        split: &str,
        folder: PathBuf,
        steps: Option<usize>,
        max_images: Option<usize>,
        batch: Option<usize>,
        seed: Option<u64>,
    ) -> Result<String> {
        let given = pixels.map(numbers).transpose()?;
        let config = &self.checkpoint.config;
        let metrics = py.detach(|| -> anyhow::Result<String> {
            process::check()?;
            let set: ImageSet = match given {
                Some((values, _)) => standardised(values, &self.checkpoint.image, already)?,
                None => {
                    let splits = load(&config.data, &folder, &mut |_| {})?;
                    match split {
                        "train" => splits.train,
                        "validation" => splits.validation,
                        "test" => splits
                            .test
                            .ok_or_else(|| anyhow::anyhow!("these data have no test set: take split=\"validation\""))?,
                        _ => anyhow::bail!(
                            "setting `split`: found {split:?}, expected \"train\", \"validation\" or \"test\""
                        ),
                    }
                }
            };
            let standard = validation(config);
            let how = EvaluationConfig {
                steps: steps.unwrap_or(standard.steps),
                batch: batch.unwrap_or(standard.batch),
                count: max_images.unwrap_or(usize::MAX),
                noise: seed.map_or(standard.noise, |seed| NoiseKey {
                    seed,
                    ..standard.noise
                }),
                go_on: || Ok(Python::attach(|py| py.check_signals())?),
                ..standard
            };
            let device = &self.opened.device;
            Ok(match set.frames() {
                1 => {
                    let metrics = evaluate(&self.model, &set, &how, device)?;
                    anyhow::ensure!(
                        metrics.objective.is_finite(),
                        "the free energy is {}: the images are beyond what the model can explain, or its inference diverges",
                        metrics.objective
                    );
                    serde_json::to_string(&metrics)?
                }
                _ => serde_json::to_string(&evaluate_films(&self.model, &set, &how, device)?)?,
            })
        });
        py.check_signals()?;
        Ok(metrics?)
    }

    /// The event-driven engine, watching from rest.
    fn stream(&self, py: Python<'_>, drive_by: &str, seed: u64, already: bool) -> Result<Stream> {
        let drive = drive(drive_by)?;
        let rule = self.checkpoint.config.rule().at(1.0, Sampling::EXACT);
        let engine = py.detach(|| self.model.engine(rule, drive))?;
        Ok(Stream::new(&engine, seed, self.checkpoint.image, already))
    }

    fn __repr__(&self) -> String {
        let config = &self.checkpoint.config;
        let shape = self.checkpoint.image.shape;
        format!(
            "<Network: {} {} of images {}×{}×{}, on {}>",
            config.model.latents,
            config.model.family.info().terms.units,
            shape.channels,
            shape.height,
            shape.width,
            self.opened.name
        )
    }
}
