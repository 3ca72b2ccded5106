//! Priors in time: what they nest, their gradients, the same on every device.

use burn::module::Param;
use burn::tensor::Tensor;
use scotopic::inference::{
    Iterative, Leak, Perception, Predictive, PredictiveTransition, PriorInTime, RecordOptions,
    Stimulus, Trajectory, unroll,
};
use scotopic::noise::{NoiseKey, NoiseSource};
use scotopic::posterior::{AnyPosterior, KlForm, PoissonPosterior, Posterior, Sampling};
use scotopic::spiking::DriveMethod;
use scotopic_models::{
    DecoderNet, ImageDims, LeakConfig, Method, Network, NetworkConfig, RuleConfig, Transition,
    TransitionKind, TransitionWeights,
};

use crate::devices::{Place, on_every_device};
use crate::numbers::{Ledger, read};
use crate::toy::{self, BATCH, LATENTS, PIXELS, Parameters, Twin};

const FRAMES: usize = 5;
const TEMPERATURE: f64 = 0.5;
/// Half the distance of the two points of a central difference.
const STRIDE: f64 = 1e-5;
/// STRIDE² times a third derivative, and the rounding of the objective over STRIDE.
const FINITE_DIFFERENCE: f64 = 1e-7;
/// Two orders of evaluation of one formula in f64.
const SAME_FORMULA: f64 = 1e-12;
/// f32 against f64 through five frames of two inner iterations.
const SINGLE: f64 = 2e-4;
/// A logit whose sigmoid is 1 in f64 too, and 0 of its negative.
const CERTAIN: f64 = 2000.0;

fn film(place: &Place) -> Stimulus {
    let values = toy::numbers(21, FRAMES * BATCH * PIXELS, -1.5, 1.5);
    Stimulus::Sequence(place.tensor(&values, [FRAMES, BATCH, PIXELS]))
}

fn still(place: &Place) -> Stimulus {
    Stimulus::Static(toy::images(place, 5, BATCH, PIXELS))
}

fn twin(place: &Place) -> Twin<'_> {
    Twin {
        key: NoiseKey::new(11),
        place,
        shape: [BATCH, LATENTS],
        arrivals: 96,
    }
}

/// The rule with the pull of the whole F.
fn iterative(model: &Network) -> Iterative<'_, AnyPosterior, DecoderNet> {
    model.iterative(toy::rule(TEMPERATURE, KlForm::Exact, Leak::Kl(1.0), 2))
}

fn seen(
    perception: &impl Perception<Belief = AnyPosterior>,
    stimulus: &Stimulus,
    noise: &dyn NoiseSource,
) -> Trajectory<AnyPosterior> {
    let rest = perception.rest(BATCH);
    unroll(
        perception,
        stimulus,
        rest,
        0..FRAMES,
        noise,
        RecordOptions::ALL,
    )
}

/// u and F of every frame.
fn numbers(seen: &Trajectory<AnyPosterior>) -> Vec<f64> {
    let mut out = Vec::new();
    for record in &seen.records {
        let generated = record.generated.as_ref().expect("asked for");
        out.extend(read(toy::potential(
            record.state.as_ref().expect("asked for"),
        )));
        out.extend(read(generated.free_energy.total(1.0)));
    }
    out
}

/// A = sigmoid(`logit`), W = 0, b = 0, no ceiling.
fn constant(place: &Place, logit: f64) -> PriorInTime {
    PriorInTime::Learned(Box::new(PredictiveTransition::new(
        place.tensor(&[logit; LATENTS], [1, LATENTS]),
        place.tensor(&[0.0; LATENTS * LATENTS], [LATENTS, LATENTS]),
        place.tensor(&[0.0; LATENTS], [1, LATENTS]),
        f64::from(f32::MAX),
    )))
}

