//! The model: a hidden Markov model, and weights of inputs in its transitions.

use serde::{Deserialize, Serialize};

use crate::error::check_finite;
use crate::hmm::{Emission, Hmm};
use crate::{Error, Moments, Result};

/// A hidden Markov model whose transitions depend on inputs v_t `[M]` by a multinomial logistic regression in each row
/// (eq. F104; Y. Bengio, P. Frasconi, 1995; A. Calhoun, J. Pillow, M. Murthy, 2019):
///
/// ```text
/// p(s_t = j | s_{t−1} = i, v_t) = A_ij exp[w_ij·(v_t − v₀)] / Σ_l A_il exp[w_il·(v_t − v₀)]
/// ```
///
/// A is the transition at v_t = v₀, so that ln A_ij is the constant of the regression; what is zero in A stays impossible. With
/// weights of zero it is the [`Hmm`] of π, A and the emission. An observation is the row of the emission followed by the inputs of
/// the transitions that the emission is not given already; v_1 has no effect.
///
/// ```
/// use scotopic_filtering::hmm::{DrivenHmm, Hmm, Poisson};
/// # fn main() -> scotopic_filtering::Result<()> {
/// let counts = Poisson::new(vec![vec![1.0], vec![9.0]])?;
/// let base = Hmm::new(vec![0.5, 0.5], vec![vec![0.9, 0.1], vec![0.1, 0.9]], counts.into())?;
/// // Light makes the switch from the first state to the second e^2.5 times as likely, beside staying.
/// let model = DrivenHmm::new(base, vec!["light".to_owned()])?
///     .with_weights(vec![vec![vec![0.0], vec![2.5]], vec![vec![0.0], vec![0.0]]])?;
/// let a = model.transition_at(&[1.0])?;
/// assert!((a[1] / a[0] - 0.1 / 0.9 * 2.5f64.exp()).abs() < 1e-12);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "super::file::Parts", into = "super::file::Parts")]
pub struct DrivenHmm {
    /// π, A, the emission.
    base: Hmm,
    /// What a row is given: what the emission is, then the inputs of the transitions that are not among it.
    names: Vec<String>,
    /// The place of each input of the transitions in `names` `[M]`.
    columns: Vec<usize>,
    /// w `[K·K·M]`.
    weights: Vec<f64>,
    /// v₀ `[M]`.
    origin: Vec<f64>,
}

impl DrivenHmm {
    /// From a model and the names of the inputs of its transitions, with weights of zero and v₀ = 0.
    ///
    /// # Errors
    /// [`Error::Setting`] for no input, [`Error::Entry`] for a name twice, [`Error::Unsupported`] for an autoregression.
    pub fn new(base: Hmm, transition_inputs: Vec<String>) -> Result<Self> {
        if base.emission().lags() > 0 {
            return Err(Error::Unsupported {
                what: "an autoregression".to_owned(),
                asked: "have inputs in its transitions",
                why: "its rows are followed by their lags; take another emission, or transitions without inputs",
            });
        }
        if transition_inputs.is_empty() {
            let expected = "the name of an input at least";
            return Err(Error::setting("transition_inputs", "none", expected));
        }
        let mut names = base.emission().inputs().to_vec();
        let mut columns = Vec::with_capacity(transition_inputs.len());
        for (m, name) in transition_inputs.iter().enumerate() {
            if name.is_empty() || transition_inputs[..m].contains(name) {
                let expected = "a name that no other input of the transitions has";
                let found = format!("`{name}`");
                return Err(Error::entry("transition_inputs", &[m], found, expected));
            }
            columns.push(match names.iter().position(|known| known == name) {
                Some(at) => at,
                None => {
                    names.push(name.clone());
                    names.len() - 1
                }
            });
        }
        let (k, m) = (base.states(), columns.len());
        Ok(Self {
            weights: vec![0.0; k * k * m],
            origin: vec![0.0; m],
            base,
            names,
            columns,
        })
    }

