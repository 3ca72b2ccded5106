//! ∂/∂λ of E[−ln p(x|a)] + β·KL against central differences, for every family in the way that it is estimated.

use burn::tensor::Tensor;
use scotopic::inference::{Expectation, Generative};
use scotopic::noise::NoiseKey;
use scotopic::posterior::{AnyPosterior, KlForm, Posterior, Sampling};
use scotopic_models::{DecoderNet, Network};

use super::{ALL, Kind, THRESHOLD, differences};
use crate::devices::Place;
use crate::numbers::{Ledger, deviation, read};
use crate::toy::{self, BATCH, LATENTS, PIXELS, Parameters, numbers};

/// Half the distance of the points of a difference, and its error: its square times a third derivative.
const STRIDE: f64 = 1e-5;
const FINITE_DIFFERENCE: f64 = 1e-7;

/// Two orders of evaluation of one formula.
const SAME_FORMULA: f64 = 1e-13;

const SHAPE: [usize; 2] = [BATCH, LATENTS];
const N: usize = BATCH * LATENTS;
const BETA: f64 = 1.7;
const KEY: NoiseKey = NoiseKey::new(640);

struct Scene {
    place: Place,
    model: Network,
    x: Tensor<2>,
}

impl Scene {
    fn new() -> Self {
        let place = Place::reference();
        Self {
            model: Parameters::drawn(6).model(&place),
            x: toy::images(&place, 641, BATCH, PIXELS),
            place,
        }
    }

    fn generative(&self) -> Generative<'_, DecoderNet> {
        Generative::new(&self.model.decoder, KlForm::Exact, Expectation::Sample)
    }

    /// q with its fixed sample.
    fn sampled(&self, kind: Kind, parts: &[Vec<f64>]) -> (AnyPosterior, Tensor<2>) {
        let q = kind.belief(&self.place, parts, SHAPE);
        let z = q.sample(Sampling::EXACT, kind.noise(&self.place, KEY, SHAPE));
        (q, z)
    }

    /// g at that sample.
    fn pulled_back(&self, q: &AnyPosterior, z: &Tensor<2>) -> Tensor<2> {
        self.generative()
            .pulled_back(&self.x, q.activate(z.clone()))
    }

    /// −ln p + β·KL at that sample, over the whole batch.
    fn free_energy(&self, kind: Kind, parts: &[Vec<f64>], prior: &AnyPosterior, beta: f64) -> f64 {
        let (q, z) = self.sampled(kind, parts);
        let scored = self.generative().score(&self.x, &q, prior, z);
        read(scored.free_energy.total(beta).sum())[0]
    }
}

fn settle(title: &str, ours: Vec<Tensor<2>>, expected: &[Vec<f64>]) {
    let mut ledger = Ledger::default();
    assert_eq!(ours.len(), expected.len(), "{title}");
    for (i, (ours, expected)) in ours.into_iter().zip(expected).enumerate() {
        ledger.compare(&format!("component {i}"), title, &read(ours), expected);
    }
    ledger.settle(title, |_| FINITE_DIFFERENCE);
}

/// Where the sample is a smooth function of state and noise: the derivative along that path.
#[test]
fn along_the_path_of_the_sample() {
    let scene = Scene::new();
    for kind in ALL {
        if !matches!(kind, Kind::Gaussian(_) | Kind::Laplace | Kind::Quadratic(_)) {
            continue;
        }
        let prior = kind.belief(&scene.place, &kind.drawn(644, N, 1.0), SHAPE);
        let parts = kind.drawn(642, N, 1.5);
        for beta in [0.0, BETA] {
            let (q, z) = scene.sampled(kind, &parts);
            let ours = q.gradient(&z, scene.pulled_back(&q, &z), beta, &prior);
            let expected = differences(&parts, STRIDE, |parts| {
                scene.free_energy(kind, parts, &prior, beta)
            });
            settle(&format!("{kind:?}, β {beta}"), ours, &expected);
        }
    }
}

