//! The posterior of all states given all observations, and the decoding of discrete ones, for a model of any kind.

use crate::any_model::AnyModel;
use crate::gaussian::Gaussian;
use crate::hmm::{Emission, Hmm};
use crate::nonlinear::models::AnyStateSpace;
use crate::nonlinear::{Kernel, NonlinearConfig, NonlinearFilter, StateSpace};
use crate::switching::Slds;
use crate::{Belief, Error, GaussianBelief, Moments, Result, Sequence};

/// Beliefs about every state of a sequence given all of its observations.
#[derive(Debug, Clone, PartialEq)]
pub struct AnySmoothed {
    beliefs: Beliefs,
    /// Probabilities of the regimes of a switching model `[T, K]`.
    regimes: Vec<f64>,
    elbo: f64,
}

#[derive(Debug, Clone, PartialEq)]
enum Beliefs {
    /// γ `[T, K]`, and K.
    Discrete(Vec<f64>, usize),
    /// Means `[T, n]`, covariances `[T, n, n]`, and n.
    Gaussian(Vec<f64>, Vec<f64>, usize),
}

impl AnySmoothed {
    /// T.
    pub fn len(&self) -> usize {
        match &self.beliefs {
            Beliefs::Discrete(rows, k) => rows.len() / k,
            Beliefs::Gaussian(means, _, n) => means.len() / n,
        }
    }

    /// Whether there is no observation.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// p(s_t|o_1…o_T) or its Gaussian, t from 0; `None` past the end.
    pub fn belief(&self, t: usize) -> Option<Belief<'_>> {
        match &self.beliefs {
            Beliefs::Discrete(rows, k) => rows.chunks_exact(*k).nth(t).map(Belief::Discrete),
            Beliefs::Gaussian(means, covariances, n) => {
                let mean = means.chunks_exact(*n).nth(t)?;
                let covariance = covariances.chunks_exact(n * n).nth(t)?;
                let k = self.regimes.len() / self.len();
                Some(Belief::Gaussian(GaussianBelief {
                    mean,
                    covariance,
                    regimes: self.regimes.get(t * k..(t + 1) * k)?,
                    ..GaussianBelief::default()
                }))
            }
        }
    }

    /// ln p(o_1…o_T) in nats where the model is exact, else the bound.
    pub fn elbo(&self) -> f64 {
        self.elbo
    }
}

/// How a path of states is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decoding {
    /// The path of highest p(s_1…s_T|o_1…o_T).
    Viterbi,
    /// At each time the state of highest p(s_t|o_1…o_T): the most states right on average, of a path that may be
    /// impossible as a whole.
    Posterior,
}

/// A path of discrete states.
#[derive(Debug, Clone, PartialEq)]
pub struct Decoded {
    /// s_1 … s_T, numbers from 0.
    pub states: Vec<usize>,
    /// p(s_t|o_1…o_T) of each of them.
    pub probabilities: Vec<f64>,
    /// ln p(s_1…s_T, o_1…o_T), in nats; −∞ for a path that is impossible as a whole.
    pub log_joint: f64,
    /// ln p(s_1…s_T|o_1…o_T), in nats; at most this, where ln p(o_1…o_T) is known by a lower bound alone (switching models).
    pub log_posterior: f64,
}

impl AnyModel {
    /// The posterior of every state given all observations: exact for hidden Markov and linear-Gaussian models, the
    /// Gaussian of highest bound for Poisson and Bernoulli linear dynamical systems (eq. F74), q(s) q(x) for switching ones (eq. F113), that
    /// of the reversed factorisation (eq. F2) for nonlinear ones.
    ///
    /// ```
    /// use scotopic_filtering::{AnyModel, Sequence, gaussian::LinearGaussian};
    /// # fn main() -> scotopic_filtering::Result<()> {
    /// let walk = LinearGaussian::from_rows(&[[1.0]], &[[0.1]], &[[1.0]], &[[1.0]])?;
    /// let smoothed = AnyModel::LinearGaussian(walk).smooth(&Sequence::of_numbers([0.3, 0.1, 0.4])?)?;
    /// assert_eq!(smoothed.len(), 3);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::Unsupported`] for a model of continuous time; what the smoothers say of the observations.
    pub fn smooth(&self, sequence: &Sequence) -> Result<AnySmoothed> {
        match self {
            Self::Hmm(model) => {
                let smoothed = model.smooth(sequence)?;
                let (marginals, elbo) = (smoothed.marginals(), smoothed.log_evidence());
                Ok(discrete(marginals, model.states(), elbo))
            }
            Self::DrivenHmm(model) => {
                let smoothed = model.smooth(sequence)?;
                let (marginals, elbo) = (smoothed.marginals(), smoothed.log_evidence());
                Ok(discrete(marginals, model.states(), elbo))
            }
            Self::LinearGaussian(model) => {
                let smoothed = model.smooth(sequence)?;
                let (beliefs, elbo) = (smoothed.smoothed(), smoothed.log_evidence());
                Ok(normal(beliefs, model.states(), &[], elbo))
            }
            Self::Driven(model) => {
                let smoothed = model.smooth(sequence)?;
                let (beliefs, elbo) = (smoothed.smoothed(), smoothed.log_evidence());
                Ok(normal(beliefs, model.states(), &[], elbo))
            }
            Self::Plds(model) => {
                let smoothed = model.smooth(sequence)?;
                let (beliefs, elbo) = (smoothed.beliefs(), smoothed.elbo());
                Ok(normal(beliefs, model.states(), &[], elbo))
            }
            Self::Slds(model) => {
                let smoothed = model.smooth(sequence)?;
                let (beliefs, elbo) = (smoothed.beliefs(), smoothed.elbo());
                Ok(normal(beliefs, model.states(), smoothed.regimes(), elbo))
            }
            Self::Nonlinear(model) => nonlinear(model, sequence),
            Self::Generalised(_) => Err(Error::Unsupported {
                what: "a model of continuous time".to_owned(),
                asked: "be smoothed over a whole series",
                why: "its noise remembers the past, and all of it would have to be kept; filter it, or with a fixed lag in \
                      the library (CausalConfig::lag)",
            }),
        }
    }

