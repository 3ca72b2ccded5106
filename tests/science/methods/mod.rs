//! Every way to infer, with every family and decoder that it goes with.

use scotopic::inference::{
    Expectation, Leak, NaturalGradient, RecordOptions, StepForm, Stimulus, Trajectory, unroll,
};
use scotopic::noise::{Draw, Noise, NoiseKey, NoiseSource};
use scotopic::posterior::{ActivationKind, AnyPosterior, Clamps, KlForm, Sampling};
use scotopic_models::{
    DecoderConfig, DecoderKind, EncoderConfig, EncoderKind, Family, ImageDims, Method, Network,
    NetworkConfig, TransitionKind,
};

use crate::devices::Place;
use crate::dressing::{dressed, stirred, undress};
use crate::posteriors::Kind;
use crate::toy;

mod across;
mod backtracking;
mod batches;
mod gradients;
mod settings;

const BATCH: usize = 2;
const LATENTS: usize = 4;
const STEPS: usize = 3;
const PICTURE: ImageDims = ImageDims {
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
    fn new(
        method: Method,
        family: Family,
        activation: ActivationKind,
        decoder: DecoderKind,
    ) -> Self {
        let config = NetworkConfig {
            picture: PICTURE,
            latents: LATENTS,
            family,
            activation,
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
            transition: TransitionKind::Carried,
            decoder: DecoderConfig {
                kind: decoder,
                hidden: vec![5],
                channels: vec![3, 2],
                activation: ActivationKind::Silu,
                init_std: 0.3,
                ..DecoderConfig::default()
            },
            encoder: EncoderConfig {
                kind: EncoderKind::Mlp,
                hidden: vec![6],
                channels: vec![2, 3],
                activation: ActivationKind::Tanh,
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
            name: format!("{method:?} {family:?} {activation:?} {decoder:?}"),
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
            Family::Gaussian => Kind::Gaussian(self.config.activation),
            Family::Laplace => Kind::Laplace,
            Family::Categorical => Kind::Categorical,
            Family::Point => Kind::Quadratic(self.config.activation),
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
        record: RecordOptions,
    ) -> Trajectory<AnyPosterior> {
        let perception = model.perception(self.rule.clone());
        let rest = perception.rest(x.batch());
        unroll(&*perception, x, rest, 0..STEPS, noise, record)
    }
}

/// Every method with every family and decoder that go together, and the options of the rule.
pub fn subjects() -> Vec<Subject> {
    use DecoderKind::{Conv, Linear, Mlp};
    let families = [
        (Family::Poisson, ActivationKind::None),
        (Family::Gaussian, ActivationKind::None),
        (Family::Gaussian, ActivationKind::Relu),
        (Family::Gaussian, ActivationKind::Softplus),
        (Family::Gaussian, ActivationKind::Exp),
        (Family::Laplace, ActivationKind::None),
        (Family::Categorical, ActivationKind::None),
    ];
    let mut all = Vec::new();
    for (family, activation) in families {
        for decoder in [Linear, Mlp, Conv] {
            all.push(Subject::new(
                Method::NaturalGradient,
                family,
                activation,
                decoder,
            ));
        }
        let linear = || Subject::new(Method::NaturalGradient, family, activation, Linear);
        all.push(linear().under("proximal", |s| s.rule.form = StepForm::Proximal));
        all.push(linear().under("exact", |s| s.rule.expectation = Expectation::Exact));
        for method in [
            Method::Amortized,
            Method::IterativeAmortized,
            Method::SemiAmortized,
        ] {
            all.push(Subject::new(method, family, activation, Linear));
        }
    }
    for method in [Method::Amortized, Method::SemiAmortized] {
        let subject = Subject::new(method, Family::Gaussian, ActivationKind::None, Conv);
        all.push(subject.under("conv encoder", |s| {
            s.config.encoder.kind = EncoderKind::Conv
        }));
    }
    for method in [Method::IterativeAmortized, Method::SemiAmortized] {
        all.push(Subject::new(
            method,
            Family::Poisson,
            ActivationKind::None,
            Mlp,
        ));
    }
    for (family, activation) in [
        (Family::Point, ActivationKind::None),
        (Family::Point, ActivationKind::Tanh),
        (Family::SoftThreshold, ActivationKind::None),
        (Family::HardThreshold, ActivationKind::None),
    ] {
        for decoder in [Linear, Mlp, Conv] {
            all.push(Subject::new(Method::Descent, family, activation, decoder));
        }
    }
    for (method, family, activation, decoder) in BACKTRACKING {
        let subject = Subject::new(method, family, activation, decoder);
        all.push(subject.under("backtracking", |s| s.rule.form = StepForm::Backtracking));
    }
    all
}

/// Each family once, each kind of decoder at least once.
const BACKTRACKING: [(Method, Family, ActivationKind, DecoderKind); 7] = [
    (
        Method::NaturalGradient,
        Family::Poisson,
        ActivationKind::None,
        DecoderKind::Mlp,
    ),
    (
        Method::NaturalGradient,
        Family::Poisson,
        ActivationKind::None,
        DecoderKind::Linear,
    ),
    (
        Method::NaturalGradient,
        Family::Gaussian,
        ActivationKind::Softplus,
        DecoderKind::Conv,
    ),
    (
        Method::NaturalGradient,
        Family::Laplace,
        ActivationKind::None,
        DecoderKind::Mlp,
    ),
    (
        Method::NaturalGradient,
        Family::Categorical,
        ActivationKind::None,
        DecoderKind::Mlp,
    ),
    (
        Method::Descent,
        Family::Point,
        ActivationKind::Tanh,
        DecoderKind::Conv,
    ),
    (
        Method::Descent,
        Family::SoftThreshold,
        ActivationKind::None,
        DecoderKind::Mlp,
    ),
];

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
