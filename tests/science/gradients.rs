//! Gradients against finite differences.

use burn::tensor::{Gradients, Tensor};
use scotopic::decoder::Decoder;
use scotopic::inference::{Leak, RecordOptions, Stimulus, Trajectory, reattach, unroll};
use scotopic::noise::{NoiseKey, NoiseSource};
use scotopic::ops::{soft_ceiling, softplus_clamped_step};
use scotopic::posterior::{AnyPosterior, KlForm, PoissonPosterior};
use scotopic_models::Network;

use crate::devices::{Place, on_every_device};
use crate::numbers::{Ledger, read};
use crate::toy::{self, BATCH, LATENTS, NAMES, PIXELS, Parameters, Twin};

/// Half the distance of the two points of a central difference.
const STRIDE: f64 = 1e-5;

/// The difference's own error is STRIDE² times a third derivative (10⁻¹⁰ × 10 or so) and the rounding
/// of the objective over STRIDE (10⁻¹⁴/10⁻⁵).
const FINITE_DIFFERENCE: f64 = 1e-7;

/// Two orders of evaluation of one formula in f64.
const SAME_FORMULA: f64 = 1e-12;

/// The kernels end their sums at terms of 10⁻⁷, the explicit twin sums on; η's gradient is a difference
/// of terms some ten times larger than itself.
const TRUNCATION: f64 = 3e-5;

/// f32 against f64 through three steps of a chain whose gain per step is of order one.
const SINGLE: f64 = 5e-5;

const STEPS: usize = 3;
const BETA: f64 = 2.0;
const TEMPERATURE: f64 = 0.5;

/// What the gradient is taken of.
#[derive(Debug, Clone, Copy)]
struct Setting {
    kl: KlForm,
    leak: Leak,
    inner: usize,
}

/// Window number `window` (of STEPS steps) from `start`.
fn window(
    model: &Network,
    place: &Place,
    setting: Setting,
    window: usize,
    start: AnyPosterior,
    noise: &impl NoiseSource,
) -> Trajectory<AnyPosterior> {
    let rule = toy::rule(TEMPERATURE, setting.kl, setting.leak, setting.inner);
    let x = Stimulus::Static(toy::images(place, 5, BATCH, PIXELS));
    let times = window * STEPS..(window + 1) * STEPS;
    unroll(
        &*model.perception(rule),
        &x,
        start,
        times,
        noise,
        RecordOptions::GENERATED,
    )
}

fn twin(place: &Place) -> Twin<'_> {
    Twin {
        key: NoiseKey::new(11),
        place,
        shape: [BATCH, LATENTS],
        arrivals: 96,
    }
}

/// The gradient of every parameter, in the order of [`NAMES`].
fn gradients(model: &Network, gradients: &Gradients) -> [Vec<f64>; 5] {
    let of = |parameter: Tensor<1>| parameter.grad(gradients).map(read).unwrap_or_default();
    let decoder = toy::dictionary(model);
    let atoms = decoder.atoms.val().grad(gradients).map(read);
    let homeostasis = model.log_homeostasis.as_ref().expect("of the rule");
    [
        atoms.unwrap_or_default(),
        of(decoder.log_sigma.val()),
        of(model.prior.rest[0].val()),
        of(homeostasis.val()),
        of(model.log_step[0].val()),
    ]
}

/// Central differences of `objective` with respect to every parameter.
fn differences(at: &Parameters, objective: impl Fn(&Parameters) -> f64) -> [Vec<f64>; 5] {
    std::array::from_fn(|which| {
        let slope = |i: usize| {
            let shifted = |by: f64| {
                let mut parameters = at.clone();
                parameters.values[which][i] += by;
                objective(&parameters)
            };
            (shifted(STRIDE) - shifted(-STRIDE)) / (2.0 * STRIDE)
        };
        (0..at.values[which].len()).map(slope).collect()
    })
}

fn compare_all(ledger: &mut Ledger, title: &str, ours: &[Vec<f64>; 5], expected: &[Vec<f64>; 5]) {
    for ((name, ours), expected) in NAMES.iter().zip(ours).zip(expected) {
        ledger.compare(name, title, ours, expected);
    }
}

