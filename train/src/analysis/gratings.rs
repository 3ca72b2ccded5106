//! Responses of neurons to gratings: mean spike counts, and their modulation by the drift.

use std::f64::consts::TAU;

use anyhow::Result;
use burn::tensor::Tensor;
use scotopic::inference::{RecordOptions, Stimulus, unroll};
use scotopic_datasets::ImageShape;
use scotopic_datasets::rng::epoch_order;
use scotopic_datasets::stimulus::Grating;
use scotopic_models::Network;

use super::AnalysedModel;
use crate::parameters::read;

/// Steps whose spikes the device holds at a time.
const STRETCH: usize = 16;
const SPIKES: RecordOptions = RecordOptions {
    every: 1,
    spikes: true,
    states: false,
    generated: false,
};

/// Timing and trials of the gratings.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Protocol {
    /// Settling time, in steps.
    pub settle: usize,
    /// Steps over which spikes are counted.
    pub window: usize,
    /// Cycles of drift in the window, for the modulation.
    pub cycles: usize,
    /// Trials per grating.
    pub trials: usize,
    /// Batch size, in sequences.
    pub batch: usize,
    /// Seed of a random order of the frames; `None` shows them as they come.
    pub shuffled: Option<u64>,
}

impl Protocol {
    /// The times of the frames, in the order in which they are shown.
    fn times(&self) -> Vec<usize> {
        let steps = self.settle + self.window;
        match self.shuffled {
            Some(seed) => epoch_order(steps, seed, 0),
            None => (0..steps).collect(),
        }
    }
}

/// Responses of `latents` neurons to gratings.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Responses {
    latents: usize,
    /// Mean spikes per step, `[gratings, latents]`.
    mean: Vec<f32>,
    /// (2/N)|Σ z exp(−2πi·cycles·t/N)|, `[gratings, latents]`.
    modulation: Vec<f32>,
}

impl Responses {
    /// Mean spikes per step of a neuron during a grating.
    pub fn mean(&self, grating: usize, unit: usize) -> f64 {
        f64::from(self.mean[grating * self.latents + unit])
    }

    /// F1, the amplitude at the frequency of the drift.
    pub fn modulation(&self, grating: usize, unit: usize) -> f64 {
        f64::from(self.modulation[grating * self.latents + unit])
    }
}

/// What is shown in one condition.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Shown {
    /// While the response settles.
    pub before: Grating,
    /// While spikes are counted.
    pub during: Grating,
    /// Only pixels in it are shown, the mean of the grating elsewhere; `None` shows all.
    pub disc: Option<Disc>,
}

/// A disc of pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Disc {
    /// Row and column of its centre, from the first pixel.
    pub centre: [f64; 2],
    /// Its radius, pixels.
    pub radius: f64,
}

impl From<Grating> for Shown {
    fn from(grating: Grating) -> Self {
        Self {
            before: grating,
            during: grating,
            disc: None,
        }
    }
}

impl Shown {
    fn frame(&self, shape: ImageShape, settling: bool, time: usize) -> Vec<f32> {
        let grating = match settling {
            true => &self.before,
            false => &self.during,
        };
        let mut frame = grating.frame(shape, time);
        let Some(Disc { centre, radius }) = self.disc else {
            return frame;
        };
        let plane = shape.height * shape.width;
        for (i, pixel) in frame.iter_mut().enumerate() {
            let (row, column) = (i % plane / shape.width, i % shape.width);
            let far = (row as f64 - centre[0]).hypot(column as f64 - centre[1]);
            if far > radius {
                *pixel = grating.mean as f32;
            }
        }
        frame
    }
}

/// Presents every condition and counts spikes; `first` numbers the noise of the first batch.
///
/// One read-back for each batch.
pub(super) fn responses<S: Copy + Into<Shown>>(
    analysed: &AnalysedModel<'_>,
    shape: ImageShape,
    conditions: &[S],
    protocol: &Protocol,
    first: usize,
) -> Result<Responses> {
    let latents = analysed.model.latents();
    let trials = protocol.trials.max(1);
    let mut all = Responses {
        latents,
        mean: Vec::with_capacity(conditions.len() * latents),
        modulation: Vec::with_capacity(conditions.len() * latents),
    };
    let at_a_time = (protocol.batch / trials).max(1);
    for (number, some) in conditions.chunks(at_a_time).enumerate() {
        let times = protocol.times();
        let film = film(analysed, shape, some, &times, protocol.settle).repeat_dim(1, trials);
        let sums = counted(analysed, film, protocol, first + number);
        // [3·trials, conditions, latents] → the mean over trials of each of the three sums.
        let n = (trials * protocol.window.max(1)) as f64;
        let sums = sums.reshape([3, trials, some.len() * latents]).sum_dim(1) / n;
        let values = read(sums)?;
        let (mean, waves) = values.split_at(some.len() * latents);
        let (re, im) = waves.split_at(some.len() * latents);
        all.mean.extend_from_slice(mean);
        let amplitude = re.iter().zip(im).map(|(re, im)| 2.0 * re.hypot(*im));
        all.modulation.extend(amplitude);
    }
    Ok(all)
}

