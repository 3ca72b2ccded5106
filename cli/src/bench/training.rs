//! Training iterations: inference, backward pass, Adamax.

use anyhow::{Context, Result};
use burn::module::Module;
use burn::tensor::Device;
use scotopic::inference::{Expectation, NaturalGradient, Stimulus, composed_objective};
use scotopic::noise::NoiseKey;
use scotopic::ops::Indicator;
use scotopic::posterior::Sampling;
use scotopic_models::{Family, LeakConfig, Network, RuleConfig, TransitionKind};
use scotopic_train::adamax::{Adamax, AdamaxConfig};
use scotopic_train::films::stimulus;
use scotopic_train::gradients::ParameterGradients;

use super::inputs::{images, lively_in_time, shape_of};
use super::{BenchConfig, Record, Shape};

/// How the objective is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// As training does it.
    Usual,
    /// From tensor operations, on every device.
    Composed,
}

/// The latents of a case.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Sampled {
    /// Relaxed counts: f and τ.
    Poisson(Indicator, f64),
    /// Normal numbers: the iG-VAE.
    Gaussian,
}

/// A whole iteration on one batch.
#[derive(Debug, Clone, Copy)]
pub(super) struct Iteration {
    shape: Shape,
    sampled: Sampled,
    way: Way,
    /// On films, with this prior in time; else on still images.
    film: Option<TransitionKind>,
    /// By the rule of the presets of films: N = 4, the pull of the whole F, the expectation in closed form.
    rule_of_films: bool,
}

impl Iteration {
    /// That of a Poisson network, as training does it, at τ = 0.5 under the published indicator.
    pub(super) fn of(shape: Shape) -> Self {
        Self {
            shape,
            sampled: Sampled::Poisson(Indicator::Sigmoid, 0.5),
            way: Way::Usual,
            film: None,
            rule_of_films: false,
        }
    }

    /// That of the iG-VAE.
    pub(super) fn of_gaussians(shape: Shape) -> Self {
        Self {
            sampled: Sampled::Gaussian,
            ..Self::of(shape)
        }
    }

    /// That of a group of films under the rule of still images: with a learned prior, or of still images.
    pub(super) fn of_films(learned: bool) -> Self {
        Self {
            sampled: Sampled::Poisson(Indicator::Cubic, 0.5),
            film: learned.then_some(TransitionKind::Learned),
            ..Self::of(Shape::FILMS)
        }
    }

    /// The same from tensor operations.
    pub(super) fn composed(self) -> Self {
        Self {
            way: Way::Composed,
            ..self
        }
    }

    pub(super) fn name(&self) -> String {
        let prior = match self.film {
            None => "",
            Some(TransitionKind::Static) => " on films, static prior",
            Some(TransitionKind::Carried) => " on films, last posterior",
            Some(TransitionKind::Learned) => " on films, learned prior",
        };
        let family = match self.sampled {
            Sampled::Poisson(..) => "",
            Sampled::Gaussian => " of the iG-VAE",
        };
        let rule = match self.rule_of_films {
            true => ", 4 updates a step, exact expectation",
            false => "",
        };
        let way = match self.way {
            Way::Usual => "",
            Way::Composed => ", from tensor operations",
        };
        format!("an iteration{family}{prior}{rule}{way}")
    }

    fn model(&self, trained: Option<&Network>, device: &Device, seed: u64) -> Result<Network> {
        let family = match self.sampled {
            Sampled::Poisson(..) => Family::Poisson,
            Sampled::Gaussian => Family::Gaussian,
        };
        Ok(match trained {
            Some(model) => model.clone().to_device(device).train(),
            None => {
                let prior = self.film.unwrap_or_default();
                lively_in_time(self.shape, family, prior, device, seed)?
            }
        })
    }

    fn rule(&self) -> NaturalGradient {
        let mut rule = RuleConfig::default();
        if self.rule_of_films {
            rule.inner_steps = 4;
            rule.leak = LeakConfig::Beta(1.0);
            rule.expectation = Expectation::Exact;
        }
        match self.sampled {
            Sampled::Gaussian => rule.at(1.0, Sampling::EXACT),
            Sampled::Poisson(indicator, temperature) => {
                rule.indicator = indicator;
                rule.at(1.0, Sampling::relaxed(temperature))
            }
        }
    }

