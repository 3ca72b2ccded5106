//! Expected statistics of whole sequences: values that add up, wherever the sequences were seen.

use nalgebra::DVector;
use serde::{Deserialize, Serialize};

use super::fit::add_dynamics;
use super::model::Plds;
use super::neuron::Rows;
use crate::gaussian::{Gaussian, Regression, Statistics};
use crate::{Error, Result, Sequence};

/// What the E-step expects of sequences: sums for F, b, Q, m0 and P0 (eq. F75), and for the loadings, whose maximum is found by Newton's
/// method (eq. F76) and no function of sums, the rows that were seen beside the smoothed beliefs of their times. So it grows with the
/// data: N + n + n² numbers a row.
///
/// ```
/// use scotopic_filtering::Sequence;
/// use scotopic_filtering::plds::{CountLaw, Plds};
/// # fn main() -> scotopic_filtering::Result<()> {
/// let model = Plds::from_rows(CountLaw::Poisson, &[[0.9]], &[[0.2]], &[[1.0], [-1.0]], &[0.5, 0.5])?;
/// let (one, other) = (Sequence::of_rows([[2.0, 0.0], [3.0, 1.0]])?, Sequence::of_rows([[0.0, 4.0], [1.0, 2.0]])?);
/// let mut sum = model.expectations(&[one.clone()])?;
/// sum.add(&model.expectations(&[other.clone()])?)?;
/// assert_eq!(sum, model.expectations(&[one, other])?);
/// let better = model.maximised(&sum)?; // one iteration of EM
/// # assert_eq!(better.width(), 2);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PldsStatistics {
    dynamics: Statistics,
    sequences: u64,
    observations: u64,
    elbo: f64,
    /// Rows that were seen `[R·N]`, NaN for an entry that is missing.
    rows: Vec<f64>,
    /// Of the beliefs of their times `[R·n]`, `[R·n·n]`.
    means: Vec<f64>,
    covariances: Vec<f64>,
}

impl PldsStatistics {
    /// The smoother's bound of ln p, nats (eq. F74).
    pub fn elbo(&self) -> f64 {
        self.elbo
    }

    /// Σ T over the sequences.
    pub fn observations(&self) -> u64 {
        self.observations
    }

    /// N and n.
    fn sizes(&self) -> [usize; 2] {
        let of = |regression: &Regression| regression.coefficients().nrows();
        [
            of(self.dynamics.observation()),
            of(self.dynamics.transition()),
        ]
    }

    /// Adds those of other sequences, under the same model.
    ///
    /// # Errors
    /// [`Error::Size`] for those of a model of other sizes.
    pub fn add(&mut self, other: &Self) -> Result<()> {
        check_sizes(other.sizes(), self.sizes())?;
        self.dynamics.add(1.0, &other.dynamics);
        self.sequences += other.sequences;
        self.observations += other.observations;
        self.elbo += other.elbo;
        self.rows.extend_from_slice(&other.rows);
        self.means.extend_from_slice(&other.means);
        self.covariances.extend_from_slice(&other.covariances);
        Ok(())
    }
}

fn check_sizes(found: [usize; 2], expected: [usize; 2]) -> Result<()> {
    let said = |[m, n]: [usize; 2]| format!("{m} neurons and {n} latents");
    match found == expected {
        true => Ok(()),
        false => Err(Error::size("statistics", said(found), said(expected))),
    }
}

impl Plds {
    /// The E-step: expected statistics of sequences under this model.
    ///
    /// # Errors
    /// As [`Plds::smooth`].
    pub fn expectations(&self, sequences: &[Sequence]) -> Result<PldsStatistics> {
        let mut found = PldsStatistics {
            dynamics: Statistics::new(self.predictor()),
            sequences: 0,
            observations: 0,
            elbo: 0.0,
            rows: Vec::new(),
            means: Vec::new(),
            covariances: Vec::new(),
        };
        for sequence in sequences {
            let smoothed = self.smooth(sequence)?;
            add_dynamics(self, &smoothed, &mut found.dynamics);
            if let Some(first) = smoothed.beliefs().first() {
                found.dynamics.add_start(first);
            }
            for (row, belief) in sequence.iter().zip(smoothed.beliefs()) {
                let Some(row) = row else { continue };
                found.rows.extend_from_slice(row);
                found.means.extend_from_slice(belief.mean().as_slice());
                let covariance = belief.covariance().as_slice();
                found.covariances.extend_from_slice(covariance);
            }
            found.sequences += 1;
            found.observations += sequence.len() as u64;
            found.elbo += smoothed.elbo();
        }
        Ok(found)
    }

