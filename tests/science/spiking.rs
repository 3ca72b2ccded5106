//! The fused network against the same objective composed of tensor operations.

use scotopic::inference::{
    Expectation, Leak, NaturalGradient, Objective, RecordOptions, StepForm, Stimulus,
    composed_objective, reattach,
};
use scotopic::noise::NoiseKey;
use scotopic::ops::Indicator;
use scotopic::posterior::{AnyPosterior, KlForm, Sampling};
use scotopic_models::{Network, TransitionKind};

use crate::devices::{Place, on_every_device, on_every_processor};
use crate::dressing::{gradients, names};
use crate::numbers::{Ledger, read};
use crate::toy::{self, Parameters};

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
    expectation: Expectation,
    transition: TransitionKind,
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
        expectation: Expectation::Sample,
        transition: TransitionKind::Carried,
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
        // More latents and pixels than a work group of a GPU has threads.
        Setting {
            batch: 3,
            pixels: 300,
            latents: 520,
            ..plain
        },
        // Several rows of a work group, and more refinements than a GPU keeps in one array. (A loop of Mesa's software
        // Vulkan ends after 65 535 turns, and with it a sum: the size is one that takes fewer.)
        Setting {
            batch: 3000,
            pixels: 3,
            latents: 44,
            leak: Leak::Kl(0.4),
            inner: 9,
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
        Setting {
            expectation: Expectation::Exact,
            ..plain
        },
    ]
}

/// Every prior in time, with every switch that it meets.
fn films() -> Vec<Setting> {
    let carried = settings()[0];
    // As the presets of films have it.
    let of_films = Setting {
        leak: Leak::Kl(1.0),
        inner: 4,
        sampling: Sampling {
            indicator: Indicator::Cubic,
            ..Sampling::relaxed(0.5)
        },
        expectation: Expectation::Exact,
        ..carried
    };
    let learned = Setting {
        transition: TransitionKind::Learned,
        ..carried
    };
    let mut settings = vec![
        carried,
        learned,
        Setting {
            batch: 1,
            pixels: 1,
            latents: 1,
            ..learned
        },
        Setting {
            batch: 230,
            pixels: 40,
            latents: 9,
            ..learned
        },
        Setting {
            form: StepForm::Certified,
            kl: KlForm::Published,
            ..learned
        },
    ];
    for transition in [
        TransitionKind::Carried,
        TransitionKind::Static,
        TransitionKind::Learned,
    ] {
        settings.push(Setting {
            transition,
            ..of_films
        });
    }
    settings
}

fn rule(setting: Setting) -> NaturalGradient {
    let rule = toy::rule(0.0, setting.kl, setting.leak, setting.inner);
    NaturalGradient {
        form: setting.form,
        sampling: setting.sampling,
        expectation: setting.expectation,
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

/// Two windows of truncated backpropagation: value, terms, potential and gradients of each.
fn windows(place: &Place, setting: Setting, x: &Stimulus, way: Way) -> Vec<(String, Vec<f64>)> {
    let model = Network {
        transition: toy::transition(place, setting.transition, setting.latents),
        ..Parameters::sized(4, setting.pixels, setting.latents).model(place)
    };
    let rest = || model.perception(rule(setting)).rest(setting.batch);
    let mut found = Vec::new();
    let mut start = rest();
    for window in 0..2 {
        let objective = way(&model, setting, x, start, window * STEPS);
        let mut add = |name: &str, values| found.push((format!("{name} {window}"), values));
        add("value", read(objective.value.clone()));
        add("terms", read(objective.terms));
        add("state", read(toy::potential(&objective.state)));
        let by = objective.value.backward();
        for (name, gradient) in names(&model).iter().zip(gradients(&model, &by)) {
            add(name, gradient.expect("every parameter learns"));
        }
        let by_stimulus = match x {
            Stimulus::Static(x) => x.grad(&by).map(read),
            Stimulus::Sequence(x) => x.grad(&by).map(read),
        };
        add("stimulus", by_stimulus.expect("a gradient"));
        start = reattach(&objective.state, &rest());
    }
    found
}

/// As one piece on a device against operations on `reference`, of the same images.
fn compare(place: &Place, reference: &Place, setting: Setting, x: impl Fn(&Place) -> Stimulus) {
    let (place, reference) = (place.autodiff(), reference.autodiff());
    let ours = windows(&place, setting, &x(&place), &as_one_piece);
    let expected = windows(&reference, setting, &x(&reference), &composed);
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
    on_every_device(|place| {
        // The operations of a GPU, whose kernels are compiled anew for every size, are compared elsewhere.
        let gpu = !["flex", "ndarray"].contains(&place.name);
        let processor = Place::processor();
        let reference = if gpu { &processor } else { place };
        for setting in settings() {
            compare(place, reference, setting, |place| {
                let image = toy::images(place, 6, setting.batch, setting.pixels);
                Stimulus::Static(image.require_grad())
            });
        }
    });
}

#[test]
fn a_film_is_seen_frame_by_frame() {
    on_every_processor(|place| {
        let frames = 7; // fewer than both windows have steps
        for setting in films() {
            compare(place, place, setting, |place| {
                let images = toy::images(place, 7, frames * setting.batch, setting.pixels);
                let film = images.reshape([frames, setting.batch, setting.pixels]);
                Stimulus::Sequence(film.require_grad())
            });
        }
    });
}

/// A film in double precision is composed of operations: the same bits. In single precision it comes in another order.
#[test]
fn films_are_taken_as_one_piece() {
    for (place, composed_too) in [(Place::reference(), true), (Place::processor(), false)] {
        let place = place.autodiff();
        for setting in films().into_iter().filter(|setting| setting.latents > 1) {
            let images = toy::images(&place, 7, 2 * STEPS * setting.batch, setting.pixels);
            let film = images.reshape([2 * STEPS, setting.batch, setting.pixels]);
            let film = Stimulus::Sequence(film.require_grad());
            let [ours, expected] =
                [&as_one_piece as Way, &composed].map(|way| windows(&place, setting, &film, way));
            assert_eq!(ours == expected, composed_too, "{setting:?}");
        }
    }
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
