//! A short run on dead leaves: what `scotopic train` and `scotopic evaluate` do, in as few lines as can be.

use std::path::Path;

use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::{Device, Gradients, Tensor, TensorData};
use scotopic::decoder::Decoder;
use scotopic::inference::{
    Dynamics, Expectation, Iterative, Leak, NaturalGradient, Perception, RecordOptions, StepForm,
    Stimulus, unroll,
};
use scotopic::noise::NoiseKey;
use scotopic::posterior::{Clamps, KlForm, Posterior, Sampling};
use scotopic_datasets::{DataConfig, DeadLeavesConfig, ImageSet};
use scotopic_measures::Rows;
use scotopic_measures::reconstruction_score::ReconstructionScore;

pub type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// Inference steps per image.
const STEPS: usize = 16;
/// Images per batch.
const BATCH: usize = 32;
/// Latents.
pub const LATENTS: usize = 64;
/// Pixels of an image.
pub const PIXELS: usize = 144;

/// What one model comes to on images that it has not learned from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Score {
    /// F, nats per image.
    pub free_energy: f64,
    /// R² of decoding one sample after the last step.
    pub r2: f64,
}

/// Learns the decoder and the prior for so many iterations; scores before and behind.
///
/// `rest` makes the belief before anything is seen, one row, of its learned components `[1, latent]`.
pub fn learn<P: Posterior, D: Decoder + Module>(
    mut decoder: D,
    mut prior: Vec<Tensor<2>>,
    rest: impl Fn(Vec<Tensor<2>>) -> P,
    iterations: usize,
) -> Outcome<[Score; 2]> {
    let device = Device::flex().autodiff();
    let leaves = DeadLeavesConfig {
        train: 2048,
        validation: 256,
        ..Default::default()
    };
    let splits = DataConfig::DeadLeaves(leaves).load(Path::new("."), &mut |_| ())?;
    let before = evaluate(&decoder, rest(prior.clone()), &splits.validation)?;
    for iteration in 0..iterations {
        let first = iteration * BATCH % (splits.train.len() - BATCH);
        let chosen: Vec<usize> = (first..first + BATCH).collect();
        let x = batch(splits.train.gather(&chosen), &device);
        prior = prior.into_iter().map(|p| p.require_grad()).collect();
        let model = model(&decoder, rest(prior.clone()), Sampling::relaxed(0.3));
        let start = model.rest(BATCH);
        let noise = NoiseKey::new(iteration as u64);
        let every = RecordOptions::GENERATED;
        let objective = model.objective(&Stimulus::Static(x), start, 0..STEPS, &noise, every, 1.0);
        let gradients = objective.ok_or("no step of inference")?.value.backward();
        drop(model);
        let descend = |p: Tensor<2>| descended(p, &gradients);
        prior = prior.into_iter().map(descend).collect();
        decoder = decoder.map(&mut Descent(&gradients));
    }
    Ok([before, evaluate(&decoder, rest(prior), &splits.validation)?])
}

fn batch(pixels: Vec<f32>, device: &Device) -> Tensor<2> {
    let rows = pixels.len() / PIXELS;
    Tensor::from_data(TensorData::new(pixels, [rows, PIXELS]), device)
}

fn model<P: Posterior, D: Decoder>(
    decoder: &D,
    rest: P,
    sampling: Sampling,
) -> Iterative<'_, P, D> {
    let like = &rest.components()[0];
    let ones = Tensor::<2>::ones([1, 1], &like.device());
    let dynamics = Dynamics {
        step_size: vec![ones * 0.2; rest.names().len()],
        homeostasis: like.zeros_like(),
    };
    let rule = NaturalGradient {
        inner_iterations: 1,
        leak: Leak::None,
        form: StepForm::Explicit,
        sampling,
        clamps: Clamps {
            state: vec![4.0, 3.0],
            step: vec![1.0, 1.0],
        },
        kl: KlForm::Exact,
        expectation: Expectation::Sample,
    };
    Iterative::new(decoder, rest, dynamics, rule)
}

/// F and R² with exact samples.
fn evaluate<P: Posterior, D: Decoder>(decoder: &D, rest: P, images: &ImageSet) -> Outcome<Score> {
    let pixels = images.pixels();
    let x = batch(pixels.to_vec(), &rest.components()[0].device());
    let model = model(decoder, rest, Sampling::EXACT);
    let (start, every) = (model.rest(images.len()), RecordOptions::GENERATED);
    let seen = unroll(
        &model,
        &Stimulus::Static(x),
        start,
        0..STEPS,
        &NoiseKey::new(7),
        every,
    );
    let free_energy: f32 = seen
        .objective(1.0)
        .ok_or("nothing was recorded")?
        .into_scalar();
    let last = seen.records.last().and_then(|last| last.generated.as_ref());
    let mean = last.ok_or("nothing was recorded")?.mean.clone();
    let mean: Vec<f32> = mean.try_into_vec_as()?;
    let shape = [images.len(), PIXELS];
    let images = Rows::new("images", pixels, shape)?;
    let r2 = ReconstructionScore::of(images, Rows::new("reconstructions", &mean, shape)?)?;
    Ok(Score {
        free_energy: free_energy.into(),
        r2: r2.mean_r2(),
    })
}

/// A step down the gradient, of a length that is the same for all parameters.
struct Descent<'a>(&'a Gradients);

impl ModuleMapper for Descent<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let (id, value, mapper) = param.consume();
        Param::from_mapped_value(id, descended(value, self.0), mapper)
    }
}

fn descended<const D: usize>(value: Tensor<D>, gradients: &Gradients) -> Tensor<D> {
    let Some(gradient) = value.grad(gradients) else {
        return value;
    };
    let size = gradient.clone().square().mean().sqrt() + 1e-12;
    let step = gradient * size.recip().reshape([1; D]) * 0.01;
    Tensor::from_inner(value.inner() - step).require_grad()
}
