//! Evaluation on films, with exact spike counts: code length, prediction of the next frame, spikes.

use anyhow::{Context, Result, ensure};
use burn::tensor::{Device, Tensor};
use scotopic::decoder::Decoder;
use scotopic::inference::{Perception, Stimulus};
use scotopic::posterior::{AnyPosterior, Posterior, Sampling};
use scotopic_datasets::ImageSet;
use scotopic_models::Network;
use serde::{Deserialize, Serialize};

use crate::evaluate::EvaluationConfig;
use crate::films::stimulus;
use crate::parameters::read;

/// How a model does on films. Per frame: means over frames and films.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FilmMetrics {
    /// Number of films.
    pub films: usize,
    /// Frames of each.
    pub frames: usize,
    /// F with β = 1 per frame: a bound of −ln p(x_t|x_1 … x_{t−1}) (eq. T4), in nats.
    pub nats_per_frame: f64,
    /// −ln p(x|z) per frame.
    pub reconstruction: f64,
    /// KL from the prior in time per frame.
    pub kl: f64,
    /// Spikes of one sample per frame, all neurons.
    pub spikes_per_frame: f64,
    /// R² of decoding one sample, pooled over the second half of each film.
    pub r2_second_half: f64,
    /// The same of decoding the rates.
    pub r2_rates_second_half: f64,
    /// Squared error of the frame that the prior predicts, f(E z), from the second frame on; per frame.
    pub next_frame_error: f64,
    /// The same of taking the frame before for the prediction.
    pub persistence_error: f64,
    /// Squared error of predicting the mean frame of standardised data, 0.
    pub blank_error: f64,
    /// Nats per frame of each film, for comparisons in pairs.
    pub nats_by_film: Vec<f64>,
}

/// What is kept of each film, summed over its frames.
const COLUMNS: usize = 9;

/// Evaluates `model` on the films of `set`, with one step for each frame.
///
/// # Errors
/// If the set has no films of the model's size, or the device fails.
pub fn evaluate_films(
    model: &Network,
    set: &ImageSet,
    how: &EvaluationConfig,
    device: &Device,
) -> Result<FilmMetrics> {
    let (pixels, frames) = (set.shape().pixels(), set.frames());
    let expected = model.decoder.pixels();
    ensure!(frames > 1, "{} holds still images, not films", set.name());
    ensure!(
        pixels == expected,
        "{} has frames of {pixels} pixels; the model was made for {expected}",
        set.name()
    );
    let films = how.count.min(set.films());
    ensure!(films > 0, "{} holds no films to measure", set.name());
    let each = how.batch.max(1).saturating_mul(frames * pixels);
    let perception = model.perception(how.rule.at(1.0, Sampling::EXACT));
    let mut rows: Vec<[f64; COLUMNS]> = Vec::with_capacity(films);
    for (number, batch) in set.pixels()[..films * frames * pixels]
        .chunks(each)
        .enumerate()
    {
        (how.go_on)()?;
        let count = batch.len() / (frames * pixels);
        let film = stimulus(batch.to_vec(), count, pixels, device);
        let noise = how.noise.step(number as u32);
        let sums = sums(&*perception, &film, frames, &noise)?;
        let values = read(sums)?;
        rows.extend(values.chunks_exact(COLUMNS).map(|row| {
            let mut sums = [0.0; COLUMNS];
            sums.iter_mut()
                .zip(row)
                .for_each(|(sum, &v)| *sum = f64::from(v));
            sums
        }));
    }
    let total = |column: usize| rows.iter().map(|row| row[column]).sum::<f64>();
    let per = |column: usize, frames: usize| total(column) / (films * frames) as f64;
    let by_film = |row: &[f64; COLUMNS]| (row[0] + row[1]) / frames as f64;
    let r2 = |column: usize| 1.0 - total(column) / total(5).max(f64::MIN_POSITIVE);
    Ok(FilmMetrics {
        films,
        frames,
        nats_per_frame: per(0, frames) + per(1, frames),
        reconstruction: per(0, frames),
        kl: per(1, frames),
        spikes_per_frame: per(2, frames),
        r2_second_half: r2(3),
        r2_rates_second_half: r2(4),
        next_frame_error: per(6, frames - 1),
        persistence_error: per(7, frames - 1),
        blank_error: per(8, frames - 1),
        nats_by_film: rows.iter().map(by_film).collect(),
    })
}

/// Sums over the frames of every film, `[films, COLUMNS]`.
fn sums(
    perception: &dyn Perception<Belief = AnyPosterior>,
    film: &Stimulus,
    frames: usize,
    noise: &scotopic::noise::NoiseKey,
) -> Result<Tensor<2>> {
    let mut state = perception.rest(film.batch());
    let mut sums: Option<Tensor<2>> = None;
    for time in 0..frames {
        let x = film.at(time);
        let predicted = perception.decode(perception.prior(&state).mean());
        let step = perception.step(&x, &state, time, noise, true);
        let generated = step.generated.context("no frame was scored")?;
        let rates = perception.decode(step.state.mean());
        let counted = |yes: bool, column: Tensor<2>| column * f64::from(u8::from(yes));
        let (second_half, later) = (2 * time >= frames, time > 0);
        let columns = vec![
            generated
                .free_energy
                .reconstruction
                .clone()
                .unsqueeze_dim(1),
            generated.free_energy.divergence().unsqueeze_dim(1),
            generated.sample.clone().sum_dim(1),
            counted(second_half, squares(x.clone() - generated.mean)),
            counted(second_half, squares(x.clone() - rates)),
            counted(second_half, squares(x.clone() - x.clone().mean_dim(1))),
            counted(later, squares(x.clone() - predicted)),
            counted(later, squares(x.clone() - film.at(time.saturating_sub(1)))),
            counted(later, squares(x)),
        ];
        let columns = Tensor::cat(columns, 1);
        sums = Some(match sums {
            None => columns,
            Some(sums) => sums + columns,
        });
        state = step.state;
    }
    sums.context("a film has no frames")
}

/// ‖·‖² of every row, `[batch, 1]`.
fn squares(x: Tensor<2>) -> Tensor<2> {
    x.square().sum_dim(1)
}
