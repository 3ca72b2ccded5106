//! Regression points for f and g from beliefs.
//!
//! A belief q about states x, causes v and the motion x' says how far a function f is from what moved:
//! ½ E_q[(x' − f(x, v))' Π (x' − f(x, v))]. The expectation is taken over the 2d points of the third-degree
//! cubature of q = N(m, L L') in d dimensions, m ± √d L_k, each with weight 1/2d. It is exact where the residual is
//! linear; the covariance then adds ½ tr(Π J L L' J'), J the Jacobian of the residual. For any smooth f it is the same
//! to second order in the spread, and needs f alone, not its Jacobian, and not that Jacobian's gradient by weights.

use nalgebra::{DMatrix, DVector};

use crate::error::check_finite;
use crate::{Error, Result};

/// Which of the two functions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Function {
    /// f: what is to be met is the motion x'.
    Flow,
    /// g: what is to be met is the observation y.
    Output,
}

/// Whitening of residuals of consecutive bins: e_t = Σ_i w_i r_{t−i} with w_0 = 1, of variance σ² where the
/// noise has variance 1.
#[derive(Debug, Clone, PartialEq)]
pub struct Whitening {
    /// w, `[window]`.
    pub weights: Vec<f64>,
    /// σ².
    pub variance: f64,
}

impl Whitening {
    /// Residuals that are independent already.
    pub fn white() -> Self {
        Self {
            weights: vec![1.0],
            variance: 1.0,
        }
    }
}

/// Points of the beliefs about many bins; a ring that keeps the last `capacity` of them.
///
/// Every bin has the same number of points, and every point a window of consecutive bins, newest first, as many as the
/// noise is correlated over. Arrays are row-major.
#[derive(Debug, Clone, PartialEq)]
pub struct RegressionPoints {
    states: usize,
    causes: usize,
    outputs: usize,
    window: usize,
    points: usize,
    flow: Whitening,
    output: Whitening,
    capacity: usize,
    bins: usize,
    next: usize,
    inputs: Vec<f64>,
    motions: Vec<f64>,
    observed: Vec<f64>,
    seen: Vec<f64>,
}

/// Views of one function's points, see [`RegressionPoints::of`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FunctionPoints<'a> {
    /// (x, v), `[rows, window, states + causes]`.
    pub inputs: &'a [f64],
    /// x' or y, `[rows, window, entries]`.
    pub targets: &'a [f64],
    /// 1 where the whole window of targets was observed, else 0, `[rows]`.
    pub seen: &'a [f64],
    /// How residuals over a window become one.
    pub whitening: &'a Whitening,
    /// Entries of a target.
    pub entries: usize,
}

impl RegressionPoints {
    /// No bins yet of a model of these sizes, `points` of each; the windows of `flow` and `output` are equal.
    ///
    /// # Errors
    /// [`Error::Size`] for windows that are not; [`Error::Setting`] for a capacity of 0.
    pub fn new(
        [states, causes, outputs]: [usize; 3],
        points: usize,
        flow: Whitening,
        output: Whitening,
        capacity: usize,
    ) -> Result<Self> {
        let window = flow.weights.len();
        if output.weights.len() != window || window == 0 {
            return Err(Error::size("output.weights", output.weights.len(), window));
        }
        if capacity == 0 || points == 0 {
            return Err(Error::setting("capacity", capacity, "at least one bin"));
        }
        Ok(Self {
            states,
            causes,
            outputs,
            window,
            points,
            flow,
            output,
            capacity,
            bins: 0,
            next: 0,
            inputs: Vec::new(),
            motions: Vec::new(),
            observed: Vec::new(),
            seen: Vec::new(),
        })
    }

    /// For the beliefs of any scheme, one bin at a time, with noise that is taken as independent from bin to bin.
    ///
    /// # Errors
    /// As [`RegressionPoints::new`].
    pub fn of_bins([states, causes, outputs]: [usize; 3], capacity: usize) -> Result<Self> {
        let points = 2 * (2 * states + causes);
        let sizes = [states, causes, outputs];
        Self::new(
            sizes,
            points,
            Whitening::white(),
            Whitening::white(),
            capacity,
        )
    }

    /// Adds a bin to one made by [`RegressionPoints::of_bins`]: the belief about (x, v, x') `[2·states + causes]` and y.
    ///
    /// # Errors
    /// [`Error::Size`] or [`Error::Entry`]; [`Error::NotPositiveDefinite`] for a covariance with a negative direction.
    pub fn add(
        &mut self,
        mean: &DVector<f64>,
        covariance: &DMatrix<f64>,
        observed: Option<&[f64]>,
    ) -> Result<()> {
        let (n, d) = (self.states + self.causes, mean.len());
        if self.window != 1 || d != n + self.states || self.points != 2 * d {
            return Err(Error::size("belief", d, n + self.states));
        }
        if covariance.shape() != (d, d) {
            let found = format!("{:?}", covariance.shape());
            return Err(Error::size("covariance", found, format!("({d}, {d})")));
        }
        if let Some(y) = observed.filter(|y| y.len() != self.outputs) {
            return Err(Error::size("observation", y.len(), self.outputs));
        }
        let mut root = covariance.clone();
        check_finite("mean", d, mean.as_slice())?;
        check_finite("covariance", d, root.as_slice())?;
        check_finite("observation", self.outputs, observed.unwrap_or_default())?;
        if !semi_root(&mut root) {
            return Err(Error::NotPositiveDefinite {
                name: "covariance".to_owned(),
                pivot: 0,
                value: covariance.diagonal().min(),
            });
        }
        self.push(
            mean.as_slice(),
            &root,
            &[observed],
            |point, inputs, motions| {
                inputs.copy_from_slice(&point[..n]);
                motions.copy_from_slice(&point[n..]);
            },
        );
        Ok(())
    }