    /// What a belief about the state says of the noise-free part of each entry of its observation, as
    /// [`Filter::signal`](crate::Filter::signal): not a number for what the kind of model does not say.
    pub fn signal(&self, belief: Belief<'_>) -> Moments {
        match (self, belief) {
            (Self::Hmm(model), Belief::Discrete(q)) => model.signal(q),
            (Self::DrivenHmm(model), Belief::Discrete(q)) => model.signal(q),
            (Self::LinearGaussian(model), Belief::Gaussian(q)) => {
                model.signal(q.mean, q.covariance)
            }
            (Self::Plds(model), Belief::Gaussian(q)) => model.signal(q.mean, q.covariance),
            (Self::Slds(model), Belief::Gaussian(q)) => {
                model.signal(q.regimes, q.mean, q.covariance)
            }
            (Self::Nonlinear(model), Belief::Gaussian(q)) => {
                let signal = model.signal(q.mean, q.covariance);
                signal.unwrap_or_else(|| Moments::unknown(self.width()))
            }
            _ => Moments::unknown(self.width()),
        }
    }

    /// The states that the observations tell of, by Viterbi's algorithm or one by one; of a switching model the regimes, by q(s_1…s_T).
    ///
    /// ```
    /// use scotopic_filtering::hmm::{Hmm, Poisson};
    /// use scotopic_filtering::{AnyModel, Decoding, Sequence};
    /// # fn main() -> scotopic_filtering::Result<()> {
    /// let counts = Poisson::new(vec![vec![1.0], vec![20.0]])?;
    /// let model = Hmm::new(vec![0.5, 0.5], vec![vec![0.9, 0.1], vec![0.1, 0.9]], counts.into())?;
    /// let seen = Sequence::of_numbers([1.0, 0.0, 22.0])?;
    /// let path = AnyModel::Hmm(model).decode(&seen, Decoding::Viterbi)?;
    /// assert_eq!(path.states, [0, 0, 1]);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::Unsupported`] for a state that is not discrete; what the smoother says of the observations.
    pub fn decode(&self, sequence: &Sequence, how: Decoding) -> Result<Decoded> {
        match self {
            Self::Hmm(model) => {
                let smoothed = model.smooth(sequence)?;
                let posterior = (smoothed.marginals(), smoothed.log_evidence());
                let states = match how {
                    Decoding::Viterbi => model.viterbi(sequence)?.0,
                    Decoding::Posterior => most_probable_states(posterior.0, model.states()),
                };
                let log_joint = log_joint(model, sequence, &states)?;
                Ok(decoded(states, log_joint, posterior, model.states()))
            }
            Self::DrivenHmm(model) => {
                let smoothed = model.smooth(sequence)?;
                let posterior = (smoothed.marginals(), smoothed.log_evidence());
                let states = match how {
                    Decoding::Viterbi => model.viterbi(sequence)?.0,
                    Decoding::Posterior => most_probable_states(posterior.0, model.states()),
                };
                let log_joint = model.log_joint(sequence, &states)?;
                Ok(decoded(states, log_joint, posterior, model.states()))
            }
            Self::Slds(model) => regimes(model, sequence, how),
            other => Err(Error::Unsupported {
                what: format!("a {}", other.described()),
                asked: "be decoded",
                why: "its state is a vector, not one of several; smooth gives its posterior, whose means are the most \
                      probable path of a linear-Gaussian model",
            }),
        }
    }
}

/// γ `[T·k]` and the evidence of it.
fn discrete(marginals: &[f64], k: usize, elbo: f64) -> AnySmoothed {
    AnySmoothed {
        beliefs: Beliefs::Discrete(marginals.to_vec(), k),
        regimes: Vec::new(),
        elbo,
    }
}

