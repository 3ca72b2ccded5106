//! The groups of cases, and those of inference.

use anyhow::{Context, Result};
use burn::tensor::{Distribution, Tensor};
use clap::ValueEnum;
use scotopic::inference::{RecordOptions as Kept, Stimulus, unroll};
use scotopic::noise::NoiseKey;
use scotopic::posterior::Sampling;
use scotopic::spiking::DriveMethod;
use scotopic_models::{Family, Network, RuleConfig};
use scotopic_train::parameters::to_device;

use super::inputs::{images, lively, shape_of, still};
use super::operations::operations;
use super::training::{Iteration, films, learning, training};
use super::{BenchConfig, Record, Shape};

/// Cases that belong together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Group {
    /// One training iteration: inference, backward pass, Adamax
    Training,
    /// Only the dense matrix products of a training iteration
    Products,
    /// Exact inference with tensor operations and with the event-driven engine, batch and single image
    Inference,
    /// Samples of spikes, and the recursive ELBO of hidden Markov models
    Operations,
    /// The drive methods of the engine against the fraction of zero spike counts
    Sparsity,
    /// One training iteration on films, by prior in time, and on still images
    Films,
    /// One training iteration at the size the papers use for MNIST, T = 128, and its products
    Mnist,
    /// Training time against batch size, latents, pixels, steps and threads
    Scaling,
}

impl Group {
    /// What `scotopic bench` without a name runs.
    pub const USUAL: [Self; 7] = [
        Self::Training,
        Self::Products,
        Self::Inference,
        Self::Operations,
        Self::Sparsity,
        Self::Films,
        Self::Mnist,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Training => "training",
            Self::Products => "products",
            Self::Inference => "inference",
            Self::Operations => "operations",
            Self::Sparsity => "sparsity",
            Self::Films => "films",
            Self::Mnist => "mnist",
            Self::Scaling => "scaling",
        }
    }
}

/// Runs the cases of a group and reports each as it is done. `trained` stands for the random network where a case
/// takes a network as it is in use.
///
/// # Errors
/// If a device fails or stdout is closed.
pub(crate) fn run(
    group: Group,
    settings: &BenchConfig,
    trained: Option<&Network>,
    tell: &mut dyn FnMut(Record) -> Result<()>,
) -> Result<()> {
    match group {
        Group::Training => training(group.name(), settings, trained, tell),
        Group::Products => tell(products(group, settings, Shape::PATCHES)?),
        Group::Inference => inference(settings, trained, tell),
        Group::Operations => operations(group.name(), settings, tell),
        Group::Sparsity => sparsity(settings, tell),
        Group::Films => films(group.name(), settings, tell),
        Group::Mnist => {
            let case = Iteration::of(Shape::MNIST);
            tell(learning(group.name(), settings, None, case)?)?;
            tell(products(group, settings, Shape::MNIST)?)
        }
        Group::Scaling => scaling(settings, tell),
    }
}

/// The case of [`products`].
pub(super) const PRODUCTS: &str = "nine dense products a step, nothing else";

/// The products of T steps with tensors: three forward (Φz, Φᵀe, Φz'), six backward.
fn products(group: Group, settings: &BenchConfig, shape: Shape) -> Result<Record> {
    let draw = |rows: usize, columns: usize| -> Tensor<2> {
        Tensor::random([rows, columns], Distribution::Default, &settings.device)
    };
    let (z, e) = (
        draw(shape.batch, shape.latents),
        draw(shape.batch, shape.pixels),
    );
    let (atoms, turned) = (
        draw(shape.latents, shape.pixels),
        draw(shape.pixels, shape.latents),
    );
    settings.time(group.name(), PRODUCTS, shape, |_| {
        for _ in 0..shape.steps {
            for _ in 0..3 {
                let decoded = z.clone().matmul(atoms.clone());
                let pulled = e.clone().matmul(turned.clone());
                let outer = z.clone().transpose().matmul(e.clone());
                drop((decoded, pulled, outer));
            }
        }
        Ok(())
    })
}

/// The fraction of counts that are 0 over an inference of the engine.
fn zeros(spikes: &[u64], shape: Shape) -> f64 {
    // Spikes are counted, not neurons that fired; at the rates of a sparse code that is nearly the same.
    let fired: u64 = spikes.iter().sum();
    1.0 - fired as f64 / (shape.batch * shape.latents * shape.steps) as f64
}