    /// Adds a bin: the points of N(mean, root root'), each turned into inputs and motions over its window, and the
    /// window of observations, newest first.
    pub(crate) fn push(
        &mut self,
        mean: &[f64],
        root: &DMatrix<f64>,
        observed: &[Option<&[f64]>],
        read: impl Fn(&[f64], &mut [f64], &mut [f64]),
    ) {
        let d = mean.len();
        let (wide, tall) = (
            self.window * (self.states + self.causes),
            self.window * self.states,
        );
        let seen = observed.iter().all(Option::is_some);
        let outputs = self.window * self.outputs;
        if self.bins < self.capacity {
            let rows = (self.bins + 1) * self.points;
            self.inputs.resize(rows * wide, 0.0);
            self.motions.resize(rows * tall, 0.0);
            self.observed.resize(rows * outputs, 0.0);
            self.seen.resize(rows, 0.0);
            self.bins += 1;
        }
        let mut point = vec![0.0; d];
        let far = libm::sqrt(d as f64);
        for k in 0..self.points {
            let (direction, sign) = (k / 2, if k % 2 == 0 { far } else { -far });
            for (i, p) in point.iter_mut().enumerate() {
                *p = mean[i] + sign * root[(i, direction)];
            }
            let row = self.next * self.points + k;
            let inputs = &mut self.inputs[row * wide..(row + 1) * wide];
            read(
                &point,
                inputs,
                &mut self.motions[row * tall..(row + 1) * tall],
            );
            self.seen[row] = f64::from(u8::from(seen));
            let place = &mut self.observed[row * outputs..(row + 1) * outputs];
            place.fill(0.0);
            if seen {
                let values = observed.iter().flatten().copied().flatten();
                place.iter_mut().zip(values).for_each(|(to, &y)| *to = y);
            }
        }
        self.next = (self.next + 1) % self.capacity;
    }

    /// Bins that are kept.
    pub fn bins(&self) -> usize {
        self.bins
    }

    /// Points of a bin.
    pub fn points(&self) -> usize {
        self.points
    }

    /// Bins of a window.
    pub fn window(&self) -> usize {
        self.window
    }

    /// Entries of an input (x, v).
    pub fn inputs(&self) -> usize {
        self.states + self.causes
    }

    /// The regression targets of one function: rows are bins times points.
    pub fn of(&self, function: Function) -> FunctionPoints<'_> {
        let (targets, whitening, entries) = match function {
            Function::Flow => (&self.motions, &self.flow, self.states),
            Function::Output => (&self.observed, &self.output, self.outputs),
        };
        FunctionPoints {
            inputs: &self.inputs,
            targets,
            seen: &self.seen,
            whitening,
            entries,
        }
    }

    /// E[e e']/σ², `[entries, entries]`: the average over all bins and points of the squares of whitening residuals at
    /// `value`, which writes f or g of (x, v). It is the covariance of the noise that makes the expected energy least
    /// at this function: where N(0, Σ) has to explain e, ½ ln |Σ| + ½ tr(Σ⁻¹ E[e e'])/σ² is least at Σ = E[e e']/σ².
    ///
    /// None where no whole window was observed.
    pub fn scatter(
        &self,
        function: Function,
        value: impl Fn(&[f64], &mut [f64]),
    ) -> Option<DMatrix<f64>> {
        let part = self.of(function);
        let (n, m, wide) = (part.entries, self.inputs(), self.window);
        let everything = function == Function::Flow;
        let mut sum = DMatrix::zeros(n, n);
        let mut count = 0.0;
        let (mut here, mut error) = (vec![0.0; n], vec![0.0; n]);
        let rows = part.inputs.chunks_exact(wide * m);
        let rows = rows.zip(part.targets.chunks_exact(wide * n)).zip(part.seen);
        for ((inputs, targets), &seen) in rows {
            if !everything && seen == 0.0 {
                continue;
            }
            error.fill(0.0);
            let bins = inputs.chunks_exact(m).zip(targets.chunks_exact(n));
            for ((input, target), w) in bins.zip(&part.whitening.weights) {
                value(input, &mut here);
                for ((e, t), f) in error.iter_mut().zip(target).zip(&here) {
                    *e += w * (t - f);
                }
            }
            for j in 0..n {
                for i in 0..n {
                    sum[(i, j)] += error[i] * error[j];
                }
            }
            count += 1.0;
        }
        (count > 0.0).then(|| sum / (count * part.whitening.variance))
    }
}

/// Rounding leaves pivots of directions without variance this much below or above 0, relative to the diagonal.
const ROUNDING: f64 = 1e-12;

/// L with L L' the covariance, in its place, lower triangular; columns of directions without variance are 0. False
/// where a variance is negative beyond rounding.
pub(crate) fn semi_root(p: &mut DMatrix<f64>) -> bool {
    let n = p.nrows();
    for j in 0..n {
        let own = p[(j, j)];
        let pivot = own - (0..j).map(|k| p[(j, k)] * p[(j, k)]).sum::<f64>();
        let slack = ROUNDING * own.abs();
        if !pivot.is_finite() || pivot < -1e3 * slack {
            return false;
        }
        let scale = if pivot > slack {
            libm::sqrt(pivot)
        } else {
            0.0
        };
        for i in 0..n {
            if i < j || scale == 0.0 {
                p[(i, j)] = 0.0;
            } else {
                let sum: f64 = (0..j).map(|k| p[(i, k)] * p[(j, k)]).sum();
                p[(i, j)] = if i == j {
                    scale
                } else {
                    (p[(i, j)] - sum) / scale
                };
            }
        }
    }
    true
}
