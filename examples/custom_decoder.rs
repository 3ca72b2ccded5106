//! A custom decoder: a dictionary with a saturating prediction, like the contrast response of the retina.
//!
//! ```text
//! f(z) = c·tanh(Φz/c)       Jᵀe = Φᵀ((1 − tanh²)·e)
//! ```
//!
//! Inference, learning and evaluation need only the trait [`Decoder`]:
//! `cargo run --release --example custom_decoder`. To give it a name in configurations as well, move it into
//! `models/src/decoder/`, implement `Architecture` beside, and add its line to `decoders!` there.

mod short_run;

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor};
use scotopic::decoder::{Decoder, ObservationNoise};
use scotopic::posterior::PoissonPosterior;
use scotopic_models::LinearDictionary;

use short_run::{LATENTS, Outcome, PIXELS, Score, learn};

/// c, in standard deviations of the data.
const SATURATION: f64 = 3.0;

/// A linear dictionary behind a saturation.
#[derive(Module, Debug)]
struct SaturatingDecoder {
    linear: LinearDictionary,
    /// ln c, learned as well.
    log_saturation: Param<Tensor<1>>,
}

impl SaturatingDecoder {
    fn saturation(&self) -> Tensor<2> {
        self.log_saturation.val().exp().unsqueeze::<2>()
    }
}

impl Decoder for SaturatingDecoder {
    /// tanh, `[batch, pixels]`.
    type Tape = Tensor<2>;

    fn forward(&self, z: Tensor<2>) -> (Tensor<2>, Tensor<2>) {
        let saturation = self.saturation();
        let tanh = (self.linear.decode(z) * saturation.clone().recip()).tanh();
        (tanh.clone() * saturation, tanh)
    }

    fn pullback(&self, tanh: &Tensor<2>, error: Tensor<2>) -> Tensor<2> {
        self.linear
            .pullback(&(), error * (1.0 - tanh.clone().square()))
    }

    fn observation_noise(&self) -> ObservationNoise {
        self.linear.observation_noise()
    }

    fn pixels(&self) -> usize {
        self.linear.pixels()
    }
}

fn main() -> Outcome<()> {
    let device = Device::flex().autodiff();
    let linear = || LinearDictionary::init(LATENTS, PIXELS, 0.05, &device, 0);
    let saturating = SaturatingDecoder {
        linear: linear(),
        log_saturation: Param::from_tensor(Tensor::full([1], SATURATION.ln(), &device)),
    };
    let prior = || vec![Tensor::full([1, LATENTS], -2.0, &device)];
    let spikes = |components: Vec<Tensor<2>>| PoissonPosterior::new(components[0].clone());
    let ours = learn(saturating, prior(), spikes, 150)?;
    let theirs = learn(linear(), prior(), spikes, 150)?;
    for (name, [before, after]) in [("saturating", ours), ("linear", theirs)] {
        let Score { free_energy, r2 } = after;
        println!(
            "{name:>10}: F {:.1} → {free_energy:.1} nats per image, R² {r2:.3}",
            before.free_energy
        );
        assert!(free_energy < before.free_energy, "the free energy falls");
    }
    Ok(())
}
