//! The evidence of Poisson latents by a sum over all counts.

use super::poisson::PoissonLatents;
use crate::{Error, Result, Sequence};

/// An evidence by enumeration.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Enumerated {
    /// ln p(y_1…y_T), in nats, at most `truncation` below the exact one.
    pub log_evidence: f64,
    /// What the counts left out can add to it, in nats.
    pub truncation: f64,
    /// The largest Σ_k z_k that was summed over.
    pub total: usize,
}

impl PoissonLatents {
    /// ln p(y_1…y_T) by the sum over all z with Σ_k z_k ≤ n, n being raised until what is left out is at most `tolerance` of
    /// the sum. As p(y|z) ≤ (2πσ²)^(−M/2), what is left out of p(y) is at most that times P(Poisson(Σλ) > n).
    ///
    /// # Errors
    /// [`Error::Setting`] for a tolerance that is not positive, and where more than 10⁷ vectors of one sum would be needed; [`Error::Size`]
    /// and [`Error::Unsupported`] for observations that are none of this model.
    pub fn enumerate(&self, data: &Sequence, tolerance: f64) -> Result<Enumerated> {
        if !(tolerance > 0.0 && tolerance < 1.0) {
            return Err(Error::setting("tolerance", tolerance, "between 0 and 1"));
        }
        self.check_data(data)?;
        let mut sum = Enumerated {
            log_evidence: 0.0,
            truncation: 0.0,
            total: 0,
        };
        for y in data.iter().flatten() {
            let one = self.enumerate_one(y, tolerance)?;
            sum.log_evidence += one.log_evidence;
            sum.truncation += one.truncation;
            sum.total = sum.total.max(one.total);
        }
        Ok(sum)
    }

    fn enumerate_one(&self, y: &[f64], tolerance: f64) -> Result<Enumerated> {
        /// Vectors of one sum; all sums below it take a second or so.
        const MOST: f64 = 1e7;
        let (field, silent) = self.field(y);
        let mean: f64 = self.rates.iter().sum();
        let k = self.latents();
        let mut sum = Sum::default();
        let mut layer = Layer { model: self, field };
        let (mut total, mut terms, mut log_mass) = (0usize, 1.0, -mean);
        loop {
            if total > 0 {
                log_mass += (mean / total as f64).ln();
                // C(total + K − 1, K − 1) vectors have this sum.
                terms *= (total + k - 1) as f64 / total as f64;
            }
            if terms >= MOST {
                let expected = "a model whose counts can be enumerated: fewer latents, lower rates or more noise";
                let found = format!("{terms:e} vectors of {k} counts that sum to {total}");
                return Err(Error::setting("tolerance", found, expected));
            }
            layer.add(0, total, silent - mean, &mut sum);
            // Past the mean the tail of a Poisson number is below a geometric series of its next term.
            let ratio = mean / (total as f64 + 2.0);
            if ratio < 1.0 {
                let tail = log_mass + (mean / (total as f64 + 1.0)).ln() - (1.0 - ratio).ln();
                let left_out = (tail + self.highest() - sum.log()).exp();
                if left_out <= tolerance {
                    return Ok(Enumerated {
                        log_evidence: sum.log(),
                        truncation: left_out.ln_1p(),
                        total,
                    });
                }
            }
            total += 1;
        }
    }
}

/// Σ e^x, the largest x kept apart.
struct Sum {
    top: f64,
    scaled: f64,
}

impl Default for Sum {
    fn default() -> Self {
        Self {
            top: f64::NEG_INFINITY,
            scaled: 0.0,
        }
    }
}

impl Sum {
    fn add(&mut self, x: f64) {
        if x > self.top {
            self.scaled = self.scaled * (self.top - x).exp() + 1.0;
            self.top = x;
        } else if x > f64::NEG_INFINITY {
            self.scaled += (x - self.top).exp();
        }
    }

    fn log(&self) -> f64 {
        self.top + self.scaled.ln()
    }
}

/// All counts of one sum, in depth.
struct Layer<'a> {
    model: &'a PoissonLatents,
    /// h − G z of the counts so far.
    field: Vec<f64>,
}

impl Layer<'_> {
    /// Adds ln p(y, z) of all ways to share `left` among the latents from number `k` on; `log_joint` is that of the counts
    /// before, the others 0.
    fn add(&mut self, k: usize, left: usize, log_joint: f64, sum: &mut Sum) {
        let own = self.model.gram[(k, k)];
        let log_rate = self.model.rates[k].ln();
        // ln p(y, z) with n at place k and 0 after it, from n − 1.
        let up = |field: f64, n: f64| field - own * (n - 0.5) + log_rate - n.ln();
        let here = self.field[k];
        if k + 1 == self.model.latents() {
            let rise: f64 = (1..=left).map(|n| up(here, n as f64)).sum();
            return sum.add(log_joint + rise);
        }
        let mut log_joint = log_joint;
        for n in 0..=left {
            if n > 0 {
                log_joint += up(here, n as f64);
                self.shift(k, -1.0);
            }
            self.add(k + 1, left - n, log_joint, sum);
        }
        self.shift(k, left as f64);
    }

    /// Gives the fields of the later latents what `counts` of latent k took from them; negative where they take it.
    fn shift(&mut self, k: usize, counts: f64) {
        for j in k + 1..self.field.len() {
            self.field[j] += counts * self.model.gram[(j, k)];
        }
    }
}
