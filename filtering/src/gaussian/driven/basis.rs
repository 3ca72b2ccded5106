//! What cannot be learned beside a diffuse start, because the basis of its states is in it.

use super::model::{DrivenGaussian, Regressor};
use crate::gaussian::GaussianFit;
use crate::gaussian::entry::{Entry, Parameter};
use crate::{Error, Result, Sequence};

impl DrivenGaussian {
    /// Refuses to learn what the scale of diffuse states is in: ln p of a diffuse start falls with ln|OᵀO| (eq. F51), where O, made of H
    /// and F, takes these states to the rows that fix them, and rises without end as O shrinks. One state is fixed by its first row,
    /// and its scale is held where an entry of H that the first row sees is fixed at a number other than 0.
    ///
    /// # Errors
    /// [`Error::Setting`] with the parameter.
    pub(super) fn check_basis(&self, fit: &GaussianFit, outputs: &[Sequence]) -> Result<()> {
        let diffuse = self.base.diffuse();
        let marked: Vec<usize> = (0..diffuse.len()).filter(|&j| diffuse[j]).collect();
        let (n, m) = (self.states(), self.outputs());
        let fixed = |parameter: Parameter, i: usize, j: usize| {
            let entry = Entry::new(parameter, (i, j));
            fit.constraints.fixed().contains(&entry)
        };
        let moves = |i: usize, j: usize| {
            let input = |r: &Regressor| (r.row, r.state) == (i, j);
            !self.regressors.iter().any(input) && !fixed(Parameter::Observation, i, j)
        };
        let scaled = marked.iter().any(|&j| (0..m).any(|i| moves(i, j)));
        let scale_is_held = |j: usize| {
            let holds = |i: usize| {
                fixed(Parameter::Observation, i, j) && self.base.observation()[(i, j)] != 0.0
            };
            let seen = |s: &Sequence| {
                let first = s
                    .iter()
                    .flatten()
                    .find(|row| row.iter().any(|y| !y.is_nan()));
                first.is_none_or(|row| (0..m).any(|i| holds(i) && !row[i].is_nan()))
            };
            outputs.iter().all(seen)
        };
        let held = matches!(marked[..], [only] if scale_is_held(only));
        let moving = (0..n).any(|i| (0..n).any(|j| !fixed(Parameter::Transition, i, j)));
        let (field, letter) = if fit.learned.observation && scaled && !held {
            ("learned.observation", "H")
        } else if fit.learned.transition && marked.len() > 1 && moving {
            ("learned.transition", "F")
        } else {
            return Ok(());
        };
        let expected = format!(
            "false beside a diffuse start, whose ln p rises without end as {letter} shrinks: name what is learned, such as Q and R (--learn \
             Q,R), fix the entries of {letter}, or give the model initial_mean and initial_covariance"
        );
        Err(Error::setting(field, true, expected))
    }
}
