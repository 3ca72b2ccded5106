//! The explicit and the proximal step: trained alike, swapped at inference beside the certified one, over a ladder of contrasts.

use anyhow::{Context as _, Result};
use scotopic::inference::StepForm;
use scotopic_datasets::ImageSet;
use scotopic_figures::{Panel, Series, chart};
use scotopic_train::analysis::AnalysedModel;
use scotopic_train::analysis::convergence::{ConvergenceConfig, convergence};
use serde_json::json;

use super::training::{Recipe, data, iterations, trained};
use crate::experiments::protocol::{
    Interval, Page, Protocol, Results, Settings, Size, Task, Values, Verdict,
};
use crate::experiments::series::common::{above, with_error, with_interval};
use crate::table::Table;

/// The experiment.
pub const PROTOCOL: Protocol = Protocol {
    name: "stability",
    about: "the explicit, proximal and certified step at inference, over contrasts",
    unit: "seed",
    seeds: 5,
    all_threads: true,
    arms: |_| TRAINED.map(str::to_owned).to_vec(),
    settings,
    run,
    page,
};

/// The steps that networks are trained with.
const TRAINED: [&str; 2] = ["explicit", "proximal"];
/// Those that infer with each of them.
const STEPS: [(&str, StepForm); 3] = [
    ("explicit", StepForm::Explicit),
    ("proximal", StepForm::Proximal),
    ("certified", StepForm::Certified),
];
const ITERATIONS: [usize; 2] = [30, 800];
/// Factors on the images at inference.
const CONTRASTS: [f32; 6] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0];
/// Inference steps after which patches are evaluated.
const AFTER: [usize; 2] = [16, 200];

fn patches(size: Size) -> usize {
    size.of(50, 500, 2000)
}

fn settings(size: Size) -> Settings {
    Settings::from([
        ("iterations".into(), iterations(size, ITERATIONS)),
        ("validation patches".into(), json!(patches(size))),
        ("β".into(), json!(8)),
        ("latents".into(), json!(512)),
        ("batch".into(), json!(200)),
        ("peak learning rate".into(), json!(0.005)),
    ])
}

fn recipe(step: &str) -> Recipe {
    Recipe::new(
        format!("plain-{step}"),
        "natural-patches",
        "published/natural-patches",
        ITERATIONS,
    )
    .set("data.patch=16")
    .set("data.train_patches=20000")
    .set("data.min_contrast=0.0")
    .set("data.whitening.f0=0.4")
    .set("data.whitening.local_contrast=false")
    .set("model.latents=512")
    .set("train.batch_size=200")
    .set("train.learning_rate.peak=0.005")
    .set("schedule.beta.duration=0.1")
    .set("objective.beta=8.0")
    .set(format!("inference.step={step}"))
}

fn case(step: &str, contrast: f32, after: usize) -> String {
    format!("{step} step, contrast ×{contrast}, {after} steps")
}

fn run(task: &Task) -> Result<Values> {
    let model = trained(task, &recipe(task.arm))?;
    let splits = data(task, &model.config.data)?;
    let settings = ConvergenceConfig {
        steps: AFTER.to_vec(),
        count: patches(task.size),
        batch: 250,
    };
    let set = &splits.validation;
    let mut values = Values::default();
    for (name, step) in STEPS {
        let mut config = model.config.clone();
        config.inference.step = step;
        let analysed = AnalysedModel {
            model: &model.network,
            config: &config,
            device: &model.device.device,
        };
        for contrast in CONTRASTS {
            let pixels = set.pixels().iter().map(|x| x * contrast).collect();
            let scaled = ImageSet::new("scaled", set.shape(), pixels, None)?;
            let curve = convergence(&analysed, &scaled, &settings)?;
            for at in &curve.at {
                let case = case(name, contrast, at.step);
                values.push(&case, "R2 of rates", at.r2_rates_pooled);
                values.push(&case, "R2", at.r2_pooled);
                values.push(&case, "lost", at.lost_rates);
                values.push(&case, "worst", at.worst_rates);
            }
        }
    }
    values.push("training", "seconds", model.seconds);
    Ok(values)
}