    /// The same with weights w `[K][K][M]`: `weights[i][j]` is of the transition from i to j. Those of a row matter up to a vector that
    /// is added to all of them: a weight of zero on the diagonal makes the others log odds beside staying.
    ///
    /// # Errors
    /// [`Error::Size`] for other sizes, [`Error::Entry`] for one that is not finite.
    pub fn with_weights(self, weights: Vec<Vec<Vec<f64>>>) -> Result<Self> {
        let (k, m) = (self.states(), self.columns.len());
        let wrong = |place: String, found: usize, expected: String| {
            let found = format!("{found} entries");
            Err(Error::size(
                format!("transition_weights{place}"),
                found,
                expected,
            ))
        };
        if weights.len() != k {
            return wrong(String::new(), weights.len(), format!("{k}, one a state"));
        }
        for (i, row) in weights.iter().enumerate() {
            if row.len() != k {
                return wrong(format!("[{i}]"), row.len(), format!("{k}, one a state"));
            }
            if let Some(j) = row.iter().position(|w| w.len() != m) {
                let expected = format!("{m}, one an input of the transitions");
                return wrong(format!("[{i}][{j}]"), row[j].len(), expected);
            }
        }
        self.with_flat_weights(weights.into_iter().flatten().flatten().collect())
    }

    /// The same from w `[K·K·M]`.
    pub(crate) fn with_flat_weights(self, weights: Vec<f64>) -> Result<Self> {
        check_finite(
            "transition_weights",
            self.states() * self.columns.len(),
            &weights,
        )?;
        Ok(Self { weights, ..self })
    }

    /// The same with A at the inputs v₀ `[M]`.
    ///
    /// # Errors
    /// [`Error::Size`] for another number of them, [`Error::Entry`] for one that is not finite.
    pub fn with_origin(self, origin: Vec<f64>) -> Result<Self> {
        if origin.len() != self.columns.len() {
            let found = format!("{} entries", origin.len());
            let expected = format!("{}, one an input of the transitions", self.columns.len());
            return Err(Error::size("transition_origin", found, expected));
        }
        check_finite("transition_origin", origin.len(), &origin)?;
        Ok(Self { origin, ..self })
    }

    /// The same model, its A told at other inputs v₀.
    ///
    /// # Errors
    /// As [`DrivenHmm::with_origin`] and [`DrivenHmm::transition_at`].
    pub fn about(self, origin: Vec<f64>) -> Result<Self> {
        let transition = self.transition_at(&origin)?;
        let base = self.base.with_transition(transition);
        Self { base, ..self }.with_origin(origin)
    }

    /// The same inputs and weights about another base of as many states, whose emission has the same inputs.
    pub(crate) fn with_base(self, base: Hmm) -> Self {
        Self { base, ..self }
    }

    /// K.
    pub fn states(&self) -> usize {
        self.base.states()
    }

    /// The entries of one observation, what is given with it included.
    pub fn width(&self) -> usize {
        self.outputs() + self.names.len()
    }

    /// The entries that are predicted.
    pub(super) fn outputs(&self) -> usize {
        self.base.width() - self.base.emission().inputs().len()
    }

    /// The names of the last entries of an observation, which are given: those of the emission, then those of the transitions alone.
    pub fn inputs(&self) -> &[String] {
        &self.names
    }

    /// The names of the inputs of the transitions.
    pub fn transition_inputs(&self) -> Vec<String> {
        let columns = self.columns.iter();
        columns.map(|at| self.names[*at].clone()).collect()
    }

    /// π, the emission, and A at the inputs v₀.
    pub fn base(&self) -> &Hmm {
        &self.base
    }

    /// w `[K·K·M]`: of each row i, for each j, a weight for each input of the transitions.
    pub fn weights(&self) -> &[f64] {
        &self.weights
    }

    /// v₀ `[M]`.
    pub fn origin(&self) -> &[f64] {
        &self.origin
    }

    /// p(s_t = j | s_{t−1} = i, v_t = `inputs`) `[K·K]`, row after row, for inputs of the transitions `[M]`.
    ///
    /// # Errors
    /// [`Error::Setting`] for other than a finite number for each, or for inputs so large that their weights overflow.
    pub fn transition_at(&self, inputs: &[f64]) -> Result<Vec<f64>> {
        let whole =
            inputs.len() == self.columns.len() && inputs.iter().all(|input| input.is_finite());
        let mut a = vec![0.0; self.states() * self.states()];
        if whole && self.fill(|m| inputs[m], &mut a) {
            return Ok(a);
        }
        let names = self.transition_inputs().join(", ");
        let expected = format!("a finite number for each of {names}, in the range of the weights");
        Err(Error::setting(
            "transition_inputs",
            format!("{inputs:?}"),
            expected,
        ))
    }

