//! The two gradients that a network can learn by, beside each other: through inference, and with beliefs held fixed.
//!
//! ```text
//! cos = ⟨g, h⟩/(‖g‖ ‖h‖),   g = dF/dθ through inference,   h = ∂F/∂θ at every belief as it is (eq. T6)
//! ```

use anyhow::{Result, ensure};
use burn::module::Module;
use burn::tensor::Device;
use scotopic::noise::NoiseKey;
use scotopic::posterior::Sampling;
use scotopic_datasets::ImageSet;
use scotopic_models::Network;
use serde::{Deserialize, Serialize};

use crate::config::{LearningGradient, RunConfig};
use crate::microbatch::{BpttWindow, Microbatch};
use crate::parameters::read;

/// Both gradients of one parameter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Alignment {
    /// Its path in the model.
    pub parameter: String,
    /// cos of the angle between both; `None` where one of them is 0.
    pub cosine: Option<f64>,
    /// Length of the gradient with beliefs held fixed over that of the other.
    pub ratio: Option<f64>,
}

/// The name of the row of all parameters together.
pub const ALL: &str = "all";

/// Both gradients of every parameter that has both, and of all of them together ([`ALL`]), on the first `films` of `set` and the
/// first frames of each that fill a window of training; `model` lives on `device`, which has autodiff.
///
/// # Errors
/// If the set holds too few films or frames, or the device fails.
///
/// ```no_run
/// # fn example(model: &scotopic_models::Network, config: &scotopic_train::config::RunConfig,
/// #     films: &scotopic_datasets::ImageSet) -> anyhow::Result<()> {
/// use burn::tensor::Device;
/// use scotopic_train::analysis::learning_gradients::alignment;
/// for each in alignment(model, config, films, 64, &Device::flex().autodiff())? {
///     println!("{}: {:?}", each.parameter, each.cosine);
/// }
/// # Ok(()) }
/// ```
pub fn alignment(
    model: &Network,
    config: &RunConfig,
    set: &ImageSet,
    films: usize,
    device: &Device,
) -> Result<Vec<Alignment>> {
    let (width, frames) = (set.shape().pixels(), set.frames());
    let steps = config.inference.steps * config.train.bptt_windows;
    ensure!(
        (1..=set.films()).contains(&films) && steps <= frames.max(1),
        "{} has {} films of {frames} frames; {films} of {steps} were asked for",
        set.name(),
        set.films()
    );
    let each = frames * width;
    let pixels = &set.pixels()[..films * each];
    let total = config.train.iterations;
    let temperature = config
        .schedule
        .temperature
        .at(total.saturating_sub(1), total);
    // A loaded network is not one that learns.
    let model = model.clone().train();
    let of = |gradient| {
        let window = BpttWindow {
            settling: 0..0,
            rule: config.rule().at(1.0, Sampling::relaxed(temperature)),
            times: 0..steps,
            noise: NoiseKey::new(config.seed),
            record: config.inference.method.learns_from(),
            beta: config.objective.beta,
            gradient,
            scale: 1.0,
            batch: films,
        };
        let mut rows = Microbatch::new(0..films, pixels.to_vec(), width, device);
        Ok::<_, anyhow::Error>(rows.learn(&model, &window)?.gradients)
    };
    let through = of(LearningGradient::ThroughInference)?;
    let fixed = of(LearningGradient::FixedBeliefs)?;
    let (mut found, mut sums) = (Vec::new(), [0.0; 3]);
    for (name, gradient) in through.iter() {
        let Some(other) = fixed.get(name) else {
            continue;
        };
        let (g, h) = (read(gradient.clone())?, read(other.clone())?);
        let product = |a: &[f32], b: &[f32]| -> f64 {
            let pairs = a.iter().zip(b);
            pairs.map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
        };
        let own = [product(&g, &h), product(&g, &g), product(&h, &h)];
        sums.iter_mut().zip(own).for_each(|(sum, own)| *sum += own);
        found.push(row(name, own));
    }
    found.insert(0, row(ALL, sums));
    Ok(found)
}

/// From ⟨g, h⟩, ‖g‖² and ‖h‖².
fn row(parameter: &str, [product, through, fixed]: [f64; 3]) -> Alignment {
    let both = through > 0.0 && fixed > 0.0;
    Alignment {
        parameter: parameter.to_owned(),
        cosine: both.then(|| product / (through * fixed).sqrt()),
        ratio: (through > 0.0).then(|| (fixed / through).sqrt()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn angles_and_lengths() {
        let found = row("w", [3.0, 9.0, 4.0]); // 3 and 2 long, at 60°
        assert_eq!((found.cosine, found.ratio), (Some(0.5), Some(2.0 / 3.0)));
        assert_eq!(row("w", [0.0, 0.0, 4.0]).ratio, None);
    }
}