fn page(results: &Results) -> Result<Page> {
    let mut page = Page::new("Stability of the inference steps");
    let after = AFTER[1];
    // One network, both steps at inference: the difference is the step's alone.
    let swapped = |arm: &str, contrast: f32, more: &str, less: &str| {
        let of = |step| results.values(arm, &case(step, contrast, after), "lost");
        Interval::of_difference(&of(more), &of(less))
    };
    for (more, less) in [("explicit", "proximal"), ("proximal", "certified")] {
        for arm in results.arms() {
            let each = CONTRASTS.map(|c| above(swapped(arm, c, more, less)));
            let found = CONTRASTS
                .map(|c| format!("×{c} {}", with_interval(swapped(arm, c, more, less), 3)));
            page.answer(
                &format!("In a network trained with the {arm} step, the {more} step loses more patches at inference than the {less} one."),
                format!("Fraction of patches whose decoded rates have an error above 1.5 ‖x‖² after {after} steps, {more} less {less}: {}.", found.join("; ")),
                Verdict::of(each),
            );
        }
    }
    let alike = results.difference("proximal", "explicit", "training", "seconds");
    let own = |arm: &str| results.values(arm, &case(arm, 1.0, AFTER[0]), "R2");
    let better = Interval::of_difference(&own("proximal"), &own("explicit"));
    page.answer(
        "Trained alike, the network with the proximal step reconstructs better.",
        format!(
            "Pooled R² of one sample after {} steps, each with its own step, proximal less explicit {}; seconds of training, the same difference {}.",
            AFTER[0],
            with_interval(better, 3),
            with_interval(alike, 1)
        ),
        Verdict::of([above(better)]),
    );
    page.heading("Contrast ladder");
    page.text(format!(
        "BSDS500 patches of 16×16 under the plain whitening filter ρ·exp(−(ρ/0.4)⁴), which leaves a tenth of them almost blank and some with \
         fifty times the mean energy. Both arms have the same learning rate, β ramp, temperature and patches; {} validation patches times the \
         contrast; pooled R² of the decoded rates and fraction of patches lost (error above 1.5 ‖x‖²), after {} and {after} steps. Mean ± standard \
         error over {} seeds.",
        patches(results.size),
        AFTER[0],
        results.seeds().len()
    ));
    let mut table = Table::new(&[
        "trained with",
        "step at inference",
        "contrast",
        "R², 16",
        "lost, 16",
        "R², 200",
        "lost, 200",
        "worst error / ‖x‖², 200",
    ]);
    for arm in results.arms() {
        for (step, _) in STEPS {
            for contrast in CONTRASTS {
                let at = |after: usize, measure: &str, decimals: usize| {
                    with_error(
                        results.mean(arm, &case(step, contrast, after), measure),
                        decimals,
                    )
                    .into()
                };
                // A few lost patches outweigh all others: how far below −1 says nothing of these.
                let r2 = |after: usize| {
                    let mean = results.mean(arm, &case(step, contrast, after), "R2 of rates");
                    match mean {
                        Some(r2) if r2.mean < -1.0 => "below −1".into(),
                        r2 => with_error(r2, 3).into(),
                    }
                };
                table.push(vec![
                    arm.into(),
                    step.into(),
                    format!("×{contrast}").into(),
                    r2(AFTER[0]),
                    at(AFTER[0], "lost", 3),
                    r2(after),
                    at(after, "lost", 3),
                    at(after, "worst", 0),
                ]);
            }
        }
    }
    page.table(table);
    let series = |arm: &str| {
        STEPS
            .map(|(step, _)| {
                let at = CONTRASTS.iter().filter_map(|c| {
                    let lost = results.mean(arm, &case(step, *c, after), "lost")?;
                    Some((f64::from(*c), lost.mean))
                });
                let (x, y) = at.unzip();
                Series::line(format!("{step} step at inference"), x, y)
            })
            .to_vec()
    };
    let panels: Vec<Panel> = results
        .arms()
        .iter()
        .map(|arm| {
            Panel::new(
                format!("Trained with the {arm} step"),
                "contrast",
                "fraction of patches lost",
                series(arm),
            )
            .logarithmic(true, false)
        })
        .collect();
    page.figure(
        "contrast",
        "Fraction of patches lost after 200 steps over contrast, means over seeds",
        chart::lines(&panels).context("the contrasts")?,
    );
    Ok(page)
}
