//! Of hidden Markov models.

use crate::Coordinate::{Logit, Value};
use crate::hmm::{DrivenHmm, Hmm, Learnable};
use crate::{Result, Sequence, Slope, Slopes};

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
        each.extend(self.emission().slopes(&expected.emission));
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
        each.extend(self.base().emission().slopes(&expected.emission));
        Ok(Slopes {
            each,
            log_evidence: found.log_evidence,
        })
    }
}
