//! The same trajectory on every device.

use scotopic::inference::RecordOptions;
use scotopic::noise::NoiseKey;
use scotopic::posterior::Posterior;

use super::{BATCH, Subject, images, subjects};
use crate::devices::{Place, others};
use crate::numbers::{Ledger, read};

/// f32 through three steps whose gain is of order one: some hundred roundings, and each device's own exp and tanh.
const SINGLE: f64 = 2e-5;

fn check(ledger: &mut Ledger, subject: &Subject, place: &Place) {
    let run = |place: &Place| {
        let model = subject.model(place, &subject.values());
        let x = images(place, BATCH);
        let seen = subject.run(&model, &x, &NoiseKey::new(60), RecordOptions::ALL);
        let states = seen.state.components().into_iter().map(read);
        let last = seen
            .records
            .last()
            .and_then(|moment| moment.generated.clone());
        let last = last.expect("samples were recorded");
        let rest = [
            read(last.sample),
            read(last.mean),
            read(last.free_energy.total(1.0)),
        ];
        states.chain(rest).collect::<Vec<_>>()
    };
    let pairs = run(place).into_iter().zip(run(&Place::processor()));
    for (ours, expected) in pairs {
        ledger.compare("trajectory", &subject.name, &ours, &expected);
    }
}

/// What runs on GPUs too, where every new sequence of operations is compiled: each family, decoder, method and step
/// form once.
const ON_GPUS: [&str; 10] = [
    "NaturalGradient Poisson None Linear proximal",
    "NaturalGradient Gaussian Relu Linear",
    "NaturalGradient Laplace None Mlp",
    "NaturalGradient Categorical None Linear",
    "NaturalGradient Poisson None Conv",
    "NaturalGradient Poisson None Mlp backtracking",
    "Amortized Gaussian None Conv conv encoder",
    "IterativeAmortized Poisson None Linear",
    "SemiAmortized Laplace None Linear",
    "Descent SoftThreshold None Linear",
];

/// Whether a subject is tested on this device.
pub fn runs_on(place: &Place, subject: &Subject) -> bool {
    ["flex", "ndarray"].contains(&place.name) || ON_GPUS.contains(&subject.name.as_str())
}

#[test]
fn the_same_trajectory() {
    for place in others() {
        let mut ledger = Ledger::default();
        let mut checked = 0;
        for subject in subjects() {
            if runs_on(place, &subject) {
                check(&mut ledger, &subject, place);
                checked += 1;
            }
        }
        assert!(checked >= ON_GPUS.len(), "{checked} were found");
        ledger.settle(&place.title(), |_| SINGLE);
    }
}
