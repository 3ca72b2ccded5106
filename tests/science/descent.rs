//! Descent of point estimates without a graph, against the same objective composed of tensor operations.

use scotopic::inference::{
    Leak, NaturalGradient, Objective, Perception, StepForm, Stimulus, composed_objective, reattach,
};
use scotopic::noise::NoiseKey;
use scotopic::posterior::{ActivationKind, AnyPosterior, Clamps, KlForm};
use scotopic_models::{DecoderConfig, Family, ImageDims, Method, Network, NetworkConfig};

use crate::devices::{Place, on_every_processor};
use crate::dressing::{dressed, gradients, names, stirred, undress};
use crate::numbers::{Ledger, read};
use crate::toy;

/// f32 in another order of summation, through up to forty steps of a contraction. Drive less inhibition rounds at the size
/// of the drive, which is some ten times that of the error it replaces.
const ANOTHER_ORDER: f64 = 5e-5;

const BETA: f64 = 1.7;

/// One way to descend.
#[derive(Debug, Clone, Copy)]
struct Setting {
    family: Family,
    activation: ActivationKind,
    batch: usize,
    pixels: usize,
    latents: usize,
    form: StepForm,
    inner: usize,
    steps: usize,
    frames: usize,
}

const PLAIN: Setting = Setting {
    family: Family::Point,
    activation: ActivationKind::None,
    batch: 23,
    pixels: 29,
    latents: 37,
    form: StepForm::Explicit,
    inner: 1,
    steps: 20,
    frames: 1,
};

/// Every cost with every switch, sizes that fill no vector and no block, more latents than pixels and fewer, still images
/// and films.
fn settings() -> Vec<Setting> {
    let kinds = [
        (Family::Point, ActivationKind::None),
        (Family::Point, ActivationKind::Relu),
        (Family::SoftThreshold, ActivationKind::None),
        (Family::HardThreshold, ActivationKind::None),
    ];
    let mut settings = Vec::new();
    for (family, activation) in kinds {
        let plain = Setting {
            family,
            activation,
            ..PLAIN
        };
        settings.extend([
            plain,
            Setting {
                form: StepForm::Proximal,
                inner: 2,
                ..plain
            },
            // Errors take fewer multiplications than drive less inhibition.
            Setting {
                latents: 90,
                ..plain
            },
            Setting {
                steps: 5,
                frames: 7,
                ..plain
            },
        ]);
    }
    settings.push(Setting {
        batch: 1,
        pixels: 1,
        latents: 1,
        ..PLAIN
    });
    settings.push(Setting {
        batch: 230,
        pixels: 40,
        latents: 9,
        ..PLAIN
    });
    settings
}

fn rule(setting: Setting) -> NaturalGradient {
    NaturalGradient {
        form: setting.form,
        clamps: Clamps {
            state: vec![4.0],
            step: vec![3.0],
        },
        ..toy::rule(0.0, KlForm::Exact, Leak::None, setting.inner)
    }
}

fn model(place: &Place, setting: Setting) -> Network {
    let config = NetworkConfig {
        picture: ImageDims::row(setting.pixels),
        latents: setting.latents,
        family: setting.family,
        activation: setting.activation,
        threshold: 0.3,
        log_step: -2.0,
        decoder: DecoderConfig {
            init_std: 0.2,
            ..DecoderConfig::default()
        },
        ..NetworkConfig::default()
    };
    let init = |place: &Place| {
        config
            .init(Method::Descent, &place.device, 9)
            .expect("valid")
    };
    let values = undress(&init(&Place::processor()));
    // The step size stays.
    let moved = stirred(&values, 10, 0.2);
    let which = names(&init(&Place::processor()));
    let values: Vec<_> = (values.into_iter().zip(moved).zip(&which))
        .map(|((old, moved), name)| {
            if name.contains("log_step") {
                old
            } else {
                moved
            }
        })
        .collect();
    dressed(init(place), &values, place)
}