fn check_two_windows(setting: Setting) {
    let place = Place::reference().autodiff();
    let plain = Place::reference();
    let parameters = Parameters::drawn(3);
    let model = parameters.model(&place);
    let mut ledger = Ledger::default();

    let noise = twin(&place);
    let first = window(&model, &place, setting, 0, toy::rest(&model, BATCH), &noise);
    let objective = first.objective(BETA).expect("free energy was recorded");
    let ours = gradients(&model, &objective.backward());
    let scalar = |seen: Trajectory<AnyPosterior>| read(seen.objective(BETA).expect("recorded"))[0];
    let expected = differences(&parameters, |p| {
        let model = p.model(&plain);
        scalar(window(
            &model,
            &plain,
            setting,
            0,
            toy::rest(&model, BATCH),
            &twin(&plain),
        ))
    });
    compare_all(&mut ledger, "window 0", &ours, &expected);

    // The second window: what it starts from moves with the resting potential and with nothing else.
    let start = reattach(&first.state, &toy::rest(&model, BATCH));
    let reached = read(toy::potential(&start));
    let same = read(toy::potential(&first.state));
    ledger.compare("reattached u", "window 1", &reached, &same);
    let second = window(&model, &place, setting, 1, start, &noise);
    let objective = second.objective(BETA).expect("free energy was recorded");
    let ours = gradients(&model, &objective.backward());
    let rest = read(toy::potential(&toy::rest(&parameters.model(&plain), BATCH)));
    let offset: Vec<f64> = reached.iter().zip(&rest).map(|(u, u0)| u - u0).collect();
    let expected = differences(&parameters, |p| {
        let model = p.model(&plain);
        let offset = plain.tensor(&offset, [BATCH, LATENTS]);
        let start = AnyPosterior::from(PoissonPosterior::new(
            toy::potential(&toy::rest(&model, BATCH)) + offset,
        ));
        scalar(window(&model, &plain, setting, 1, start, &twin(&plain)))
    });
    compare_all(&mut ledger, "window 1", &ours, &expected);
    ledger.settle(&format!("{setting:?}"), |_| FINITE_DIFFERENCE);
}

#[test]
fn through_time_with_the_exact_divergence() {
    check_two_windows(Setting {
        kl: KlForm::Exact,
        leak: Leak::None,
        inner: 1,
    });
}

#[test]
fn through_time_with_the_published_divergence() {
    check_two_windows(Setting {
        kl: KlForm::Published,
        leak: Leak::None,
        inner: 1,
    });
}

#[test]
fn through_two_inner_iterations_with_a_leak() {
    for kl in [KlForm::Exact, KlForm::Published] {
        check_two_windows(Setting {
            kl,
            leak: Leak::Kl(1.3),
            inner: 2,
        });
    }
}

/// Gradients of the first window with the kernels' own noise: what training runs.
fn keyed(place: &Place) -> [Vec<f64>; 5] {
    let place = place.autodiff();
    let model = Parameters::drawn(3).model(&place);
    let setting = Setting {
        kl: KlForm::Exact,
        leak: Leak::None,
        inner: 1,
    };
    let seen = window(
        &model,
        &place,
        setting,
        0,
        toy::rest(&model, BATCH),
        &NoiseKey::new(11),
    );
    let objective = seen.objective(BETA).expect("free energy was recorded");
    gradients(&model, &objective.backward())
}

#[test]
fn kernels_against_their_twin() {
    let place = Place::reference().autodiff();
    let model = Parameters::drawn(3).model(&place);
    let setting = Setting {
        kl: KlForm::Exact,
        leak: Leak::None,
        inner: 1,
    };
    let seen = window(
        &model,
        &place,
        setting,
        0,
        toy::rest(&model, BATCH),
        &twin(&place),
    );
    let objective = seen.objective(BETA).expect("free energy was recorded");
    let expected = gradients(&model, &objective.backward());
    let mut ledger = Ledger::default();
    compare_all(
        &mut ledger,
        "gradient",
        &keyed(&Place::reference()),
        &expected,
    );
    ledger.settle("kernels against twin", |_| TRUNCATION);
}