    /// The same for what a row is given, `[inputs]`, of observation 0.
    ///
    /// # Errors
    /// [`Error::Observation`] for an input that is missing, or that overflows.
    pub(super) fn transition_given(&self, given: &[f64], into: &mut [f64]) -> Result<()> {
        let at = |m: usize| given.get(self.columns[m]).copied().unwrap_or(f64::NAN);
        if self.fill(at, into) {
            return Ok(());
        }
        let missing = (0..self.columns.len()).find(|m| at(*m).is_nan());
        let entry = self.column(missing.unwrap_or(0));
        Err(match missing {
            Some(_) => Error::observation(
                entry,
                "a missing input",
                "a number: the transition to every row but the first depends on it",
            ),
            None => {
                let found = at(0);
                Error::observation(entry, found, "an input in the range of the weights")
            }
        })
    }

    /// The place in a row of an input of the transitions.
    pub(super) fn column(&self, input: usize) -> usize {
        self.outputs() + self.columns[input]
    }

    /// The mean of each entry under a belief `[K]`; nothing of what is given.
    pub(crate) fn signal(&self, belief: &[f64]) -> Moments {
        let mut signal = self.base.signal(belief);
        signal.mean.resize(self.width(), f64::NAN);
        signal.variance.resize(self.width(), f64::NAN);
        signal
    }

    /// The inputs of the transitions `[M]` less v₀, of what a row is given.
    pub(super) fn centred(&self, given: &[f64], into: &mut [f64]) {
        for ((v, at), origin) in into.iter_mut().zip(&self.columns).zip(&self.origin) {
            *v = given[*at] - origin;
        }
    }

    /// A at inputs; whether every row has a finite largest logit.
    fn fill(&self, input: impl Fn(usize) -> f64, into: &mut [f64]) -> bool {
        let (k, m) = (self.states(), self.columns.len());
        let rows = self.base.transition().chunks_exact(k);
        let weights = self.weights.chunks_exact(k * m);
        for ((a, w), row) in rows.zip(weights).zip(into.chunks_exact_mut(k)) {
            let mut top = f64::NEG_INFINITY;
            for ((eta, w), a) in row.iter_mut().zip(w.chunks_exact(m)).zip(a) {
                let each = w.iter().zip(&self.origin).enumerate();
                *eta = each.map(|(n, (w, v0))| w * (input(n) - v0)).sum();
                if eta.is_nan() {
                    return false;
                }
                if *a > 0.0 && *eta > top {
                    top = *eta;
                }
            }
            if !top.is_finite() {
                return false;
            }
            let mut total = 0.0;
            for (p, a) in row.iter_mut().zip(a) {
                *p = if *a > 0.0 { a * (*p - top).exp() } else { 0.0 };
                total += *p;
            }
            row.iter_mut().for_each(|p| *p /= total);
        }
        true
    }

    /// A row as what the emission sees of it and what is given; of a missing row, nothing.
    ///
    /// # Errors
    /// [`Error::Observation`] of observation 0 for another width.
    pub(super) fn split<'a>(
        &self,
        row: Option<&'a [f64]>,
    ) -> Result<(Option<&'a [f64]>, &'a [f64])> {
        let Some(row) = row else {
            return Ok((None, &[]));
        };
        crate::sequence::check_partial_row(row, self.width())?;
        Ok((Some(&row[..self.base.width()]), &row[self.outputs()..]))
    }

    /// The entry of a row with weights, `j`, that those of row `i` of A are told beside: staying, or where that is impossible the
    /// first that is not.
    pub(crate) fn reference(&self, i: usize) -> usize {
        let k = self.states();
        let row = &self.base.transition()[i * k..(i + 1) * k];
        match row[i] > 0.0 {
            true => i,
            false => row.iter().position(|a| *a > 0.0).unwrap_or(i),
        }
    }

    /// How many weights can be chosen freely.
    pub fn free_weights(&self) -> usize {
        self.places_of_free_weights().len()
    }

    /// The places in w of the weights that can be chosen freely: none of what is impossible, nor of the reference of a row.
    pub(crate) fn places_of_free_weights(&self) -> Vec<usize> {
        let (k, m) = (self.states(), self.columns.len());
        let free = |at: &usize| {
            let (i, j) = (at / m / k, at / m % k);
            self.base.transition()[i * k + j] > 0.0 && j != self.reference(i)
        };
        (0..k * k * m).filter(free).collect()
    }

    /// The parameters that can be chosen freely: those of the model without inputs ([`Hmm::free_parameters`]), and weights.
    pub fn free_parameters(&self) -> usize {
        self.base.free_parameters() + self.free_weights()
    }
}
