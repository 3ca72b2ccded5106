//! A linear-Gaussian model in the interface of nonlinear ones.

use nalgebra::DMatrix;

use super::density::Density;
use crate::Result;
use crate::gaussian::LinearGaussian;
use crate::nonlinear::StateSpace;
use crate::sequence::check_partial_row;

/// A [`LinearGaussian`] as a [`StateSpace`], whose observations may miss entries: NaN (eq. F53).
#[derive(Debug, Clone)]
pub struct LinearStateSpace {
    model: LinearGaussian,
    /// F, Q, R, row by row.
    transition: Vec<f64>,
    process_noise: Vec<f64>,
    observation_noise: Vec<f64>,
    whole: Density,
}

/// Entries row by row.
pub(super) fn rows(matrix: &DMatrix<f64>) -> Vec<f64> {
    matrix.transpose().as_slice().to_vec()
}

impl LinearStateSpace {
    /// The same model.
    ///
    /// # Errors
    /// [`Error::Unsupported`](crate::Error::Unsupported) for a diffuse start, which has no density.
    pub fn new(model: &LinearGaussian) -> Result<Self> {
        model.check_proper("a diffuse start", "be weighed by particles")?;
        let noise = rows(model.observation_noise());
        Ok(Self {
            transition: rows(model.transition()),
            process_noise: rows(model.process_noise()),
            whole: Density::new("observation_noise", &noise, model.width())?,
            observation_noise: noise,
            model: model.clone(),
        })
    }

    fn expected(&self, row: usize, state: &[f64]) -> f64 {
        let h = self.model.observation();
        let terms = state.iter().enumerate();
        self.model.offset()[row] + terms.map(|(j, x)| h[(row, j)] * x).sum::<f64>()
    }
}

impl StateSpace for LinearStateSpace {
    fn dim(&self) -> usize {
        self.model.states()
    }
    fn observed(&self) -> usize {
        self.model.width()
    }
    fn initial_mean(&self) -> &[f64] {
        self.model.initial_mean().as_slice()
    }
    // P0 is symmetric: columns are rows.
    fn initial_covariance(&self) -> &[f64] {
        self.model.initial_covariance().as_slice()
    }
    fn noise(&self) -> &[f64] {
        &self.process_noise
    }

    fn mean(&self, state: &[f64], into: &mut [f64]) {
        let of_rows = self.transition.chunks_exact(state.len());
        for ((into, row), b) in into.iter_mut().zip(of_rows).zip(self.model.bias().iter()) {
            *into = b + row.iter().zip(state).map(|(f, x)| f * x).sum::<f64>();
        }
    }

    fn mean_slope(&self, _state: &[f64], into: &mut [f64]) {
        into.copy_from_slice(&self.transition);
    }

    fn log_likelihood(&self, observation: &[f64], state: &[f64]) -> f64 {
        let m = self.model.width();
        let seen: Vec<usize> = (0..m).filter(|&i| !observation[i].is_nan()).collect();
        let y: Vec<f64> = seen.iter().map(|&i| observation[i]).collect();
        let expected: Vec<f64> = seen.iter().map(|&i| self.expected(i, state)).collect();
        if seen.len() == m {
            return self.whole.log(&y, &expected);
        }
        let each = seen.iter();
        let part: Vec<f64> = each
            .flat_map(|i| seen.iter().map(move |j| i * m + j))
            .map(|at| self.observation_noise[at])
            .collect();
        // A principal minor of a positive definite matrix is positive definite.
        Density::new("observation_noise", &part, seen.len())
            .map_or(f64::NAN, |noise| noise.log(&y, &expected))
    }

    fn check(&self, observation: &[f64]) -> Result<()> {
        check_partial_row(observation, self.model.width())
    }
}
