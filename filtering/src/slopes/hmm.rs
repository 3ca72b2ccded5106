//! Of hidden Markov models.

use super::Coordinate::{self, Log, Logit, Value};
use super::{Slope, Slopes};
use crate::hmm::{AnyEmission, DrivenHmm, Emission, Hmm, Learnable};
use crate::{Result, Sequence};

/// One parameter within what [`Learnable::score`] says of a state.
struct Part {
    parameter: &'static str,
    by: Coordinate,
    /// The sizes of one state's.
    shape: Vec<usize>,
    /// By the coordinate of the score it is so much a unit of this one.
    factor: f64,
}

impl Part {
    fn new(parameter: &'static str, by: Coordinate, shape: &[usize]) -> Self {
        Self {
            parameter,
            by,
            shape: shape.to_vec(),
            factor: 1.0,
        }
    }
}

/// The parameters of a state in the order of its score; none of an autoregression, which has a score of its own.
fn parts(emission: &AnyEmission) -> Vec<Part> {
    let d = [emission.width()];
    let per_state = emission.parameters_len();
    match emission {
        AnyEmission::Categorical(_) => vec![Part::new("probabilities", Logit, &[per_state])],
        AnyEmission::Bernoulli(_) => vec![Part::new("probabilities", Logit, &[per_state])],
        AnyEmission::Poisson(_) => vec![Part::new("rates", Log, &[per_state])],
        AnyEmission::DiagonalGaussian(_) => {
            vec![
                Part::new("means", Value, &d),
                Part::new("variances", Log, &d),
            ]
        }
        AnyEmission::FullGaussian(_) => vec![
            Part::new("means", Value, &d),
            Part::new("covariances", Value, &[d[0], d[0]]),
        ],
        AnyEmission::NegativeBinomial(_) => {
            let d = [per_state / 2];
            vec![Part::new("means", Log, &d), Part::new("shapes", Log, &d)]
        }
        AnyEmission::StudentT(_) => vec![
            Part::new("locations", Value, &d),
            Part {
                // The score is by ln σ².
                factor: 2.0,
                ..Part::new("scales", Log, &d)
            },
            Part::new("freedoms", Log, &d),
        ],
        AnyEmission::LogisticRegression(_) | AnyEmission::PoissonRegression(_) => {
            vec![Part::new("weights", Value, &[per_state])]
        }
        AnyEmission::LinearRegression(_) => vec![
            Part::new("weights", Value, &[per_state - 1]),
            Part::new("variances", Log, &[]),
        ],
        AnyEmission::Autoregression(_) => Vec::new(),
    }
}

/// Those of the emission by its expected statistics `[K, P]`.
fn of_emission(emission: &AnyEmission, statistics: &[f64]) -> Vec<Slope> {
    if let AnyEmission::Autoregression(own) = emission {
        return own.slopes(statistics);
    }
    let (k, q) = (emission.states(), emission.parameters_len());
    let mut score = vec![0.0; k * q];
    emission.score(statistics, &mut score);
    let mut first = 0;
    let mut slopes = Vec::new();
    for part in parts(emission) {
        let size = part.shape.iter().product::<usize>();
        let own = score
            .chunks_exact(q)
            .flat_map(|row| &row[first..first + size]);
        slopes.push(Slope {
            parameter: part.parameter,
            by: part.by,
            values: own.map(|slope| part.factor * slope).collect(),
            shape: [&[k], &part.shape[..]].concat(),
        });
        first += size;
    }
    slopes
}

fn chain(initial: Vec<f64>, transition: Vec<f64>) -> Vec<Slope> {
    let k = initial.len();
    vec![
        Slope {
            parameter: "initial",
            by: Logit,
            shape: vec![k],
            values: initial,
        },
        Slope {
            parameter: "transition",
            by: Logit,
            shape: vec![k, k],
            values: transition,
        },
    ]
}

impl Hmm {
    pub(super) fn slopes(&self, sequences: &[Sequence]) -> Result<Slopes> {
        let expected = self.expectations(sequences)?;
        let found = self.gradient_of(&expected);
        let mut each = chain(found.initial, found.transition);
        each.extend(of_emission(self.emission(), &expected.emission));
        Ok(Slopes {
            each,
            log_evidence: expected.log_evidence,
        })
    }
}

impl DrivenHmm {
    pub(super) fn slopes(&self, sequences: &[Sequence]) -> Result<Slopes> {
        let (found, expected) = self.gradient_and_expectations(sequences)?;
        let (k, m) = (self.states(), self.origin().len());
        let mut each = chain(found.initial, found.transition);
        each.push(Slope {
            parameter: "transition_weights",
            by: Value,
            shape: vec![k, k, m],
            values: found.weights,
        });
        each.extend(of_emission(self.base().emission(), &expected.emission));
        Ok(Slopes {
            each,
            log_evidence: found.log_evidence,
        })
    }
}
