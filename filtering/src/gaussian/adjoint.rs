//! ∇ ln p by the adjoint of the filter: no covariance is inverted but that of the predicted observation.

use nalgebra::{DMatrix, DVector};

use super::gradient::{GaussianGradient, RowSlopes};
use super::model::LinearGaussian;
use super::plan::LN_2_PI;
use super::rows::Row;
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

/// What is left of the gradient beside that of the rows.
pub(super) struct StartSlopes {
    pub mean: DVector<f64>,
    pub covariance: DMatrix<f64>,
    pub log_evidence: f64,
}

/// The gradient row by row, the last first, shown to `visit`: with r and N of the backward recursion (eq. F52),
/// G' = ½(r rᵀ − N) of the filtered belief, u = S⁻¹v − Kᵀr and S̄ = ½(u uᵀ − S⁻¹ − KᵀNK)
///
/// ```text
/// ∂R += S̄,   ∂d += u,   ∂H += u mᵀ + 2 S̄HP + (r (S⁻¹v)ᵀ − 2G'K)ᵀP
/// ```
///
/// # Errors
/// As [`LinearGaussian::log_evidence`], and for a prediction without variance.
pub(super) fn adjoint(
    start: &LinearGaussian,
    rows: &[Row<'_>],
    mut visit: impl FnMut(usize, RowSlopes),
) -> Result<StartSlopes> {
    start.check_proper("the gradient by m0 and P0", "be taken")?;
    let (steps, log_evidence) = forward(start, rows)?;
    let (n, m) = (start.states(), start.width());
    let square = DMatrix::<f64>::zeros;
    let (mut r, mut big) = (DVector::zeros(n), square(n, n));
    for (t, step) in steps.iter().enumerate().rev() {
        let (f, h) = (rows[t].model.transition(), rows[t].model.observation());
        let mut slopes = RowSlopes {
            moves: None,
            sees: None,
        };
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
            let mut own = (square(m, n), DVector::zeros(m), square(m, m));
            for (k, &i) in seen.entries.iter().enumerate() {
                own.1[i] = u[k];
                own.0.set_row(i, &by_h.row(k));
                for (l, &j) in seen.entries.iter().enumerate() {
                    own.2[(i, j)] = by_s[(k, l)];
                }
            }
            slopes.sees = Some(own);
            let left = DMatrix::identity(n, n) - &seen.gain * &h;
            r = h.transpose() * weighted + left.transpose() * &r;
            big = symmetric(h.transpose() * &seen.inverse * &h + left.transpose() * &big * &left);
        }
        let g = 0.5 * (&r * r.transpose() - &big);
        if t == 0 {
            visit(t, slopes);
            return Ok(StartSlopes {
                mean: r,
                covariance: g,
                log_evidence,
            });
        }
        let before = &steps[t - 1];
        let by_f = &r * before.mean_after.transpose() + 2.0 * &g * f * &before.covariance_after;
        slopes.moves = Some((by_f, r.clone(), g));
        visit(t, slopes);
        r = f.transpose() * &r;
        big = symmetric(f.transpose() * &big * f);
    }
    Ok(StartSlopes {
        mean: r,
        covariance: big,
        log_evidence,
    })
}

impl LinearGaussian {
    /// As [`LinearGaussian::gradient`], also where Q, R or P0 are next to singular.
    ///
    /// # Errors
    /// As [`adjoint`].
    pub(super) fn adjoint_gradient(&self, observations: &Sequence) -> Result<GaussianGradient> {
        self.check_width(observations.width())?;
        let mut by = GaussianGradient::zero(self);
        let start = adjoint(self, &self.rows(observations), |_, row| by.add(row))?;
        by.initial_mean = start.mean;
        by.initial_covariance = start.covariance;
        by.log_evidence = start.log_evidence;
        Ok(by)
    }
}

fn forward(start: &LinearGaussian, rows: &[Row<'_>]) -> Result<(Vec<Moved>, f64)> {
    let n = start.states();
    let mut steps: Vec<Moved> = Vec::with_capacity(rows.len());
    let mut log_evidence = 0.0;
    for (t, Row { model, y }) in rows.iter().enumerate() {
        let (f, h) = (model.transition(), model.observation());
        let (mean, covariance) = match steps.last() {
            None => (
                start.initial_mean().clone(),
                start.initial_covariance().clone(),
            ),
            Some(last) => (
                f * &last.mean_after + model.bias(),
                symmetric(f * &last.covariance_after * f.transpose() + model.process_noise()),
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
            check_partial_row(y, model.width()).map_err(|e| e.at_observation(t as u64))?;
            let entries: Vec<usize> = (0..y.len()).filter(|&i| !y[i].is_nan()).collect();
            let h = h.select_rows(&entries);
            let r = model.observation_noise();
            let r = r.select_rows(&entries).select_columns(&entries);
            let v = DVector::from_fn(entries.len(), |k, _| {
                y[entries[k]] - model.offset()[entries[k]]
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
