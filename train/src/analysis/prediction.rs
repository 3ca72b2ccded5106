//! How far ahead the prior in time predicts films, and what a cut costs.
//!
//! After the frames x_1 … x_t the prior of a later frame is the transition applied again and again with nothing seen in between, as
//! when the film is hidden. Its expected picture f(E z) is compared with the frame that comes, beside the last frame that was seen
//! (persistence) and a blank one.
//!
//! In a film that is cut, the first half is of another film. From the cut on the frames are those of the film as it was: what F and
//! spikes are above those of that film is the response to the surprise.

use anyhow::{Context, Result, ensure};
use burn::tensor::Tensor;
use scotopic::inference::{Perception, Stimulus};
use scotopic::noise::NoiseKey;
use scotopic::posterior::{AnyPosterior, Posterior};
use scotopic_datasets::ImageSet;
use serde::{Deserialize, Serialize};

use super::AnalysedModel;
use crate::films::stimulus;
use crate::parameters::read;

/// How films are predicted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PredictionConfig {
    /// Frames ahead, and frames after a cut.
    pub horizon: usize,
    /// Films.
    pub count: usize,
    /// Films at a time.
    pub batch: usize,
}

impl Default for PredictionConfig {
    fn default() -> Self {
        Self {
            horizon: 8,
            count: 256,
            batch: 64,
        }
    }
}

/// Predictions so many frames ahead; squared errors per frame, means over films and moments.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Ahead {
    /// Frames ahead; 1 is the next.
    pub frames: usize,
    /// Of f(E z) under the prior.
    pub error: f64,
    /// Of the last frame that was seen.
    pub persistence: f64,
    /// Of the mean frame of standardised data, 0.
    pub blank: f64,
}

/// So many frames after a cut, less the same frame of the film without it; means over films.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct AfterCut {
    /// Frames after the cut; 0 is the first of the other film.
    pub frames: usize,
    /// F with β = 1, in nats.
    pub free_energy: f64,
    /// Spikes of one sample.
    pub spikes: f64,
}

/// Predictions and the response to a cut.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Prediction {
    /// Films.
    pub films: usize,
    /// Frames of each.
    pub frames: usize,
    /// By frames ahead.
    pub ahead: Vec<Ahead>,
    /// As many frames ahead the prediction is better than persistence and than a blank, without a gap.
    pub horizon: usize,
    /// By frames after the cut.
    pub cut: Vec<AfterCut>,
}

/// Predicts the first films of `set` from their middle on.
///
/// # Errors
/// If the set has no films of the model's size with twice the horizon in frames, or the device fails.
pub fn prediction(
    analysed: &AnalysedModel<'_>,
    set: &ImageSet,
    settings: &PredictionConfig,
) -> Result<Prediction> {
    let frames = set.frames();
    let horizon = settings.horizon;
    ensure!(frames > 1, "{} holds still images, not films", set.name());
    ensure!(
        horizon > 0 && 2 * horizon <= frames,
        "horizon = {horizon}: {} has films of {frames} frames, and half of them at most can be ahead",
        set.name()
    );
    analysed.images(set, set.len())?;
    let films = settings.count.min(set.films());
    ensure!(
        films > 1,
        "{} holds one film, and a cut is between two",
        set.name()
    );
    let each = frames * set.shape().pixels();
    let pixels = &set.pixels()[..films * each];
    let perception = analysed.model.perception(analysed.rule());
    let mut ahead = vec![[0.0; 3]; horizon];
    let mut cut = vec![[0.0; 2]; horizon];
    for (number, batch) in pixels.chunks(settings.batch.max(2) * each).enumerate() {
        let noise = analysed.noise(number);
        let film = |pixels: Vec<f32>| {
            let rows = pixels.len() / each;
            stimulus(pixels, rows, set.shape().pixels(), analysed.device)
        };
        add(
            &mut ahead,
            &errors(&*perception, &film(batch.to_vec()), frames, horizon, &noise)?,
        );
        let (whole, other) = (
            film(batch.to_vec()),
            film(with_other_beginnings(batch, each)),
        );
        let before = scores(&*perception, &whole, frames, horizon, &noise)?;
        let after = scores(&*perception, &other, frames, horizon, &noise)?;
        let difference: Vec<f64> = after.iter().zip(&before).map(|(a, b)| a - b).collect();
        add(&mut cut, &difference);
    }
    let starts = starts(frames, horizon).count();
    let ahead: Vec<Ahead> = (1..)
        .zip(&ahead)
        .map(|(frames, sums)| {
            let [error, persistence, blank] = sums.map(|sum| sum / (films * starts) as f64);
            Ahead {
                frames,
                error,
                persistence,
                blank,
            }
        })
        .collect();
    let better = |at: &&Ahead| at.error < at.persistence.min(at.blank);
    Ok(Prediction {
        films,
        frames,
        horizon: ahead.iter().take_while(better).count(),
        ahead,
        cut: (0..)
            .zip(&cut)
            .map(|(frames, sums)| AfterCut {
                frames,
                free_energy: sums[0] / films as f64,
                spikes: sums[1] / films as f64,
            })
            .collect(),
    })
}

