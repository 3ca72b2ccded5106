//! The model: a linear-Gaussian one, the names of its inputs, B, D, and entries of H that are inputs.

use nalgebra::DMatrix;
use serde::{Deserialize, Serialize};

use crate::gaussian::entries::{entries_learned, most_learned};
use crate::gaussian::matrices::check_matrix;
use crate::gaussian::{Learned, LinearGaussian};
use crate::{Error, Result};

/// A linear-Gaussian state-space model with inputs u_t ∈ ℝᴹ, columns of data that are given and not predicted (eq. F100),
///
/// ```text
/// x_1 ~ N(m0, P0),   x_t = F x_{t−1} + b + B u_t + N(0, Q),   y_t = H_t x_t + d + D u_t + N(0, R),
/// ```
///
/// where entries of H_t may be inputs: then states are the coefficients of a regression (a dynamic regression, if they walk).
/// A row of data is (y_t, u_t). Entries of y_t may be missing; an input may not. The first state has no u_1 in it.
///
/// ```
/// use scotopic_filtering::Sequence;
/// use scotopic_filtering::gaussian::{DrivenGaussian, LinearGaussian};
/// use scotopic_filtering::nalgebra::DMatrix;
/// # fn main() -> scotopic_filtering::Result<()> {
/// // A walk, and the effect 2 of a column `price` on what is seen of it.
/// let walk = LinearGaussian::from_rows(&[[1.0]], &[[0.1]], &[[1.0]], &[[1.0]])?;
/// let model = DrivenGaussian::new(walk.clone(), vec!["price".to_owned()])?
///     .with_direct(DMatrix::from_element(1, 1, 2.0))?;
/// let rows = Sequence::of_rows([[0.3 + 2.0 * 5.0, 5.0], [0.1 + 2.0 * 7.0, 7.0]])?;
/// let without = walk.log_evidence(&Sequence::of_numbers([0.3, 0.1])?)?;
/// assert!((model.log_evidence(&rows)? - without).abs() < 1e-12);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "super::file::Parts", into = "super::file::Parts")]
pub struct DrivenGaussian {
    pub(super) base: LinearGaussian,
    pub(super) names: Vec<String>,
    /// B `[n, M]`.
    pub(super) control: DMatrix<f64>,
    /// D `[m, M]`.
    pub(super) direct: DMatrix<f64>,
    pub(super) regressors: Vec<Regressor>,
    /// Whether the last of `names` is the time of a row, and the base is of continuous time: F stands for A, Q for Q_c.
    pub(super) timed: bool,
}

/// An entry of H that is an input: row, column, and the number of the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Regressor {
    pub row: usize,
    pub state: usize,
    pub input: usize,
}

impl DrivenGaussian {
    /// A model with inputs of these names that do nothing yet: B = 0, D = 0.
    ///
    /// # Errors
    /// [`Error::Setting`] for no name, an empty one or one that is there twice.
    pub fn new(base: LinearGaussian, inputs: Vec<String>) -> Result<Self> {
        let twice = |i: usize| inputs[i].is_empty() || inputs[..i].contains(&inputs[i]);
        if inputs.is_empty() || (0..inputs.len()).any(twice) {
            let expected = "the name of a column for each input, every one once";
            return Err(Error::setting("inputs", inputs.join(", "), expected));
        }
        let (n, m, count) = (base.states(), base.width(), inputs.len());
        Ok(Self {
            base,
            names: inputs,
            control: DMatrix::zeros(n, count),
            direct: DMatrix::zeros(m, count),
            regressors: Vec::new(),
            timed: false,
        })
    }

    /// A model of continuous time whose rows come at any times (eq. F102), with inputs of these names, or none: u_t holds over the
    /// interval that ends with its row,
    ///
    /// ```text
    /// dx = (A x + b + B u) dt + dW,   Cov dW = Q_c dt,   y_t = H_t x(t) + d + D u_t + N(0, R),
    /// ```
    ///
    /// `base` has A in place of F and Q_c in place of Q; m0 and P0 are of the first row. A row of data is (y, u, t), its last entry
    /// the time, in the column `time`.
    ///
    /// ```
    /// use scotopic_filtering::Sequence;
    /// use scotopic_filtering::gaussian::{DrivenGaussian, LinearGaussian};
    /// # fn main() -> scotopic_filtering::Result<()> {
    /// // A Wiener process of variance 0.5 a day, seen with noise.
    /// let rates = LinearGaussian::from_rows(&[[0.0]], &[[0.5]], &[[1.0]], &[[1.0]])?;
    /// let model = DrivenGaussian::continuous(rates, Vec::new(), "day")?;
    /// let at = |days: [f64; 2]| Sequence::of_rows([[1.0, days[0]], [2.0, days[1]]]);
    /// // A step is surprising after a short time.
    /// assert!(model.log_evidence(&at([0.0, 0.01])?)? < model.log_evidence(&at([0.0, 1.0])?)?);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::Setting`] for a name that is empty or there twice.
    pub fn continuous(base: LinearGaussian, inputs: Vec<String>, time: &str) -> Result<Self> {
        let (n, m, count) = (base.states(), base.width(), inputs.len());
        let mut names = inputs;
        names.push(time.to_owned());
        let mut model = Self::new(base, names)?;
        model.timed = true;
        model.control = DMatrix::zeros(n, count);
        model.direct = DMatrix::zeros(m, count);
        Ok(model)
    }