/// A = 1, W = 0 is the published rule to the bit, on a still image and on a film; A = 0, W = 0 is the static prior.
#[test]
fn the_published_rule_and_the_static_prior_are_nested_exactly() {
    for place in [Place::reference(), Place::processor()] {
        let model = Parameters::drawn(3).model(&place);
        let noise = NoiseKey::new(4);
        for stimulus in [still(&place), film(&place)] {
            let with = |transition| {
                let perception = Predictive {
                    iterative: iterative(&model),
                    transition,
                };
                numbers(&seen(&perception, &stimulus, &noise))
            };
            let published = numbers(&seen(&iterative(&model), &stimulus, &noise));
            assert_eq!(with(constant(&place, CERTAIN)), published);
            let fixed = with(PriorInTime::Static);
            assert_eq!(with(constant(&place, -CERTAIN)), fixed);
            assert_ne!(fixed, published);
            assert_ne!(with(constant(&place, 0.0)), fixed);
        }
    }
}

/// Under a static prior a frame knows nothing of the frames before it.
#[test]
fn a_static_prior_has_no_memory() {
    let place = Place::reference();
    let model = Parameters::drawn(3).model(&place);
    let perception = Predictive {
        iterative: iterative(&model),
        transition: PriorInTime::Static,
    };
    let (film, noise) = (film(&place), NoiseKey::new(4));
    let all = seen(&perception, &film, &noise);
    for (time, record) in all.records.iter().enumerate() {
        let rest = perception.rest(BATCH);
        let alone = perception
            .iterative
            .refine(&film.at(time), &rest, time, &noise);
        let state = record.state.as_ref().expect("asked for");
        assert_eq!(
            read(toy::potential(state)),
            read(toy::potential(&alone.belief))
        );
    }
}

/// The model of a configuration is the rule of its transition.
#[test]
fn configurations_choose_the_prior() {
    let place = Place::processor();
    let model = |transition| {
        let config = NetworkConfig {
            picture: ImageDims::row(PIXELS),
            latents: LATENTS,
            transition,
            ..Default::default()
        };
        config
            .init(Method::NaturalGradient, &place.device, 1)
            .unwrap()
    };
    let rule = || toy::rule(0.0, KlForm::Exact, Leak::Kl(1.0), 2);
    let prior = |kind| {
        let model = model(kind);
        let before = place.tensor(&[0.5; BATCH * LATENTS], [BATCH, LATENTS]);
        let before = AnyPosterior::from(PoissonPosterior::new(before));
        let prior = model.perception(rule()).prior(&before);
        (
            read(toy::potential(&prior)),
            read(toy::potential(&toy::rest(&model, BATCH))),
        )
    };
    assert_eq!(prior(TransitionKind::Carried).0, vec![0.5; BATCH * LATENTS]);
    let (fixed, rest) = prior(TransitionKind::Static);
    assert_eq!(fixed, rest);
    let (learned, _) = prior(TransitionKind::Learned);
    let keep = 1.0 / (1.0 + (-2.0f64).exp());
    for (u, u0) in learned.iter().zip(&rest) {
        // Rounding of f32.
        assert!((u - (keep * 0.5 + (1.0 - keep) * u0)).abs() < 1e-5);
    }
    let config = NetworkConfig {
        transition: TransitionKind::Learned,
        family: scotopic::posterior::Family::Gaussian,
        ..Default::default()
    };
    let error = config.validate(Method::NaturalGradient).unwrap_err();
    assert!(error.to_string().contains("model.transition"), "{error}");
}