/// Counts have no such path: for a readout linear in z the expectation is one in the mean eᵘ; and for one of
/// many states it is πᵀg.
#[test]
fn through_the_mean_for_a_linear_readout() {
    let place = Place::reference();
    for kind in [Kind::Poisson, Kind::Categorical] {
        let readout = numbers(650, N, -2.0, 2.0);
        let readout = || place.tensor::<2>(&readout, SHAPE);
        let prior = kind.belief(&place, &kind.drawn(651, N, 1.5), SHAPE);
        let parts = kind.drawn(652, N, 1.5);
        for beta in [0.0, BETA] {
            let q = kind.belief(&place, &parts, SHAPE);
            let ours = q.gradient(&q.mean(), readout(), beta, &prior);
            let expected = differences(&parts, STRIDE, |parts| {
                let q = kind.belief(&place, parts, SHAPE);
                let linear = read((q.mean() * readout()).sum())[0];
                linear + beta * read(q.kl_from(&prior, KlForm::Exact).sum())[0]
            });
            settle(&format!("{kind:?}, β {beta}"), ours, &expected);
        }
    }
}

/// A thresholded activity has the slope of its energy where it is active; where it is silent u leaks.
#[test]
fn of_thresholds_where_they_are_active() {
    let scene = Scene::new();
    for kind in [Kind::Soft, Kind::Hard] {
        let parts = kind.drawn(660, N, 1.2);
        let (q, z) = scene.sampled(kind, &parts);
        let pulled = scene.pulled_back(&q, &z);
        let ours = read(q.gradient(&z, pulled.clone(), 1.0, &q).remove(0));
        let differences = differences(&parts, STRIDE, |parts| {
            scene.free_energy(kind, parts, &q, 1.0)
        });
        let pulled = read(pulled);
        let expected: Vec<f64> = (0..N)
            .map(|i| match parts[0][i].abs() > THRESHOLD {
                true => differences[0][i],
                false => pulled[i] + parts[0][i],
            })
            .collect();
        let active = parts[0].iter().filter(|u| u.abs() > THRESHOLD).count();
        assert!((2..N - 2).contains(&active), "{active} of {N} are active");
        let off = deviation(&ours, &expected);
        assert!(off < FINITE_DIFFERENCE, "{kind:?}: {off:e}");
    }
}

/// What is written out is what autodiff finds through sample, activation, decoder and divergence.
#[test]
fn autodiff_through_the_sample_agrees() {
    let scene = Scene::new();
    let place = scene.place.autodiff();
    let model = Parameters::drawn(6).model(&place);
    let x = toy::images(&place, 641, BATCH, PIXELS);
    for kind in ALL {
        if !matches!(kind, Kind::Gaussian(_) | Kind::Laplace | Kind::Quadratic(_)) {
            continue;
        }
        // A new one each time: its σ is of a graph, and a graph is good for one backward pass.
        let generative = Generative::new(&model.decoder, KlForm::Exact, Expectation::Sample);
        let parts = kind.drawn(642, N, 1.5);
        let prior = kind.belief(&place, &kind.drawn(644, N, 1.0), SHAPE);
        let leaves = kind.belief(&place, &parts, SHAPE);
        let leaves: Vec<_> = leaves
            .components()
            .into_iter()
            .map(|c| c.require_grad())
            .collect();
        let q = prior.with_components(leaves.clone());
        let z = q.sample(Sampling::EXACT, kind.noise(&place, KEY, SHAPE));
        let pulled = generative.pulled_back(&x, q.activate(z.clone()));
        let ours = q.gradient(&z, pulled, BETA, &prior);
        let energy = generative.score(&x, &q, &prior, z).free_energy.total(BETA);
        let gradients = energy.sum().backward();
        for (ours, leaf) in ours.into_iter().zip(leaves) {
            let expected = leaf.grad(&gradients).map(read).expect("a gradient");
            let off = deviation(&read(ours), &expected);
            assert!(off < SAME_FORMULA, "{kind:?}: {off:e}");
        }
    }
}
