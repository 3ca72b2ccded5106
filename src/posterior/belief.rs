//! A posterior whose family is chosen at run time.

use burn::tensor::Tensor;

use super::{
    CategoricalPosterior, Clamps, GaussianPosterior, KlForm, LaplacePosterior, PointEstimate,
    PoissonPosterior, Posterior, Sampling,
};
use crate::noise::Noise;

/// Any of the families, chosen at run time by a configuration.
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use scotopic::posterior::{Belief, PoissonPosterior, Posterior};
/// let q = Belief::from(PoissonPosterior::new(Tensor::zeros([2, 3], &Device::flex())));
/// assert_eq!(q.names(), ["u"]);
/// assert_eq!(q.mean().dims(), [2, 3]);
/// ```
#[derive(Debug, Clone)]
// A few tensor handles more or less: a box would be an allocation at every step.
#[allow(clippy::large_enum_variant)]
pub enum Belief {
    /// Spike counts.
    Poisson(PoissonPosterior),
    /// Normal numbers, perhaps through an activation.
    Gaussian(GaussianPosterior),
    /// Double exponentials.
    Laplace(LaplacePosterior),
    /// One of many.
    Categorical(CategoricalPosterior),
    /// No distribution.
    Point(PointEstimate),
}

macro_rules! from {
    ($($family:ident: $posterior:ty),*) => {
        $(impl From<$posterior> for Belief {
            fn from(posterior: $posterior) -> Self {
                Self::$family(posterior)
            }
        })*
    };
}
from!(
    Poisson: PoissonPosterior,
    Gaussian: GaussianPosterior,
    Laplace: LaplacePosterior,
    Categorical: CategoricalPosterior,
    Point: PointEstimate
);

/// The same expression for every family.
macro_rules! each {
    ($belief:expr, $q:ident => $what:expr) => {
        match $belief {
            Belief::Poisson($q) => $what,
            Belief::Gaussian($q) => $what,
            Belief::Laplace($q) => $what,
            Belief::Categorical($q) => $what,
            Belief::Point($q) => $what,
        }
    };
}

/// The same expression for two beliefs of one family.
macro_rules! both {
    ($a:expr, $b:expr, ($q:ident, $p:ident) => $what:expr) => {
        match ($a, $b) {
            (Belief::Poisson($q), Belief::Poisson($p)) => $what,
            (Belief::Gaussian($q), Belief::Gaussian($p)) => $what,
            (Belief::Laplace($q), Belief::Laplace($p)) => $what,
            (Belief::Categorical($q), Belief::Categorical($p)) => $what,
            (Belief::Point($q), Belief::Point($p)) => $what,
            _ => panic!("a belief and its prior must be of one family"),
        }
    };
}

impl Posterior for Belief {
    fn names(&self) -> &'static [&'static str] {
        each!(self, q => q.names())
    }

    fn components(&self) -> Vec<Tensor<2>> {
        each!(self, q => q.components())
    }

    fn with_components(&self, components: Vec<Tensor<2>>) -> Self {
        each!(self, q => q.with_components(components).into())
    }

    fn sample(&self, sampling: Sampling, noise: Noise) -> Tensor<2> {
        each!(self, q => q.sample(sampling, noise))
    }

    fn activate(&self, z: Tensor<2>) -> Tensor<2> {
        each!(self, q => q.activate(z))
    }

    fn mean(&self) -> Tensor<2> {
        each!(self, q => q.mean())
    }

    fn log_rate(&self) -> Option<Tensor<2>> {
        each!(self, q => q.log_rate())
    }

    fn representation(&self) -> Tensor<2> {
        each!(self, q => q.representation())
    }

    fn spread(
        &self,
        diagonal: &Tensor<2>,
        at_mean: impl FnOnce() -> Tensor<1>,
    ) -> Option<Tensor<1>> {
        each!(self, q => q.spread(diagonal, at_mean))
    }

    /// # Panics
    /// If the prior is of another family.
    fn kl_from(&self, prior: &Self, form: KlForm) -> Tensor<2> {
        both!(self, prior, (q, p) => q.kl_from(p, form))
    }

    fn gradient(
        &self,
        z: &Tensor<2>,
        pulled_back: Tensor<2>,
        beta: f64,
        prior: &Self,
    ) -> Vec<Tensor<2>> {
        both!(self, prior, (q, p) => q.gradient(z, pulled_back, beta, p))
    }

    fn natural_gradient(
        &self,
        z: &Tensor<2>,
        pulled_back: Tensor<2>,
        leak: Option<(f64, &Self)>,
        homeostasis: Tensor<2>,
    ) -> Vec<Tensor<2>> {
        let Some((beta, prior)) = leak else {
            return each!(self, q => q.natural_gradient(z, pulled_back, None, homeostasis));
        };
        both!(self, prior, (q, p) => {
            q.natural_gradient(z, pulled_back, Some((beta, p)), homeostasis)
        })
    }

    fn advance(
        &self,
        drives: Vec<Tensor<2>>,
        curvature: Option<&Tensor<2>>,
        clamps: &Clamps,
    ) -> Self {
        each!(self, q => q.advance(drives, curvature, clamps).into())
    }
}