/// Spikes and potentials of the event-driven engine are those of tensor operations, under every prior in time and with several
/// refinements of a step.
#[test]
fn the_engine_has_every_prior() {
    let place = Place::processor();
    let key = NoiseKey::new(7);
    for (kind, inner_steps) in [
        (TransitionKind::Carried, 3),
        (TransitionKind::Static, 1),
        (TransitionKind::Static, 3),
        (TransitionKind::Learned, 1),
        (TransitionKind::Learned, 3),
    ] {
        let mut model = learned(&place, &drawn());
        if kind != TransitionKind::Learned {
            model.transition = Transition {
                weights: None,
                kind,
            };
        }
        let config = RuleConfig {
            inner_steps,
            leak: LeakConfig::Beta(1.0),
            ..Default::default()
        };
        let rule = || config.at(1.0, Sampling::EXACT);
        let engine = model.engine(rule(), DriveMethod::Events).expect("spikes");
        let (perception, film) = (model.perception(rule()), film(&place));
        let mut belief = perception.rest(BATCH);
        let mut stream = engine.stream(key);
        let row = |tensor: Tensor<2>| read(tensor.narrow(0, 0, 1));
        let mut fired = 0.0;
        for time in 0..8 * FRAMES {
            let x = film.at(time % FRAMES);
            let prior = perception.prior(&belief);
            let refined = perception.refine(&x, &belief, time, &key);
            let frame: Vec<f32> = row(x).iter().map(|x| *x as f32).collect();
            let mut counts = vec![0.0; LATENTS];
            for spike in stream.step(&frame).expect("a frame") {
                counts[spike.neuron as usize] = f64::from(spike.count);
            }
            assert_eq!(
                counts,
                row(refined.spikes),
                "{kind:?}, {inner_steps}, frame {time}"
            );
            fired += counts.iter().sum::<f64>();
            for (ours, expected) in [
                (stream.prior(), toy::potential(&prior)),
                (stream.potential(), toy::potential(&refined.belief)),
            ] {
                for (u, expected) in ours.iter().zip(row(expected)) {
                    assert!(
                        (f64::from(*u) - expected).abs() < SINGLE,
                        "{kind:?}, {inner_steps}"
                    );
                }
            }
            belief = refined.belief;
        }
        assert!(
            fired > 5.0,
            "{kind:?}: {fired} spikes are too few to compare"
        );
    }
}

/// a, Wᵀ and b, drawn so that the ceiling is not felt.
fn drawn() -> [Vec<f64>; 3] {
    [
        toy::numbers(31, LATENTS, -1.0, 2.0),
        toy::numbers(32, LATENTS * LATENTS, -0.5, 0.5),
        toy::numbers(33, LATENTS, -0.3, 0.3),
    ]
}

/// The toy model with a learned transition.
fn learned(place: &Place, [logits, weights, bias]: &[Vec<f64>; 3]) -> Network {
    let vector = |values: &[f64]| Param::from_tensor(place.tensor(values, [LATENTS]));
    Network {
        transition: Transition {
            weights: Some(TransitionWeights {
                logit_keep: vector(logits),
                weights: Param::from_tensor(place.tensor(weights, [LATENTS, LATENTS])),
                bias: vector(bias),
            }),
            kind: TransitionKind::Learned,
        },
        ..Parameters::drawn(3).model(place)
    }
}

fn objective(model: &Network, place: &Place, noise: &dyn NoiseSource) -> Tensor<1> {
    let rule = toy::rule(TEMPERATURE, KlForm::Exact, Leak::Kl(1.0), 2);
    let perception = model.perception(rule);
    let rest = perception.rest(BATCH);
    let record = RecordOptions::GENERATED;
    let seen = unroll(&*perception, &film(place), rest, 0..FRAMES, noise, record);
    seen.objective(1.0).expect("recorded")
}

/// Gradients of a, W and b through inference.
fn gradients(place: &Place, noise: &dyn NoiseSource) -> [Vec<f64>; 3] {
    let model = learned(place, &drawn());
    let gradients = objective(&model, place, noise).backward();
    let weights = model.transition.weights.as_ref().expect("learned");
    [
        weights.logit_keep.val().grad(&gradients).map(read),
        weights.weights.val().grad(&gradients).map(read),
        weights.bias.val().grad(&gradients).map(read),
    ]
    .map(|gradient| gradient.expect("a gradient"))
}

#[test]
fn gradients_of_the_transition_are_those_of_differences() {
    let plain = Place::reference();
    let place = plain.autodiff();
    let ours = gradients(&place, &twin(&place));
    let mut ledger = Ledger::default();
    for (which, name) in ["logit_keep", "weights", "bias"].into_iter().enumerate() {
        let slope = |i: usize| {
            let shifted = |by: f64| {
                let mut at = drawn();
                at[which][i] += by;
                read(objective(&learned(&plain, &at), &plain, &twin(&plain)))[0]
            };
            (shifted(STRIDE) - shifted(-STRIDE)) / (2.0 * STRIDE)
        };
        let expected: Vec<f64> = (0..ours[which].len()).map(slope).collect();
        assert!(
            expected.iter().any(|slope| slope.abs() > 1e-3),
            "{name} is not felt"
        );
        ledger.compare(name, "film", &ours[which], &expected);
    }
    ledger.settle("gradients of the transition", |_| FINITE_DIFFERENCE);
}

