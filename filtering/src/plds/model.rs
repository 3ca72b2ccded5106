//! The model: F, b, Q, C, d, m0, P0, ε and the law of observations.

use nalgebra::{DMatrix, DVector};
use serde::{Deserialize, Serialize};

use super::law::CountLaw;
use super::loadings::Loadings;
use crate::gaussian::LinearGaussian;
use crate::math::cholesky::cholesky;
use crate::{Error, Result};

/// A Poisson or Bernoulli linear dynamical system (eq. F70),
///
/// ```text
/// x_1 ~ N(m0, P0),   x_t = F x_{t−1} + b + N(0, Q),   η_t = C x_t + d,
/// y_ti ~ Poisson(ε exp η_ti)   or   y_ti ~ Bernoulli(1/(1 + exp(−η_ti))).
/// ```
///
/// The exposure ε is what rates are multiplied by, the width of a bin where d is in logarithms of rates per second; 1
/// unless given. Q and P0 must be positive definite.
///
/// ```
/// use scotopic_filtering::Sequence;
/// use scotopic_filtering::plds::{CountLaw, Plds};
/// # fn main() -> scotopic_filtering::Result<()> {
/// // Two neurons that follow one latent, one of them with the opposite sign.
/// let model = Plds::from_rows(CountLaw::Poisson, &[[0.95]], &[[0.1]], &[[1.0], [-0.5]], &[0.5, 0.0])?;
/// let spikes = Sequence::of_rows([[4.0, 0.0], [5.0, 1.0], [3.0, 0.0]])?;
/// let smoothed = model.smooth(&spikes)?;
/// assert!(smoothed.beliefs()[1].mean()[0] > 0.0 && smoothed.elbo() < 0.0);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "super::file::Parts", into = "super::file::Parts")]
pub struct Plds {
    law: CountLaw,
    exposure: f64,
    /// The states and their linear predictors C x + d as a linear-Gaussian model, whose noise of observations is not used.
    predictor: LinearGaussian,
}

impl Plds {
    /// A model from F `[n, n]`, Q `[n, n]`, C `[N, n]` and d `[N]`, with b = 0, m0 = 0, P0 = I and ε = 1.
    ///
    /// # Errors
    /// [`Error::Size`] where sizes do not go together, [`Error::Entry`] for an entry that is not finite or a covariance
    /// that is not symmetric, [`Error::NotPositiveDefinite`] for a Q that is not positive definite.
    pub fn new(
        law: CountLaw,
        f: DMatrix<f64>,
        q: DMatrix<f64>,
        c: DMatrix<f64>,
        d: DVector<f64>,
    ) -> Result<Self> {
        let (n, neurons) = (f.nrows(), c.nrows());
        let predictor = LinearGaussian::new(f, q, c, DMatrix::identity(neurons, neurons));
        let predictor = predictor.map_err(renamed)?;
        let predictor = predictor.with_bias(DVector::zeros(n), d)?;
        Self::of(law, 1.0, predictor)
    }

    /// The same from rows.
    ///
    /// # Errors
    /// As [`Plds::new`], and [`Error::Size`] for rows of different lengths.
    pub fn from_rows(
        law: CountLaw,
        f: &[impl AsRef<[f64]>],
        q: &[impl AsRef<[f64]>],
        c: &[impl AsRef<[f64]>],
        d: &[f64],
    ) -> Result<Self> {
        use crate::gaussian::matrix;
        Self::new(
            law,
            matrix("transition", f)?,
            matrix("process_noise", q)?,
            matrix("loadings", c)?,
            DVector::from_column_slice(d),
        )
    }

    /// Of states and linear predictors that were checked.
    pub(super) fn of(law: CountLaw, exposure: f64, predictor: LinearGaussian) -> Result<Self> {
        predictor.check_proper("a model of counts", "start diffuse")?;
        cholesky("process_noise", predictor.process_noise())?;
        cholesky("initial_covariance", predictor.initial_covariance())?;
        if !(exposure > 0.0 && exposure.is_finite()) {
            return Err(Error::entry("exposure", &[], exposure, "above 0"));
        }
        if law == CountLaw::Bernoulli && exposure != 1.0 {
            let expected = "1, for probabilities have no unit of time";
            return Err(Error::entry("exposure", &[], exposure, expected));
        }
        Ok(Self {
            law,
            exposure,
            predictor,
        })
    }

