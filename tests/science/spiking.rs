//! The fused network against the same objective composed of tensor operations.

use burn::tensor::{Gradients, Tensor};
use scotopic::inference::{
    Leak, NaturalGradient, Objective, RecordOptions, StepForm, Stimulus, composed_objective,
    reattach,
};
use scotopic::noise::NoiseKey;
use scotopic::ops::Indicator;
use scotopic::posterior::{AnyPosterior, KlForm, Sampling};
use scotopic_models::Network;

use crate::devices::{Place, on_every_processor};
use crate::numbers::{Ledger, read};
use crate::toy::{self, NAMES, Parameters};

/// f32 in another order of summation, through five steps whose gain is of order one. The slope of a relaxed sample
/// moves by 1/τ times what its potential moves.
const ANOTHER_ORDER: f64 = 2e-4;

const STEPS: usize = 5;
const BETA: f64 = 1.7;

/// One way to infer, on a network of some size.
#[derive(Debug, Clone, Copy)]
struct Setting {
    batch: usize,
    pixels: usize,
    latents: usize,
    form: StepForm,
    leak: Leak,
    inner: usize,
    kl: KlForm,
    sampling: Sampling,
}

/// Sizes that fill no vector and no block, and every switch of the rule.
fn settings() -> Vec<Setting> {
    let plain = Setting {
        batch: 23,
        pixels: 29,
        latents: 37,
        form: StepForm::Proximal,
        leak: Leak::None,
        inner: 1,
        kl: KlForm::Exact,
        sampling: Sampling::relaxed(0.5),
    };
    let floor = Sampling {
        temperature: 0.3,
        indicator: Indicator::Cubic,
        rate_floor: 0.01,
    };
    vec![
        plain,
        Setting {
            batch: 1,
            pixels: 1,
            latents: 1,
            ..plain
        },
        Setting {
            batch: 230,
            pixels: 40,
            latents: 9,
            ..plain
        },
        Setting {
            form: StepForm::Explicit,
            ..plain
        },
        Setting {
            leak: Leak::Kl(0.4),
            inner: 3,
            ..plain
        },
        Setting {
            leak: Leak::Kl(0.4),
            inner: 2,
            form: StepForm::Explicit,
            ..plain
        },
        Setting {
            form: StepForm::Certified,
            ..plain
        },
        Setting {
            leak: Leak::Kl(1.6),
            inner: 3,
            form: StepForm::Certified,
            ..plain
        },
        Setting {
            kl: KlForm::Published,
            ..plain
        },
        Setting {
            sampling: floor,
            ..plain
        },
        Setting {
            sampling: Sampling::EXACT,
            ..plain
        },
    ]
}

fn rule(setting: Setting) -> NaturalGradient {
    let rule = toy::rule(0.0, setting.kl, setting.leak, setting.inner);
    NaturalGradient {
        form: setting.form,
        sampling: setting.sampling,
        ..rule
    }
}

type Way<'a> =
    &'a dyn Fn(&Network, Setting, &Stimulus, AnyPosterior, usize) -> Objective<AnyPosterior>;

fn as_one_piece(
    model: &Network,
    setting: Setting,
    x: &Stimulus,
    start: AnyPosterior,
    from: usize,
) -> Objective<AnyPosterior> {
    let (times, noise) = (from..from + STEPS, NoiseKey::new(3).step(8));
    let perception = model.perception(rule(setting));
    let objective = perception.objective(x, start, times, &noise, RecordOptions::GENERATED, BETA);
    objective.expect("there are steps")
}

fn composed(
    model: &Network,
    setting: Setting,
    x: &Stimulus,
    start: AnyPosterior,
    from: usize,
) -> Objective<AnyPosterior> {
    let (times, noise) = (from..from + STEPS, NoiseKey::new(3).step(8));
    let perception = model.perception(rule(setting));
    let record = RecordOptions::GENERATED;
    let objective = composed_objective(&*perception, x, start, times, &noise, record, BETA);
    objective.expect("there are steps")
}

fn gradient_of(model: &Network, gradients: &Gradients) -> [Vec<f64>; 5] {
    let of = |parameter: Tensor<1>| read(parameter.grad(gradients).expect("a gradient"));
    let dictionary = toy::dictionary(model);
    let homeostasis = model.log_homeostasis.as_ref().expect("of the rule");
    [
        read(dictionary.atoms.val().grad(gradients).expect("a gradient")),
        of(dictionary.log_sigma.val()),
        of(model.prior.rest[0].val()),
        of(homeostasis.val()),
        of(model.log_step[0].val()),
    ]
}

/// Two windows of truncated backpropagation: value, terms, potential and gradients of each.
fn windows(place: &Place, setting: Setting, x: &Stimulus, way: Way) -> Vec<(String, Vec<f64>)> {
    let model = Parameters::sized(4, setting.pixels, setting.latents).model(place);
    let rest = || model.perception(rule(setting)).rest(setting.batch);
    let mut found = Vec::new();
    let mut start = rest();
    for window in 0..2 {
        let objective = way(&model, setting, x, start, window * STEPS);
        let mut add = |name: &str, values| found.push((format!("{name} {window}"), values));
        add("value", read(objective.value.clone()));
        add("terms", read(objective.terms));
        add("state", read(toy::potential(&objective.state)));
        let gradients = objective.value.backward();
        for (name, gradient) in NAMES.iter().zip(gradient_of(&model, &gradients)) {
            add(name, gradient);
        }
        let by_stimulus = match x {
            Stimulus::Static(x) => x.grad(&gradients).map(read),
            Stimulus::Sequence(x) => x.grad(&gradients).map(read),
        };
        add("stimulus", by_stimulus.expect("a gradient"));
        start = reattach(&objective.state, &rest());
    }
    found
}

fn compare(place: &Place, setting: Setting, x: &Stimulus) {
    let place = place.autodiff();
    let ours = windows(&place, setting, x, &as_one_piece);
    let expected = windows(&place, setting, x, &composed);
    let mut ledger = Ledger::default();
    for ((name, ours), (_, expected)) in ours.iter().zip(&expected) {
        ledger.compare(name, name, ours, expected);
    }
    ledger.settle(&format!("{}, {setting:?}", place.title()), |_| {
        ANOTHER_ORDER
    });
}

#[test]
fn every_setting_is_what_its_operations_say() {
    on_every_processor(|place| {
        for setting in settings() {
            let image = toy::images(&place.autodiff(), 6, setting.batch, setting.pixels);
            compare(place, setting, &Stimulus::Static(image.require_grad()));
        }
    });
}

#[test]
fn a_film_is_seen_frame_by_frame() {
    on_every_processor(|place| {
        let setting = settings()[0];
        let frames = 7; // fewer than both windows have steps
        let images = toy::images(&place.autodiff(), 7, frames * setting.batch, setting.pixels);
        let film = images.reshape([frames, setting.batch, setting.pixels]);
        compare(place, setting, &Stimulus::Sequence(film.require_grad()));
    });
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    let place = Place::processor();
    let setting = settings()[2];
    let image = toy::images(&place.autodiff(), 6, setting.batch, setting.pixels);
    let x = Stimulus::Static(image.require_grad());
    let with = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        let pool = pool.expect("threads");
        pool.install(|| windows(&place.autodiff(), setting, &x, &as_one_piece))
    };
    assert_eq!(with(1), with(3));
}
