//! Whole runs: the real model, perception and unroll, with recorded noise, and the gradients of the
//! objective through all of it.

use scotopic::inference::{Moment, Record, Stimulus, reattach, unroll};
use scotopic::posterior::{KlForm, PoissonPosterior, Posterior};
use scotopic_models::IterativeVae;

use super::case::{Recorded, transposed};
use super::{Case, DOUBLE};
use crate::devices::{Place, on_every_device};
use crate::numbers::{Ledger, read};

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
    let sigma = read(model.perception(case.rule()).noise.log_sigma().exp());
    ledger.compare(
        "recon_scale",
        "recon_scale",
        &sigma,
        case.exact.values("recon_scale"),
    );

    let stimulus = Stimulus::Static(case.tensor(place, "x"));
    let noise = Recorded { case, place };
    let (steps, beta) = (case.count("t_train"), case.number("beta_outer"));
    let scale = case.number("loss_scale_factor");
    let mut start = model.rest(stimulus.batch());
    for chunk in 0..case.count("n_iters_outer") {
        // As a trainer does after its step: burn's graphs are good for one backward pass.
        let perception = model.perception(case.rule());
        let times = chunk * steps..(chunk + 1) * steps;
        let seen = unroll(
            &perception,
            &stimulus,
            start.clone(),
            times,
            &noise,
            Record::ALL,
        );
        let mut prior = start;
        assert_eq!(seen.moments.len(), steps);
        for moment in &seen.moments {
            prior = compare_moment(case, &mut ledger, moment, &prior);
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
        start = reattach(&seen.state, &model.rest(stimulus.batch()));
    }
    ledger
}

/// Compares one step and returns its belief, the prior of the next.
fn compare_moment(
    case: &Case,
    ledger: &mut Ledger,
    moment: &Moment<PoissonPosterior>,
    prior: &PoissonPosterior,
) -> PoissonPosterior {
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
    compare(
        "u_prior",
        format!("t{t}.u_prior.0"),
        read(prior.potential()),
    );
    compare("z", format!("t{t}.inner{last}.z"), read(spikes));
    compare("u", format!("t{t}.u.0"), read(state.potential()));
    compare("z", format!("t{t}.gen.z"), read(generated.sample));
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
    let exact = state.kl_from(prior, KlForm::Exact);
    compare("kl_textbook", format!("t{t}.kl_textbook"), read(exact));
    state
}

fn compare_gradients(
    case: &Case,
    ledger: &mut Ledger,
    chunk: usize,
    model: &IterativeVae,
    gradients: &burn::tensor::Gradients,
) {
    let mut compare = |name: &str, ours: Option<Vec<f64>>, expected: Vec<f64>| {
        let ours = ours.unwrap_or_else(|| panic!("{name} has no gradient"));
        ledger.compare(
            "grad",
            &format!("chunk{chunk}.grad.{name}"),
            &ours,
            &expected,
        );
    };
    let recorded = |name: &str| case.exact.array(&format!("chunk{chunk}.grad.{name}"));
    for (name, parameter) in [
        ("dec_log_sigma", model.decoder.log_sigma.val()),
        ("log_bias", model.log_homeostasis.val()),
        ("log_lr.0", model.log_step.val()),
        ("u_init.0", model.resting.val()),
    ] {
        compare(
            name,
            parameter.grad(gradients).map(read),
            recorded(name).values.clone(),
        );
    }
    let atoms = model.decoder.atoms.val().grad(gradients).map(read);
    compare("phi.weight", atoms, transposed(recorded("phi.weight")));
}
