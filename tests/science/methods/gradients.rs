//! What learning follows: gradients of the unrolled objective by every parameter, along a random direction of each,
//! against central differences with the noise held fixed.

use scotopic::inference::{RecordOptions, Trajectory};
use scotopic::noise::NoiseKey;
use scotopic::posterior::{AnyPosterior, Posterior};
use scotopic_models::{Method, Network};

use super::{BATCH, Fixed, Subject, images, subjects};
use crate::devices::Place;
use crate::dressing::{gradients, names};
use crate::numbers::read;
use crate::toy::numbers;

/// STRIDE² times a third derivative through three steps, and the rounding of the objective over STRIDE; relative to
/// Σ|gᵢvᵢ|, which is what a wrong term would be a part of.
const STRIDE: f64 = 1e-5;
const FINITE_DIFFERENCE: f64 = 2e-7;

/// Gradients below this are compared with it: 10⁻¹⁴ of an objective of some tens, over STRIDE, is 10⁻⁸ at most.
const SMALLEST: f64 = 1e-2;

const BETA: f64 = 1.5;

fn run(subject: &Subject, place: &Place, model: &Network) -> Trajectory<AnyPosterior> {
    let noise = Fixed {
        place,
        kind: subject.kind(),
        key: NoiseKey::new(30),
        batch: BATCH,
        row: None,
    };
    let record = subject.method.learns_from();
    subject.run(model, &images(place, BATCH), &noise, record)
}

/// The objective as a function of the parameters alone. Local learning holds the state fixed that inference found.
fn objective(subject: &Subject, values: &[Vec<f64>], found: &AnyPosterior) -> f64 {
    let place = Place::reference();
    let model = subject.model(&place, values);
    if subject.method != Method::Descent {
        let objective = run(subject, &place, &model).objective(BETA);
        return read(objective.expect("free energy was recorded"))[0];
    }
    let perception = model.perception(subject.rule.clone());
    let x = images(&place, BATCH).at(0);
    let sample = found.components().remove(0);
    let generated = perception.score(&x, found, found, sample);
    read(generated.free_energy.total(BETA).mean())[0]
}

fn check(subject: &Subject) -> f64 {
    let values = subject.values();
    let tracked = Place::reference().autodiff();
    let model = subject.model(&tracked, &values);
    let seen = run(subject, &tracked, &model);
    let loss = seen.objective(BETA).expect("free energy was recorded");
    let ours = gradients(&model, &loss.backward());
    let place = Place::reference();
    let plain = subject.model(&place, &values);
    let found = run(subject, &place, &plain).state;

    let mut worst = 0.0f64;
    let mut felt = 0;
    for (which, name) in names(&model).iter().enumerate() {
        let direction = numbers(40 + which as u64, values[which].len(), -1.0, 1.0);
        let at = |by: f64| {
            let mut values = values.clone();
            let moved = values[which].iter_mut().zip(&direction);
            moved.for_each(|(value, along)| *value += by * along);
            objective(subject, &values, &found)
        };
        let difference = (at(STRIDE) - at(-STRIDE)) / (2.0 * STRIDE);
        let zeros = || vec![0.0; direction.len()];
        let gradient = ours[which].clone().unwrap_or_else(zeros);
        let products = || gradient.iter().zip(&direction).map(|(g, v)| g * v);
        let size: f64 = products().map(f64::abs).sum();
        let slope: f64 = products().sum();
        felt += usize::from(size > 0.0);
        let off = (slope - difference).abs() / size.max(SMALLEST);
        assert!(
            off < FINITE_DIFFERENCE,
            "{}: {name}: {slope} and {difference}, off {off:e}",
            subject.name
        );
        worst = worst.max(off);
    }
    // What a method learns: everything it has, but descent its decoder and noise only.
    let all = values.len();
    let expected = match subject.method {
        Method::Descent => all - 1,
        _ => all,
    };
    assert_eq!(felt, expected, "{}: parameters that learn", subject.name);
    worst
}

#[test]
fn agree_with_differences_for_every_parameter() {
    let mut worst = (0.0, String::new());
    for subject in subjects() {
        let off = check(&subject);
        if off > worst.0 {
            worst = (off, subject.name);
        }
    }
    println!("worst: {:e} of {FINITE_DIFFERENCE:e}, {}", worst.0, worst.1);
}

/// The test above would not notice an objective that is always the same.
#[test]
fn the_objective_depends_on_the_sample() {
    for subject in subjects() {
        if subject.method == Method::Descent || subject.name.contains("exact") {
            continue;
        }
        let place = Place::reference();
        let model = subject.model(&place, &subject.values());
        let of = |seed| {
            let noise = NoiseKey::new(seed);
            let seen = subject.run(
                &model,
                &images(&place, BATCH),
                &noise,
                RecordOptions::GENERATED,
            );
            read(seen.objective(BETA).expect("free energy was recorded"))[0]
        };
        assert_ne!(of(1), of(2), "{}", subject.name);
        assert_eq!(of(1), of(1), "{}", subject.name);
    }
}
