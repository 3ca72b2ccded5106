//! A custom posterior: log-normal latents, like the distribution of cortical firing rates.
//!
//! ```text
//! z = e^{μ + σε}, ε ~ N(0, 1); ξ = ln σ       KL as of the normal numbers ln z
//! ∂μ: g·z,  ∂ξ: g·z·σε                        natural gradient σ²∂μ, ½∂ξ
//! ```
//!
//! Inference, learning and evaluation need only the trait [`Posterior`]:
//! `cargo run --release --example custom_posterior`. To give it a name in configurations as well, move it into
//! `src/posterior/` and add its lines to the list in `src/posterior/mod.rs`.

mod short_run;

use burn::tensor::{Device, Tensor};
use scotopic::noise::Noise;
use scotopic::ops::Law;
use scotopic::posterior::{Clamps, GaussianPosterior, KlForm, Posterior, Sampling, unit_sample};
use scotopic_models::LinearDictionary;

use short_run::{LATENTS, Outcome, PIXELS, Score, learn};

/// q(z) = LogNormal(μ, σ²), independent over latents.
#[derive(Debug, Clone)]
struct LogNormalPosterior {
    /// The normal numbers ln z.
    logarithm: GaussianPosterior,
}

impl LogNormalPosterior {
    fn mean_and_log_std(&self) -> [Tensor<2>; 2] {
        let mut components = self.logarithm.components().into_iter();
        [(); 2].map(|()| components.next().expect("μ and ξ"))
    }
}

impl Posterior for LogNormalPosterior {
    fn names(&self) -> &'static [&'static str] {
        self.logarithm.names()
    }

    fn components(&self) -> Vec<Tensor<2>> {
        self.logarithm.components()
    }

    fn with_components(&self, components: Vec<Tensor<2>>) -> Self {
        let logarithm = self.logarithm.with_components(components);
        Self { logarithm }
    }

    fn sample(&self, _: Sampling, noise: Noise) -> Tensor<2> {
        let [mean, log_std] = self.mean_and_log_std();
        unit_sample(&mean.clone(), Law::Normal, noise, |unit| {
            (mean + log_std.exp() * unit).exp()
        })
    }

    fn mean(&self) -> Tensor<2> {
        let [mean, log_std] = self.mean_and_log_std();
        (mean + (log_std * 2.0).exp() * 0.5).exp()
    }

    fn kl_from(&self, prior: &Self, form: KlForm) -> Tensor<2> {
        self.logarithm.kl_from(&prior.logarithm, form)
    }

    fn gradient(
        &self,
        z: &Tensor<2>,
        pulled_back: Tensor<2>,
        beta: f64,
        prior: &Self,
    ) -> Vec<Tensor<2>> {
        let by_logarithm = pulled_back * z.clone();
        self.logarithm
            .gradient(&z.clone().log(), by_logarithm, beta, &prior.logarithm)
    }

    fn natural_gradient(
        &self,
        z: &Tensor<2>,
        pulled_back: Tensor<2>,
        leak: Option<(f64, &Self)>,
        homeostasis: Tensor<2>,
    ) -> Vec<Tensor<2>> {
        let leak = leak.map(|(beta, prior)| (beta, &prior.logarithm));
        let by_logarithm = pulled_back * z.clone();
        self.logarithm
            .natural_gradient(&z.clone().log(), by_logarithm, leak, homeostasis)
    }

    fn advance(
        &self,
        drives: Vec<Tensor<2>>,
        curvature: Option<&Tensor<2>>,
        clamps: &Clamps,
    ) -> Self {
        let logarithm = self.logarithm.advance(drives, curvature, clamps);
        Self { logarithm }
    }
}

fn main() -> Outcome<()> {
    let device = Device::flex().autodiff();
    let decoder = || LinearDictionary::init(LATENTS, PIXELS, 0.05, &device, 0);
    let prior = |mean: f64| {
        vec![
            Tensor::full([1, LATENTS], mean, &device),
            Tensor::zeros([1, LATENTS], &device),
        ]
    };
    let gaussian = |components: Vec<Tensor<2>>| {
        let zero = Tensor::zeros([1, LATENTS], &device);
        GaussianPosterior::new(zero.clone(), zero).with_components(components)
    };
    let log_normal = |components| LogNormalPosterior {
        logarithm: gaussian(components),
    };
    let ours = learn(decoder(), prior(-2.0), log_normal, 150)?;
    let theirs = learn(decoder(), prior(0.0), gaussian, 150)?;
    for (name, [before, after]) in [("log-normal", ours), ("Gaussian", theirs)] {
        let Score { free_energy, r2 } = after;
        println!(
            "{name:>10}: F {:.1} → {free_energy:.1} nats per image, R² {r2:.3}",
            before.free_energy
        );
        assert!(free_energy < before.free_energy, "the free energy falls");
    }
    Ok(())
}
