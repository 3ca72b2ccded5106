//! Samples from a model of any kind, from its beginning or on from a belief.

use rand::{Rng, RngExt};

use crate::any_model::AnyModel;
use crate::gaussian::Gaussian;
use crate::generalised::GeneralisedModel;
use crate::generalised::causal::Generation;
use crate::hmm::Hmm;
use crate::nonlinear::models::AnyStateSpace;
use crate::nonlinear::{Simulate, StateSpace, simulate};
use crate::{AnyFilter, Belief, Error, Filter, Result, Sequence};

/// The states of a sample.
#[derive(Debug, Clone, PartialEq)]
pub enum SampledStates {
    /// s_1 … s_T, numbers from 0.
    Discrete(Vec<usize>),
    /// x_1 … x_T, `[n]` each.
    Vectors(Vec<Vec<f64>>),
    /// s_1 … s_T, numbers from 0, and x_1 … x_T, `[n]` each.
    Switching(Vec<usize>, Vec<Vec<f64>>),
}

impl AnyModel {
    /// `length` states and their observations, none missing. The same generator in the same state gives the same draws.
    ///
    /// ```
    /// use scotopic_filtering::rand::{SeedableRng, rngs::Xoshiro256PlusPlus};
    /// use scotopic_filtering::{AnyModel, gaussian::LinearGaussian};
    /// # fn main() -> scotopic_filtering::Result<()> {
    /// let walk = LinearGaussian::from_rows(&[[1.0]], &[[0.1]], &[[1.0]], &[[1.0]])?;
    /// let (_, y) = AnyModel::LinearGaussian(walk).sample(50, &mut Xoshiro256PlusPlus::seed_from_u64(1))?;
    /// assert_eq!(y.len(), 50);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::NotFinite`] where an unstable model leaves the range of numbers.
    pub fn sample<R: Rng>(&self, length: usize, rng: &mut R) -> Result<(SampledStates, Sequence)> {
        self.drawn(length, rng).map_err(|error| match error {
            Error::Observation { index, found, .. } => Error::NotFinite {
                index,
                what: "what was drawn",
                found: found.parse().unwrap_or(f64::NAN),
            },
            other => other,
        })
    }

    fn drawn<R: Rng>(&self, length: usize, rng: &mut R) -> Result<(SampledStates, Sequence)> {
        match self {
            Self::Hmm(model) => {
                let (states, y) = model.sample(length, rng)?;
                Ok((SampledStates::Discrete(states), y))
            }
            Self::LinearGaussian(model) => {
                let (states, y) = model.sample(length, rng)?;
                let states = states.iter().map(|x| x.as_slice().to_vec()).collect();
                Ok((SampledStates::Vectors(states), y))
            }
            Self::DrivenHmm(_) | Self::Driven(_) => Err(needs_inputs(self)),
            Self::Plds(model) => {
                let (states, y) = model.sample(length, rng)?;
                Ok((SampledStates::Vectors(states), y))
            }
            Self::Slds(model) => {
                let made = model.sample(length, rng)?;
                let states = made.states.iter().map(|x| x.as_slice().to_vec()).collect();
                Ok((
                    SampledStates::Switching(made.regimes, states),
                    made.observations,
                ))
            }
            Self::Nonlinear(model) => {
                let (states, y) = simulate(model, length, rng)?;
                Ok((SampledStates::Vectors(states), y))
            }
            Self::Generalised(model) => generated(model, length, rng),
        }
    }
}

impl AnyModel {
    /// [`AnyModel::sample`] of a model with inputs, one row `[input]` of `inputs` for each observation; they are the last entries of
    /// the observations.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for a kind of model without inputs; as [`Hmm::sample_given`].
    pub fn sample_given<R: Rng>(
        &self,
        inputs: &Sequence,
        rng: &mut R,
    ) -> Result<(SampledStates, Sequence)> {
        match self {
            Self::Hmm(model) => {
                let (states, y) = model.sample_given(inputs, rng)?;
                Ok((SampledStates::Discrete(states), y))
            }
            Self::DrivenHmm(model) => {
                let (states, y) = model.sample_given(inputs, rng)?;
                Ok((SampledStates::Discrete(states), y))
            }
            Self::Driven(model) => {
                let (states, y) = model.sample_given(inputs, rng)?;
                let states = states.iter().map(|x| x.as_slice().to_vec()).collect();
                Ok((SampledStates::Vectors(states), y))
            }
            _ => Err(no_inputs(self)),
        }
    }
}

fn needs_inputs(model: &AnyModel) -> Error {
    Error::Unsupported {
        what: model.described(),
        asked: "be drawn from without its inputs",
        why: "a row of inputs is given for each observation (sample_given, simulate_given)",
    }
}

fn no_inputs(model: &AnyModel) -> Error {
    Error::Unsupported {
        what: model.described(),
        asked: "take inputs",
        why: "of this kind of model none has any",
    }
}