#[test]
fn single_precision_on_every_device() {
    let expected = keyed(&Place::reference());
    on_every_device(|place| {
        let mut ledger = Ledger::default();
        compare_all(&mut ledger, "gradient", &keyed(place), &expected);
        ledger.settle(&format!("gradients on {}", place.title()), |_| SINGLE);
    });
}

#[test]
fn pullback_is_the_derivative_of_the_likelihood() {
    let place = Place::reference().autodiff();
    let model = Parameters::drawn(4).model(&place);
    let noise = model.decoder.observation_noise();
    let x = toy::images(&place, 6, BATCH, PIXELS);
    let z = place.tensor(
        &toy::numbers(7, BATCH * LATENTS, 0.0, 3.0),
        [BATCH, LATENTS],
    );
    let z = z.require_grad();
    let likelihood = noise.negative_log_likelihood(x.clone(), model.decoder.decode(z.clone()));
    let expected = z
        .grad(&likelihood.sum().backward())
        .map(read)
        .expect("a gradient");

    let (mean, tape) = model.decoder.forward(z);
    let residual = model.decoder.observation_noise().weigh(x - mean);
    let pulled = model.decoder.pullback(&tape, residual);
    let mut ledger = Ledger::default();
    ledger.compare("dNLL/dz", "pullback", &read(pulled.neg()), &expected);
    ledger.settle("pullback", |_| SAME_FORMULA);
}

#[test]
fn slopes_of_the_clamped_step() {
    const N: usize = 400;
    const CEILINGS: [f64; 2] = [3.0, 5.0];
    let place = Place::reference().autodiff();
    // Below the floor, between, at and above both ceilings; the kink at −8 itself has no derivative.
    let mut u = toy::numbers(8, N, -12.0, 14.0);
    let mut d = toy::numbers(9, N, -12.0, 14.0);
    (u[0], d[0]) = (5.0 + 0.126_928_011_042_972_5, 0.0);
    (u[1], d[1]) = (0.0, 3.0);
    let [step, state] = CEILINGS;
    let slopes = |f: &dyn Fn(Tensor<1>, Tensor<1>) -> Tensor<1>| {
        let (u, d) = (
            place.tensor(&u, [N]).require_grad(),
            place.tensor(&d, [N]).require_grad(),
        );
        let gradients = f(u.clone(), d.clone()).sum().backward();
        [u.grad(&gradients), d.grad(&gradients)].map(|g| read(g.expect("a gradient")))
    };
    let fused = slopes(&|u, d| softplus_clamped_step(u, d, step, state));
    let composed = slopes(&|u, d| soft_ceiling(u + soft_ceiling(d, step), state));

    let value = |by_u: f64, by_d: f64| {
        let shifted = |values: &[f64], by: f64| {
            let values: Vec<f64> = values.iter().map(|v| v + by).collect();
            place.tensor::<1>(&values, [N])
        };
        read(softplus_clamped_step(
            shifted(&u, by_u),
            shifted(&d, by_d),
            step,
            state,
        ))
    };
    let difference = |high: Vec<f64>, low: Vec<f64>| -> Vec<f64> {
        high.iter()
            .zip(&low)
            .map(|(h, l)| (h - l) / (2.0 * STRIDE))
            .collect()
    };
    let expected = [
        difference(value(STRIDE, 0.0), value(-STRIDE, 0.0)),
        difference(value(0.0, STRIDE), value(0.0, -STRIDE)),
    ];
    let mut ledger = Ledger::default();
    for (i, by) in ["potential", "drive"].into_iter().enumerate() {
        ledger.compare("composed", by, &fused[i], &composed[i]);
        ledger.compare("difference", by, &fused[i], &expected[i]);
    }
    ledger.settle("clamped step", |group| match group {
        "composed" => SAME_FORMULA,
        _ => FINITE_DIFFERENCE,
    });
    assert!(
        fused[0].contains(&0.0) && fused[1].contains(&0.0),
        "the floor was not reached"
    );
}
