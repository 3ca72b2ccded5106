//! The expected energy on tensors.

use burn::tensor::{Device, Tensor};
use scotopic::filtering::generalised::{Function, RegressionPoints};
use scotopic::filtering::nalgebra::DMatrix;
use scotopic::filtering::{Error, Result};

use crate::filtering::theta::constant;

/// What one function has to meet at some of the bins of [`RegressionPoints`].
#[derive(Debug, Clone)]
pub struct Batch {
    /// (x, v), `[rows · window, inputs]`.
    pub inputs: Tensor<2>,
    /// x' or y, `[rows · window, entries]`.
    pub targets: Tensor<2>,
    /// U' with Π = U'U, over σ, `[entries, entries]`: from the right it whitens rows.
    pub whitening: Tensor<2>,
    /// The weights w of a window, `[1, window, 1]`.
    pub weights: Tensor<3>,
    /// 1/rows for rows that were observed, over their fraction; 0 for others, `[rows, 1]`.
    pub shares: Tensor<2>,
}

impl Batch {
    /// The points of the bins `bins` for one function with `inputs` inputs (those of (x, v), or x alone) and noise of
    /// precision Π `[entries, entries]`; none if no whole window of these was observed.
    ///
    /// # Errors
    /// [`Error::Size`] for inputs or a precision of another size, or a bin that is not there;
    /// [`Error::NotPositiveDefinite`] for the precision.
    pub fn of(
        points: &RegressionPoints,
        function: Function,
        bins: &[usize],
        inputs: usize,
        precision: &DMatrix<f64>,
        device: &Device,
    ) -> Result<Option<Self>> {
        let part = points.of(function);
        let (window, n, per_bin) = (points.window(), part.entries, points.points());
        let all = points.inputs();
        let size = |name: &str, found: usize, expected: String| Error::Size {
            name: name.to_owned(),
            found: found.to_string(),
            expected,
        };
        if inputs > all {
            return Err(size("inputs", inputs, format!("up to {all}")));
        }
        if precision.shape() != (n, n) {
            return Err(size("precision", precision.nrows(), n.to_string()));
        }
        if let Some(&bin) = bins.iter().find(|&&bin| bin >= points.bins()) {
            return Err(size("bins", bin, format!("below {}", points.bins())));
        }
        let factor = precision
            .clone()
            .cholesky()
            .ok_or_else(|| Error::NotPositiveDefinite {
                name: "precision".to_owned(),
                pivot: 0,
                value: precision.diagonal().min(),
            })?;
        let rows = || {
            bins.iter()
                .flat_map(|bin| bin * per_bin..(bin + 1) * per_bin)
        };
        // A flow has a motion in every bin, seen or not.
        let seen = |row: usize| function == Function::Flow || part.seen[row] != 0.0;
        let used = rows().filter(|&row| seen(row)).count();
        if used == 0 {
            return Ok(None);
        }
        let windows = || rows().flat_map(|row| row * window..(row + 1) * window);
        let entry = |values: &[f64], wide: usize, kept: usize| -> Vec<f64> {
            let row = |i: usize| values[i * wide..i * wide + kept].to_vec();
            windows().flat_map(row).collect()
        };
        let height = bins.len() * per_bin;
        let share = |row: usize| if seen(row) { 1.0 / used as f64 } else { 0.0 };
        let shares: Vec<f64> = rows().map(share).collect();
        // Π = L L', so U' = L; row by row for the tensor.
        let lower = factor.unpack() / part.whitening.variance.sqrt();
        let lower: Vec<f64> = lower.transpose().iter().copied().collect();
        Ok(Some(Self {
            inputs: constant(
                &entry(part.inputs, all, inputs),
                [height * window, inputs],
                device,
            ),
            targets: constant(&entry(part.targets, n, n), [height * window, n], device),
            whitening: constant(&lower, [n, n], device),
            weights: constant(&part.whitening.weights, [1, window, 1], device),
            shares: constant(&shares, [height, 1], device),
        }))
    }
}

/// ½ E[e' Π e]/σ² of one bin, in nats, on average over the batch: `function` takes `[batch, inputs]` to
/// `[batch, entries]`. Beliefs are constants; the slope goes to whatever `function` is made of.
pub fn expected_energy(function: impl Fn(Tensor<2>) -> Tensor<2>, batch: &Batch) -> Tensor<1> {
    let [_, window, _] = batch.weights.dims();
    let left = batch.targets.clone() - function(batch.inputs.clone());
    let [all, n] = left.dims();
    let rows = all / window;
    let error = left.reshape([rows, window, n]) * batch.weights.clone();
    let error = error.sum_dim(1).reshape([rows, n]);
    let white = error.matmul(batch.whitening.clone());
    (white.square() * batch.shares.clone()).sum() * 0.5
}
