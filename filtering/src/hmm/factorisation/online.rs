//! The online factorisations behind one interface.

use serde::{Deserialize, Serialize};

use super::Factorisation;
use super::restricted::{Restricted, Rule};
use super::tied::Tied;
use crate::hmm::{AnyEmission, Emission, Filter, Hmm};
use crate::{Belief, Error, Moments, PredictedObservation, Result, Step};

/// An approximate posterior that takes in one observation at a time, in constant memory, and its recursive
/// ELBO; what [`Hmm::online`] returns. A snapshot (serde) continues where it was.
///
/// ```
/// use scotopic_filtering::hmm::{Categorical, Factorisation, Hmm};
/// # fn main() -> scotopic_filtering::Result<()> {
/// let coins = Categorical::new(vec![vec![0.9, 0.1], vec![0.2, 0.8]])?;
/// let model = Hmm::new(vec![0.5, 0.5], vec![vec![0.9, 0.1], vec![0.2, 0.8]], coins)?;
/// let mut exact = model.clone().online(&Factorisation::Reversed)?;
/// let mut loose = model.online(&Factorisation::Frozen)?;
/// for o in [0.0, 0.0, 1.0, 1.0] {
///     let (best, step) = (exact.update(Some(&[o]))?, loose.update(Some(&[o]))?);
///     assert!(step.elbo <= best.elbo + 1e-12);
/// }
/// assert_eq!(loose.observations(), 4);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
#[serde(bound(
    serialize = "E: Emission + Serialize",
    deserialize = "E: Emission + Deserialize<'de>"
))]
pub struct Online<E: Emission = AnyEmission> {
    scheme: Scheme<E>,
}

/// Free kernels need no W: the belief of the exact filter says it all.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[serde(bound(
    serialize = "E: Emission + Serialize",
    deserialize = "E: Emission + Deserialize<'de>"
))]
enum Scheme<E: Emission> {
    Exact(Box<Filter<E>>),
    Restricted(Box<Restricted<E>>),
}

impl<E: Emission> Hmm<E> {
    /// This model's posterior under a factorisation, one observation at a time, from none.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for a factorisation whose every factor depends on later observations;
    /// [`Error::Setting`], [`Error::Size`] or [`Error::Entry`] for settings that make no sense.
    pub fn online(self, factorisation: &Factorisation) -> Result<Online<E>> {
        let (name, why) = match factorisation {
            Factorisation::Reversed => return Ok(Scheme::exact(self)),
            Factorisation::DecoupledLag1(settings) => {
                settings.check()?;
                return Ok(Scheme::restricted(self, Rule::Decoupled(settings.clone())));
            }
            Factorisation::Frozen => return Ok(Scheme::restricted(self, Rule::Frozen)),
            Factorisation::Tied(settings) => {
                let rule = Rule::Tied(Box::new(Tied::new(settings, &self)?));
                return Ok(Scheme::restricted(self, rule));
            }
            Factorisation::ForwardMarkov => (
                "a forward Markov posterior",
                "each q(s_t|s_{t−1}) depends on all later observations and has to be made again; \
                 Reversed is as exact and online",
            ),
            Factorisation::FullyFactorised(_) => (
                "a fully factorised posterior",
                "its sweeps go back over the whole sequence; DecoupledLag1 and Frozen are fully \
                 factorised and online, Reversed is exact and online",
            ),
            Factorisation::Block { .. } => (
                "a posterior in windows",
                "its sweeps go back over the whole sequence; Reversed, DecoupledLag1, Frozen and \
                 Tied are online",
            ),
        };
        Err(Error::Unsupported {
            what: name.to_owned(),
            asked: "run online",
            why,
        })
    }
}

impl<E: Emission> Scheme<E> {
    fn exact(model: Hmm<E>) -> Online<E> {
        let scheme = Scheme::Exact(Box::new(Filter::new(model)));
        Online { scheme }
    }

    fn restricted(model: Hmm<E>, rule: Rule) -> Online<E> {
        let scheme = Scheme::Restricted(Box::new(Restricted::new(model, rule)));
        Online { scheme }
    }
}

impl<E: Emission> Online<E> {
    /// Takes in observation o_t `[width]`, `None` for a missing one; the step has L_t − L_{t−1} and L_t,
    /// nats. Nothing is allocated after the first two.
    ///
    /// # Errors
    /// [`Error::Observation`], [`Error::Impossible`] and [`Error::NotFinite`] with the number of the
    /// observation, from 0; [`Error::Unsupported`] where structural zeros of A leave this factorisation no
    /// finite bound. Everything is then as it was.
    pub fn update(&mut self, observation: Option<&[f64]>) -> Result<Step> {
        match &mut self.scheme {
            Scheme::Exact(filter) => filter.update(observation),
            Scheme::Restricted(posterior) => posterior.update(observation),
        }
    }

    /// q_t `[K]`; π before the first observation.
    pub fn belief(&self) -> &[f64] {
        match &self.scheme {
            Scheme::Exact(filter) => filter.belief(),
            Scheme::Restricted(posterior) => posterior.belief(),
        }
    }

    /// The newest kernel `b[j][i] = b_t(s_{t−1} = i | s_t = j)` into `[K·K]`.
    ///
    /// # Errors
    /// [`Error::Size`] where `into` is not `[K·K]`; [`Error::Unsupported`] before the second observation.
    pub fn kernel(&self, into: &mut [f64]) -> Result<()> {
        match &self.scheme {
            Scheme::Exact(filter) => filter.kernel(into),
            Scheme::Restricted(posterior) => posterior.kernel(into),
        }
    }

    /// L_t, nats; 0 before the first observation.
    pub fn elbo(&self) -> f64 {
        match &self.scheme {
            Scheme::Exact(filter) => filter.elbo(),
            Scheme::Restricted(posterior) => posterior.elbo(),
        }
    }

    /// t, missing observations included.
    pub fn observations(&self) -> u64 {
        match &self.scheme {
            Scheme::Exact(filter) => filter.observations(),
            Scheme::Restricted(posterior) => posterior.observations(),
        }
    }

    /// The model.
    pub fn model(&self) -> &Hmm<E> {
        match &self.scheme {
            Scheme::Exact(filter) => filter.model(),
            Scheme::Restricted(posterior) => posterior.model(),
        }
    }

    /// m_t `[K]` of a kernel that ignores s_t; `None` for the others.
    pub(super) fn decoupled_kernel(&self) -> Option<&[f64]> {
        match &self.scheme {
            Scheme::Restricted(posterior) => posterior.decoupled_kernel(),
            Scheme::Exact(_) => None,
        }
    }
}

impl<E: Emission> crate::Filter for Online<E> {
    crate::filter::own_methods!();

    fn belief(&self) -> Belief<'_> {
        Belief::Discrete(Self::belief(self))
    }

    fn accepts_partial_rows(&self) -> bool {
        self.model().emission().accepts_partial_rows()
    }

    fn width(&self) -> usize {
        self.model().width()
    }

    fn predicted_observation(&self) -> Result<PredictedObservation> {
        self.model()
            .predicted_observation(Self::belief(self), Self::observations(self))
    }

    fn signal(&self) -> Moments {
        self.model().signal(Self::belief(self))
    }
}
