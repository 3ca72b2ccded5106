//! Learning with beliefs held fixed: a sum over frames, local, and not the gradient through inference.

use burn::module::Module;
use burn::tensor::Tensor;
use scotopic::inference::{
    FixedBelief, Leak, Perception, RecordOptions, Stimulus, composed_objective,
};
use scotopic::noise::{Draw, NoiseKey, NoiseSource};
use scotopic::posterior::{AnyPosterior, KlForm, Posterior};
use scotopic_models::{Network, TransitionKind};

use crate::devices::{Place, on_every_device};
use crate::numbers::{Ledger, read};
use crate::toy::{self, BATCH, LATENTS, PIXELS, Parameters};

const FRAMES: usize = 5;
const BETA: f64 = 0.7;
/// Half the distance of the two points of a central difference.
const STRIDE: f64 = 1e-5;
/// STRIDE² times a third derivative, and the rounding of F over STRIDE.
const FINITE_DIFFERENCE: f64 = 1e-7;
/// Two orders of summation in f64.
const SAME_SUM: f64 = 1e-12;
/// f32 against f64 through five frames of two inner iterations.
const SINGLE: f64 = 2e-4;
/// What is learned with beliefs held fixed, as `values` has it.
const LEARNED: [&str; 3] = ["atoms", "log_sigma", "resting"];

fn film(place: &Place) -> Stimulus {
    let values = toy::numbers(21, FRAMES * BATCH * PIXELS, -1.5, 1.5);
    Stimulus::Sequence(place.tensor(&values, [FRAMES, BATCH, PIXELS]))
}

fn network(place: &Place, parameters: &Parameters) -> Network {
    Network {
        transition: toy::transition(place, TransitionKind::Learned, LATENTS),
        ..parameters.model(place)
    }
}

fn perception(model: &Network) -> Box<dyn Perception<Belief = AnyPosterior> + '_> {
    model.perception(toy::rule(0.5, KlForm::Exact, Leak::Kl(1.0), 2))
}

/// Every parameter of the dictionary, the prior and the transition.
fn gradients(model: &Network, value: Tensor<1>) -> Vec<(&'static str, Vec<f64>)> {
    let gradients = value.backward();
    let dictionary = toy::dictionary(model);
    let weights = model.transition.weights.as_ref().expect("learned");
    let found = [
        ("atoms", dictionary.atoms.val().grad(&gradients).map(read)),
        (
            "log_sigma",
            dictionary.log_sigma.val().grad(&gradients).map(read),
        ),
        (
            "resting",
            model.prior.rest[0].val().grad(&gradients).map(read),
        ),
        (
            "logit_keep",
            weights.logit_keep.val().grad(&gradients).map(read),
        ),
        ("weights", weights.weights.val().grad(&gradients).map(read)),
        ("bias", weights.bias.val().grad(&gradients).map(read)),
    ];
    let found = found.into_iter();
    found
        .map(|(name, gradient)| (name, gradient.unwrap_or_else(|| panic!("{name} has none"))))
        .collect()
}

fn of_window(place: &Place, times: std::ops::Range<usize>) -> Vec<(&'static str, Vec<f64>)> {
    let model = network(place, &Parameters::drawn(3));
    let still = model.clone().no_grad();
    let (learned, inferring) = (&*perception(&model), &*perception(&still));
    let (learning, noise) = (FixedBelief { learned, inferring }, NoiseKey::new(11));
    let (film, rest, record) = (film(place), learning.rest(BATCH), RecordOptions::GENERATED);
    let seen = learning.objective(&film, rest, times, &noise, record, BETA);
    gradients(&model, seen.expect("frames").value)
}

/// Frame after frame, each graph dropped before the next: memory does not grow with the film.
#[test]
fn a_window_is_the_mean_of_its_frames() {
    let place = Place::reference().autodiff();
    let model = network(&place, &Parameters::drawn(3));
    let still = model.clone().no_grad();
    let (noise, film) = (NoiseKey::new(11), film(&place));
    let mut reached: Option<AnyPosterior> = None;
    let mut sums: Vec<(&str, Vec<f64>)> = Vec::new();
    for time in 0..FRAMES {
        // What is evaluated once is of one graph.
        let (learned, inferring) = (&*perception(&model), &*perception(&still));
        let learning = FixedBelief { learned, inferring };
        let belief = reached.take().unwrap_or_else(|| learning.rest(BATCH));
        let times = time..time + 1;
        let record = RecordOptions::GENERATED;
        let seen = learning.objective(&film, belief, times, &noise, record, BETA);
        let seen = seen.expect("a frame");
        reached = Some(seen.state);
        let frame = gradients(&model, seen.value);
        if sums.is_empty() {
            sums = frame;
        } else {
            for ((_, sum), (_, more)) in sums.iter_mut().zip(&frame) {
                sum.iter_mut()
                    .zip(more)
                    .for_each(|(sum, more)| *sum += more);
            }
        }
    }
    let mut ledger = Ledger::default();
    for ((name, window), (_, sum)) in of_window(&place, 0..FRAMES).iter().zip(&sums) {
        let mean: Vec<f64> = sum.iter().map(|sum| sum / FRAMES as f64).collect();
        ledger.compare(name, "frames", &mean, window);
    }
    ledger.settle("frame by frame", |_| SAME_SUM);
}