    /// The same model without inputs: a row is y_t alone, and may be missing.
    pub(crate) fn without_inputs(base: LinearGaussian) -> Self {
        let (n, m) = (base.states(), base.width());
        Self {
            base,
            names: Vec::new(),
            control: DMatrix::zeros(n, 0),
            direct: DMatrix::zeros(m, 0),
            regressors: Vec::new(),
            timed: false,
        }
    }

    /// The same with B `[n, M]`.
    ///
    /// # Errors
    /// [`Error::Size`] for a wrong size, [`Error::Entry`] for an entry that is not finite.
    pub fn with_control(mut self, b: DMatrix<f64>) -> Result<Self> {
        check_matrix("control", &b, self.states(), self.effects())?;
        self.control = b;
        Ok(self)
    }

    /// The same with D `[m, M]`.
    ///
    /// # Errors
    /// As [`DrivenGaussian::with_control`].
    pub fn with_direct(mut self, d: DMatrix<f64>) -> Result<Self> {
        check_matrix("direct", &d, self.outputs(), self.effects())?;
        self.direct = d;
        Ok(self)
    }

    /// The same with an input in place of the entry `row`, `state` of H, both from 0.
    ///
    /// # Errors
    /// [`Error::Setting`] for a name that is none of the inputs or an entry outside of H.
    pub fn with_regressor(mut self, row: usize, state: usize, input: &str) -> Result<Self> {
        let own = &self.names[..self.effects()];
        let Some(number) = own.iter().position(|name| name == input) else {
            let expected = format!("a number, or one of the inputs {}", own.join(", "));
            return Err(Error::setting("observation", input, expected));
        };
        let (m, n) = (self.outputs(), self.states());
        if row >= m || state >= n {
            let found = format!("row {row}, column {state}");
            return Err(Error::setting(
                "observation",
                found,
                format!("an entry of {m}×{n}"),
            ));
        }
        self.regressors.retain(|r| (r.row, r.state) != (row, state));
        self.base = self.base.with_observed_entry(row, state, 0.0);
        self.regressors.push(Regressor {
            row,
            state,
            input: number,
        });
        Ok(self)
    }

    /// The model without its inputs; entries of H that are inputs are 0.
    pub fn base(&self) -> &LinearGaussian {
        &self.base
    }

    /// Whether it is of continuous time: its base has A and Q_c in place of F and Q, and the last input is the time.
    pub fn is_continuous(&self) -> bool {
        self.timed
    }

    /// M, the inputs that have effects: all but the time.
    pub(crate) fn effects(&self) -> usize {
        self.names.len() - usize::from(self.timed)
    }

    /// The names of the inputs, the time last.
    pub fn inputs(&self) -> &[String] {
        &self.names
    }

    /// B `[n, M]`.
    pub fn control(&self) -> &DMatrix<f64> {
        &self.control
    }

    /// D `[m, M]`.
    pub fn direct(&self) -> &DMatrix<f64> {
        &self.direct
    }

    /// The entries of H that are inputs: row, column, and the name of the input.
    pub fn regressors(&self) -> impl Iterator<Item = (usize, usize, &str)> {
        let named = |r: &Regressor| (r.row, r.state, self.names[r.input].as_str());
        self.regressors.iter().map(named)
    }

    /// n, the entries of a state.
    pub fn states(&self) -> usize {
        self.base.states()
    }

    /// m, the entries of an observation that are predicted.
    pub fn outputs(&self) -> usize {
        self.base.width()
    }

    /// The entries of a row of data: outputs, then inputs.
    pub fn width(&self) -> usize {
        self.outputs() + self.names.len()
    }

    /// The same model of other numbers: base, B and D.
    pub(crate) fn with_numbers(
        &self,
        base: LinearGaussian,
        control: DMatrix<f64>,
        direct: DMatrix<f64>,
    ) -> Self {
        Self {
            base,
            control,
            direct,
            ..self.clone()
        }
    }

    /// The numbers that are estimated if these parameters are learned, as
    /// [`LinearGaussian::learned_parameters`]; of a diffuse start the diffuse states count.
    pub fn learned_parameters(&self, learned: &Learned) -> usize {
        let (entries, diffuse) = entries_learned(&self.base, *learned);
        let entries = entries.len();
        // Entries of H that are inputs are not learned, and hold the basis of the states.
        let of_base = match (self.regressors.len(), learned.observation) {
            (0, _) => {
                let told = entries - self.base.unseen_origins(learned);
                told.min(most_learned(&self.base, learned))
            }
            (inputs, true) => entries - inputs,
            (_, false) => entries,
        };
        let control = if learned.control {
            self.control.len()
        } else {
            0
        };
        let direct = if learned.direct { self.direct.len() } else { 0 };
        of_base + diffuse + control + direct
    }
}
