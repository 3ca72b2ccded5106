//! The proximal step of every family against the equation it solves, with the curvature written out here.

use burn::tensor::Tensor;
use scotopic::inference::{Dynamics, Iterative, StepForm};
use scotopic::posterior::{AnyPosterior, Clamps, KlForm, Posterior};
use scotopic_models::{DecoderNet, MlpDecoder, Network};

use super::{ALL, Kind};
use crate::devices::Place;
use crate::numbers::{deviation, read};
use crate::toy::{self, BATCH, LATENTS, PIXELS, Parameters, numbers};

const SHAPE: [usize; 2] = [BATCH, LATENTS];
const N: usize = BATCH * LATENTS;

/// Clamps that are not felt: c − softplus(c − x) differs from x by e^(x − 64), and c·tanh(x/c) by x³/3c², while
/// the rounding of c itself stays below both.
const FAR_CEILING: f64 = 64.0;
const FAR_SYMMETRIC: f64 = 1e10;
const ROUNDING: f64 = 1e-12;

fn rule(kind: Kind, form: StepForm) -> scotopic::inference::NaturalGradient {
    let leak = scotopic::inference::Leak::None;
    let far = match kind {
        Kind::Poisson => FAR_CEILING,
        _ => FAR_SYMMETRIC,
    };
    scotopic::inference::NaturalGradient {
        form,
        clamps: Clamps {
            state: vec![far; 2],
            step: vec![far; 2],
        },
        ..toy::rule(0.0, KlForm::Exact, leak, 1)
    }
}

/// One step from `q` for the sample `z`, and the natural gradient it followed.
fn step(
    model: &Network,
    kind: Kind,
    form: StepForm,
    x: &Tensor<2>,
    q: &AnyPosterior,
    z: &Tensor<2>,
) -> [Vec<Vec<f64>>; 2] {
    let place = Place::reference();
    let eta = || place.tensor(&[ETA], [1, 1]);
    let dynamics = Dynamics {
        step_size: vec![eta(), eta()],
        homeostasis: place.tensor(&numbers(690, LATENTS, 0.01, 0.1), [1, LATENTS]),
    };
    let iterative = Iterative::new(&model.decoder, q.clone(), dynamics, rule(kind, form));
    let gradients = iterative.natural_gradient(x, q, q, z);
    let after = iterative.descend(x, q, q, z).components();
    [after, gradients].map(|parts| parts.into_iter().map(read).collect())
}

const ETA: f64 = 0.3;

/// diag ΦᵀΣ⁻¹Φ of the toy model.
fn curvature(parameters: &Parameters) -> Vec<f64> {
    let [atoms, log_sigma, ..] = &parameters.values;
    let bound = scotopic::decoder::LOG_SIGMA_BOUND;
    let precision = |d: usize| (-2.0 * bound * (log_sigma[d] / bound).tanh()).exp();
    let of = |k: usize| -> f64 {
        (0..PIXELS)
            .map(|d| atoms[k * PIXELS + d].powi(2) * precision(d))
            .sum()
    };
    (0..LATENTS).map(of).collect()
}

#[test]
fn solves_the_equation_of_its_family() {
    let place = Place::reference();
    let parameters = Parameters::drawn(7);
    let (model, h) = (parameters.model(&place), curvature(&parameters));
    let x = toy::images(&place, 691, BATCH, PIXELS);
    let z = place.tensor(&numbers(692, N, 0.0, 3.0), SHAPE);
    for kind in ALL {
        let parts = kind.drawn(693, N, 1.5);
        let q = kind.belief(&place, &parts, SHAPE);
        let [after, gradients] = step(&model, kind, StepForm::Proximal, &x, &q, &z);
        for (part, (after, gradient)) in after.iter().zip(&gradients).enumerate() {
            let moved: Vec<f64> = after.iter().zip(&parts[part]).map(|(a, b)| a - b).collect();
            // What η·H does to a move of this family: (move, its own inhibition) → the explicit step.
            let explicit = |i: usize| {
                let (d, a) = (moved[i], ETA * h[i % LATENTS]);
                match (kind, part) {
                    (Kind::Poisson, _) => d + a * parts[0][i].exp() * d.exp_m1(),
                    (Kind::Gaussian(_) | Kind::Laplace, 0) => {
                        d * (1.0 + a * (2.0 * parts[1][i]).exp())
                    }
                    // Scales and logits take the explicit step.
                    (Kind::Gaussian(_) | Kind::Laplace | Kind::Categorical, _) => d,
                    _ => d * (1.0 + a),
                }
            };
            let ours: Vec<f64> = (0..N).map(explicit).collect();
            let expected: Vec<f64> = gradient.iter().map(|g| -ETA * g).collect();
            let off = deviation(&ours, &expected);
            println!("{kind:?}, component {part}: {off:e}");
            assert!(off < ROUNDING, "{kind:?}, component {part}: {off:e}");
        }
    }
}

#[test]
fn an_explicit_step_is_the_gradient_itself() {
    let place = Place::reference();
    let model = Parameters::drawn(7).model(&place);
    let x = toy::images(&place, 691, BATCH, PIXELS);
    let z = place.tensor(&numbers(692, N, 0.0, 3.0), SHAPE);
    for kind in ALL {
        let parts = kind.drawn(693, N, 1.5);
        let q = kind.belief(&place, &parts, SHAPE);
        let [after, gradients] = step(&model, kind, StepForm::Explicit, &x, &q, &z);
        for ((after, gradient), before) in after.iter().zip(&gradients).zip(&parts) {
            let expected = before.iter().zip(gradient).map(|(u, g)| u - ETA * g);
            let off = deviation(after, &expected.collect::<Vec<_>>());
            assert!(off < ROUNDING, "{kind:?}: {off:e}");
        }
    }
}

/// Without atoms there is no diagonal to take.
#[test]
fn is_explicit_where_the_decoder_is_not_linear() {
    let place = Place::reference();
    let linear = Parameters::drawn(7).model(&place);
    let hidden = scotopic::posterior::ActivationKind::Tanh;
    let mlp = MlpDecoder::init(LATENTS, &[6], PIXELS, hidden, &place.device, 1);
    let numbers_of = crate::dressing::undress(&mlp);
    let decoder = DecoderNet::Mlp(crate::dressing::dressed(mlp, &numbers_of, &place));
    let model = Network { decoder, ..linear };
    let x = toy::images(&place, 691, BATCH, PIXELS);
    let z = place.tensor(&numbers(692, N, 0.0, 3.0), SHAPE);
    for kind in [Kind::Poisson, Kind::Laplace, Kind::Soft] {
        let q = kind.belief(&place, &kind.drawn(693, N, 1.5), SHAPE);
        let [proximal, _] = step(&model, kind, StepForm::Proximal, &x, &q, &z);
        let [explicit, _] = step(&model, kind, StepForm::Explicit, &x, &q, &z);
        assert_eq!(proximal, explicit, "{kind:?}");
    }
}
