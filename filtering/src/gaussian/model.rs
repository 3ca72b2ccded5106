//! The model: F, b, Q, H, d, R, m0, P0.

pub(super) mod file;

use nalgebra::{DMatrix, DVector};
use serde::{Deserialize, Serialize};

use super::matrices::{check_covariance, check_matrix, check_vector, matrix};
use super::start_kind::Start;
use crate::math::cholesky::{cholesky, semidefinite_root};
use crate::{Error, Result};

/// A linear-Gaussian state-space model,
///
/// ```text
/// x_1 ~ N(m0, P0),   x_t = F x_{t−1} + b + N(0, Q),   y_t = H x_t + d + N(0, R).
/// ```
///
/// R must be positive definite. Q and P0 may have directions of no variance (a position that only its
/// velocity moves, a start that is known); the filter, the smoother and sampling take them. What needs Q⁻¹
/// or P0⁻¹ (the value recursion, the restricted factorisations, gradients) says so by
/// [`Error::NotPositiveDefinite`].
///
/// ```
/// use scotopic_filtering::gaussian::LinearGaussian;
/// use scotopic_filtering::nalgebra::{DMatrix, DVector};
/// # fn main() -> scotopic_filtering::Result<()> {
/// // A point that drifts; its position is seen.
/// let model = LinearGaussian::from_rows(
///     &[[1.0, 0.1], [0.0, 1.0]],
///     &[[1e-4, 0.0], [0.0, 1e-2]],
///     &[[1.0, 0.0]],
///     &[[0.25]],
/// )?
/// .with_initial(DVector::zeros(2), DMatrix::identity(2, 2) * 10.0)?;
/// assert_eq!((model.states(), model.width()), (2, 1));
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "file::Parts", into = "file::Parts")]
pub struct LinearGaussian {
    transition: DMatrix<f64>,
    bias: DVector<f64>,
    process_noise: DMatrix<f64>,
    observation: DMatrix<f64>,
    offset: DVector<f64>,
    observation_noise: DMatrix<f64>,
    initial_mean: DVector<f64>,
    initial_covariance: DMatrix<f64>,
    /// The states that start exactly diffuse; none, or one mark a state.
    diffuse: Vec<bool>,
    /// What m0 and P0 are.
    start: Start,
    /// What the states are called; none, or one name a state.
    state_names: Vec<String>,
}

impl LinearGaussian {
    /// A model from F `[n, n]`, Q `[n, n]`, H `[m, n]` and R `[m, m]`, with b = 0, d = 0, m0 = 0, P0 = I.
    ///
    /// # Errors
    /// [`Error::Size`] where sizes do not go together, [`Error::Entry`] for an entry that is not finite or
    /// a covariance that is not symmetric, [`Error::NotPositiveDefinite`] for a Q that is not positive
    /// semi-definite or an R that is not positive definite.
    pub fn new(f: DMatrix<f64>, q: DMatrix<f64>, h: DMatrix<f64>, r: DMatrix<f64>) -> Result<Self> {
        let (n, m) = (f.nrows(), h.nrows());
        if n == 0 {
            return Err(Error::size("transition", "no state", "at least one"));
        }
        if m == 0 {
            return Err(Error::size(
                "observation",
                "no row",
                "at least one observed entry",
            ));
        }
        check_matrix("transition", &f, n, n)?;
        check_matrix("observation", &h, m, n)?;
        let q = check_covariance("process_noise", q, n)?;
        semidefinite_root("process_noise", &q)?;
        let r = check_covariance("observation_noise", r, m)?;
        cholesky("observation_noise", &r)?;
        Ok(Self {
            transition: f,
            bias: DVector::zeros(n),
            process_noise: q,
            observation: h,
            offset: DVector::zeros(m),
            observation_noise: r,
            initial_mean: DVector::zeros(n),
            initial_covariance: DMatrix::identity(n, n),
            diffuse: Vec::new(),
            start: Start::Given,
            state_names: Vec::new(),
        })
    }

    /// The same from rows: F `[n][n]`, Q `[n][n]`, H `[m][n]`, R `[m][m]`.
    ///
    /// # Errors
    /// As [`LinearGaussian::new`], and [`Error::Size`] for rows of different lengths.
    pub fn from_rows(
        f: &[impl AsRef<[f64]>],
        q: &[impl AsRef<[f64]>],
        h: &[impl AsRef<[f64]>],
        r: &[impl AsRef<[f64]>],
    ) -> Result<Self> {
        Self::new(
            matrix("transition", f)?,
            matrix("process_noise", q)?,
            matrix("observation", h)?,
            matrix("observation_noise", r)?,
        )
    }

