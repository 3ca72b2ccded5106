//! Contrast saturation, cross-orientation suppression, surround and adaptation of learned neurons.

use anyhow::{Context as _, Result};
use scotopic_train::analysis::context::{ContextConfig, context};
use scotopic_train::analysis::tuning::{TuningConfig, tuning};
use serde_json::json;

use super::hubel_wiesel;
use super::training::{Recipe, iterations, trained};
use crate::experiments::protocol::{
    Interval, Page, Protocol, Results, Settings, Size, Task, Values, Verdict,
};
use crate::experiments::series::common::{above, with_error, with_interval};
use crate::table::Table;

/// The experiment.
pub const PROTOCOL: Protocol = Protocol {
    name: "normalisation",
    about: "contrast saturation, cross-orientation suppression, surround, adaptation",
    unit: "seed",
    seeds: 3,
    all_threads: true,
    arms: |_| [ITERATIVE, ENCODER].map(String::from).to_vec(),
    settings,
    run,
    page,
};

/// Inference, in which neurons explain each other's input away.
const ITERATIVE: &str = "iP-VAE";
/// The control: an encoder, in which they do not.
const ENCODER: &str = "P-VAE";

fn recipe(arm: &str) -> Result<Recipe> {
    let iterative = hubel_wiesel::recipe("natural-patches")?;
    match arm {
        ITERATIVE => Some(iterative),
        ENCODER => Some(
            iterative
                .named("neurons-natural-patches-encoder")
                .set("inference.method=amortized")
                .set("inference.steps=1")
                .set("objective.beta=1.0")
                .set("objective.kl=exact"),
        ),
        _ => None,
    }
    .with_context(|| format!("there is no arm {arm}"))
}

/// The stimuli: few of them where minutes count.
fn stimuli(size: Size) -> (TuningConfig, ContextConfig) {
    let (tuned, shown) = (TuningConfig::default(), ContextConfig::default());
    match size {
        Size::Quick => (
            TuningConfig {
                orientations: 3,
                frequencies: vec![0.06, 0.13, 0.26],
                period: 12,
                trials: 1,
                ..tuned
            },
            ContextConfig {
                orientations: 3,
                frequencies: vec![0.06, 0.13, 0.26],
                period: 12,
                trials: 1,
                neurons: 8,
                ..shown
            },
        ),
        Size::Standard | Size::Full => (tuned, shown),
    }
}

fn settings(size: Size) -> Settings {
    let (tuned, shown) = stimuli(size);
    Settings::from([
        (
            "iterations".into(),
            iterations(size, hubel_wiesel::ITERATIONS),
        ),
        ("orientations".into(), json!(tuned.orientations)),
        ("contrasts".into(), json!(tuned.contrasts)),
        ("contrasts of masks".into(), json!(shown.masks)),
        ("radii of discs, pixels".into(), json!(shown.radii)),
        ("adapting steps".into(), json!(shown.adapting)),
        ("test steps".into(), json!(shown.period)),
        ("trials".into(), json!(shown.trials)),
        ("neurons under masks".into(), json!(shown.neurons)),
    ])
}

/// Measures, their columns, and decimals.
const MEASURES: [(&str, &str, usize); 12] = [
    ("responsive", "responsive neurons, of 256", 1),
    (
        "saturation",
        "saturation of the contrast response at contrast 1",
        3,
    ),
    ("exponent", "exponent of Naka and Rushton's function", 2),
    ("supersaturating", "fraction that supersaturates", 3),
    ("suppression", "suppression by an orthogonal grating", 3),
    ("mask", "weight of the mask in the normalisation pool", 3),
    ("R2", "R² of the normalisation model", 3),
    (
        "R2 unmasked",
        "R² of the model that does not see the mask",
        3,
    ),
    ("surround", "suppression by the surround", 3),
    ("radius", "best radius, pixels", 2),
    ("adaptation", "response lost after the same grating", 3),
    (
        "cross-adaptation",
        "response lost after the orthogonal grating",
        3,
    ),
];

