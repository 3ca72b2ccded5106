//! Whole runs: the real model, perception and unroll, with recorded noise, and the gradients of the
//! objective through all of it.

use scotopic::inference::{RecordOptions, StepRecord, Stimulus, reattach, unroll};
use scotopic::noise::{Draw, NoiseSource};
use scotopic::posterior::{AnyPosterior, KlForm, Posterior};
use scotopic_models::{Family, Network};

use super::case::{Recorded, transposed};
use super::{Case, DOUBLE};
use crate::devices::{Place, on_every_device};
use crate::numbers::{Ledger, read};
use crate::toy;

#[test]
fn double_precision() {
    for case in Case::all() {
        let place = Place::reference().autodiff();
        let title = format!("{} on {}", case.name, place.title());
        replay(&case, &place).settle(&title, |_| DOUBLE);
    }
}

#[test]
fn single_precision_on_every_device() {
    for case in Case::all() {
        on_every_device(|place| {
            let title = format!("{} on {}", case.name, place.title());
            replay(&case, &place.autodiff()).settle(&title, |group| case.single_tolerance(group));
        });
    }
}

fn replay(case: &Case, place: &Place) -> Ledger {
    let mut ledger = Ledger::default();
    let model = case.model(place);
    let noise = model.iterative(case.rule()).generative.noise;
    let sigma = read(noise.log_sigma().exp());
    let recorded = case.exact.values("recon_scale");
    ledger.compare("recon_scale", "recon_scale", &sigma, recorded);

    let stimulus = Stimulus::Static(case.tensor(place, "x"));
    let noise = Recorded { case, place };
    let (steps, beta) = (case.count("t_train"), case.number("beta_outer"));
    let scale = case.number("loss_scale_factor");
    let mut start = toy::rest(&model, stimulus.batch());
    for chunk in 0..case.count("n_iters_outer") {
        // As a trainer does after its step: burn's graphs are good for one backward pass.
        let perception = model.perception(case.rule());
        let times = chunk * steps..(chunk + 1) * steps;
        let seen = unroll(
            &*perception,
            &stimulus,
            start.clone(),
            times,
            &noise,
            RecordOptions::ALL,
        );
        let mut prior = start;
        assert_eq!(seen.records.len(), steps);
        for record in &seen.records {
            prior = compare_moment(case, &mut ledger, record, &prior, &noise);
        }
        let objective = seen.objective(beta).expect("everything was recorded") * scale;
        let name = format!("chunk{chunk}.loss");
        ledger.compare(
            "loss",
            &name,
            &read(objective.clone()),
            case.exact.values(&name),
        );
        compare_gradients(case, &mut ledger, chunk, &model, &objective.backward());
        start = reattach(&seen.state, &toy::rest(&model, stimulus.batch()));
    }
    ledger
}

/// Compares one step and returns its belief, the prior of the next.
fn compare_moment(
    case: &Case,
    ledger: &mut Ledger,
    moment: &StepRecord<AnyPosterior>,
    prior: &AnyPosterior,
    noise: &Recorded<'_>,
) -> AnyPosterior {
    let t = moment.time;
    let state = moment.state.clone().expect("states were recorded");
    let spikes = moment.spikes.clone().expect("spikes were recorded");
    let generated = moment.generated.clone().expect("samples were recorded");
    let energy = generated.free_energy;
    let loss = energy.total(case.number("beta_outer")).mean() * case.number("loss_scale_factor");
    let last = case.count("n_iters_inner") - 1;
    let mut compare = |group: &str, name: String, ours: Vec<f64>| {
        ledger.compare(group, &name, &ours, case.exact.values(&name));
    };
    for (i, (u, before)) in state
        .components()
        .into_iter()
        .zip(prior.components())
        .enumerate()
    {
        compare("u_prior", format!("t{t}.u_prior.{i}"), read(before));
        compare("u", format!("t{t}.u.{i}"), read(u));
    }
    // Before the activation, and behind it as the decoder saw it.
    let z = state.sample(case.rule().sampling, noise.noise(t, Draw::Generate));
    compare("z", format!("t{t}.inner{last}.z"), read(spikes));
    compare("z", format!("t{t}.gen.z"), read(z));
    let name = case.activated(&format!("t{t}.gen"));
    let group = if name.ends_with("z_act") {
        "z_act"
    } else {
        "z"
    };
    compare(group, name, read(generated.sample));
    compare(
        "recon_mean",
        format!("t{t}.recon_mean"),
        read(generated.mean),
    );
    compare(
        "loss_recon",
        format!("t{t}.loss_recon"),
        read(energy.reconstruction),
    );
    compare("loss_kl", format!("t{t}.loss_kl"), read(energy.kl));
    compare("loss", format!("t{t}.loss"), read(loss));
    if case.family == Family::Poisson {
        let exact = state.kl_from(prior, KlForm::Exact);
        compare("kl_textbook", format!("t{t}.kl_textbook"), read(exact));
    }
    state
}

fn compare_gradients(
    case: &Case,
    ledger: &mut Ledger,
    chunk: usize,
    model: &Network,
    gradients: &burn::tensor::Gradients,
) {
    let decoder = toy::dictionary(model);
    let homeostasis = model.log_homeostasis.as_ref().expect("of the rule");
    let mut vectors = vec![
        ("dec_log_sigma".to_string(), decoder.log_sigma.val()),
        ("log_bias".to_string(), homeostasis.val()),
    ];
    for (i, step) in model.log_step.iter().enumerate() {
        vectors.push((format!("log_lr.{i}"), step.val()));
    }
    for (i, rest) in model.prior.rest.iter().enumerate() {
        vectors.push((format!("u_init.{i}"), rest.val()));
    }
    if let Some(gain) = &model.prior.log_gain {
        vectors.push(("activation.log_gain".to_string(), gain.val()));
    }
    let stem = format!("chunk{chunk}.grad.");
    let recorded = case
        .exact
        .iter()
        .filter(|(name, _)| name.starts_with(&stem));
    assert_eq!(recorded.count(), vectors.len() + 1, "{}", case.name);

    let mut compare = |name: &str, ours: Option<Vec<f64>>, expected: &[f64]| {
        let ours = ours.unwrap_or_else(|| panic!("{name} has no gradient"));
        ledger.compare("grad", &format!("{stem}{name}"), &ours, expected);
    };
    let recorded = |name: &str| case.exact.array(&format!("{stem}{name}"));
    for (name, parameter) in vectors {
        let ours = parameter.grad(gradients).map(read);
        compare(&name, ours, &recorded(&name).values);
    }
    let atoms = decoder.atoms.val().grad(gradients).map(read);
    compare("phi.weight", atoms, &transposed(recorded("phi.weight")));
}
