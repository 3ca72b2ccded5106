//! Every decoder: the pullback that is written out is the transposed Jacobian of what it decodes.

use burn::tensor::Tensor;
use scotopic::decoder::Decoder;
use scotopic::posterior::ActivationKind;
use scotopic_models::{DecoderConfig, DecoderKind, DecoderNet, ImageDims, Learned, NoiseConfig};

use crate::devices::{Place, on_every_device};
use crate::dressing::{dressed, stirred, undress};
use crate::numbers::{Ledger, deviation, read};
use crate::toy::numbers;

/// Two orders of evaluation of one formula in f64, and in f32 with sums of some dozens of terms.
const SAME_FORMULA: f64 = 1e-13;
const SINGLE: f64 = 2e-5;

/// Central differences: STRIDE² times a third derivative.
const STRIDE: f64 = 1e-5;
const FINITE_DIFFERENCE: f64 = 1e-8;

/// σ comes back through an artanh and a tanh, in f32 as models are made.
const FIXED_NOISE: f64 = 1e-6;

const BATCH: usize = 2;
const LATENTS: usize = 4;
const TRANSFERS: [ActivationKind; 6] = [
    ActivationKind::None,
    ActivationKind::Relu,
    ActivationKind::Softplus,
    ActivationKind::Exp,
    ActivationKind::Tanh,
    ActivationKind::Silu,
];

/// A decoder that can be made anywhere.
struct Specimen {
    name: String,
    config: DecoderConfig,
    picture: ImageDims,
}

impl Specimen {
    /// Random weights, the same everywhere, with biases and noise that are not 0.
    fn at(&self, place: &Place) -> DecoderNet {
        let net = self.config.init(LATENTS, self.picture, &place.device, 3);
        let values = stirred(&undress(&net), 4, 0.3);
        dressed(net, &values, place)
    }

    fn z(&self, place: &Place) -> Tensor<2> {
        place.tensor(&numbers(411, BATCH * LATENTS, -1.5, 1.5), [BATCH, LATENTS])
    }

    fn error(&self, place: &Place) -> Tensor<2> {
        let pixels = self.picture.pixels();
        place.tensor(&numbers(412, BATCH * pixels, -1.0, 1.0), [BATCH, pixels])
    }

    fn pulled_back(&self, place: &Place) -> Vec<f64> {
        let net = self.at(place);
        let (_, tape) = net.forward(self.z(place));
        read(net.pullback(&tape, self.error(place)))
    }
}

fn specimens(noise: NoiseConfig) -> Vec<Specimen> {
    let grey = |channels| ImageDims {
        channels,
        height: 8,
        width: 4,
    };
    let of = |kind, activation, picture: ImageDims| Specimen {
        name: format!("{kind:?} {activation:?}, {} channels", picture.channels),
        config: DecoderConfig {
            kind,
            hidden: vec![7, 6],
            channels: vec![3, 2],
            activation,
            noise,
            init_std: 0.5,
            unit_norm: false,
        },
        picture,
    };
    let mut all = vec![of(DecoderKind::Linear, ActivationKind::None, grey(1))];
    for activation in TRANSFERS {
        all.push(of(DecoderKind::Mlp, activation, grey(1)));
        all.push(of(DecoderKind::Conv, activation, grey(1)));
        all.push(of(DecoderKind::Conv, activation, grey(3)));
    }
    all
}

const LEARNED: NoiseConfig = NoiseConfig::Learned(Learned::Learned);

#[test]
fn pullback_is_the_transposed_jacobian() {
    let (place, tracked) = (Place::reference(), Place::reference().autodiff());
    let mut ledger = Ledger::default();
    for specimen in specimens(LEARNED) {
        let ours = specimen.pulled_back(&place);

        let z = specimen.z(&tracked).require_grad();
        let along = specimen.at(&tracked).decode(z.clone()) * specimen.error(&tracked);
        let autodiff = z.grad(&along.sum().backward()).map(read);
        let autodiff = autodiff.expect("a gradient");
        ledger.compare("autodiff", &specimen.name, &ours, &autodiff);

        let (net, error) = (specimen.at(&place), specimen.error(&place));
        let latents = read(specimen.z(&place));
        let at = |i: usize, by: f64| {
            let mut latents = latents.clone();
            latents[i] += by;
            let z = place.tensor(&latents, [BATCH, LATENTS]);
            read((net.decode(z) * error.clone()).sum())[0]
        };
        let slope = |i| (at(i, STRIDE) - at(i, -STRIDE)) / (2.0 * STRIDE);
        let differences: Vec<f64> = (0..latents.len()).map(slope).collect();
        ledger.compare("differences", &specimen.name, &ours, &differences);
    }
    ledger.settle("pullback", |group| match group {
        "autodiff" => SAME_FORMULA,
        _ => FINITE_DIFFERENCE,
    });
}