fn run(task: &Task) -> Result<Values> {
    let model = trained(task, &recipe(task.arm)?)?;
    let (tuned, shown) = stimuli(task.size);
    let shape = model.checkpoint.image.shape;
    let analysed = model.analysed();
    let gratings = tuning(&analysed, shape, &tuned)?.summary;
    let around = context(&analysed, shape, &shown)?;
    let mut values = Values::default();
    let mut put = |measure: &str, value: Option<f64>| {
        values.push("neurons", measure, value.unwrap_or(f64::NAN));
    };
    put("responsive", Some(gratings.responsive as f64));
    put("saturation", gratings.saturation);
    put("exponent", gratings.exponent);
    put("supersaturating", Some(gratings.supersaturating));
    put("suppression", gratings.suppression);
    put("mask", around.mask);
    put("R2", around.r2);
    put("R2 unmasked", around.r2_unmasked);
    put("surround", around.surround);
    put("radius", around.radius);
    put("adaptation", around.adaptation);
    put("cross-adaptation", around.cross_adaptation);
    values.push("training", "seconds", model.seconds);
    Ok(values)
}

fn page(results: &Results) -> Result<Page> {
    let mut page = Page::new("Normalisation");
    let value = |arm: &str, measure: &str| -> Option<Interval> {
        let all = results.values(arm, "neurons", measure);
        Interval::of(&all.into_iter().flatten().collect::<Vec<_>>())
    };
    let more = |measure: &str| results.difference(ITERATIVE, ENCODER, "neurons", measure);
    for (claim, measure) in [
        (
            "Responses of the iP-VAE saturate with contrast, as those of V1 do, and more than an encoder's.",
            "saturation",
        ),
        (
            "An orthogonal grating suppresses the response to the preferred one, and more than in an encoder.",
            "suppression",
        ),
        (
            "The surround suppresses, and more than in an encoder.",
            "surround",
        ),
        (
            "A grating that was just shown lowers the response to it (adaptation), and more than in an encoder.",
            "adaptation",
        ),
    ] {
        page.answer(
            claim,
            format!(
                "{ITERATIVE} {}, {ENCODER} {}; difference {}.",
                with_interval(value(ITERATIVE, measure), 3),
                with_interval(value(ENCODER, measure), 3),
                with_interval(more(measure), 3)
            ),
            Verdict::of([above(value(ITERATIVE, measure)), above(more(measure))]),
        );
    }
    let seen = |arm: &str| {
        let values = |measure| results.values(arm, "neurons", measure);
        Interval::of_difference(&values("R2"), &values("R2 unmasked"))
    };
    page.answer(
        "Divisive normalisation describes masking: the model that sees the mask explains more than the one that does not.",
        format!("R² gained, {ITERATIVE}: {}.", with_interval(seen(ITERATIVE), 3)),
        Verdict::of([above(seen(ITERATIVE))]),
    );
    page.heading("Medians over neurons");
    page.text(format!(
        "256 neurons trained on whitened BSDS500 patches of 12×12 pixels, as in [hubel-wiesel](hubel-wiesel.md); the encoder is an MLP \
         (amortized Poisson, the same decoder, data and iterations). Drifting gratings; tuning is of all responsive neurons, masks, surround and adaptation \
         of the 64 most responsive. The normalisation model is R₀ + Rmax cⁿ/(c₅₀ⁿ + cⁿ + w mⁿ). Saturation is 1 − 2 (R(c) − R(c/2))/(R(c) − R₀). \
         Discs lie on the centres of the filters; what lies beyond the best one in an image of 12 pixels is the surround. Responses to the test of \
         adaptation are counted from its onset over one cycle: the potentials of the iP-VAE are carried from step to step, so that a response that has begun \
         goes on. Mean ± standard error over {} seeds.",
        results.seeds().len()
    ));
    let mut table = Table::new(&["quantity", ITERATIVE, ENCODER]);
    for (measure, what, decimals) in MEASURES {
        let at = |arm: &str| with_error(results.mean(arm, "neurons", measure), decimals).into();
        table.push(vec![what.into(), at(ITERATIVE), at(ENCODER)]);
    }
    page.table(table);
    Ok(page)
}
