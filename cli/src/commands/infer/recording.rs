//! Inference with all recordings, read back from the device every few steps.

use anyhow::{Context, Result, bail};
use burn::tensor::{Tensor, TensorData};
use scotopic::decoder::Decoder;
use scotopic::inference::{RecordOptions, Stimulus, unroll};
use scotopic::noise::NoiseKey;
use scotopic::posterior::{Posterior, Sampling};
use scotopic_datasets::stimulus::Frames;
use scotopic_models::Network;

use scotopic_train::config::RunConfig;
use scotopic_train::device::Opened;

/// Steps between two read-backs, so that the device holds only a few steps at a time.
const STRETCH: usize = 64;

/// The recordings, on the host; the last index of every array varies fastest.
pub struct Recording {
    /// z that drove the state, `[steps, sequences, latents]`.
    pub samples: Vec<f32>,
    /// The fraction of zeros among a(z), the input of the decoder.
    pub zeros: f64,
    /// E\[a(z)\] at the end, `[sequences, latents]`.
    pub means: Vec<f32>,
    /// f of a fresh sample at the end, `[sequences, pixels]`.
    pub by_sample: Vec<f32>,
    /// f(E\[a(z)\]) at the end, `[sequences, pixels]`.
    pub by_means: Vec<f32>,
    /// f(E\[a(z)\]) of the first sequences at some steps, `[moments, few, pixels]`.
    pub unfolding: Vec<f32>,
    /// −ln p(x|z), `[steps, sequences]`.
    pub nll: Vec<f32>,
    /// KL, `[steps, sequences]`.
    pub kl: Vec<f32>,
}

impl Recording {
    /// The free energy, nats `[steps, sequences]`, of `sequences`.
    ///
    /// # Errors
    /// The first that is not finite.
    pub fn free_energy(&self, sequences: usize) -> Result<Vec<f32>> {
        let all: Vec<f32> = (self.nll.iter().zip(&self.kl))
            .map(|(a, b)| a + b)
            .collect();
        if let Some(at) = all.iter().position(|f| !f.is_finite()) {
            bail!(
                "the free energy of image {} at step {} is {}: the input is beyond what the model can explain, or its \
                 inference diverges",
                at % sequences + 1,
                at / sequences + 1,
                all[at]
            );
        }
        Ok(all)
    }
}

/// Infers `steps` steps from rest; keeps the reconstructions of the first `few` sequences after the steps `moments`. `go_on` is asked
/// now and then.
///
/// # Errors
/// If the device fails; what `go_on` says.
pub fn record(
    model: &Network,
    config: &RunConfig,
    frames: &Frames,
    (steps, seed): (usize, u64),
    (few, moments): (usize, &[usize]),
    opened: &Opened,
    go_on: &dyn Fn() -> Result<()>,
) -> Result<Recording> {
    let sizes = [frames.steps, frames.batch, frames.pixels];
    let video = TensorData::new(frames.data.clone(), sizes);
    let stimulus = Stimulus::Sequence(Tensor::from_data(video, &opened.device));
    let perception = model.perception(config.rule().at(1.0, Sampling::EXACT));
    let noise = NoiseKey::new(seed);
    let mut state = perception.rest(frames.batch);
    let (mut samples, mut zeros, mut nll, mut kl) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let (mut unfolding, mut last) = (Vec::new(), None);
    for from in (0..steps).step_by(STRETCH) {
        go_on()?;
        let times = from..steps.min(from + STRETCH);
        let seen = unroll(
            &*perception,
            &stimulus,
            state,
            times,
            &noise,
            RecordOptions::ALL,
        );
        state = seen.state;
        let (mut drawn, mut likelihoods, mut divergences, mut decoded) =
            (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for moment in seen.records {
            drawn.extend(moment.spikes);
            if let Some(generated) = moment.generated {
                likelihoods.push(generated.free_energy.reconstruction.clone());
                divergences.push(generated.free_energy.divergence());
                last = Some(generated);
            }
            if let Some(belief) = moment.state
                && moments.binary_search(&moment.time).is_ok()
            {
                decoded.push(model.decoder.decode(belief.mean().narrow(0, 0, few)));
            }
        }
        let drawn = Tensor::cat(drawn, 0);
        let silent = state.activate(drawn.clone()).equal_elem(0.0).float();
        zeros.extend(host(silent.mean_dim(1))?);
        samples.extend(host(drawn)?);
        nll.extend(host(Tensor::cat(likelihoods, 0))?);
        kl.extend(host(Tensor::cat(divergences, 0))?);
        if !decoded.is_empty() {
            unfolding.extend(host(Tensor::cat(decoded, 0))?);
        }
    }
    let last = last.context("the number of inference steps is 0")?;
    let means = state.mean();
    let by_means = model.decoder.decode(means.clone());
    let portions = zeros.iter().map(|&portion| f64::from(portion)).sum::<f64>();
    Ok(Recording {
        samples,
        zeros: portions / zeros.len().max(1) as f64,
        means: host(means)?,
        by_sample: host(last.mean)?,
        by_means: host(by_means)?,
        unfolding,
        nll,
        kl,
    })
}

fn host<const D: usize>(tensor: Tensor<D>) -> Result<Vec<f32>> {
    tensor
        .try_into_vec_as::<f32>()
        .context("could not read from the device")
}
