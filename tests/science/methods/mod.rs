//! Every way to infer, with every family and decoder that it goes with.

use scotopic::inference::{
    Expectation, Leak, NaturalGradient, Record, StepForm, Stimulus, Trajectory, unroll,
};
use scotopic::noise::{Draw, Noise, NoiseKey, NoiseSource};
use scotopic::posterior::{Belief, Clamps, KlForm, Sampling, Transfer};
use scotopic_models::{
    Architecture, DecoderConfig, EncoderConfig, Family, Method, Network, NetworkConfig, Picture,
};

use crate::devices::Place;
use crate::dressing::{dressed, stirred, undress};
use crate::posteriors::Kind;
use crate::toy;

mod across;
mod batches;
mod gradients;
mod settings;

const BATCH: usize = 2;
const LATENTS: usize = 4;
const STEPS: usize = 3;
const PICTURE: Picture = Picture {
    channels: 1,
    height: 4,
    width: 4,
};

/// A model with the rule it is run under.
#[derive(Debug, Clone)]
pub struct Subject {
    pub name: String,
    pub method: Method,
    pub config: NetworkConfig,
    pub rule: NaturalGradient,
}

impl Subject {
    fn new(method: Method, family: Family, transfer: Transfer, decoder: Architecture) -> Self {
        let config = NetworkConfig {
            picture: PICTURE,
            latents: LATENTS,
            family,
            transfer,
            threshold: 0.2,
            resting_low: -1.0,
            resting_high: 0.5,
            log_homeostasis: -1.5,
            // A point has but three steps to cross its threshold.
            log_step: if method == Method::Descent {
                -0.5
            } else {
                -2.0
            },
            decoder: DecoderConfig {
                kind: decoder,
                hidden: vec![5],
                channels: vec![3, 2],
                transfer: Transfer::Silu,
                init_deviation: 0.3,
                ..DecoderConfig::default()
            },
            encoder: EncoderConfig {
                kind: Architecture::Mlp,
                hidden: vec![6],
                channels: vec![2, 3],
                transfer: Transfer::Tanh,
            },
        };
        let inner = if method == Method::NaturalGradient {
            2
        } else {
            1
        };
        let rule = NaturalGradient {
            clamps: Clamps {
                state: vec![4.0, 2.0],
                step: vec![3.0, 1.5],
            },
            ..toy::rule(0.5, KlForm::Exact, Leak::Kl(0.7), inner)
        };
        Self {
            name: format!("{method:?} {family:?} {transfer:?} {decoder:?}"),
            method,
            config,
            rule,
        }
    }

    fn under(mut self, change: &str, edit: impl FnOnce(&mut Self)) -> Self {
        edit(&mut self);
        self.name = format!("{} {change}", self.name);
        self
    }

    /// Random parameters with nothing left at 0.
    pub fn values(&self) -> Vec<Vec<f64>> {
        let model = self.config.init(self.method, &Place::processor().device, 9);
        stirred(&undress(&model.expect("valid settings")), 10, 0.3)
    }

    /// The model with these parameters.
    pub fn model(&self, place: &Place, values: &[Vec<f64>]) -> Network {
        let model = self.config.init(self.method, &place.device, 9);
        dressed(model.expect("valid settings"), values, place)
    }

    pub fn kind(&self) -> Kind {
        match self.config.family {
            Family::Poisson => Kind::Poisson,
            Family::Gaussian => Kind::Gaussian(self.config.transfer),
            Family::Laplace => Kind::Laplace,
            Family::Categorical => Kind::Categorical,
            Family::Point => Kind::Quadratic(self.config.transfer),
            Family::SoftThreshold => Kind::Soft,
            Family::HardThreshold => Kind::Hard,
        }
    }

    /// A few steps from rest on `x`.
    fn run(
        &self,
        model: &Network,
        x: &Stimulus,
        noise: &dyn NoiseSource,
        record: Record,
    ) -> Trajectory<Belief> {
        let perception = model.perception(self.rule.clone());
        let rest = perception.rest(x.batch());
        unroll(&*perception, x, rest, 0..STEPS, noise, record)
    }
}

/// Every method with every family and decoder that go together, and the options of the rule.
pub fn subjects() -> Vec<Subject> {
    use Architecture::{Conv, Linear, Mlp};
    let families = [
        (Family::Poisson, Transfer::None),
        (Family::Gaussian, Transfer::None),
        (Family::Gaussian, Transfer::Relu),
        (Family::Gaussian, Transfer::Softplus),
        (Family::Gaussian, Transfer::Exp),
        (Family::Laplace, Transfer::None),
        (Family::Categorical, Transfer::None),
    ];
    let mut all = Vec::new();
    for (family, transfer) in families {
        for decoder in [Linear, Mlp, Conv] {
            all.push(Subject::new(
                Method::NaturalGradient,
                family,
                transfer,
                decoder,
            ));
        }
        let linear = || Subject::new(Method::NaturalGradient, family, transfer, Linear);
        all.push(linear().under("proximal", |s| s.rule.form = StepForm::Proximal));
        all.push(linear().under("exact", |s| s.rule.expectation = Expectation::Exact));
        for method in [
            Method::Amortized,
            Method::IterativeAmortized,
            Method::SemiAmortized,
        ] {
            all.push(Subject::new(method, family, transfer, Linear));
        }
    }
    for method in [Method::Amortized, Method::SemiAmortized] {
        let subject = Subject::new(method, Family::Gaussian, Transfer::None, Conv);
        all.push(subject.under("conv encoder", |s| s.config.encoder.kind = Conv));
    }
    for method in [Method::IterativeAmortized, Method::SemiAmortized] {
        all.push(Subject::new(method, Family::Poisson, Transfer::None, Mlp));
    }
    for (family, transfer) in [
        (Family::Point, Transfer::None),
        (Family::Point, Transfer::Tanh),
        (Family::SoftThreshold, Transfer::None),
        (Family::HardThreshold, Transfer::None),
    ] {
        for decoder in [Linear, Mlp, Conv] {
            all.push(Subject::new(Method::Descent, family, transfer, decoder));
        }
    }
    all
}

/// The same numbers for every model: draws that finite differences hold fixed.
struct Fixed<'a> {
    place: &'a Place,
    kind: Kind,
    key: NoiseKey,
    batch: usize,
    /// Only this datum's.
    row: Option<usize>,
}

impl NoiseSource for Fixed<'_> {
    fn noise(&self, time: usize, draw: Draw) -> Noise {
        let key = match self.key.noise(time, draw) {
            Noise::Keyed(key) => key,
            other => panic!("a key gives keys, not {other:?}"),
        };
        let noise = self.kind.noise(self.place, key, [self.batch, LATENTS]);
        match (noise, self.row) {
            (noise, None) => noise,
            (Noise::Exponentials(all), Some(row)) => Noise::Exponentials(all.narrow(1, row, 1)),
            (Noise::Unit(all), Some(row)) => Noise::Unit(all.narrow(0, row, 1)),
            (other, _) => other,
        }
    }
}

fn images(place: &Place, batch: usize) -> Stimulus {
    Stimulus::Static(toy::images(place, 21, batch, PICTURE.pixels()))
}

/// Exact samples, for what must not depend on rounding near a kernel's cut.
fn exact(subject: &Subject) -> Subject {
    let mut subject = subject.clone();
    subject.rule.sampling = Sampling::EXACT;
    subject
}
