//! ∇ ln p by the adjoint of the filter: no covariance is inverted but that of the predicted observation.

use nalgebra::{DMatrix, DVector};

use super::gradient::GaussianGradient;
use super::model::LinearGaussian;
use super::plan::LN_2_PI;
use crate::math::cholesky::{cholesky, inverse, log_det, symmetric};
use crate::sequence::check_partial_row;
use crate::{Result, Sequence};

/// What the filter did with one observation: the entries seen, and S⁻¹, v, K of these.
struct Seen {
    entries: Vec<usize>,
    inverse: DMatrix<f64>,
    v: DVector<f64>,
    gain: DMatrix<f64>,
}

/// One step: the predicted belief (m, P), the filtered one (m', P').
struct Moved {
    mean: DVector<f64>,
    covariance: DMatrix<f64>,
    seen: Option<Seen>,
    mean_after: DVector<f64>,
    covariance_after: DMatrix<f64>,
}

impl LinearGaussian {
    /// As [`LinearGaussian::gradient`], also where Q, R or P0 are next to singular: with r and N of the backward recursion
    /// (eq. F52), G' = ½(r rᵀ − N) of the filtered belief, u = S⁻¹v − Kᵀr and S̄ = ½(u uᵀ − S⁻¹ − KᵀNK)
    ///
    /// ```text
    /// ∂R += S̄,   ∂d += u,   ∂H += u mᵀ + 2 S̄HP + (r (S⁻¹v)ᵀ − 2G'K)ᵀP
    /// ```
    ///
    /// # Errors
    /// As [`LinearGaussian::log_evidence`], and for a prediction without variance.
    pub(super) fn adjoint_gradient(&self, observations: &Sequence) -> Result<GaussianGradient> {
        self.check_proper("the gradient by m0 and P0", "be taken")?;
        self.check_width(observations.width())?;
        let (steps, log_evidence) = self.forward(observations)?;
        let (n, m) = (self.states(), self.width());
        let (f, h) = (self.transition(), self.observation());
        let square = DMatrix::<f64>::zeros;
        let mut by = GaussianGradient {
            transition: square(n, n),
            bias: DVector::zeros(n),
            process_noise: square(n, n),
            observation: square(m, n),
            offset: DVector::zeros(m),
            observation_noise: square(m, m),
            initial_mean: DVector::zeros(n),
            initial_covariance: square(n, n),
            log_evidence,
        };
        let (mut r, mut big) = (DVector::zeros(n), square(n, n));
        for (t, step) in steps.iter().enumerate().rev() {
            if let Some(seen) = &step.seen {
                let h = h.select_rows(&seen.entries);
                let weighted = &seen.inverse * &seen.v;
                let u = &weighted - seen.gain.transpose() * &r;
                let pulled = &big * &seen.gain;
                let spread = &seen.inverse + seen.gain.transpose() * &pulled;
                let by_s = 0.5 * (&u * u.transpose() - &spread);
                // 2G'K = r (Kᵀr)ᵀ − NK.
                let by_m = &r * u.transpose() + &pulled;
                let p = &step.covariance;
                let by_h = &u * step.mean.transpose() + 2.0 * &by_s * &h * p + by_m.transpose() * p;
                for (k, &i) in seen.entries.iter().enumerate() {
                    by.offset[i] += u[k];
                    for j in 0..n {
                        by.observation[(i, j)] += by_h[(k, j)];
                    }
                    for (l, &j) in seen.entries.iter().enumerate() {
                        by.observation_noise[(i, j)] += by_s[(k, l)];
                    }
                }
                let left = DMatrix::identity(n, n) - &seen.gain * &h;
                r = h.transpose() * weighted + left.transpose() * &r;
                big =
                    symmetric(h.transpose() * &seen.inverse * &h + left.transpose() * &big * &left);
            }
            let g = 0.5 * (&r * r.transpose() - &big);
            if t == 0 {
                by.initial_mean = r;
                by.initial_covariance = g;
                break;
            }
            let before = &steps[t - 1];
            by.transition +=
                &r * before.mean_after.transpose() + 2.0 * &g * f * &before.covariance_after;
            by.bias += &r;
            by.process_noise += g;
            r = f.transpose() * &r;
            big = symmetric(f.transpose() * &big * f);
        }
        Ok(by)
    }