/// The frames after which the future is predicted: from the middle to the last with all of the horizon in the film.
fn starts(frames: usize, horizon: usize) -> std::ops::Range<usize> {
    frames / 2 - 1..frames - horizon
}

/// Every film with the first half of the next one, of the last one with that of the first.
fn with_other_beginnings(films: &[f32], each: usize) -> Vec<f32> {
    let pixels = each / 2;
    let count = films.len() / each;
    let begin = |film: usize| film % count * each;
    let mut cut = films.to_vec();
    for film in 0..count {
        let from = begin(film + 1);
        cut[begin(film)..][..pixels].copy_from_slice(&films[from..][..pixels]);
    }
    cut
}

fn add<const N: usize>(sums: &mut [[f64; N]], more: &[f64]) {
    let each = sums.iter_mut().flatten().zip(more);
    each.for_each(|(sum, more)| *sum += more);
}

/// Sums over films and starts: error, persistence, blank, by frames ahead.
fn errors(
    perception: &dyn Perception<Belief = AnyPosterior>,
    film: &Stimulus,
    frames: usize,
    horizon: usize,
    noise: &NoiseKey,
) -> Result<Vec<f64>> {
    let starts = starts(frames, horizon);
    let mut state = perception.rest(film.batch());
    let mut sums: Vec<Option<Tensor<1>>> = vec![None; 3 * horizon];
    for time in 0..starts.end {
        state = perception
            .step(&film.at(time), &state, time, noise, false)
            .state;
        if !starts.contains(&time) {
            continue;
        }
        let mut predicted = state.clone();
        for ahead in 0..horizon {
            predicted = perception.prior(&predicted);
            let x = film.at(time + ahead + 1);
            let errors = [
                x.clone() - perception.decode(predicted.mean()),
                x.clone() - film.at(time),
                x,
            ];
            for (place, error) in errors.into_iter().enumerate() {
                let sum = &mut sums[3 * ahead + place];
                let error = error.square().sum();
                *sum = Some(match sum.take() {
                    None => error,
                    Some(sum) => sum + error,
                });
            }
        }
    }
    whole(sums.into_iter().collect::<Option<Vec<_>>>())
}

/// Sums over films of F and of spikes, by frames from the middle on.
fn scores(
    perception: &dyn Perception<Belief = AnyPosterior>,
    film: &Stimulus,
    frames: usize,
    horizon: usize,
    noise: &NoiseKey,
) -> Result<Vec<f64>> {
    let middle = frames / 2;
    let mut state = perception.rest(film.batch());
    let mut sums = Vec::with_capacity(2 * horizon);
    for time in 0..middle + horizon {
        let step = perception.step(&film.at(time), &state, time, noise, time >= middle);
        state = step.state;
        if let Some(generated) = step.generated {
            let free_energy = &generated.free_energy;
            sums.push((free_energy.reconstruction.clone() + free_energy.divergence()).sum());
            sums.push(generated.sample.sum());
        }
    }
    whole(Some(sums))
}

/// One read-back of all sums.
fn whole(sums: Option<Vec<Tensor<1>>>) -> Result<Vec<f64>> {
    let sums = sums.filter(|sums| !sums.is_empty());
    let sums = sums.context("a film has no frames")?;
    Ok(read(Tensor::cat(sums, 0))?
        .into_iter()
        .map(f64::from)
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_film_begins_as_the_next_one() {
        // Two films of four frames of one pixel.
        let films: Vec<f32> = (0..8).map(|v| v as f32).collect();
        let cut = with_other_beginnings(&films, 4);
        assert_eq!(cut, [4.0, 5.0, 2.0, 3.0, 0.0, 1.0, 6.0, 7.0]);
        assert_eq!(starts(24, 8), 11..16);
    }
}
