//! The step that backtracks (eq. I38): no rise of F under one noise, whatever the family, decoder and contrast.

use burn::tensor::Tensor;
use scotopic::inference::{Perception, StepForm};
use scotopic::noise::{Draw, NoiseKey, NoiseSource};
use scotopic::posterior::{AnyPosterior, Posterior};

use super::across::runs_on;
use super::{PICTURE, Subject, subjects};
use crate::devices::{Place, on_every_device};
use crate::numbers::{deviation, read};
use crate::toy;

const CONTRASTS: [f64; 6] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0];
const STEPS: usize = 12;

/// The accepted step is computed twice, once as a trial for all data and once with the share of each datum: rounding of f32
/// in a sum of some hundred terms.
const ROUNDING: f64 = 1e-5;

/// What was seen of each contrast over all steps.
#[derive(Debug, Default)]
struct Seen {
    /// How often F rose.
    rises: [usize; CONTRASTS.len()],
    /// How often the state moved.
    moves: [usize; CONTRASTS.len()],
}

/// `STEPS` steps of one image at every contrast.
fn descend(subject: &Subject, place: &Place, form: StepForm) -> Seen {
    let model = subject.model(place, &subject.values());
    let rule = scotopic::inference::NaturalGradient {
        form,
        ..subject.rule.clone()
    };
    let iterative = model.iterative(rule);
    let image = toy::numbers(21, PICTURE.pixels(), -1.5, 1.5);
    let all: Vec<f64> = CONTRASTS
        .iter()
        .flat_map(|c| image.iter().map(move |x| c * x))
        .collect();
    let x = place.tensor(&all, [CONTRASTS.len(), PICTURE.pixels()]);
    let prior = iterative.rest(CONTRASTS.len());
    let (mut belief, mut seen) = (prior.clone(), Seen::default());
    for time in 0..STEPS {
        let noise = NoiseKey::new(7).noise(time, Draw::Infer { inner: 0 });
        let f = |belief: &AnyPosterior, z: &Tensor<2>| {
            read(iterative.sampled_free_energy(&x, belief, &prior, z))
        };
        let z = belief.sample(iterative.rule.sampling, noise.clone());
        let after = match form {
            StepForm::Backtracking => iterative.backtrack(&x, &belief, &prior, &z, &noise),
            _ => iterative.descend(&x, &belief, &prior, &z),
        };
        let there = f(&after, &after.sample(iterative.rule.sampling, noise));
        let here = f(&belief, &z);
        let latents = belief.components()[0].dims()[1];
        let moved = read((after.components()[0].clone() - belief.components()[0].clone()).abs());
        for (row, (there, here)) in there.iter().zip(&here).enumerate() {
            // What is not a number counts as a rise.
            let fell = there - here <= ROUNDING * here.abs();
            seen.rises[row] += usize::from(!fell);
            let by = &moved[row * latents..(row + 1) * latents];
            seen.moves[row] += usize::from(by.iter().any(|d| *d > 0.0));
        }
        belief = after;
    }
    seen
}

fn backtracking() -> Vec<Subject> {
    let all = subjects().into_iter();
    all.filter(|subject| subject.rule.form == StepForm::Backtracking)
        .collect()
}

#[test]
fn free_energy_does_not_rise() {
    on_every_device(|place| {
        for subject in backtracking() {
            if !runs_on(place, &subject) {
                continue;
            }
            let seen = descend(&subject, place, StepForm::Backtracking);
            let name = format!("{} on {}: {seen:?}", subject.name, place.title());
            assert_eq!(seen.rises, [0; CONTRASTS.len()], "{name}");
            // At the beginning every image has a better state.
            assert!(seen.moves.iter().all(|moves| *moves > 0), "{name}");
        }
    });
}

/// Without it the test above would say nothing.
#[test]
fn the_explicit_step_raises_it() {
    for subject in backtracking() {
        let seen = descend(&subject, &Place::processor(), StepForm::Explicit);
        let rises: usize = seen.rises.iter().sum();
        assert!(rises > 0, "{}: {seen:?}", subject.name);
    }
}

/// Where the whole step is good it is the explicit one.
#[test]
fn short_steps_are_whole() {
    let place = Place::reference();
    for mut subject in backtracking() {
        subject.config.log_step = -9.0;
        // No clamp is felt.
        subject.rule.clamps.state = vec![1e9; 2];
        subject.rule.clamps.step = vec![1e9; 2];
        let model = subject.config.init(subject.method, &place.device, 9);
        let model = model.expect("valid settings");
        let model = crate::dressing::dressed(model, &subject.values(), &place);
        let iterative = model.iterative(subject.rule.clone());
        let x = toy::images(&place, 3, 2, PICTURE.pixels());
        let rest = iterative.rest(2);
        let noise = NoiseKey::new(8).noise(0, Draw::Infer { inner: 0 });
        let z = rest.sample(iterative.rule.sampling, noise.clone());
        let ours = iterative.backtrack(&x, &rest, &rest, &z, &noise);
        let plain = iterative.descend(&x, &rest, &rest, &z);
        for (ours, plain) in ours.components().into_iter().zip(plain.components()) {
            let off = deviation(&read(ours), &read(plain));
            assert!(off < 1e-6, "{}: {off:e}", subject.name);
        }
    }
}
