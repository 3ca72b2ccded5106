//! The Gibbs energy L and its entropy to second order at one point: what pulls at b = (ε, h), and how stiffly.

use nalgebra::{DMatrix, DVector};

use crate::Result;
use crate::generalised::embedded::dem::{ParameterSlopes, Priors, StackedPrecision};
use crate::generalised::embedded::energy::regular_inverse;
use crate::generalised::embedded::flow::Flow;
use crate::generalised::embedded::missing_samples::open_covariance;

/// Gradients and curvatures at one point.
pub(super) struct Expansion {
    /// C of (u, ε).
    pub covariance: DMatrix<f64>,
    /// L_bb, and L_hh in it.
    pub curvature: DMatrix<f64>,
    pub log_curvature: DMatrix<f64>,
    /// L_b + H_b.
    pub gradient: DVector<f64>,
    /// Slopes of L_b by u and by the data's errors: row i of this times J, J_y, …
    pub through: DMatrix<f64>,
}

impl Expansion {
    /// At the point that `flow` was evaluated at, with b = (ε, h).
    pub fn new(
        flow: &Flow,
        slopes: &ParameterSlopes,
        priors: &Priors,
        noise: &StackedPrecision,
        (epsilon, log): (&DVector<f64>, &DVector<f64>),
    ) -> Result<Self> {
        let precision = &flow.terms.precision;
        let (j, jp, e) = (&flow.jacobian, &slopes.first, &flow.errors);
        let (nu, np, nh) = (j.ncols(), epsilon.len(), log.len());
        let weighted_p = jp.tr_mul(precision);
        let l_up = &flow.weighted * jp;
        let l_pp = &weighted_p * jp + &priors.parameters;
        let mut joint = DMatrix::zeros(nu + np, nu + np);
        put(&mut joint, (0, 0), &flow.curvature);
        put(&mut joint, (0, nu), &l_up);
        put(&mut joint, (nu, 0), &l_up.transpose());
        put(&mut joint, (nu, nu), &l_pp);
        let c = match flow.open {
            true => open_covariance(&joint),
            false => regular_inverse("precision of states and parameters", &joint)?,
        };
        let mut l_bb = DMatrix::zeros(np + nh, np + nh);
        put(&mut l_bb, (0, 0), &l_pp);
        let mut l_hh = priors.log_precisions.clone();
        let mut gradient = DVector::zeros(np + nh);
        let prior_by_p = &priors.parameters * epsilon;
        let by_p = &weighted_p * e + &prior_by_p;
        gradient.rows_mut(0, np).copy_from(&by_p);
        let mut through = DMatrix::zeros(np + nh, e.len());
        through.rows_mut(0, np).copy_from(&weighted_p);
        let mut both = DMatrix::zeros(e.len(), nu + np);
        both.columns_mut(0, nu).copy_from(j);
        both.columns_mut(nu, np).copy_from(jp);
        for (p, slope) in slopes.second.iter().enumerate() {
            // ½ tr(C ∂[…]) = tr over (J, J_p) C_{·u} J^(p)ᵀ iS.
            let spread = &both * c.columns(0, nu);
            gradient[p] += (precision * spread).dot(slope);
        }
        let prior_by_h = &priors.log_precisions * (log - &noise.mean);
        for (i, (component, &h)) in noise.components.iter().zip(log.iter()).enumerate() {
            let q = component * libm::exp(h);
            let qe = &q * e;
            l_hh[(i, i)] += 0.5 * e.dot(&qe);
            let l_hp = jp.tr_mul(&qe);
            for p in 0..np {
                l_bb[(np + i, p)] = l_hp[p];
                l_bb[(p, np + i)] = l_hp[p];
            }
            let left = match (flow.missing(), i < noise.of_data) {
                (Some(missing), true) => missing.share(),
                _ => 1.0,
            };
            let rank = left * rank(&q, precision);
            let spread = both.tr_mul(&(&q * &both));
            gradient[np + i] = 0.5 * e.dot(&qe) - 0.5 * rank + prior_by_h[i] + 0.5 * spread.dot(&c);
            through.row_mut(np + i).copy_from(&qe.transpose());
        }
        if flow.open {
            // Nothing can be learned where missing samples leave a direction of the states open: the prior is left.
            gradient.rows_mut(0, np).copy_from(&prior_by_p);
            gradient.rows_mut(np, nh).copy_from(&prior_by_h);
            through.fill(0.0);
            l_hh.copy_from(&priors.log_precisions);
        }
        put(&mut l_bb, (np, np), &l_hh);
        Ok(Self {
            covariance: c,
            curvature: l_bb,
            log_curvature: l_hh,
            gradient,
            through,
        })
    }
}

/// Writes `block` into `whole` from a row and column on.
pub(super) fn put(whole: &mut DMatrix<f64>, from: (usize, usize), block: &DMatrix<f64>) {
    whole.view_mut(from, block.shape()).copy_from(block);
}

/// tr(P_i iS⁻¹): how many errors the component rules. Where iS has nothing else in its rows that is their number.
fn rank(component: &DMatrix<f64>, precision: &DMatrix<f64>) -> f64 {
    let n = precision.nrows();
    let rows = (0..n).filter(|&i| component[(i, i)] != 0.0);
    rows.map(|i| component[(i, i)] / precision[(i, i)]).sum()
}