/// Beliefs about `states` numbers each, and about regimes `[T·K]` if there are any.
fn normal(beliefs: &[Gaussian], states: usize, regimes: &[f64], elbo: f64) -> AnySmoothed {
    let (mut means, mut covariances) = (Vec::new(), Vec::new());
    for belief in beliefs {
        means.extend_from_slice(belief.mean().as_slice());
        covariances.extend_from_slice(belief.covariance().as_slice());
    }
    AnySmoothed {
        beliefs: Beliefs::Gaussian(means, covariances, states),
        regimes: regimes.to_vec(),
        elbo,
    }
}

/// Filters by the reversed factorisation, and pushes the last belief back through its kernels.
fn nonlinear(model: &AnyStateSpace, sequence: &Sequence) -> Result<AnySmoothed> {
    let mut filter = NonlinearFilter::new(model.clone(), NonlinearConfig::default())?;
    let mut kernels: Vec<Kernel> = Vec::with_capacity(sequence.len());
    for row in sequence.iter() {
        filter.update(row)?;
        kernels.extend(filter.kernel().cloned());
    }
    let n = filter.mean().len();
    let mut means = vec![filter.mean().to_vec()];
    let mut covariances = vec![filter.covariance().to_vec()];
    for kernel in kernels.iter().rev() {
        let (Some(m), Some(p)) = (means.last(), covariances.last()) else {
            break;
        };
        let (mean, covariance) = pushed(kernel, m, p, n);
        means.push(mean);
        covariances.push(covariance);
    }
    means.truncate(sequence.len());
    means.reverse();
    covariances.truncate(sequence.len());
    covariances.reverse();
    Ok(AnySmoothed {
        beliefs: Beliefs::Gaussian(means.concat(), covariances.concat(), n),
        regimes: Vec::new(),
        elbo: filter.elbo(),
    })
}

/// N(E m + f, L + E P Eᵀ).
fn pushed(kernel: &Kernel, m: &[f64], p: &[f64], n: usize) -> (Vec<f64>, Vec<f64>) {
    let e = |i: usize| &kernel.slope[i * n..(i + 1) * n];
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let mean = (0..n).map(|i| dot(e(i), m) + kernel.offset[i]).collect();
    let mut covariance = kernel.covariance.clone();
    for i in 0..n {
        let row: Vec<f64> = (0..n).map(|k| dot(e(i), &p[k * n..(k + 1) * n])).collect();
        for j in 0..n {
            covariance[i * n + j] += dot(&row, e(j));
        }
    }
    (mean, covariance)
}

/// The regimes of a switching model: the best of paths under q(s), each with the ln p of the Kalman filter along it.
fn regimes(model: &Slds, sequence: &Sequence, how: Decoding) -> Result<Decoded> {
    let (smoothed, k) = (model.smooth(sequence)?, model.regimes_len());
    let states = match how {
        Decoding::Viterbi => smoothed.most_probable_path(model),
        Decoding::Posterior => most_probable_states(smoothed.regimes(), k),
    };
    let log_joint = model.path_evidence(sequence, &states)?;
    // One path is part of the evidence, and the bound is below it.
    let least = smoothed.elbo().max(log_joint);
    Ok(decoded(states, log_joint, (smoothed.regimes(), least), k))
}

/// A path of known ln p(s_1…s_T, o_1…o_T), given γ `[T·k]` and ln p(o_1…o_T).
fn decoded(states: Vec<usize>, log_joint: f64, posterior: (&[f64], f64), k: usize) -> Decoded {
    let (marginals, log_evidence) = posterior;
    let rows = marginals.chunks_exact(k).zip(&states);
    Decoded {
        probabilities: rows.map(|(row, s)| row[*s]).collect(),
        log_posterior: log_joint - log_evidence,
        log_joint,
        states,
    }
}

fn most_probable_states(marginals: &[f64], k: usize) -> Vec<usize> {
    marginals.chunks_exact(k).map(most_probable).collect()
}

/// The first of the most probable states.
fn most_probable(row: &[f64]) -> usize {
    let better = |best: usize, k: usize| if row[k] > row[best] { k } else { best };
    (1..row.len()).fold(0, better)
}

/// ln p(s_1…s_T, o_1…o_T) = ln π_{s_1} + Σ ln A[s_{t−1}, s_t] + Σ ln p(o_t|s_t).
fn log_joint(model: &Hmm, sequence: &Sequence, states: &[usize]) -> Result<f64> {
    let sequence = &*model.lagged(sequence)?;
    let k = model.states();
    let mut likelihood = vec![0.0; k];
    let mut sum = 0.0;
    for (t, (observation, s)) in sequence.iter().zip(states).enumerate() {
        sum += match t {
            0 => model.initial()[*s].ln(),
            _ => model.transition()[states[t - 1] * k + s].ln(),
        };
        if let Some(o) = observation {
            let asked = model.emission().log_likelihood(o, &mut likelihood);
            asked.map_err(|e| e.at_observation(t as u64))?;
            sum += likelihood[*s];
        }
    }
    Ok(sum)
}