    /// The M-step (eqs. F75, F76): the parameters that are best for expected statistics, as [`Plds::fit`] finds them in an iteration.
    ///
    /// # Errors
    /// [`Error::Size`] for statistics of a model of other sizes; as [`Plds::fit`].
    pub fn maximised(&self, statistics: &PldsStatistics) -> Result<Self> {
        let (m, n) = (self.width(), self.states());
        check_sizes(statistics.sizes(), [m, n])?;
        let rows = statistics.rows.chunks_exact(m);
        let count = rows.len();
        if statistics.means.len() != count * n || statistics.covariances.len() != count * n * n {
            let found = format!("{} means", statistics.means.len());
            return Err(Error::size(
                "statistics",
                found,
                format!("{} numbers", count * n),
            ));
        }
        let moments = statistics
            .means
            .chunks_exact(n)
            .zip(statistics.covariances.chunks_exact(n * n));
        let beliefs: Vec<Gaussian> = moments.map(|(m, s)| Gaussian::from_flat(m, s)).collect();
        let pairs = rows.zip(&beliefs).collect();
        self.maximised_of(&statistics.dynamics, pairs, statistics.sequences > 1)
    }

    /// The M-step from sums for the dynamics, and rows beside beliefs; m0 and P0 if `initial`.
    pub(super) fn maximised_of(
        &self,
        dynamics: &Statistics,
        pairs: Vec<(&[f64], &Gaussian)>,
        initial: bool,
    ) -> Result<Self> {
        let rows = Rows::new(self, pairs);
        let loadings: Vec<DVector<f64>> = (0..self.width())
            .map(|i| rows.best(i, self.row(i)))
            .collect::<Result<_>>()?;
        self.with_dynamics(dynamics, initial, 0.0)?
            .with_rows(&loadings)
    }
}

#[cfg(test)]
mod tests {
    use nalgebra::DMatrix;

    use super::*;
    use crate::plds::{CountLaw, PldsFit};

    fn data() -> [Sequence; 2] {
        let wave = |t: u32, sign: f64| (2.0 + 2.0 * sign * (0.2 * f64::from(t)).sin()).round();
        let row = |t: u32| [wave(t, 1.0), wave(t, -1.0), wave(t, 0.5)];
        let mut one = Sequence::of_rows((0..40).map(row)).unwrap();
        one.push(None).unwrap();
        one.push(Some(&[f64::NAN, 1.0, 2.0])).unwrap();
        [one, Sequence::of_rows((9..60).map(row)).unwrap()]
    }

    #[test]
    fn a_step_from_added_parts_is_an_iteration_of_the_fit() {
        let (data, law) = (data(), CountLaw::Poisson);
        let none = PldsFit {
            max_iterations: 0,
            ..PldsFit::default()
        };
        let start = Plds::fit_latents(law, 1, &data, &none).unwrap().model;
        let one = PldsFit {
            max_iterations: 1,
            ..none
        };
        let fitted = start.fit(&data, &one).unwrap();
        // The same numbers in the same order.
        let whole = start.expectations(&data).unwrap();
        assert_eq!(start.maximised(&whole).unwrap(), fitted.model);
        assert_eq!((whole.elbo(), whole.observations()), (fitted.elbo[0], 93));
        // Sums of sums round otherwise.
        let mut sum = start.expectations(&data[..1]).unwrap();
        sum.add(&start.expectations(&data[1..]).unwrap()).unwrap();
        let added = start.maximised(&sum).unwrap();
        let close = |a: &DMatrix<f64>, b: &DMatrix<f64>| (a - b).amax() < 1e-12;
        assert!(close(added.transition(), fitted.model.transition()));
        assert!(close(added.process_noise(), fitted.model.process_noise()));
        assert!(close(added.loadings(), fitted.model.loadings()));
    }

    #[test]
    fn statistics_of_other_sizes_are_refused() {
        let of = |c: &[[f64; 1]], d: &[f64]| {
            Plds::from_rows(CountLaw::Poisson, &[[0.9]], &[[0.2]], c, d).unwrap()
        };
        let (small, large) = (of(&[[1.0]], &[0.0]), of(&[[1.0], [0.5]], &[0.0, 0.0]));
        let few = Sequence::of_symbols([1, 2]).unwrap();
        let mut own = small.expectations(&[few]).unwrap();
        let two = Sequence::of_rows([[1.0, 2.0], [0.0, 1.0]]).unwrap();
        assert!(own.add(&large.expectations(&[two]).unwrap()).is_err());
        assert!(large.maximised(&own).is_err());
    }
}
