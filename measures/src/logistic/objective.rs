//! The loss of a read-out and its gradient.
//!
//! ```text
//! f(w, b) = −(1/n) Σ_i ln p(y_i | x_i) + (λ/2) Σ_k |w_k|²,      λ = 1/(C n)
//! ∂f/∂w_k = (1/n) Σ_i (p(k | x_i) − [k = y_i]) x_i + λ w_k
//! ```
//!
//! The samples are cut into pieces by their number alone and the pieces added in order, so that the
//! number of threads has no influence on the bits. Four samples are taken at a time: each weight is
//! then read once for four products.

use rayon::prelude::*;

use crate::numerics::products::{BLOCK, four_dots, four_rows};
use crate::{Error, Result, Rows};

/// Data and penalty of one regression.
pub struct Objective<'a> {
    /// `[samples, features]`
    pub x: &'a [f32],
    /// Columns of `x`.
    pub features: usize,
    /// One for each sample, below `classes`.
    pub labels: &'a [usize],
    /// How many classes.
    pub classes: usize,
    /// λ
    pub penalty: f64,
}

impl Objective<'_> {
    /// f and its gradient at `w`: weights `[classes, features]`, then intercepts `[classes]`.
    pub fn value_and_gradient(&self, w: &[f64]) -> (f64, Vec<f64>) {
        let n = self.labels.len();
        // At most 64 pieces, so that their gradients fit in memory.
        let piece = n.div_ceil(64).max(128).next_multiple_of(BLOCK);
        let sums: Vec<(f64, Vec<f64>)> = self
            .x
            .par_chunks(piece * self.features)
            .zip(self.labels.par_chunks(piece))
            .map(|(x, labels)| self.piece(w, x, labels))
            .collect();
        let mut gradient = vec![0.0; w.len()];
        let mut loss = 0.0;
        for (piece_loss, piece) in &sums {
            loss += piece_loss;
            gradient.iter_mut().zip(piece).for_each(|(g, p)| *g += p);
        }
        let scale = 1.0 / n as f64;
        gradient.iter_mut().for_each(|g| *g *= scale);
        let weights = self.classes * self.features;
        let mut squares = 0.0;
        for (g, w) in gradient.iter_mut().zip(&w[..weights]) {
            *g += self.penalty * w;
            squares += w * w;
        }
        (scale * loss + 0.5 * self.penalty * squares, gradient)
    }

    /// Sums over some of the samples: −ln p and its derivatives.
    fn piece(&self, w: &[f64], x: &[f32], labels: &[usize]) -> (f64, Vec<f64>) {
        let mut gradient = vec![0.0; w.len()];
        let mut loss = 0.0;
        let d = self.features;
        let mut rows = vec![0.0; BLOCK * d];
        let mut scores = vec![0.0; BLOCK * self.classes];
        for (x, labels) in x.chunks(BLOCK * d).zip(labels.chunks(BLOCK)) {
            rows.iter_mut().zip(x).for_each(|(r, &v)| *r = f64::from(v));
            // An incomplete block ends with rows that count nothing.
            scores_of_block(&rows, w, d, &mut scores);
            for (b, score) in scores.chunks_exact_mut(self.classes).enumerate() {
                match labels.get(b) {
                    Some(&label) => {
                        let chosen = score[label];
                        loss += softmax(score) - chosen;
                        score[label] -= 1.0;
                    }
                    None => score.fill(0.0),
                }
            }
            add_block(&rows, &scores, d, &mut gradient);
        }
        (loss, gradient)
    }
}

/// Scores `[samples, classes]` of rows `[samples, features]`.
pub fn scores(x: &[f32], w: &[f64], features: usize, classes: usize) -> Vec<f64> {
    let samples = x.len() / features;
    let mut all = vec![0.0; samples * classes];
    all.par_chunks_mut(BLOCK * classes)
        .zip(x.par_chunks(BLOCK * features))
        .for_each(|(out, x)| {
            let mut rows = vec![0.0; BLOCK * features];
            let mut scores = vec![0.0; BLOCK * classes];
            rows.iter_mut().zip(x).for_each(|(r, &v)| *r = f64::from(v));
            scores_of_block(&rows, w, features, &mut scores);
            out.iter_mut().zip(&scores).for_each(|(o, s)| *o = *s);
        });
    all
}

/// Replaces scores by probabilities and returns ln Σ exp(score).
pub fn softmax(scores: &mut [f64]) -> f64 {
    let highest = scores.iter().fold(f64::NEG_INFINITY, |m, &s| m.max(s));
    let mut sum = 0.0;
    for score in scores.iter_mut() {
        *score = (*score - highest).exp();
        sum += *score;
    }
    scores.iter_mut().for_each(|score| *score /= sum);
    highest + sum.ln()
}

/// scores[b, k] = w_k·x_b + b_k
fn scores_of_block(rows: &[f64], w: &[f64], d: usize, scores: &mut [f64]) {
    let classes = scores.len() / BLOCK;
    let (weights, intercepts) = w.split_at(classes * d);
    let x = four_rows(rows, d);
    for (k, (w, intercept)) in weights.chunks_exact(d).zip(intercepts).enumerate() {
        let dots = four_dots(w, x);
        for (b, dot) in dots.iter().enumerate() {
            scores[b * classes + k] = intercept + dot;
        }
    }
}

/// gradient of w_k += Σ_b errors[b, k] x_b, of b_k += Σ_b errors[b, k]
fn add_block(rows: &[f64], errors: &[f64], d: usize, gradient: &mut [f64]) {
    let classes = errors.len() / BLOCK;
    let (weights, intercepts) = gradient.split_at_mut(classes * d);
    let [x0, x1, x2, x3] = four_rows(rows, d);
    for (k, (g, intercept)) in weights.chunks_exact_mut(d).zip(intercepts).enumerate() {
        let e: [f64; BLOCK] = std::array::from_fn(|b| errors[b * classes + k]);
        *intercept += e.iter().sum::<f64>();
        for ((((g, x0), x1), x2), x3) in g.iter_mut().zip(x0).zip(x1).zip(x2).zip(x3) {
            *g += (e[0] * x0 + e[1] * x1) + (e[2] * x2 + e[3] * x3);
        }
    }
}

/// The labels as indices, one for each row of `x` and all below `classes`.
pub(super) fn check_labels<L>(x: Rows<'_>, labels: &[L], classes: usize) -> Result<Vec<usize>>
where
    L: Copy + Into<usize>,
{
    crate::error::check_same("labels", "entries", labels.len(), x.rows(), x.name())?;
    let labels: Vec<usize> = labels.iter().map(|&label| label.into()).collect();
    match labels.iter().position(|&label| label >= classes) {
        None => Ok(labels),
        Some(at) => Err(Error::value(
            "labels",
            at,
            labels[at],
            "a label below the number of classes",
        )),
    }
}