/// Noise as smooth as the embedding says. A start that is not known is drawn about its mean.
fn generated<R: Rng>(
    model: &GeneralisedModel,
    length: usize,
    rng: &mut R,
) -> Result<(SampledStates, Sequence)> {
    let mut built = model.build()?;
    let deviation = model.start_variance.sqrt();
    for x in built
        .levels
        .iter_mut()
        .flat_map(|level| level.start.iter_mut())
    {
        let z: f64 = rng.sample(rand_distr::StandardNormal);
        *x += deviation * z;
    }
    let how = Generation {
        smoothness: model.embedding.smoothness,
        ..Generation::default()
    };
    let made = how.run(built, length, None, rng)?;
    let column = |m: &nalgebra::DMatrix<f64>, t: usize| m.column(t).iter().copied().collect();
    let states = (0..length).map(|t| column(&made.states, t)).collect();
    let mut y = Sequence::new(made.outputs.nrows())?;
    for t in 0..length {
        let row: Vec<f64> = column(&made.outputs, t);
        y.push(Some(&row))?;
    }
    Ok((SampledStates::Vectors(states), y))
}

impl AnyFilter {
    /// The next `ahead` observations, drawn jointly: a state of the belief, then the model.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for a model of continuous time, whose noise has a past; as [`AnyModel::sample`].
    pub fn simulate<R: Rng>(&self, ahead: usize, rng: &mut R) -> Result<Sequence> {
        match self {
            Self::HmmLagged(f) => return f.simulate(ahead, rng),
            Self::Slds(f) => return f.simulate(ahead, rng),
            _ => {}
        }
        let first = self.observations() == 0;
        match (self.model(), self.belief()) {
            (AnyModel::Hmm(model), Belief::Discrete(belief)) => {
                Ok(next(&model, belief, first)?.sample(ahead, rng)?.1)
            }
            (AnyModel::LinearGaussian(model), Belief::Gaussian(belief)) => {
                let now = Gaussian::from_flat(belief.mean, belief.covariance);
                let next = model.state_ahead(&now, self.observations(), 1);
                let on = model.with_initial(next.mean, next.covariance)?;
                Ok(on.sample(ahead, rng)?.1)
            }
            (model @ (AnyModel::DrivenHmm(_) | AnyModel::Driven(_)), _) => {
                Err(needs_inputs(&model))
            }
            (AnyModel::Plds(model), Belief::Gaussian(belief)) => {
                let now = Gaussian::from_flat(belief.mean, belief.covariance);
                Ok(model
                    .continued(&now, self.observations())?
                    .sample(ahead, rng)?
                    .1)
            }
            (AnyModel::Nonlinear(model), Belief::Gaussian(belief)) => {
                let on = Started {
                    model: &model,
                    mean: belief.mean,
                    covariance: belief.covariance,
                };
                let skipped = usize::from(!first);
                let (_, y) = simulate(&on, ahead + skipped, rng)?;
                Ok(y.part(skipped, ahead + skipped))
            }
            _ => Err(Error::Unsupported {
                what: "a filter of continuous time".to_owned(),
                asked: "draw what comes next",
                why: "its noise has a past; the mean and quantiles of its forecast are there (leave --samples out), and \
                      sample draws from the beginning",
            }),
        }
    }
}

impl AnyFilter {
    /// [`AnyFilter::simulate`] of a model with inputs, one row `[input]` of `inputs` for each observation.
    ///
    /// # Errors
    /// As [`AnyModel::sample_given`].
    pub fn simulate_given<R: Rng>(&self, inputs: &Sequence, rng: &mut R) -> Result<Sequence> {
        match self {
            Self::HmmDriven(filter) => return filter.simulate_given(inputs, rng),
            Self::Driven(filter) => return filter.simulate_given(inputs, rng),
            _ => {}
        }
        match (self.model(), self.belief()) {
            (AnyModel::Hmm(model), Belief::Discrete(belief)) => {
                let first = self.observations() == 0;
                Ok(next(&model, belief, first)?.sample_given(inputs, rng)?.1)
            }
            (other, _) => Err(no_inputs(&other)),
        }
    }
}

/// The model whose first state is the one after those of `belief`, which is about the first one before any observation.
fn next(model: &Hmm, belief: &[f64], first: bool) -> Result<Hmm> {
    let start = match first {
        true => belief.to_vec(),
        false => {
            let rows = model.transition().chunks_exact(model.states());
            let mut next = vec![0.0; belief.len()];
            for (q, row) in belief.iter().zip(rows) {
                next.iter_mut().zip(row).for_each(|(n, a)| *n += q * a);
            }
            next
        }
    };
    Hmm::from_flat(start, model.transition().to_vec(), model.emission().clone())
}

/// A model that starts from a belief.
struct Started<'a> {
    model: &'a AnyStateSpace,
    mean: &'a [f64],
    covariance: &'a [f64],
}

impl StateSpace for Started<'_> {
    fn dim(&self) -> usize {
        self.model.dim()
    }
    fn observed(&self) -> usize {
        self.model.observed()
    }
    fn initial_mean(&self) -> &[f64] {
        self.mean
    }
    fn initial_covariance(&self) -> &[f64] {
        self.covariance
    }
    fn noise(&self) -> &[f64] {
        self.model.noise()
    }
    fn mean(&self, state: &[f64], into: &mut [f64]) {
        self.model.mean(state, into);
    }
    fn log_likelihood(&self, observation: &[f64], state: &[f64]) -> f64 {
        self.model.log_likelihood(observation, state)
    }
}

impl Simulate for Started<'_> {
    fn draw<R: Rng + ?Sized>(&self, state: &[f64], rng: &mut R, into: &mut [f64]) {
        self.model.draw(state, rng, into);
    }
}