#[test]
fn the_transition_is_the_same_on_every_device() {
    let key = NoiseKey::new(11);
    let expected = gradients(&Place::reference().autodiff(), &key);
    on_every_device(|place| {
        let ours = gradients(&place.autodiff(), &key);
        let mut ledger = Ledger::default();
        for (name, (ours, expected)) in ["a", "W", "b"].iter().zip(ours.iter().zip(&expected)) {
            ledger.compare(name, "gradient", ours, expected);
        }
        ledger.settle(&format!("transition on {}", place.title()), |_| SINGLE);
    });
}

/// With every belief held fixed the gradient is a sum over frames of local terms (eq. T6).
#[test]
fn the_online_gradient_is_local() {
    let place = Place::reference().autodiff();
    let model = learned(&place, &drawn());
    let weights = model.transition.weights.as_ref().expect("learned");
    let transition = weights.transition(scotopic_models::PRIOR_CEILING);
    let belief = |time: u64| {
        let values = toy::numbers(40 + time, BATCH * LATENTS, -1.0, 0.8);
        place.tensor(&values, [BATCH, LATENTS])
    };
    let rest = place.tensor(&toy::numbers(50, LATENTS, -1.0, 0.0), [1, LATENTS]);
    let mut bound: Option<Tensor<1>> = None;
    let mut local = [
        vec![0.0; LATENTS],
        vec![0.0; LATENTS * LATENTS],
        vec![0.0; LATENTS],
    ];
    for time in 0..3 {
        let (before, after) = (belief(time), belief(time + 1));
        let prior = transition.predict(before.clone(), rest.clone());
        let kl = PoissonPosterior::new(after.clone())
            .kl_from(&PoissonPosterior::new(prior.clone()), KlForm::Exact)
            .sum();
        bound = Some(bound.map_or(kl.clone(), |sum| sum + kl));
        let [before, after, prior, rest] = [before, after, prior, rest.clone()].map(read);
        for row in 0..BATCH {
            for k in 0..LATENTS {
                let at = row * LATENTS + k;
                let error = prior[at].exp() - after[at].exp();
                let keep = 1.0 / (1.0 + (-drawn()[0][k]).exp());
                local[0][k] += keep * (1.0 - keep) * error * (before[at] - rest[k]);
                local[2][k] += error;
                for j in 0..LATENTS {
                    let rate = before[row * LATENTS + j].exp();
                    local[1][j * LATENTS + k] += error * rate / (1.0 + rate);
                }
            }
        }
    }
    let gradients = bound.expect("three frames").backward();
    let ours = [
        weights.logit_keep.val().grad(&gradients).map(read),
        weights.weights.val().grad(&gradients).map(read),
        weights.bias.val().grad(&gradients).map(read),
    ];
    let mut ledger = Ledger::default();
    for (name, (ours, local)) in ["a", "W", "b"].iter().zip(ours.iter().zip(&local)) {
        ledger.compare(name, "local", ours.as_ref().expect("a gradient"), local);
    }
    ledger.settle("online gradient", |_| SAME_FORMULA);
}

/// Without input a learned prior stays within eq. T5 for ever.
#[test]
fn predictions_stay_bounded() {
    let place = Place::reference();
    let strong = 8.0;
    let transition = PredictiveTransition::new(
        place.tensor(&[1.0; LATENTS], [1, LATENTS]),
        place.tensor(&[strong; LATENTS * LATENTS], [LATENTS, LATENTS]),
        place.tensor(&[0.5; LATENTS], [1, LATENTS]),
        f64::from(f32::MAX),
    );
    let rest = place.tensor(&[-2.0; LATENTS], [1, LATENTS]);
    let mut u = place.tensor(&[3.0; LATENTS], [1, LATENTS]);
    for _ in 0..10_000 {
        u = transition.predict(u, rest.clone());
    }
    let keep = 1.0 / (1.0 + (-1.0f64).exp());
    let bound = (strong * LATENTS as f64 + 0.5) / (1.0 - keep);
    assert!(read(u).iter().all(|u| (u + 2.0).abs() <= bound));
}