fn inference(
    settings: &BenchConfig,
    trained: Option<&Network>,
    tell: &mut dyn FnMut(Record) -> Result<()>,
) -> Result<()> {
    let group = Group::Inference.name();
    let shape = shape_of(trained, Shape::PATCHES);
    let model = match trained {
        Some(model) => model.clone(),
        None => lively(shape, Family::Poisson, &settings.device, settings.seed)?,
    };
    let rule = || RuleConfig::default().at(1.0, Sampling::EXACT);
    // A model that the engine cannot run is refused before anything is timed.
    model.engine(rule(), DriveMethod::Dense)?;
    let pixels = images(shape, settings.seed);
    let x = Stimulus::Static(to_device(pixels.clone(), shape.pixels, &settings.device));
    tell(
        settings.time(group, "T steps, tensor operations", shape, |number| {
            let perception = model.perception(rule());
            let noise = NoiseKey::new(settings.seed).step(number);
            let rest = perception.rest(shape.batch);
            let times = 0..shape.steps;
            let seen = unroll(&*perception, &x, rest, times, &noise, Kept::FINAL);
            drop(seen);
            Ok(())
        })?,
    )?;
    for (form, name) in FORMS {
        let engine = model.engine(rule(), form)?;
        let mut seen = Vec::new();
        let timed = settings.time(group, engine_case(name), shape, |number| {
            let noise = NoiseKey::new(settings.seed).step(number);
            seen = engine.perceive(&pixels, shape.steps, None, &noise)?.spikes;
            Ok(())
        })?;
        tell(Record {
            zeros: Some(zeros(&seen, shape)),
            ..by_the_engine(timed)
        })?;
        let one = Shape { batch: 1, ..shape };
        let image = &pixels[..shape.pixels];
        let case = format!("T steps of one image, engine, {name}");
        let timed = settings.time(group, case, one, |number| {
            let mut stream = engine.stream(NoiseKey::new(settings.seed).step(number));
            for _ in 0..shape.steps {
                stream.step(image)?;
            }
            Ok(())
        })?;
        tell(by_the_engine(timed))?;
    }
    Ok(())
}

/// The case of an engine that is driven in the form of this name.
pub(super) fn engine_case(form: &str) -> String {
    format!("T steps, engine, {form}")
}

/// The engine runs on the CPU wherever its weights came from.
fn by_the_engine(timed: Record) -> Record {
    Record {
        device: "CPU".into(),
        ..timed
    }
}

const FORMS: [(DriveMethod, &str); 4] = [
    (DriveMethod::Dense, "dense"),
    (DriveMethod::Events, "events"),
    (DriveMethod::Lateral, "lateral"),
    (DriveMethod::IntegerLateral, "lateral, 16-bit"),
];

fn sparsity(settings: &BenchConfig, tell: &mut dyn FnMut(Record) -> Result<()>) -> Result<()> {
    /// Latents, images and fractions of zeros; fewer images of large networks.
    const CASES: [(usize, usize, &[f64]); 3] = [
        (512, 200, &[0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98]),
        (256, 200, &[0.8, 0.95]),
        (4096, 26, &[0.8, 0.95, 0.98]),
    ];
    for (latents, batch, shares) in CASES {
        let shape = Shape {
            latents,
            batch,
            ..Shape::PATCHES
        };
        let pixels = images(shape, settings.seed);
        for &share in shares {
            let model = still(shape, &settings.device, settings.seed, share)?;
            for (form, name) in FORMS {
                let rule = RuleConfig::default().at(1.0, Sampling::EXACT);
                let engine = model.engine(rule, form)?;
                let (group, case) = (Group::Sparsity.name(), engine_case(name));
                let timed = settings.time(group, case, shape, |number| {
                    let noise = NoiseKey::new(settings.seed).step(number);
                    engine.perceive(&pixels, shape.steps, None, &noise)?;
                    Ok(())
                })?;
                tell(Record {
                    zeros: Some(share),
                    ..by_the_engine(timed)
                })?;
            }
        }
    }
    Ok(())
}

fn scaling(settings: &BenchConfig, tell: &mut dyn FnMut(Record) -> Result<()>) -> Result<()> {
    let base = Shape::PATCHES;
    let one = |shape| learning(Group::Scaling.name(), settings, None, Iteration::of(shape));
    for batch in [25, 50, 100, 400, 800] {
        tell(one(Shape { batch, ..base })?)?;
    }
    for latents in [128, 256, 1024, 2048] {
        tell(one(Shape { latents, ..base })?)?;
    }
    for pixels in [64, 144, 784, 1024] {
        tell(one(Shape { pixels, ..base })?)?;
    }
    for steps in [4, 8, 32, 64, 256] {
        tell(one(Shape { steps, ..base })?)?;
    }
    let all = rayon::current_num_threads();
    let mut threads = 1;
    while threads <= all {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
        let pool = pool.build().context("could not start threads")?;
        tell(pool.install(|| one(base))?)?;
        threads *= 2;
    }
    Ok(())
}