    fn forward(&self, observations: &Sequence) -> Result<(Vec<Moved>, f64)> {
        let n = self.states();
        let (f, h) = (self.transition(), self.observation());
        let mut steps: Vec<Moved> = Vec::with_capacity(observations.len());
        let mut log_evidence = 0.0;
        for (t, y) in observations.iter().enumerate() {
            let (mean, covariance) = match steps.last() {
                None => (
                    self.initial_mean().clone(),
                    self.initial_covariance().clone(),
                ),
                Some(last) => (
                    f * &last.mean_after + self.bias(),
                    symmetric(f * &last.covariance_after * f.transpose() + self.process_noise()),
                ),
            };
            let mut step = Moved {
                mean_after: mean.clone(),
                covariance_after: covariance.clone(),
                mean,
                covariance,
                seen: None,
            };
            if let Some(y) = y {
                check_partial_row(y, self.width()).map_err(|e| e.at_observation(t as u64))?;
                let entries: Vec<usize> = (0..y.len()).filter(|&i| !y[i].is_nan()).collect();
                let h = h.select_rows(&entries);
                let r = self.observation_noise();
                let r = r.select_rows(&entries).select_columns(&entries);
                let v = DVector::from_fn(entries.len(), |k, _| {
                    y[entries[k]] - self.offset()[entries[k]]
                }) - &h * &step.mean;
                let cross = &step.covariance * h.transpose();
                let s = symmetric(&h * &cross + &r);
                let factor = cholesky("covariance of the predicted observation", &s)?;
                let own = inverse(&factor);
                let gain = &cross * &own;
                step.mean_after += &gain * &v;
                // Joseph form.
                let left = DMatrix::identity(n, n) - &gain * &h;
                step.covariance_after = symmetric(
                    &left * &step.covariance * left.transpose() + &gain * r * gain.transpose(),
                );
                log_evidence -=
                    0.5 * (entries.len() as f64 * LN_2_PI + log_det(&factor) + v.dot(&(&own * &v)));
                step.seen = Some(Seen {
                    entries,
                    inverse: own,
                    v,
                    gain,
                });
            }
            steps.push(step);
        }
        Ok((steps, log_evidence))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_gradient_by_fishers_identity() {
        let mut data = Sequence::new(2).unwrap();
        for t in 0..40 {
            let x = f64::from(t);
            let mut row = [(0.4 * x).sin() + 0.3 * (x * x).cos(), 2.0 * (0.3 * x).cos()];
            if t % 5 == 2 {
                row[t as usize % 2] = f64::NAN;
            }
            data.push((t % 7 != 3).then_some(&row)).unwrap();
        }
        let guess = LinearGaussian::initial_guess(3, std::slice::from_ref(&data)).unwrap();
        let (a, b) = (
            guess.adjoint_gradient(&data).unwrap(),
            guess.gradient(&data).unwrap(),
        );
        assert!((a.log_evidence - b.log_evidence).abs() < 1e-10);
        let near = |x: &DMatrix<f64>, y: &DMatrix<f64>| (x - y).amax() < 1e-8 * (1.0 + y.amax());
        assert!(near(&a.transition, &b.transition));
        assert!(near(&a.process_noise, &b.process_noise));
        assert!(near(&a.observation, &b.observation));
        assert!(near(&a.observation_noise, &b.observation_noise));
        assert!(near(&a.initial_covariance, &b.initial_covariance));
        assert!((a.bias - b.bias).amax() < 1e-8);
        assert!((a.offset - b.offset).amax() < 1e-8);
        assert!((a.initial_mean - b.initial_mean).amax() < 1e-8);
    }
}