fn input(place: &Place, setting: Setting) -> Stimulus {
    let rows = setting.frames * setting.batch;
    let images = toy::images(place, 6, rows, setting.pixels);
    match setting.frames {
        1 => Stimulus::Static(images),
        frames => Stimulus::Sequence(images.reshape([frames, setting.batch, setting.pixels])),
    }
}

#[derive(Clone, Copy)]
enum Way {
    OnePiece,
    Composed,
}

impl Way {
    fn objective(
        self,
        perception: &dyn Perception<Belief = AnyPosterior>,
        setting: Setting,
        x: &Stimulus,
        start: AnyPosterior,
        from: usize,
    ) -> Objective<AnyPosterior> {
        let (times, noise) = (from..from + setting.steps, NoiseKey::new(3));
        let record = Method::Descent.learns_from();
        let objective = match self {
            Self::OnePiece => perception.objective(x, start, times, &noise, record, BETA),
            Self::Composed => composed_objective(perception, x, start, times, &noise, record, BETA),
        };
        objective.expect("there are steps")
    }
}

/// Two windows: value, terms, state and gradients of each.
fn windows(place: &Place, setting: Setting, way: Way) -> Vec<(String, Vec<f64>)> {
    let model = model(place, setting);
    let x = input(place, setting);
    let mut found = Vec::new();
    let mut reached = None;
    for window in 0..2 {
        // Anew for each window, as in training: backward consumes what it evaluates.
        let perception = model.perception(rule(setting));
        let rest = perception.rest(setting.batch);
        let start = match reached.take() {
            None => rest,
            Some(belief) => reattach(&belief, &rest),
        };
        let objective = way.objective(&*perception, setting, &x, start, window * setting.steps);
        let mut add = |name: &str, values| found.push((format!("{name} {window}"), values));
        add("value", read(objective.value.clone()));
        add("terms", read(objective.terms));
        add("state", read(toy::potential(&objective.state)));
        let by = objective.value.backward();
        for (name, gradient) in names(&model).iter().zip(gradients(&model, &by)) {
            add(name, gradient.unwrap_or_default());
        }
        reached = Some(objective.state);
    }
    found
}

#[test]
fn every_setting_is_what_its_operations_say() {
    on_every_processor(|place| {
        for setting in settings() {
            let place = place.autodiff();
            let ours = windows(&place, setting, Way::OnePiece);
            let expected = windows(&place, setting, Way::Composed);
            let mut ledger = Ledger::default();
            for ((name, ours), (_, expected)) in ours.iter().zip(&expected) {
                assert_eq!(ours.len(), expected.len(), "{name}: learned by one of both");
                if !ours.is_empty() {
                    ledger.compare(name, name, ours, expected);
                }
            }
            ledger.settle(&format!("{}, {setting:?}", place.title()), |_| {
                ANOTHER_ORDER
            });
        }
    });
}

/// What is learned is the decoder, and the path of single precision is not the composed one.
#[test]
fn the_decoder_learns_without_a_graph_of_the_descent() {
    let same = |place: &Place, setting: Setting| {
        let place = place.autodiff();
        windows(&place, setting, Way::OnePiece) == windows(&place, setting, Way::Composed)
    };
    assert!(same(&Place::reference(), PLAIN), "double precision");
    let tanh = Setting {
        activation: ActivationKind::Tanh,
        ..PLAIN
    };
    assert!(same(&Place::processor(), tanh), "another activation");
    assert!(!same(&Place::processor(), PLAIN), "it was not taken");
    let learned = windows(&Place::processor().autodiff(), PLAIN, Way::OnePiece);
    let size = |name: &str| {
        let of = learned.iter().find(|(found, _)| found.contains(name));
        let (_, gradient) = of.expect("a parameter of this name");
        gradient.iter().map(|g| g.abs()).sum::<f64>()
    };
    assert!(size("atoms") > 0.0 && size("log_sigma") > 0.0);
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    let place = Place::processor().autodiff();
    let setting = Setting {
        batch: 230,
        ..PLAIN
    };
    let with = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        let pool = pool.expect("threads");
        pool.install(|| windows(&place, setting, Way::OnePiece))
    };
    assert_eq!(with(1), with(3));
}