    /// The same with x_t = F x_{t−1} + **b** + …, b `[n]`.
    ///
    /// # Errors
    /// [`Error::Size`] for a wrong size, [`Error::Entry`] for an entry that is not finite.
    pub fn with_bias(self, b: DVector<f64>) -> Result<Self> {
        let d = self.offset().clone();
        Self::of(self.law, self.exposure, self.predictor.with_bias(b, d)?)
    }

    /// The same with x_1 ~ N(m0, P0).
    ///
    /// # Errors
    /// [`Error::Size`] for a wrong size, [`Error::Entry`] for an entry that is not finite,
    /// [`Error::NotPositiveDefinite`] for a P0 that is not positive definite.
    pub fn with_initial(self, m0: DVector<f64>, p0: DMatrix<f64>) -> Result<Self> {
        let predictor = self.predictor.with_initial(m0, p0)?;
        Self::of(self.law, self.exposure, predictor)
    }

    /// The same with rates times **ε**.
    ///
    /// # Errors
    /// [`Error::Entry`] for one that is not positive and finite, or not 1 for spikes or none.
    pub fn with_exposure(self, exposure: f64) -> Result<Self> {
        Self::of(self.law, exposure, self.predictor)
    }

    /// The same with other C `[N, n]` and d `[N]`.
    ///
    /// # Errors
    /// As [`Plds::new`].
    pub fn with_loadings(&self, c: DMatrix<f64>, d: DVector<f64>) -> Result<Self> {
        let p = &self.predictor;
        let new = Self::new(
            self.law,
            p.transition().clone(),
            p.process_noise().clone(),
            c,
            d,
        )?;
        new.with_bias(p.bias().clone())?
            .with_initial(p.initial_mean().clone(), p.initial_covariance().clone())?
            .with_exposure(self.exposure)
    }

    /// n, the latents.
    pub fn states(&self) -> usize {
        self.predictor.states()
    }

    /// N, the entries of one observation.
    pub fn width(&self) -> usize {
        self.predictor.width()
    }

    /// The law of an observation given its linear predictor.
    pub fn law(&self) -> CountLaw {
        self.law
    }

    /// ε.
    pub fn exposure(&self) -> f64 {
        self.exposure
    }

    /// F `[n, n]`.
    pub fn transition(&self) -> &DMatrix<f64> {
        self.predictor.transition()
    }

    /// b `[n]`.
    pub fn bias(&self) -> &DVector<f64> {
        self.predictor.bias()
    }

    /// Q `[n, n]`.
    pub fn process_noise(&self) -> &DMatrix<f64> {
        self.predictor.process_noise()
    }

    /// C `[N, n]`.
    pub fn loadings(&self) -> &DMatrix<f64> {
        self.predictor.observation()
    }

    /// d `[N]`.
    pub fn offset(&self) -> &DVector<f64> {
        self.predictor.offset()
    }

    /// m0 `[n]`.
    pub fn initial_mean(&self) -> &DVector<f64> {
        self.predictor.initial_mean()
    }

    /// P0 `[n, n]`.
    pub fn initial_covariance(&self) -> &DMatrix<f64> {
        self.predictor.initial_covariance()
    }

    /// The numbers that the evidence of observations can tell: entries of F, C, b, d, m0 and, once each, of Q and P0, less
    /// the n² + n of basis and origin of the latents.
    pub fn free_parameters(&self) -> usize {
        let (n, neurons) = (self.states(), self.width());
        neurons * n + neurons + n + n * (n + 1)
    }

    /// States and linear predictors.
    pub(crate) fn predictor(&self) -> &LinearGaussian {
        &self.predictor
    }

    /// C and d + ln ε for the inner loops.
    pub(super) fn tables(&self) -> Loadings {
        let rows = self.loadings().transpose();
        let shift = self.exposure.ln();
        let offset = self.offset().iter().map(|d| d + shift);
        Loadings::new(rows.as_slice(), offset.collect())
    }

    /// Checks a row: its width, and that what is seen of it is of the law.
    pub(super) fn check(&self, row: &[f64]) -> Result<()> {
        crate::sequence::check_partial_row(row, self.width())?;
        self.law.check(row)
    }

    /// Checks all rows of a sequence.
    pub(super) fn check_sequence(&self, sequence: &crate::Sequence) -> Result<()> {
        for (t, row) in sequence.iter().enumerate() {
            let checked = row.map_or(Ok(()), |row| self.check(row));
            checked.map_err(|e| e.at_observation(t as u64))?;
        }
        Ok(())
    }
}

/// The same error with C called by its name here.
fn renamed(error: Error) -> Error {
    error.renamed(|name| match name.as_str() {
        "observation" => "loadings".to_owned(),
        _ => name,
    })
}