#[test]
fn every_device_decodes_and_pulls_back_the_same() {
    let reference = Place::reference();
    let learned = specimens(LEARNED);
    // Every architecture; the transfers by themselves are tested below.
    let chosen = |s: &&Specimen| s.name.contains("Silu") || s.name.contains("Linear");
    on_every_device(|place| {
        let mut ledger = Ledger::default();
        for specimen in learned.iter().filter(chosen) {
            let decoded = |place: &Place| read(specimen.at(place).decode(specimen.z(place)));
            let expected = decoded(&reference);
            ledger.compare("decode", &specimen.name, &decoded(place), &expected);
            let expected = specimen.pulled_back(&reference);
            let ours = specimen.pulled_back(place);
            ledger.compare("pullback", &specimen.name, &ours, &expected);
        }
        ledger.settle(&place.title(), |_| SINGLE);
    });
}

#[test]
fn transfers_and_their_slopes() {
    let z = numbers(414, 40, -6.0, 6.0);
    let sigmoid = |z: f64| 1.0 / (1.0 + (-z).exp());
    let check = |place: &Place, allowed: f64| {
        let mut ledger = Ledger::default();
        for activation in TRANSFERS {
            let of = |z: f64| match activation {
                ActivationKind::None => [z, 1.0],
                ActivationKind::Relu => [z.max(0.0), if z > 0.0 { 1.0 } else { 0.0 }],
                ActivationKind::Softplus => [z.exp().ln_1p(), sigmoid(z)],
                ActivationKind::Exp => [z.exp(), z.exp()],
                ActivationKind::Tanh => [z.tanh(), 1.0 / z.cosh().powi(2)],
                ActivationKind::Silu => {
                    let s = sigmoid(z);
                    [z * s, s + z * s * (1.0 - s)]
                }
            };
            let expected: Vec<[f64; 2]> = z.iter().map(|z| of(*z)).collect();
            let tensor = || place.tensor::<1>(&z, [z.len()]);
            let name = format!("{activation:?}");
            for (i, ours) in [activation.value(tensor()), activation.slope(tensor())]
                .into_iter()
                .enumerate()
            {
                let expected: Vec<f64> = expected.iter().map(|pair| pair[i]).collect();
                let group = ["value", "slope"][i];
                ledger.compare(group, &name, &read(ours), &expected);
            }
        }
        ledger.settle(&place.title(), |_| allowed);
    };
    check(&Place::reference(), SAME_FORMULA);
    on_every_device(|place| check(place, SINGLE));
}

/// What the tests above cannot see, being one kernel in both directions: a conv decoder is what its kernel says, at one
/// pixel spelt out by hand.
#[test]
fn a_transposed_convolution_adds_its_kernel_around_every_other_pixel() {
    let place = Place::reference();
    let picture = ImageDims {
        channels: 1,
        height: 4,
        width: 4,
    };
    let config = DecoderConfig {
        kind: DecoderKind::Conv,
        channels: vec![1],
        activation: ActivationKind::None,
        ..DecoderConfig::default()
    };
    let net = config.init(1, picture, &place.device, 5);
    // entry.weight, entry.bias, kernel, bias, log_sigma; the coarse picture is [[1, 0], [0, 0]] for z = 1.
    let kernel = numbers(413, 16, -1.0, 1.0);
    let entry = vec![1.0, 0.0, 0.0, 0.0];
    let values = [
        entry,
        vec![0.0; 4],
        kernel.clone(),
        vec![0.25],
        vec![0.0; 16],
    ];
    let net = dressed(net, &values, &place);
    let picture = read(net.decode(place.tensor(&[1.0], [1, 1])));
    // Stride 2, padding 1: kernel entry (i, j) falls on pixel (i − 1, j − 1).
    let expected = |at: usize| {
        let (row, column) = (at / 4 + 1, at % 4 + 1);
        let inside = row < 4 && column < 4;
        0.25 + if inside {
            kernel[row * 4 + column]
        } else {
            0.0
        }
    };
    let expected: Vec<f64> = (0..16).map(expected).collect();
    assert!(deviation(&picture, &expected) < SAME_FORMULA, "{picture:?}");
}

#[test]
fn fixed_noise_is_what_was_asked_for_and_not_learned() {
    const SIGMA: f64 = 0.3;
    let place = Place::processor().autodiff();
    for specimen in specimens(NoiseConfig::Fixed(SIGMA)) {
        let net = specimen
            .config
            .init(LATENTS, specimen.picture, &place.device, 3);
        let sigma = read(net.observation_noise().log_sigma().exp());
        let expected = vec![SIGMA; specimen.picture.pixels()];
        assert!(
            deviation(&sigma, &expected) < FIXED_NOISE,
            "{}",
            specimen.name
        );
        let x = net.decode(specimen.z(&place));
        let likelihood = net
            .observation_noise()
            .negative_log_likelihood(x.ones_like(), x);
        let gradients = crate::dressing::gradients(&net, &likelihood.sum().backward());
        let names = crate::dressing::names(&net);
        for (name, gradient) in names.iter().zip(gradients) {
            let learned = !name.ends_with("log_sigma");
            assert_eq!(gradient.is_some(), learned, "{}: {name}", specimen.name);
        }
    }
}