    /// The same with x_t = F x_{t−1} + **b** + …, b `[n]`, and y_t = H x_t + **d** + …, d `[m]`.
    ///
    /// # Errors
    /// [`Error::Size`] for a wrong size, [`Error::Entry`] for an entry that is not finite.
    pub fn with_bias(mut self, b: DVector<f64>, d: DVector<f64>) -> Result<Self> {
        check_vector("bias", &b, self.states())?;
        check_vector("offset", &d, self.width())?;
        (self.bias, self.offset) = (b, d);
        match self.start {
            Start::Given => Ok(self),
            _ => {
                let before = self.clone();
                self.started_as(&before)
            }
        }
    }

    /// The same with x_1 ~ N(m0, P0), m0 `[n]`, P0 `[n, n]`.
    ///
    /// # Errors
    /// [`Error::Size`] for a wrong size, [`Error::Entry`] for an entry that is not finite or a P0 that is
    /// not symmetric, [`Error::NotPositiveDefinite`] for one that is not positive semi-definite.
    pub fn with_initial(mut self, m0: DVector<f64>, p0: DMatrix<f64>) -> Result<Self> {
        check_vector("initial_mean", &m0, self.states())?;
        let p0 = check_covariance("initial_covariance", p0, self.states())?;
        semidefinite_root("initial_covariance", &p0)?;
        (self.initial_mean, self.initial_covariance) = (m0, p0);
        self.diffuse = Vec::new();
        self.start = Start::Given;
        Ok(self)
    }

    /// The same with a start that says nothing about the states marked, `[n]`: P0 = P* + κ P∞, κ → ∞, where P∞ is 1 on
    /// their diagonal entries (eq. F51). m0 and P* of these states are 0. A start with m0 and P0
    /// ([`LinearGaussian::with_initial`]) removes the marks.
    ///
    /// ```
    /// use scotopic_filtering::{Sequence, gaussian::LinearGaussian};
    /// # fn main() -> scotopic_filtering::Result<()> {
    /// let walk = LinearGaussian::from_rows(&[[1.0]], &[[1.0]], &[[1.0]], &[[1.0]])?.with_diffuse(&[true])?;
    /// let (near, far) = (Sequence::of_numbers([1.0, 2.0])?, Sequence::of_numbers([101.0, 102.0])?);
    /// assert_eq!(walk.log_evidence(&near)?, walk.log_evidence(&far)?);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::Size`] for a wrong number of marks.
    pub fn with_diffuse(mut self, diffuse: &[bool]) -> Result<Self> {
        let n = self.states();
        if diffuse.len() != n {
            return Err(Error::size("diffuse", diffuse.len(), n));
        }
        for i in (0..n).filter(|&i| diffuse[i]) {
            self.initial_mean[i] = 0.0;
            self.initial_covariance.row_mut(i).fill(0.0);
            self.initial_covariance.column_mut(i).fill(0.0);
        }
        self.diffuse = match diffuse.contains(&true) {
            true => diffuse.to_vec(),
            false => Vec::new(),
        };
        if !self.diffuse.is_empty() {
            self.start = Start::Given;
        }
        Ok(self)
    }

