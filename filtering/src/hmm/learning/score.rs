//! The gradient of the bound with respect to the parameters, one kernel at a time.

use super::carried::{Carried, Term};
use super::scratch::Scratch;
use super::statistics::{Counts, check_size};
use crate::Result;
use crate::hmm::{Hmm, Learnable};

/// S_t(s) = ∇_θ W_t(s) of eq. F8, for logits of π and A and the parameters of the emission.
///
/// ```text
/// S_1(s) = ∇ ln p(s) + ∇ ln p(o_1|s)
/// S_t(s) = ∇ ln p(o_t|s) + E_{b_t(s'|s)}[S_{t−1}(s') + ∇ ln p(s|s')]
/// ∇L_τ   = E_{q_τ}[S_τ]
/// ```
///
/// The kernels and q may be any: this is the gradient of the bound that they give, with them held still. With
/// those of the filter it is the gradient of the log evidence (Fisher's identity), as [`Hmm::gradient`] computes
/// for whole sequences. The model may change between steps; each term is of the model it was made with.
///
/// ```
/// use scotopic_filtering::{Sequence, hmm::{Categorical, Hmm, RecursiveScore}};
/// # fn main() -> scotopic_filtering::Result<()> {
/// let coins = Categorical::new(vec![vec![0.5, 0.5], vec![0.9, 0.1]])?;
/// let model = Hmm::new(vec![0.5, 0.5], vec![vec![0.9, 0.1], vec![0.2, 0.8]], coins)?;
/// let mut score = RecursiveScore::start(&model, Some(&[1.0]))?;
/// let joint = [0.5 * 0.5, 0.5 * 0.1]; // p(s, o_1 = 1)
/// let filter = [joint[0] / 0.3, joint[1] / 0.3];
/// let (initial, _, _) = score.expected(&filter)?;
/// let exact = model.gradient(&[Sequence::of_symbols([1])?])?;
/// assert!((initial[0] - exact.initial[0]).abs() < 1e-15);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct RecursiveScore {
    states: usize,
    parameters: usize,
    carried: Carried,
    scratch: Scratch,
}

impl RecursiveScore {
    /// S_1 for a first observation `[width]`, `None` if missing.
    ///
    /// # Errors
    /// [`crate::Error::Size`] for an observation of the wrong width.
    pub fn start<E: Learnable>(model: &Hmm<E>, observation: Option<&[f64]>) -> Result<Self> {
        check_size("observation", observation, model.width())?;
        let (k, q) = (model.states(), model.emission().parameters_len());
        let mut carried = Carried::new(k, q, true);
        let mut scratch = Scratch::default();
        let [rows] = scratch.rooms([k * q]);
        let spare = &mut Scratch::default();
        score_rows(model.emission(), observation, rows, spare, false);
        let len = carried.row_len();
        for (j, row) in carried.table().chunks_exact_mut(len).enumerate() {
            row[..k]
                .iter_mut()
                .zip(model.initial())
                .for_each(|(g, p)| *g = -p);
            row[j] += 1.0;
            let at = k * (1 + k) + j * q;
            row[at..at + q].copy_from_slice(&rows[j * q..(j + 1) * q]);
        }
        Ok(Self {
            states: k,
            parameters: q,
            carried,
            scratch,
        })
    }

    /// One step on, with the kernel `b[j][i]` `[K, K]` and an observation `[width]`, `None` if missing.
    ///
    /// # Errors
    /// [`crate::Error::Size`] for a wrong size; nothing is changed then.
    pub fn advance<E: Learnable>(
        &mut self,
        model: &Hmm<E>,
        kernel: &[f64],
        observation: Option<&[f64]>,
    ) -> Result<()> {
        let (k, q) = (self.states, self.parameters);
        check_size("kernel", Some(kernel), k * k)?;
        check_size("model.transition", Some(model.transition()), k * k)?;
        check_size("observation", observation, model.width())?;
        let mut rows = vec![0.0; k * q];
        let scratch = &mut self.scratch;
        score_rows(model.emission(), observation, &mut rows, scratch, false);
        let term = Term::Score(model.transition(), observation.map(|_| &rows[..]));
        self.carried.push(kernel, (1.0, 1.0), term);
        let [unit, belief, past] = self.scratch.rooms([k; 3]);
        self.carried.fold(unit, belief, past);
        Ok(())
    }

    /// `E_q[S_t]` for a belief q `[K]`: logits of π `[K]`, logits of A `[K, K]`, emission `[K, Q]`.
    ///
    /// # Errors
    /// [`crate::Error::Size`] for a belief of another size.
    pub fn expected(&self, belief: &[f64]) -> Result<(Vec<f64>, Vec<f64>, Vec<f64>)> {
        let k = self.states;
        check_size("belief", Some(belief), k)?;
        let mut row = vec![0.0; self.carried.row_len()];
        let (mut now, mut past) = (vec![0.0; k], vec![0.0; k]);
        self.carried.expected(belief, &mut row, &mut now, &mut past);
        let counts = Counts::of_row(k, &row);
        Ok((counts.initial, counts.transitions, counts.emission))
    }
}

/// ∇ ln p(o|s = j) for every j, into `[K, Q]`: the score of one observation in every row, `whitened` in the coordinates about the
/// emission as it is.
pub(super) fn score_rows<E: Learnable>(
    emission: &E,
    observation: Option<&[f64]>,
    into: &mut [f64],
    scratch: &mut Scratch,
    whitened: bool,
) {
    let Some(observation) = observation else {
        into.fill(0.0);
        return;
    };
    let statistics = scratch.room(emission.states() * emission.statistic_len());
    emission.completed(observation, statistics);
    match whitened {
        true => emission.score_about(emission, &vec![0.0; into.len()], statistics, into),
        false => emission.score(statistics, into),
    }
}
