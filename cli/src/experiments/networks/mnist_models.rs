//! The models of Table 2 and how each is trained on MNIST.

use anyhow::{Context as _, Result};

use super::training::Recipe;
use crate::experiments::protocol::Size;

/// Iterations of the first stage, of the quick and the standard size: T = 16.
pub(super) const FIRST: [usize; 2] = [40, 3000];

/// And of the second, with the published T in windows of truncated backpropagation. Models of one stage have the sum.
pub(super) const SECOND: [usize; 2] = [20, 1200];

/// And of a third, which learns from beliefs that have settled.
pub(super) const THIRD: [usize; 2] = [10, 460];

/// The spiking network after its third stage.
pub(super) const SETTLED: &str = "iP-VAE-settled";

/// A model of the table.
struct Arm {
    name: &'static str,
    /// That of the first stage; of the third for a model that follows another.
    preset: &'static str,
    /// That of the published settings.
    published: &'static str,
    second: Option<Second>,
    /// The model whose network it begins with.
    follows: Option<&'static str>,
    /// Overrides of the standard size.
    sets: &'static [&'static str],
}

/// What the second stage of a model changes.
struct Second {
    /// Steps of a window of truncated backpropagation, and windows.
    steps: usize,
    windows: usize,
    /// β.
    beta: f64,
    /// What only this model needs.
    sets: &'static [&'static str],
}

/// As published, encoders and decoders of the amortized models are convolutional.
const CONV: &[&str] = &["model.encoder.kind=conv", "model.decoder.kind=conv"];

/// The models, in the order of the table. The published settings have no third stage.
pub(super) fn models(size: Size) -> Vec<String> {
    let there = ARMS
        .iter()
        .filter(|arm| arm.follows.is_none() || size != Size::Full);
    there.map(|arm| arm.name.to_owned()).collect()
}

const ARMS: [Arm; 7] = [
    Arm {
        name: "iP-VAE",
        preset: "mnist",
        published: "published/mnist-poisson",
        second: Some(Second {
            steps: 32,
            windows: 4,
            beta: 128.0,
            sets: &["train.rate_gain=4.0", "train.learning_rate.peak=0.0005"],
        }),
        follows: None,
        sets: &["inference.indicator=cubic"],
    },
    Arm {
        name: SETTLED,
        preset: "mnist/settled",
        published: "published/mnist-poisson",
        second: None,
        follows: Some("iP-VAE"),
        // A second stage of half the length has learned less precision: all that is divided by σ² is half of the preset's.
        sets: &[
            "model.log_step=-0.5",
            "model.log_homeostasis=-2.75",
            "objective.beta=16.0",
            "schedule.beta.from=16.0",
        ],
    },
    Arm {
        name: "iG_relu-VAE",
        preset: "mnist/gaussian-relu",
        published: "published/mnist-gaussian-relu",
        second: Some(Second {
            steps: 16,
            windows: 2,
            beta: 32.0,
            sets: &[],
        }),
        follows: None,
        sets: &[],
    },
    Arm {
        name: "iG-VAE",
        preset: "mnist/gaussian",
        published: "published/mnist-gaussian",
        second: Some(Second {
            steps: 16,
            windows: 4,
            beta: 64.0,
            sets: &[],
        }),
        follows: None,
        sets: &[],
    },
    Arm {
        name: "P-VAE",
        preset: "mnist/amortized-poisson",
        published: "published/mnist-amortized-poisson",
        second: None,
        follows: None,
        sets: CONV,
    },
    Arm {
        name: "G-VAE",
        preset: "mnist/amortized-gaussian",
        published: "published/mnist-amortized-gaussian",
        second: None,
        follows: None,
        sets: CONV,
    },
    Arm {
        name: "PC",
        preset: "mnist/predictive-coding",
        published: "mnist/predictive-coding",
        second: None,
        follows: None,
        sets: &[],
    },
];

/// The model under whose name the numbers of an arm are published.
pub(super) fn published_name(arm: &str) -> &str {
    let known = ARMS.iter().find(|known| known.name == arm);
    known.and_then(|known| known.follows).unwrap_or(arm)
}

/// The recipe of an arm.
///
/// # Errors
/// For an unknown one.
pub(super) fn recipe(arm: &str) -> Result<Recipe> {
    let found = ARMS.iter().find(|known| known.name == arm);
    let known = found.with_context(|| format!("there is no arm {arm}"))?;
    let stage = |name: String, iterations| {
        let bare = Recipe::new(name, known.preset, known.published, iterations);
        known
            .sets
            .iter()
            .fold(bare, |made, set| made.set_short(*set))
    };
    if let Some(other) = known.follows {
        return Ok(stage(format!("mnist-{arm}"), THIRD).after(recipe(other)?));
    }
    let Some(Second {
        steps,
        windows,
        beta,
        sets,
    }) = known.second
    else {
        let sum = [FIRST[0] + SECOND[0], FIRST[1] + SECOND[1]];
        return Ok(stage(format!("mnist-{arm}"), sum));
    };
    let second = sets
        .iter()
        .fold(stage(format!("mnist-{arm}"), SECOND), |made, set| {
            made.set_short(*set)
        });
    Ok(second
        .set_short(format!("inference.steps={steps}"))
        .set_short(format!("train.bptt_windows={windows}"))
        .set_short(format!("objective.beta={beta:.1}"))
        // The dictionary is there: β starts where it is a quarter of its value, temperature low, and clamps are open.
        .set_short(format!("schedule.beta.from={:.1}", beta / 4.0))
        .set_short("schedule.temperature.from=0.2")
        .set_short("schedule.clamp_opening.from=1.0")
        .after(stage(format!("mnist-{arm}-16-steps"), FIRST)))
}
