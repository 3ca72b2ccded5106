//! The M-step: log-precisions from the errors of a sweep.
//!
//! With S = iS(h)⁻¹ and P_i = e^{h_i} Q̃_i:
//!
//! ```text
//! F_h,i = −½ tr(P_i (E − T S)) − [P_h (h − h₀)]_i,    C_h = −F_hh⁻¹
//! F_hh,ij = −½ T tr(P_i S P_j S) + δ_ij (F_h,i without its prior) − P_h,ij
//! ```

use nalgebra::{DMatrix, DVector};

use super::ascent::{LONGEST, regularised_step};
use super::published::Deviation;
use super::scheme::Dem;
use super::sweep::{Estimate, Sums};
use crate::Result;
use crate::generalised::embedded::energy::{covariance, regular_inverse};
use crate::generalised::model::Equations;

/// Largest change of a log-precision in one step.
const LOG_PRECISION_STEP: f64 = 2.0;

impl<E: Equations> Dem<E> {
    /// Moves h of `estimate` in at most so many steps, with its covariance; gives Σ|Δh|, and the h that F is to be taken
    /// at. `prior` is P_h.
    pub(super) fn m_step(
        &self,
        sums: &Sums,
        prior: &DMatrix<f64>,
        estimate: &mut Estimate,
        steps: usize,
    ) -> Result<(f64, DVector<f64>)> {
        let h = &mut estimate.h;
        let start = h.clone();
        let mut judged = h.clone();
        if h.is_empty() {
            return Ok((0.0, judged));
        }
        let published = self.config.published;
        let late = published.has(Deviation::LatePrecisions);
        for _ in 0..steps {
            let (gradient, curvature) = self.slopes_by_precision(sums, prior, h)?;
            let unit = published.has(Deviation::DiagonalTime);
            let step = regularised_step(&curvature, &gradient, LONGEST, unit);
            let step = step.map(|d| d.clamp(-LOG_PRECISION_STEP, LOG_PRECISION_STEP));
            estimate.h_spread = regular_inverse("precision of the log-precisions", &-curvature)?;
            let small = step.lp_norm(1) < libm::exp(-4.0);
            judged.clone_from(h);
            // A step this small is not taken, unless F may be that of the point before it.
            if late || !small {
                *h += &step;
            }
            if small {
                break;
            }
        }
        let moved = (&*h - start).lp_norm(1);
        Ok((moved, if late { judged } else { h.clone() }))
    }

    /// F_h and F_hh.
    fn slopes_by_precision(
        &self,
        sums: &Sums,
        prior: &DMatrix<f64>,
        h: &DVector<f64>,
    ) -> Result<(DVector<f64>, DMatrix<f64>)> {
        let n = h.len();
        // The bins that the errors of a component stand for: missing samples have none.
        let lost: f64 = sums.incomplete.iter().map(|m| 1.0 - m.share()).sum();
        let of_data = self.noise.of_data;
        let counted = |i: usize| sums.bins as f64 - if i < of_data { lost } else { 0.0 };
        let precision = self.noise.at(h);
        let kept: Vec<usize> = (0..precision.nrows())
            .filter(|&i| precision[(i, i)] != 0.0)
            .collect();
        let part = |m: &DMatrix<f64>| {
            DMatrix::from_fn(kept.len(), kept.len(), |i, j| m[(kept[i], kept[j])])
        };
        let precision = part(&precision);
        let mut s = DMatrix::zeros(kept.len(), kept.len());
        // The published schemes lift small precisions to what rounding leaves of the large ones.
        let floor = self.config.published.floor(&precision);
        covariance("precision of the noise", &precision, floor, &mut s)?;
        let summed = part(&(&sums.errors + &sums.spread));
        let components = self.noise.components.iter().zip(h.iter());
        let scaled: Vec<_> = components.map(|(q, &h)| part(q) * libm::exp(h)).collect();
        let products: Vec<_> = scaled.iter().map(|p| p * &s).collect();
        let likelihood = DVector::from_fn(n, |i, _| {
            -0.5 * (scaled[i].dot(&summed) - counted(i) * scaled[i].dot(&s))
        });
        let mut curvature = DMatrix::from_fn(n, n, |i, j| {
            let bins = counted(i).min(counted(j));
            -0.5 * bins * products[i].dot(&products[j].transpose())
        });
        curvature -= prior;
        curvature += DMatrix::from_diagonal(&likelihood);
        let gradient = likelihood - prior * (h - &self.noise.mean);
        Ok((gradient, curvature))
    }
}
