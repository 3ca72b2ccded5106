//! What cannot be learned beside a diffuse start, because the basis of its states is in it.

use super::model::{DrivenGaussian, Regressor};
use crate::gaussian::Learned;
use crate::{Error, Result};

impl DrivenGaussian {
    /// Refuses to learn what the scale of diffuse states is in: ln p of a diffuse start falls with ln|OᵀO| (eq. F51), where O, made of H
    /// and F, takes these states to the rows that fix them, and rises without end as O shrinks. One state is fixed by its first row.
    ///
    /// # Errors
    /// [`Error::Setting`] with the parameter.
    pub(super) fn check_basis(&self, learned: &Learned) -> Result<()> {
        let diffuse = self.base.diffuse();
        let marked = || (0..diffuse.len()).filter(|&j| diffuse[j]);
        let number = |i: usize, j: usize| {
            let input = |r: &Regressor| (r.row, r.state) == (i, j);
            !self.regressors.iter().any(input)
        };
        let scaled = marked().any(|j| (0..self.outputs()).any(|i| number(i, j)));
        let (field, letter) = if learned.observation && scaled {
            ("learned.observation", "H")
        } else if learned.transition && marked().count() > 1 {
            ("learned.transition", "F")
        } else {
            return Ok(());
        };
        let expected = format!(
            "false beside a diffuse start, whose ln p rises without end as {letter} shrinks: name what is learned, such as Q and R (--learn \
             Q,R), or give the model initial_mean and initial_covariance"
        );
        Err(Error::setting(field, true, expected))
    }
}
