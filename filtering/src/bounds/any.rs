//! Bounds for a model and a factorisation chosen at run time.

use rand::Rng;

use super::certificate::Certificate;
use super::discrete::DiscreteChain;
use super::normal::NormalChain;
use super::proposal::{Proposal, lower_bound, upper_bound};
use super::settings::BoundSettings;
use crate::nonlinear::NonlinearConfig;
use crate::{
    AnyModel, Error, Result, SampledStates, Sequence, elbo_kind, gaussian_factorisation,
    hmm_factorisation,
};

impl AnyModel {
    /// The free energy of a factorisation and the bounds of ln p(y_1…y_T) about it. `states` are those that made the data
    /// where they were simulated from this very model; without them there is a lower bound alone.
    ///
    /// ```
    /// use scotopic_filtering::bounds::BoundSettings;
    /// use scotopic_filtering::rand::{SeedableRng, rngs::Xoshiro256PlusPlus};
    /// use scotopic_filtering::{AnyModel, gaussian::LinearGaussian};
    /// # fn main() -> scotopic_filtering::Result<()> {
    /// let walk = AnyModel::LinearGaussian(LinearGaussian::from_rows(&[[0.9]], &[[0.1]], &[[1.0]], &[[1.0]])?);
    /// let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
    /// let (states, y) = walk.sample(200, &mut rng)?;
    /// let found = walk.certify(&y, "diagonal", Some(&states), &BoundSettings::default(), &mut rng)?;
    /// assert!(found.width().is_some_and(|nats| nats > 0.0 && nats < 0.05 * 200.0));
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::Unsupported`] for a model of counts or of continuous time; as [`DiscreteChain::new`], [`NormalChain::linear`],
    /// [`NormalChain::nonlinear`], [`lower_bound`] and [`upper_bound`]; [`Error::Size`] for states of another kind of model.
    pub fn certify<R: Rng + ?Sized>(
        &self,
        data: &Sequence,
        factorisation: &str,
        states: Option<&SampledStates>,
        settings: &BoundSettings,
        rng: &mut R,
    ) -> Result<Certificate> {
        match self {
            Self::Hmm(model) => {
                let q = DiscreteChain::new(model, data, &hmm_factorisation(factorisation)?)?;
                let states = states.map(|states| match states {
                    SampledStates::Discrete(states) => Ok(&states[..]),
                    _ => Err(other_states("vectors", "numbers")),
                });
                bounds(&q, q.elbo(), states.transpose()?, settings, rng)
            }
            Self::LinearGaussian(model) => {
                let q = NormalChain::linear(model, data, gaussian_factorisation(factorisation)?)?;
                bounds(&q, q.elbo(), vectors(states)?, settings, rng)
            }
            Self::Nonlinear(model) => {
                let config = NonlinearConfig {
                    elbo: elbo_kind(factorisation)?,
                    ..NonlinearConfig::default()
                };
                let q = NormalChain::nonlinear(model, data, config)?;
                bounds(&q, q.elbo(), vectors(states)?, settings, rng)
            }
            Self::DrivenHmm(_) => Err(Error::Unsupported {
                what: "an hmm with inputs in its transitions".to_owned(),
                asked: "be certified",
                why: "its filter is exact: score gives ln p itself",
            }),
            Self::Driven(_) => Err(Error::Unsupported {
                what: "a linear-gaussian model with inputs".to_owned(),
                asked: "be certified",
                why: "its filter is exact: score gives ln p itself",
            }),
            Self::Plds(_) => Err(Error::Unsupported {
                what: "a Poisson or Bernoulli linear dynamical system".to_owned(),
                asked: "be certified",
                why: "the bounds are for hmm, linear-gaussian and the nonlinear kinds; its smoother gives a lower bound",
            }),
            Self::Slds(_) => Err(Error::Unsupported {
                what: "a switching linear dynamical system".to_owned(),
                asked: "be certified",
                why: "the bounds are for hmm, linear-gaussian and the nonlinear kinds; its smoother gives a lower bound",
            }),
            Self::Generalised(_) => Err(Error::Unsupported {
                what: "a model of continuous time".to_owned(),
                asked: "be certified",
                why: "its noise has a past, so that its states have no transition density; the bounds are for hmm, \
                      linear-gaussian and the nonlinear kinds",
            }),
        }
    }
}

fn bounds<P: Proposal, R: Rng + ?Sized>(
    q: &P,
    elbo: f64,
    states: Option<&P::States>,
    settings: &BoundSettings,
    rng: &mut R,
) -> Result<Certificate> {
    Ok(Certificate {
        free_energy: -elbo,
        lower: lower_bound(q, settings, rng)?,
        upper: states
            .map(|states| upper_bound(q, &[states], settings, rng))
            .transpose()?,
    })
}

fn vectors(states: Option<&SampledStates>) -> Result<Option<&[Vec<f64>]>> {
    match states {
        None => Ok(None),
        Some(SampledStates::Vectors(states)) => Ok(Some(states)),
        Some(_) => Err(other_states("numbers", "vectors")),
    }
}

fn other_states(found: &str, expected: &str) -> Error {
    Error::size("states", found, expected)
}