    /// Independent pixels, and independent frames.
    fn stimulus(&self, device: &Device, seed: u64) -> Stimulus {
        let Shape { batch, steps, .. } = self.shape;
        let frames = self.film.map_or(1, |_| steps);
        let data = Shape {
            batch: batch * frames,
            ..self.shape
        };
        stimulus(images(data, seed), batch, self.shape.pixels, device)
    }
}

/// Families, temperatures and ways on patches.
pub(super) fn training(
    group: &'static str,
    settings: &BenchConfig,
    trained: Option<&Network>,
    tell: &mut dyn FnMut(Record) -> Result<()>,
) -> Result<()> {
    let shape = shape_of(trained, Shape::PATCHES);
    let poisson = |indicator, temperature| Sampled::Poisson(indicator, temperature);
    let cases = [
        (poisson(Indicator::Sigmoid, 0.5), Way::Usual),
        (poisson(Indicator::Sigmoid, 0.5), Way::Composed),
        (poisson(Indicator::Cubic, 0.5), Way::Usual),
        (poisson(Indicator::Cubic, 0.01), Way::Usual),
        (poisson(Indicator::Sigmoid, 0.01), Way::Usual),
        (poisson(Indicator::Sigmoid, 0.01), Way::Composed),
        (Sampled::Gaussian, Way::Usual),
        (Sampled::Gaussian, Way::Composed),
    ];
    for (sampled, way) in cases {
        // A trained network has the family that it has.
        if trained.is_some() && sampled == Sampled::Gaussian {
            continue;
        }
        let case = Iteration {
            sampled,
            way,
            ..Iteration::of(shape)
        };
        tell(learning(group, settings, trained, case)?)?;
    }
    Ok(())
}

/// Still images and films by prior in time, under the rule of still images and that of films.
pub(super) fn films(
    group: &'static str,
    settings: &BenchConfig,
    tell: &mut dyn FnMut(Record) -> Result<()>,
) -> Result<()> {
    use TransitionKind::{Carried, Learned, Static};
    let cases = [
        (None, Way::Usual),
        (Some(Static), Way::Usual),
        (Some(Carried), Way::Usual),
        (Some(Learned), Way::Usual),
        (Some(Carried), Way::Composed),
        (Some(Learned), Way::Composed),
    ];
    for rule_of_films in [false, true] {
        for (film, way) in cases {
            let case = Iteration {
                sampled: Sampled::Poisson(Indicator::Cubic, 0.5),
                way,
                film,
                rule_of_films,
                ..Iteration::of(Shape::FILMS)
            };
            tell(learning(group, settings, None, case)?)?;
        }
    }
    Ok(())
}

/// Times an iteration.
pub(super) fn learning(
    group: &'static str,
    settings: &BenchConfig,
    trained: Option<&Network>,
    case: Iteration,
) -> Result<Record> {
    let device = settings.device.clone().autodiff();
    let mut model = case.model(trained, &device, settings.seed)?;
    let mut optimizer = Adamax::new(AdamaxConfig::default());
    let x = case.stimulus(&device, settings.seed);
    let Shape { batch, steps, .. } = case.shape;
    let record = model.method.learns_from();
    let timed = settings.time(group, case.name(), case.shape, |number| {
        let noise = NoiseKey::new(settings.seed).step(number);
        let perception = model.perception(case.rule());
        let (start, times) = (perception.rest(batch), 0..steps);
        let seen = match case.way {
            Way::Usual => perception.objective(&x, start, times, &noise, record, 16.0),
            Way::Composed => {
                composed_objective(&*perception, &x, start, times, &noise, record, 16.0)
            }
        };
        drop(perception);
        let gradients = seen.context("there are steps")?.value.backward();
        let gradients = ParameterGradients::of(&model, &gradients);
        // A rate too small to change what the next repetition has to do.
        (model, _) = optimizer.step(model.clone(), &gradients, 1e-12, 100.0);
        Ok(())
    })?;
    Ok(match case.sampled {
        Sampled::Gaussian => timed,
        Sampled::Poisson(indicator, temperature) => Record {
            temperature: Some(temperature),
            indicator: Some(indicator.name().into()),
            ..timed
        },
    })
}
