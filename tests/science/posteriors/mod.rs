//! Every family of beliefs against what it claims to be.

use burn::tensor::Tensor;
use scotopic::noise::{Noise, NoiseKey};
use scotopic::ops::{Law, unit_noise};
use scotopic::posterior::{
    Activation, ActivationKind, AnyPosterior, CategoricalPosterior, Cost, GaussianPosterior,
    LaplacePosterior, PointEstimate, PoissonPosterior,
};

use crate::devices::Place;
use crate::toy::{Twin, numbers};

mod divergence;
mod expectation;
mod gradient;
mod natural;
mod proximal;

/// π of quadratic costs, λ of thresholds.
const PRECISION: f64 = 0.7;
const THRESHOLD: f64 = 0.6;

/// A family with what it takes besides its state.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    Poisson,
    Gaussian(ActivationKind),
    Laplace,
    Categorical,
    Quadratic(ActivationKind),
    Soft,
    Hard,
}

/// All of them.
pub const ALL: [Kind; 12] = [
    Kind::Poisson,
    Kind::Gaussian(ActivationKind::None),
    Kind::Gaussian(ActivationKind::Relu),
    Kind::Gaussian(ActivationKind::Softplus),
    Kind::Gaussian(ActivationKind::Exp),
    Kind::Laplace,
    Kind::Categorical,
    Kind::Quadratic(ActivationKind::None),
    Kind::Quadratic(ActivationKind::Tanh),
    Kind::Quadratic(ActivationKind::Silu),
    Kind::Soft,
    Kind::Hard,
];

impl Kind {
    /// Whether there is no distribution.
    pub fn is_point(self) -> bool {
        matches!(self, Self::Quadratic(_) | Self::Soft | Self::Hard)
    }

    /// Values of the components, `n` each: the states up to `reach` away from 0, scales of order one.
    pub fn drawn(self, seed: u64, n: usize, reach: f64) -> Vec<Vec<f64>> {
        let state = numbers(seed, n, -reach, reach);
        match self {
            Self::Gaussian(_) | Self::Laplace => vec![state, numbers(seed + 1, n, -0.8, 0.5)],
            _ => vec![state],
        }
    }

    /// The belief with these components.
    pub fn belief(self, place: &Place, parts: &[Vec<f64>], shape: [usize; 2]) -> AnyPosterior {
        let mut parts = parts.iter().map(|part| place.tensor::<2>(part, shape));
        let mut next = || parts.next().expect("as many components as the family has");
        let point = |cost| move |state| PointEstimate::new(state, cost).into();
        match self {
            Self::Poisson => PoissonPosterior::new(next()).into(),
            Self::Gaussian(activation) => {
                let gain = numbers(31, shape[1], 0.6, 1.5);
                let gain = place.tensor(&gain, [1, shape[1]]);
                let activation = (activation != ActivationKind::None).then_some(Activation {
                    kind: activation,
                    gain,
                });
                let (mean, log_deviation) = (next(), next());
                GaussianPosterior::new(mean, log_deviation)
                    .through(activation)
                    .into()
            }
            Self::Laplace => {
                let (location, log_scale) = (next(), next());
                LaplacePosterior::new(location, log_scale).into()
            }
            Self::Categorical => CategoricalPosterior::new(next()).into(),
            Self::Quadratic(activation) => point(Cost::Quadratic {
                precision: PRECISION,
                activation,
            })(next()),
            Self::Soft => point(Cost::Soft {
                threshold: THRESHOLD,
            })(next()),
            Self::Hard => point(Cost::Hard {
                threshold: THRESHOLD,
            })(next()),
        }
    }

    /// Noise that stays the same whatever the belief is.
    pub fn noise(self, place: &Place, key: NoiseKey, shape: [usize; 2]) -> Noise {
        let law = match self {
            Self::Poisson => {
                let twin = Twin {
                    key,
                    place,
                    shape,
                    arrivals: 24,
                };
                return Noise::Exponentials(twin.exponentials(key));
            }
            Self::Laplace => Law::Laplace,
            Self::Categorical => Law::Gumbel,
            _ => Law::Normal,
        };
        let like: Tensor<2> = place.tensor(&vec![0.0; shape[0] * shape[1]], shape);
        Noise::Unit(unit_noise(&like, law, key))
    }
}

/// Central differences of `f` by every one of `parts`.
pub fn differences(
    parts: &[Vec<f64>],
    stride: f64,
    f: impl Fn(&[Vec<f64>]) -> f64,
) -> Vec<Vec<f64>> {
    let slope = |part: usize, i: usize| {
        let at = |by: f64| {
            let mut parts = parts.to_vec();
            parts[part][i] += by;
            f(&parts)
        };
        (at(stride) - at(-stride)) / (2.0 * stride)
    };
    let of =
        |(part, values): (usize, &Vec<f64>)| (0..values.len()).map(|i| slope(part, i)).collect();
    parts.iter().enumerate().map(of).collect()
}
