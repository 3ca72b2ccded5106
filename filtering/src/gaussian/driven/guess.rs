//! Starts of fits, from data.

use nalgebra::{DMatrix, DVector};
use rand::RngExt;

use super::model::DrivenGaussian;
use crate::gaussian::LinearGaussian;
use crate::{Result, Sequence};

/// Singular values of the inputs, scaled to one size, below this part of the largest are none: collinear inputs share their effect.
const COLLINEAR: f64 = 1e-10;

impl DrivenGaussian {
    /// A model to start a fit from: D by least squares, the rest as [`LinearGaussian::initial_guess`] of what it leaves, B = 0.
    ///
    /// # Errors
    /// As [`LinearGaussian::initial_guess`] and [`DrivenGaussian::new`]; those of rows.
    pub fn initial_guess(states: usize, sequences: &[Sequence], inputs: &[String]) -> Result<Self> {
        let (left, direct) = without_inputs(sequences, inputs)?;
        Self::new(
            LinearGaussian::initial_guess(states, &left)?,
            inputs.to_vec(),
        )?
        .with_direct(direct)
    }

    /// A random one beside it.
    ///
    /// # Errors
    /// As [`DrivenGaussian::initial_guess`].
    pub fn random_guess(
        states: usize,
        sequences: &[Sequence],
        inputs: &[String],
        rng: &mut impl RngExt,
    ) -> Result<Self> {
        let (left, direct) = without_inputs(sequences, inputs)?;
        Self::new(
            LinearGaussian::random_guess(states, &left, rng)?,
            inputs.to_vec(),
        )?
        .with_direct(direct)
    }
}

/// What regressions on the inputs leave of the outputs, and their coefficients D `[m, M]`.
fn without_inputs(
    sequences: &[Sequence],
    inputs: &[String],
) -> Result<(Vec<Sequence>, DMatrix<f64>)> {
    let width = sequences.first().map_or(0, Sequence::width);
    let m = width.saturating_sub(inputs.len()).max(1);
    // Checks every row.
    let shape = DMatrix::zeros(m, 1);
    let one = LinearGaussian::new(
        DMatrix::identity(1, 1),
        DMatrix::identity(1, 1),
        shape,
        DMatrix::identity(m, m),
    )?;
    let rows = DrivenGaussian::new(one, inputs.to_vec())?;
    let outputs: Vec<Sequence> = sequences
        .iter()
        .map(|s| rows.outputs_of(s))
        .collect::<Result<_>>()?;
    let mut direct = DMatrix::zeros(m, inputs.len());
    for i in 0..m {
        let pairs: Vec<(f64, &[f64])> = sequences
            .iter()
            .flat_map(|s| s.iter().flatten())
            .filter(|row| !row[i].is_nan())
            .map(|row| (row[i], &row[m..]))
            .collect();
        direct.set_row(i, &slopes(&pairs, inputs.len()).transpose());
    }
    let mut left = Vec::with_capacity(sequences.len());
    for (sequence, outputs) in sequences.iter().zip(&outputs) {
        let mut own = Sequence::new(m)?;
        for (row, y) in sequence.iter().zip(outputs.iter()) {
            let effect = row.map(|row| &direct * DVector::from_column_slice(&row[m..]));
            let rest = y.zip(effect).map(|(y, effect)| {
                let pairs = y.iter().zip(effect.iter());
                pairs.map(|(y, e)| y - e).collect::<Vec<f64>>()
            });
            own.push(rest.as_deref())?;
        }
        left.push(own);
    }
    Ok((left, direct))
}

/// The coefficients of a regression with a constant, of pairs (y, u).
fn slopes(pairs: &[(f64, &[f64])], inputs: usize) -> DVector<f64> {
    let count = pairs.len().max(1) as f64;
    let mean = |k: usize| pairs.iter().map(|(_, u)| u[k]).sum::<f64>() / count;
    let middle: Vec<f64> = (0..inputs).map(mean).collect();
    let centre = pairs.iter().map(|(y, _)| y).sum::<f64>() / count;
    let x = DMatrix::from_fn(pairs.len(), inputs, |t, k| pairs[t].1[k] - middle[k]);
    let y = DVector::from_fn(pairs.len(), |t, _| pairs[t].0 - centre);
    let size: Vec<f64> = x.column_iter().map(|c| c.amax()).collect();
    let scaled = DMatrix::from_fn(pairs.len(), inputs, |t, k| {
        x[(t, k)] / if size[k] > 0.0 { size[k] } else { 1.0 }
    });
    let svd = scaled.svd(true, true);
    let room = COLLINEAR * svd.singular_values.amax();
    let solved = svd.solve(&y, room.max(f64::MIN_POSITIVE));
    let solved = solved.unwrap_or_else(|_| DVector::zeros(inputs));
    DVector::from_fn(inputs, |k, _| {
        solved[k] / if size[k] > 0.0 { size[k] } else { 1.0 }
    })
}
