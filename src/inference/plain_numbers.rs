//! Tensors of the CPU as plain numbers, for the objective as one piece.

use std::ops::Range;

use burn::tensor::Tensor;

use super::{PriorInTime, Stimulus};
use crate::fused::{StepNoise, StepPrior, Transition, TransitionParameters};
use crate::noise::{Draw, Noise, NoiseKey, NoiseSource};
use crate::posterior::Posterior;

/// The values of a tensor of the CPU, in row-major order; `None` where they are not f32.
pub(super) fn numbers<const D: usize>(tensor: &Tensor<D>) -> Option<Vec<f32>> {
    tensor
        .clone()
        .detach()
        .into_data()
        .try_into_vec::<f32>()
        .ok()
}

/// The keys of all steps; `None` where noise is given as numbers.
pub(super) fn keys(
    noise: &dyn NoiseSource,
    times: Range<usize>,
    inner: usize,
) -> Option<Vec<StepNoise>> {
    let key = |time, draw| -> Option<NoiseKey> {
        match noise.noise(time, draw) {
            Noise::Keyed(key) => Some(key),
            _ => None,
        }
    };
    times
        .map(|time| {
            let infer = (0..inner).map(|inner| key(time, Draw::Infer { inner }));
            Some(StepNoise {
                infer: infer.collect::<Option<_>>()?,
                generate: key(time, Draw::Generate)?,
            })
        })
        .collect()
}

/// The images of all steps: one for all, or one per step. `None` where they are not of this shape: then it is for the
/// tensor operations to say so.
pub(super) fn frames(
    stimulus: &Stimulus,
    times: Range<usize>,
    shape: [usize; 2],
) -> Option<Vec<Vec<f32>>> {
    let fitting = |x: &Tensor<2>| if x.dims() == shape { numbers(x) } else { None };
    match stimulus {
        Stimulus::Static(x) => Some(vec![fitting(x)?]),
        Stimulus::Sequence(_) => times.map(|time| fitting(&stimulus.at(time))).collect(),
    }
}

/// Components `[batch, latent]` as one array `[batch, component, latent]`; `None` where they are not all of this shape
/// and f32.
pub(super) fn interleaved(
    components: &[Tensor<2>],
    [batch, latents]: [usize; 2],
) -> Option<Vec<f32>> {
    let fitting = |component: &Tensor<2>| match component.dims() == [batch, latents] {
        true => numbers(component),
        false => None,
    };
    let parts: Vec<Vec<f32>> = components.iter().map(fitting).collect::<Option<_>>()?;
    let rows = (0..batch).map(|row| row * latents..(row + 1) * latents);
    let pieces = rows.flat_map(|at| parts.iter().flat_map(move |part| &part[at.clone()]));
    Some(pieces.copied().collect())
}

/// Component number `component` of such an array of `count`.
pub(super) fn component(
    interleaved: &[f32],
    latents: usize,
    component: usize,
    count: usize,
) -> Vec<f32> {
    let rows = interleaved.chunks(latents).skip(component).step_by(count);
    rows.flatten().copied().collect()
}

/// The prior of a step, `rest` being the belief before anything is seen; `None` where it takes other than f32.
pub(super) fn step_prior<P: Posterior>(
    prior: Option<&PriorInTime>,
    rest: &P,
    latents: usize,
) -> Option<StepPrior> {
    Some(match prior {
        None => StepPrior::Carried,
        Some(PriorInTime::Static) => {
            StepPrior::fixed(&interleaved(&rest.components(), [1, latents])?, latents)
        }
        Some(PriorInTime::Learned(transition)) => {
            let parameters = TransitionParameters {
                keep: numbers(&transition.keep)?,
                weights: numbers(&transition.weights)?,
                bias: numbers(&transition.bias)?,
                rest: numbers(&rest.log_rate()?)?,
                ceiling: transition.ceiling as f32,
            };
            StepPrior::Learned(Box::new(Transition::new(parameters)))
        }
    })
}
