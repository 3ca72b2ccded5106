//! Single steps from recorded states: nothing that came before can hide or cause a difference here.

use burn::tensor::Tensor;
use scotopic::ops::{soft_ceiling, soft_symmetric};
use scotopic::posterior::{AnyPosterior, Posterior};
use scotopic_models::Family;

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
    let perception = model.iterative(case.rule());
    let clamps = &perception.rule.clamps;
    let clamp = |x, bound| match case.family {
        Family::Poisson => soft_ceiling(x, bound),
        _ => soft_symmetric(x, bound),
    };
    let components = case.family.info().components;
    let x = case.tensor(place, "x");
    let recorded = |stem: &str| -> Vec<Tensor<2>> {
        let names = (0..components).map(|i| format!("{stem}.{i}"));
        names.map(|name| case.tensor(place, &name)).collect()
    };
    let belief = |stem: &str| -> AnyPosterior { perception.rest.with_components(recorded(stem)) };
    let mut compare = |group: &str, name: String, ours: Tensor<2>| {
        ledger.compare(group, &name, &read(ours), case.exact.values(&name));
    };
    for t in 0..case.count("t_train") * case.count("n_iters_outer") {
        let prior = belief(&format!("t{t}.u_prior"));
        for n in 0..case.count("n_iters_inner") {
            let stem = format!("t{t}.inner{n}");
            let before = belief(&format!("{stem}.u_before"));
            let z = case.tensor(place, &format!("{stem}.z"));

            let gradients = perception.natural_gradient(&x, &before, &prior, &z);
            let steps = gradients.into_iter().zip(&perception.dynamics.step_size);
            for (i, (gradient, step_size)) in steps.enumerate() {
                compare("grad_f", format!("{stem}.grad_f.{i}"), gradient.clone());
                let drive = gradient * step_size.clone().neg();
                compare("du_raw", format!("{stem}.du_raw.{i}"), drive);
            }
            let after = perception.descend(&x, &before, &prior, &z).components();
            for (i, u) in after.into_iter().enumerate() {
                compare("u_after", format!("{stem}.u_after.{i}"), u);
            }

            // The clamps alone, from the recorded drives.
            let drives = recorded(&format!("{stem}.du_raw"));
            for (i, drive) in drives.iter().enumerate() {
                let bounded = clamp(drive.clone(), clamps.step[i]);
                compare("du", format!("{stem}.du.{i}"), bounded.clone());
                let raw = before.components().remove(i) + bounded;
                compare("u_raw", format!("{stem}.u_raw.{i}"), raw);
            }
            let after = before.advance(drives, None, clamps).components();
            for (i, u) in after.into_iter().enumerate() {
                compare("u_after", format!("{stem}.u_after.{i}"), u);
            }

            if let Some(noise) = case.randomness(place, &stem) {
                let sample = before.sample(perception.rule.sampling, noise);
                compare("z", format!("{stem}.z"), sample);
            }
            let activated = case.activated(&stem);
            if activated.ends_with("z_act") {
                compare("z_act", activated, before.activate(z));
            }
        }
    }
    ledger
}