/// Frames of the conditions at these times, of which the first `settle` are those before spikes are counted,
/// `[time, conditions, pixels]`.
pub(super) fn film<S: Copy + Into<Shown>>(
    analysed: &AnalysedModel<'_>,
    shape: ImageShape,
    conditions: &[S],
    times: &[usize],
    settle: usize,
) -> Tensor<3> {
    let mut frames = Vec::with_capacity(times.len() * conditions.len() * shape.pixels());
    for (i, &time) in times.iter().enumerate() {
        for &condition in conditions {
            let shown: Shown = condition.into();
            frames.extend(shown.frame(shape, i < settle, time));
        }
    }
    analysed.film(frames, [times.len(), conditions.len(), shape.pixels()])
}

/// The most responsive neurons, at most `neurons`, the most responsive first: each with the number of the grating that it
/// fires most to, and how much.
pub(super) fn preferred(
    analysed: &AnalysedModel<'_>,
    shape: ImageShape,
    gratings: &[Grating],
    protocol: &Protocol,
    neurons: usize,
) -> Result<Vec<Preferred>> {
    let seen = responses(analysed, shape, gratings, protocol, 0)?;
    let mut best: Vec<Preferred> = (0..analysed.model.latents())
        .map(|unit| {
            let each = (0..gratings.len()).map(|i| (seen.mean(i, unit), i));
            let (response, grating) = each.fold((0.0, 0), |a, b| if b.0 > a.0 { b } else { a });
            Preferred {
                unit,
                grating,
                response,
            }
        })
        .collect();
    let order = |a: &Preferred, b: &Preferred| b.response.total_cmp(&a.response);
    best.sort_by(|a, b| order(a, b).then(a.unit.cmp(&b.unit)));
    best.truncate(neurons);
    Ok(best)
}

/// What a neuron prefers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Preferred {
    /// Index of the neuron.
    pub unit: usize,
    /// Number of the grating.
    pub grating: usize,
    /// Spikes per step to it.
    pub response: f64,
}

/// Σz, Σz cos and Σz sin over the window, one below the other, `[3·sequences, latents]`.
fn counted(
    analysed: &AnalysedModel<'_>,
    film: Tensor<3>,
    protocol: &Protocol,
    number: usize,
) -> Tensor<2> {
    let model: &Network = analysed.model;
    let perception = model.perception(analysed.rule());
    let [_, sequences, _] = film.dims();
    let (stimulus, noise) = (Stimulus::Sequence(film), analysed.noise(number));
    let rest = perception.rest(sequences);
    let settle = protocol.settle;
    let mut state = unroll(
        &*perception,
        &stimulus,
        rest,
        0..settle,
        &noise,
        RecordOptions::FINAL,
    )
    .state;
    let zeros = || Tensor::<2>::zeros([sequences, model.latents()], analysed.device);
    let (mut sum, mut re, mut im) = (zeros(), zeros(), zeros());
    let end = settle + protocol.window;
    for from in (settle..end).step_by(STRETCH) {
        let times = from..end.min(from + STRETCH);
        let seen = unroll(&*perception, &stimulus, state, times, &noise, SPIKES);
        state = seen.state;
        for moment in seen.records {
            let Some(spikes) = moment.spikes else {
                continue;
            };
            let cycles = protocol.cycles as f64 / protocol.window as f64;
            let (sin, cos) = (TAU * cycles * (moment.time - settle) as f64).sin_cos();
            sum = sum + spikes.clone();
            re = re + spikes.clone() * cos;
            im = im + spikes * sin;
        }
    }
    Tensor::cat(vec![sum, re, im], 0)
}
