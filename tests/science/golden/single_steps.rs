//! Single steps from recorded states: nothing that came before can hide or cause a difference here.

use scotopic::noise::Noise;
use scotopic::ops::{clamped_step, soft_ceiling};
use scotopic::posterior::{PoissonPosterior, Posterior};

use super::{Case, DOUBLE};
use crate::devices::{Place, on_every_device};
use crate::numbers::{Ledger, read};

#[test]
fn double_precision() {
    for case in Case::all() {
        let place = Place::reference();
        let title = format!("single steps of {} on {}", case.name, place.title());
        check(&case, &place).settle(&title, |_| DOUBLE);
    }
}

#[test]
fn single_precision_on_every_device() {
    for case in Case::all() {
        on_every_device(|place| {
            let title = format!("single steps of {} on {}", case.name, place.title());
            check(&case, place).settle(&title, |group| case.single_tolerance(group));
        });
    }
}

fn check(case: &Case, place: &Place) -> Ledger {
    let mut ledger = Ledger::default();
    let model = case.model(place);
    let perception = model.perception(case.rule());
    let (step_bound, bound) = (
        perception.rule.clamps.step[0],
        perception.rule.clamps.state[0],
    );
    let x = case.tensor(place, "x");
    let belief = |name: String| PoissonPosterior::new(case.tensor(place, &name));
    let mut compare = |group: &str, name: String, ours: Vec<f64>| {
        ledger.compare(group, &name, &ours, case.exact.values(&name));
    };
    for t in 0..case.count("t_train") * case.count("n_iters_outer") {
        let prior = belief(format!("t{t}.u_prior.0"));
        for n in 0..case.count("n_iters_inner") {
            let stem = format!("t{t}.inner{n}");
            let before = belief(format!("{stem}.u_before.0"));
            let z = case.tensor(place, &format!("{stem}.z"));

            let gradient = perception
                .natural_gradient(&x, &before, &prior, &z)
                .remove(0);
            compare("grad_f", format!("{stem}.grad_f.0"), read(gradient.clone()));
            let drive = gradient * perception.dynamics.step_size[0].clone().neg();
            compare("du_raw", format!("{stem}.du_raw.0"), read(drive));
            let after = perception.descend(&x, &before, &prior, &z);
            compare(
                "u_after",
                format!("{stem}.u_after.0"),
                read(after.potential()),
            );

            // The clamps alone, from the recorded drive.
            let drive = case.tensor(place, &format!("{stem}.du_raw.0"));
            let bounded = soft_ceiling(drive.clone(), step_bound);
            compare("du", format!("{stem}.du.0"), read(bounded.clone()));
            let raw = before.potential() + bounded;
            compare("u_raw", format!("{stem}.u_raw.0"), read(raw));
            let after = clamped_step(before.potential(), drive, step_bound, bound);
            compare("u_after", format!("{stem}.u_after.0"), read(after));

            if !case.is_hard() {
                let noise = Noise::Exponentials(case.tensor(place, &format!("{stem}.E")));
                let sample = before.sample(perception.rule.sampling, noise);
                compare("z", format!("{stem}.z"), read(sample));
            }
        }
    }
    ledger
}
