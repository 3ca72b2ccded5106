//! Fused networks of Gaussian and Laplace latents against the same objective composed of tensor operations, and against
//! differences.

use scotopic::inference::{
    Expectation, Leak, NaturalGradient, Objective, RecordOptions, StepForm, Stimulus,
    composed_objective, reattach,
};
use scotopic::noise::NoiseKey;
use scotopic::posterior::{ActivationKind, AnyPosterior, Clamps, KlForm, Posterior};
use scotopic_models::{
    DecoderConfig, Family, ImageDims, Method, Network, NetworkConfig, TransitionKind,
};

use crate::devices::{Place, on_every_processor};
use crate::dressing::{dressed, gradients, names, stirred, undress};
use crate::numbers::{Ledger, read};
use crate::toy::{self, numbers};

/// f32 in another order of summation, through five steps whose gain is of order one.
const ANOTHER_ORDER: f64 = 5e-5;

/// STRIDE² times a third derivative, and the rounding of an objective of about ten to f32 over STRIDE, some 1e-4, as parts
/// of Σ|gᵢvᵢ|, or of SMALLEST where that is less.
const STRIDE: f64 = 1e-2;
const DIFFERENCE: f64 = 5e-3;
const SMALLEST: f64 = 0.1;

const STEPS: usize = 5;
const BETA: f64 = 1.7;

/// One way to infer, on a network of some size.
#[derive(Debug, Clone, Copy)]
struct Setting {
    family: Family,
    activation: ActivationKind,
    batch: usize,
    pixels: usize,
    latents: usize,
    form: StepForm,
    leak: Leak,
    inner: usize,
    expectation: Expectation,
    transition: TransitionKind,
}

const PLAIN: Setting = Setting {
    family: Family::Gaussian,
    activation: ActivationKind::None,
    batch: 23,
    pixels: 29,
    latents: 37,
    form: StepForm::Proximal,
    leak: Leak::None,
    inner: 1,
    expectation: Expectation::Sample,
    transition: TransitionKind::Carried,
};

/// Every family with every switch of the rule, and sizes that fill no vector and no block.
fn settings() -> Vec<Setting> {
    let mut settings = vec![
        Setting {
            batch: 1,
            pixels: 1,
            latents: 1,
            ..PLAIN
        },
        Setting {
            batch: 230,
            pixels: 40,
            latents: 9,
            activation: ActivationKind::Relu,
            ..PLAIN
        },
    ];
    for (family, activation) in [
        (Family::Gaussian, ActivationKind::None),
        (Family::Gaussian, ActivationKind::Relu),
        (Family::Laplace, ActivationKind::None),
    ] {
        let plain = Setting {
            family,
            activation,
            ..PLAIN
        };
        settings.extend([
            plain,
            Setting {
                form: StepForm::Explicit,
                ..plain
            },
            // Without an effect at one inner iteration.
            Setting {
                leak: Leak::Kl(0.4),
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
        ]);
    }
    settings
}

fn rule(setting: Setting) -> NaturalGradient {
    NaturalGradient {
        form: setting.form,
        expectation: setting.expectation,
        clamps: Clamps {
            state: vec![4.0, 2.0],
            step: vec![3.0, 1.5],
        },
        ..toy::rule(0.0, KlForm::Exact, setting.leak, setting.inner)
    }
}

fn config(setting: Setting) -> NetworkConfig {
    NetworkConfig {
        picture: ImageDims::row(setting.pixels),
        latents: setting.latents,
        family: setting.family,
        activation: setting.activation,
        transition: setting.transition,
        log_homeostasis: -1.5,
        // Explicit steps do not overshoot: rounding is not amplified.
        log_step: -2.0,
        decoder: DecoderConfig {
            init_std: 0.2,
            ..DecoderConfig::default()
        },
        ..NetworkConfig::default()
    }
}

/// Random parameters with nothing left at 0.
fn values(setting: Setting) -> Vec<Vec<f64>> {
    let model = config(setting).init(Method::NaturalGradient, &Place::processor().device, 9);
    stirred(&undress(&model.expect("valid settings")), 10, 0.3)
}

fn model(place: &Place, setting: Setting, values: &[Vec<f64>]) -> Network {
    let model = config(setting).init(Method::NaturalGradient, &place.device, 9);
    dressed(model.expect("valid settings"), values, place)
}

#[derive(Clone, Copy)]
enum Way {
    OnePiece,
    Composed,
}

impl Way {
    fn objective(
        self,
        model: &Network,
        setting: Setting,
        x: &Stimulus,
        start: AnyPosterior,
        from: usize,
    ) -> Objective<AnyPosterior> {
        let times = from..from + STEPS;
        // As a part of a batch that begins with row 7.
        let noise = NoiseKey::new(3).step(8).row(7);
        let perception = model.perception(rule(setting));
        let record = RecordOptions::GENERATED;
        let objective = match self {
            Self::OnePiece => perception.objective(x, start, times, &noise, record, BETA),
            Self::Composed => {
                composed_objective(&*perception, x, start, times, &noise, record, BETA)
            }
        };
        objective.expect("there are steps")
    }
}

/// Two windows of truncated backpropagation: value, terms, state and gradients of each.
fn windows(place: &Place, setting: Setting, x: &Stimulus, way: Way) -> Vec<(String, Vec<f64>)> {
    let model = model(place, setting, &values(setting));
    let rest = || model.perception(rule(setting)).rest(setting.batch);
    let mut found = Vec::new();
    let mut start = rest();
    for window in 0..2 {
        let objective = way.objective(&model, setting, x, start, window * STEPS);
        let mut add = |name: &str, values| found.push((format!("{name} {window}"), values));
        add("value", read(objective.value.clone()));
        add("terms", read(objective.terms));
        for (part, name) in objective.state.components().into_iter().zip(["mu", "xi"]) {
            add(name, read(part));
        }
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

fn compare(place: &Place, setting: Setting, x: &Stimulus) {
    let place = place.autodiff();
    let ours = windows(&place, setting, x, Way::OnePiece);
    let expected = windows(&place, setting, x, Way::Composed);
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
        let frames = 7; // fewer than both windows have steps
        for transition in [TransitionKind::Carried, TransitionKind::Static] {
            let setting = Setting {
                transition,
                leak: Leak::Kl(0.4),
                inner: 2,
                ..PLAIN
            };
            let images = toy::images(&place.autodiff(), 7, frames * setting.batch, setting.pixels);
            let film = images.reshape([frames, setting.batch, setting.pixels]);
            compare(place, setting, &Stimulus::Sequence(film.require_grad()));
        }
    });
}

/// What the fused network does not have is composed of operations: the same bits. What it has comes in another order.
#[test]
fn what_it_does_not_have_is_composed() {
    let same = |place: &Place, setting: Setting| {
        let image = toy::images(&place.autodiff(), 6, setting.batch, setting.pixels);
        let x = Stimulus::Static(image.require_grad());
        let ways = [Way::OnePiece, Way::Composed];
        let [ours, composed] = ways.map(|way| windows(&place.autodiff(), setting, &x, way));
        ours == composed
    };
    let softplus = Setting {
        activation: ActivationKind::Softplus,
        ..PLAIN
    };
    let exact = Setting {
        expectation: Expectation::Exact,
        ..PLAIN
    };
    let single = Place::processor();
    assert!(same(&single, softplus), "another activation");
    assert!(same(&single, exact), "the expectation in closed form");
    assert!(same(&Place::reference(), PLAIN), "double precision");
    assert!(!same(&single, PLAIN), "the fused network was not taken");
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    let place = Place::processor();
    let setting = settings()[1];
    let image = toy::images(&place.autodiff(), 6, setting.batch, setting.pixels);
    let x = Stimulus::Static(image.require_grad());
    let with = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        let pool = pool.expect("threads");
        pool.install(|| windows(&place.autodiff(), setting, &x, Way::OnePiece))
    };
    assert_eq!(with(1), with(3));
}

