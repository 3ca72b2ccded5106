//! The event-driven engine: one input over time, spikes as they are fired.

use std::sync::Mutex;

use numpy::{PyArray1, PyArray2};
use pyo3::prelude::*;
use scotopic::noise::NoiseKey;
use scotopic::spiking::{self, DriveMethod};
use scotopic_train::checkpoint::ImageInfo;

use super::Result;
use super::images::{numbers, standardised};

/// How the drive is computed, by its name.
///
/// # Errors
/// For a name that is none.
pub fn drive(name: &str) -> anyhow::Result<DriveMethod> {
    Ok(match name {
        "dense" => DriveMethod::Dense,
        "events" => DriveMethod::Events,
        "lateral" => DriveMethod::Lateral,
        "integer-lateral" => DriveMethod::IntegerLateral,
        _ => anyhow::bail!(
            "setting `drive`: found {name:?}, expected \"events\", \"dense\", \"lateral\" or \"integer-lateral\""
        ),
    })
}

/// A network that keeps watching.
#[pyclass(frozen, module = "scotopic._scotopic")]
pub struct Stream {
    stream: Mutex<spiking::Stream>,
    image: ImageInfo,
    already: bool,
    neurons: usize,
    pixels: usize,
}

impl Stream {
    /// Watches with this engine images on the scale of its training, or on its own if they are `already` standardised.
    pub fn new(engine: &spiking::Engine, seed: u64, image: ImageInfo, already: bool) -> Self {
        Self {
            stream: Mutex::new(engine.stream(NoiseKey::new(seed))),
            image,
            already,
            neurons: engine.latents(),
            pixels: engine.pixels(),
        }
    }

    fn locked(&self) -> anyhow::Result<std::sync::MutexGuard<'_, spiking::Stream>> {
        let lock = self.stream.lock();
        lock.map_err(|_| anyhow::anyhow!("a step of this stream failed before"))
    }
}

/// Which neurons fired, and how often each.
type Fired<'py> = (Bound<'py, PyArray1<i64>>, Bound<'py, PyArray1<i64>>);

#[pymethods]
impl Stream {
    /// One step on an image `[1, pixels]`: the neurons that fired, and how often.
    fn step<'py>(&self, py: Python<'py>, image: &Bound<'py, PyArray2<f32>>) -> Result<Fired<'py>> {
        let (values, _) = numbers(image)?;
        let image = standardised(values, &self.image, self.already)?;
        let mut stream = self.locked()?;
        let spikes = stream.step(image.pixels())?;
        let neurons = spikes.iter().map(|spike| i64::from(spike.neuron)).collect();
        let counts = spikes.iter().map(|spike| i64::from(spike.count)).collect();
        Ok((
            PyArray1::from_vec(py, neurons),
            PyArray1::from_vec(py, counts),
        ))
    }

    /// A stream in the same state.
    fn copy(&self) -> Result<Self> {
        Ok(Self {
            stream: Mutex::new(self.locked()?.clone()),
            ..*self
        })
    }

    /// The membrane potentials u `[latents]`; their rates are e^u.
    #[getter]
    fn potential<'py>(&self, py: Python<'py>) -> Result<Bound<'py, PyArray1<f32>>> {
        Ok(PyArray1::from_slice(py, self.locked()?.potential()))
    }

    /// Steps taken.
    #[getter]
    fn time(&self) -> Result<usize> {
        Ok(self.locked()?.time())
    }

    /// Neurons.
    #[getter]
    fn latents(&self) -> usize {
        self.neurons
    }

    /// Pixels of an image.
    #[getter]
    fn pixels(&self) -> usize {
        self.pixels
    }
}