/// F of recorded beliefs as a function of the parameters.
fn free_energy(
    place: &Place,
    parameters: &Parameters,
    [before, after]: [&[AnyPosterior]; 2],
    noise: &dyn NoiseSource,
) -> f64 {
    let model = network(place, parameters);
    let perception = perception(&model);
    let mut sum = 0.0;
    for (time, (before, after)) in before.iter().zip(after).enumerate() {
        let before = match time {
            0 => perception.rest(BATCH),
            _ => before.clone(),
        };
        let sample = after.sample(perception.sampling(), noise.noise(time, Draw::Generate));
        let scored = perception.score(
            &film(place).at(time),
            after,
            &perception.prior(&before),
            sample,
        );
        let total = read(scored.free_energy.total(BETA));
        sum += total.iter().sum::<f64>() / BATCH as f64;
    }
    sum / FRAMES as f64
}

#[test]
fn it_is_the_slope_at_beliefs_held_fixed() {
    let plain = Place::reference();
    let model = network(&plain, &Parameters::drawn(3));
    let perception = perception(&model);
    let noise = NoiseKey::new(11);
    let (mut before, mut after) = (Vec::new(), Vec::new());
    let mut belief = perception.rest(BATCH);
    for time in 0..FRAMES {
        let refined = perception.refine(&film(&plain).at(time), &belief, time, &noise);
        before.push(belief);
        after.push(refined.belief.clone());
        belief = refined.belief;
    }
    let ours = of_window(&plain.autodiff(), 0..FRAMES);
    let mut ledger = Ledger::default();
    for (which, name) in LEARNED.into_iter().enumerate() {
        let slope = |i: usize| {
            let shifted = |by: f64| {
                let mut at = Parameters::drawn(3);
                at.values[which][i] += by;
                free_energy(&plain, &at, [&before, &after], &noise)
            };
            (shifted(STRIDE) - shifted(-STRIDE)) / (2.0 * STRIDE)
        };
        let (_, ours) = ours.iter().find(|(known, _)| *known == name).expect(name);
        let expected: Vec<f64> = (0..ours.len()).map(slope).collect();
        ledger.compare(name, "differences", ours, &expected);
    }
    ledger.settle("beliefs held fixed", |_| FINITE_DIFFERENCE);
}

/// One value, two gradients; what only inference uses has one of the second kind alone.
#[test]
fn it_is_not_the_gradient_through_inference() {
    let place = Place::reference().autodiff();
    let model = network(&place, &Parameters::drawn(3));
    let (noise, film, record) = (NoiseKey::new(11), film(&place), RecordOptions::GENERATED);
    let still = model.clone().no_grad();
    let (learned, inferring) = (&*perception(&model), &*perception(&still));
    let fixed = FixedBelief { learned, inferring }
        .objective(&film, learned.rest(BATCH), 0..FRAMES, &noise, record, BETA)
        .expect("frames");
    // What is evaluated once is of one graph.
    let other = perception(&model);
    let rest = other.rest(BATCH);
    let through =
        composed_objective(&*other, &film, rest, 0..FRAMES, &noise, record, BETA).expect("frames");
    assert_eq!(read(fixed.value.clone()), read(through.value.clone()));
    let (fixed, through) = (fixed.value.backward(), through.value.backward());
    let atoms = &toy::dictionary(&model).atoms;
    let [one, other] = [&fixed, &through].map(|g| read(atoms.val().grad(g).expect("a gradient")));
    assert!(one.iter().zip(&other).any(|(a, b)| (a - b).abs() > 1e-3));
    let step = &model.log_step[0];
    assert!(step.val().grad(&fixed).is_none() && step.val().grad(&through).is_some());
}

#[test]
fn it_is_the_same_on_every_device() {
    let expected = of_window(&Place::reference().autodiff(), 0..FRAMES);
    on_every_device(|place| {
        let mut ledger = Ledger::default();
        let ours = of_window(&place.autodiff(), 0..FRAMES);
        for ((name, ours), (_, expected)) in ours.iter().zip(&expected) {
            ledger.compare(name, "gradient", ours, expected);
        }
        ledger.settle(&format!("beliefs held fixed on {}", place.title()), |_| {
            SINGLE
        });
    });
}