/// The gradient of the fused network by every parameter along a random direction, against differences of its own value.
#[test]
fn gradients_are_differences_of_the_objective() {
    for (family, activation) in [
        (Family::Gaussian, ActivationKind::None),
        (Family::Laplace, ActivationKind::None),
    ] {
        let setting = Setting {
            family,
            activation,
            batch: 4,
            pixels: 6,
            latents: 5,
            leak: Leak::Kl(0.4),
            inner: 2,
            ..PLAIN
        };
        let values = values(setting);
        let place = Place::processor();
        let value = |place: &Place, values: &[Vec<f64>]| {
            let model = model(place, setting, values);
            let x = Stimulus::Static(toy::images(place, 6, setting.batch, setting.pixels));
            let rest = model.perception(rule(setting)).rest(setting.batch);
            let objective = Way::OnePiece.objective(&model, setting, &x, rest, 0);
            (model, objective.value)
        };
        let (tracked, objective) = value(&place.autodiff(), &values);
        let ours = gradients(&tracked, &objective.backward());
        for (which, name) in names(&tracked).iter().enumerate() {
            let direction = numbers(40 + which as u64, values[which].len(), -1.0, 1.0);
            let at = |by: f64| {
                let mut values = values.clone();
                let moved = values[which].iter_mut().zip(&direction);
                moved.for_each(|(value, along)| *value += by * along);
                read(value(&place, &values).1)[0]
            };
            let difference = (at(STRIDE) - at(-STRIDE)) / (2.0 * STRIDE);
            let gradient = ours[which].clone().expect("every parameter learns");
            let products = || gradient.iter().zip(&direction).map(|(g, v)| g * v);
            let size: f64 = products().map(f64::abs).sum();
            assert!(size > 0.0, "{setting:?}, {name}");
            let off = (products().sum::<f64>() - difference).abs() / size.max(SMALLEST);
            println!("{family:?} {name}: {off:e} of {size}");
            assert!(off < DIFFERENCE, "{setting:?}, {name}: off {off:e}");
        }
    }
}