    /// The same with a name for each state, `[n]`, or without names: for figures, summaries and files.
    ///
    /// ```
    /// use scotopic_filtering::gaussian::LinearGaussian;
    /// # fn main() -> scotopic_filtering::Result<()> {
    /// let walk = LinearGaussian::from_rows(&[[1.0]], &[[1.0]], &[[1.0]], &[[1.0]])?;
    /// let walk = walk.with_state_names(vec!["level".to_owned()])?;
    /// assert_eq!(walk.state_names(), ["level"]);
    /// assert!(walk.with_state_names(vec![String::new()]).is_err());
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::Size`] for a wrong number of names, [`Error::Setting`] for an empty one or one that is there twice.
    pub fn with_state_names(mut self, names: Vec<String>) -> Result<Self> {
        let n = self.states();
        if !names.is_empty() && names.len() != n {
            return Err(Error::size("state_names", names.len(), n));
        }
        let wrong = |i: &usize| names[*i].trim().is_empty() || names[..*i].contains(&names[*i]);
        if let Some(i) = (0..names.len()).find(wrong) {
            let found = format!("\"{}\"", names[i]);
            return Err(Error::setting(
                "state_names",
                found,
                "a name for each state, every one once",
            ));
        }
        self.state_names = names;
        Ok(self)
    }

    /// The same with the names of the states of another model of this size.
    pub(crate) fn named_as(mut self, other: &Self) -> Self {
        self.state_names.clone_from(&other.state_names);
        self
    }

    /// What the states are called: none, or a name for each.
    pub fn state_names(&self) -> &[String] {
        &self.state_names
    }

    /// n, the entries of a state.
    pub fn states(&self) -> usize {
        self.transition.nrows()
    }

    /// m, the entries of one observation.
    pub fn width(&self) -> usize {
        self.observation.nrows()
    }

    /// The numbers that the evidence of observations can tell: entries of F, H, b, d, m0 and, once each, of the
    /// covariances Q, P0, R; less the n² + n of basis and origin of the hidden space and, of a state that is larger than
    /// an observation, what can be moved between Q and P0 without being seen (X with H X = 0: Q + X − F X Fᵀ, P0 + X).
    pub fn free_parameters(&self) -> usize {
        let (n, m) = (self.states(), self.width());
        let symmetric = |n: usize| n * (n + 1) / 2;
        let entries = n * n + m * n + 2 * n + m + 2 * symmetric(n) + symmetric(m);
        entries - (n * n + n) - symmetric(n.saturating_sub(m))
    }

    /// F `[n, n]`.
    pub fn transition(&self) -> &DMatrix<f64> {
        &self.transition
    }

    /// b `[n]`.
    pub fn bias(&self) -> &DVector<f64> {
        &self.bias
    }

    /// Q `[n, n]`.
    pub fn process_noise(&self) -> &DMatrix<f64> {
        &self.process_noise
    }

    /// H `[m, n]`.
    pub fn observation(&self) -> &DMatrix<f64> {
        &self.observation
    }

    /// d `[m]`.
    pub fn offset(&self) -> &DVector<f64> {
        &self.offset
    }

    /// R `[m, m]`.
    pub fn observation_noise(&self) -> &DMatrix<f64> {
        &self.observation_noise
    }

    /// m0 `[n]`.
    pub fn initial_mean(&self) -> &DVector<f64> {
        &self.initial_mean
    }

    /// P0 `[n, n]`.
    pub fn initial_covariance(&self) -> &DMatrix<f64> {
        &self.initial_covariance
    }

    /// What m0 and P0 are.
    pub(in crate::gaussian) fn start(&self) -> Start {
        self.start
    }

    /// The same with m0 and P0 that are so, unchecked.
    pub(in crate::gaussian) fn with_start(mut self, start: Start) -> Self {
        self.start = start;
        self
    }

    /// The states that start exactly diffuse: none, or a mark for each state.
    pub fn diffuse(&self) -> &[bool] {
        &self.diffuse
    }

    /// The same with another b, H and d, unchecked: what one row says of them.
    pub(super) fn with_row(&self, b: DVector<f64>, h: DMatrix<f64>, d: DVector<f64>) -> Self {
        Self {
            bias: b,
            observation: h,
            offset: d,
            ..self.clone()
        }
    }

    /// The same with another F, b and Q, unchecked.
    pub(crate) fn with_dynamics(&self, f: DMatrix<f64>, b: DVector<f64>, q: DMatrix<f64>) -> Self {
        Self {
            transition: f,
            bias: b,
            process_noise: q,
            ..self.clone()
        }
    }

    /// The same with another entry of H.
    pub(super) fn with_observed_entry(mut self, row: usize, state: usize, value: f64) -> Self {
        self.observation[(row, state)] = value;
        self
    }

    /// Fails where the start is diffuse: what `asked` needs P0⁻¹, or a proper belief before the first observation.
    pub(crate) fn check_proper(&self, what: &str, asked: &'static str) -> Result<()> {
        if self.diffuse.is_empty() {
            return Ok(());
        }
        Err(Error::Unsupported {
            what: what.to_owned(),
            asked,
            why: "its start is diffuse, as `diffuse` says, or for want of another where F has no stationary distribution; give \
                  initial_mean and initial_covariance",
        })
    }

    /// Whether F, Q, H, R and P0 are all diagonal: n models of one number each, side by side.
    pub fn is_diagonal(&self) -> bool {
        [
            &self.transition,
            &self.process_noise,
            &self.observation,
            &self.observation_noise,
            &self.initial_covariance,
        ]
        .into_iter()
        .all(is_diagonal)
    }

    /// Checks that observations are of this model's width.
    pub(crate) fn check_width(&self, width: usize) -> Result<()> {
        if width == self.width() {
            return Ok(());
        }
        let found = format!("rows of {width}");
        let expected = format!("rows of {}, as `observation` has", self.width());
        Err(Error::size("observations", found, expected))
    }
}

/// Whether it is square, with 0 in every entry off its diagonal.
pub(super) fn is_diagonal(m: &DMatrix<f64>) -> bool {
    let zero = |i: usize, j: usize| i == j || m[(i, j)] == 0.0;
    m.is_square() && (0..m.nrows()).all(|i| (0..m.ncols()).all(|j| zero(i, j)))
}
