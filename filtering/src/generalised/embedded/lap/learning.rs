//! Parameters ε and log-precisions h filtered along with the states, over passes through a series.
//!
//! With b = (ε, h), the Gibbs energy L = ½ eᵀiSe − ½ ln det iS + ½ εᵀP_pε + ½ δᵀP_hδ and its curvatures
//!
//! ```text
//! L_uu = JᵀiSJ + P,  L_up = JᵀiSJ_p,  L_pp = J_pᵀiSJ_p + P_p,  L_hh,ij = ½ δ_ij eᵀP_i e + P_h,  L_hp = (P_i e)ᵀJ_p
//! C = [L_uu L_up; L_pu L_pp]⁻¹,   entropy gradient  H_b = ½ tr(C ∂_b[L_uu L_up; L_pu L_pp])
//! ```
//!
//! states and b move together,
//!
//! ```text
//! u̇ = D u − L_u        ḃ = b'        b'̇ = −κ b' − Γ (L_b + H_b),   κ = T
//! Γ = (L̄_bb + e^λ diag L̄_bb)⁻¹,     L̄_bb ← (1 − 1/T) L̄_bb + L_bb/T, from L_bb + 32 I
//! ```
//!
//! that is: parameters have momentum, and change slowly because κ is the length of the series. λ starts at 0, falls by 1
//! after a pass that raised F and rises by 2 (to at least 2) after one that did not. What a pass reports of b is its
//! average over time weighted by precision. The next pass starts the states anew, and b and b' go on from where they are.
//!
//! One step takes the whole flow as linear, its Jacobian included the blocks by which u and b move each other
//! (`published.uncoupled` leaves these out).

use nalgebra::{DMatrix, DVector};
use serde::{Deserialize, Serialize};

use super::scheme::GeneralisedFiltering;
use crate::generalised::embedded::dem::{
    Free, SampleRows, all_seen, as_prior, flat, log_det_of_product, parameter_slopes,
    regular_inverse,
};
use crate::generalised::embedded::energy::{log_det, published_floor};
use crate::generalised::embedded::flow::Instant;
use crate::generalised::embedded::free_energy::FreeEnergy;
use crate::generalised::embedded::missing_samples::open_covariance;
use crate::generalised::embedded::record::Record;
use crate::generalised::embedded::shift::shift_matrix;
use crate::generalised::integrator::LocalLinearisation;
use crate::generalised::model::stacked::finite;
use crate::generalised::model::{Equations, GenerativeModel};
use crate::{Error, Result, Sequence};

/// What was learned from a series.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LapFit {
    /// Posterior means of θ of all levels `[parameters]`.
    pub parameters: Vec<f64>,
    /// Their covariance `[parameters, parameters]`.
    pub parameter_covariance: DMatrix<f64>,
    /// Posterior means of the log-precisions: of outputs and causes, then of motions.
    pub log_precisions: Vec<f64>,
    /// Their covariance.
    pub log_precision_covariance: DMatrix<f64>,
    /// The beliefs of the last pass, bin by bin.
    pub beliefs: Vec<Record>,
    /// F of each pass, in nats.
    pub passes: Vec<f64>,
}

impl LapFit {
    /// `model` with what was learned as its prior, to go on learning from another series; as
    /// [`crate::generalised::embedded::dem::DemFit::as_prior`]. The momentum of the parameters begins anew with the states.
    ///
    /// # Errors
    /// [`Error::Size`] if this was learned of another model.
    pub fn as_prior<E: Equations>(&self, model: GenerativeModel<E>) -> Result<GenerativeModel<E>> {
        as_prior(
            model,
            (&self.parameters, &self.parameter_covariance),
            (&self.log_precisions, &self.log_precision_covariance),
        )
    }
}

/// What goes on from one pass to the next.
struct Course {
    /// b = (ε, h).
    b: DVector<f64>,
    /// b'.
    momentum: DVector<f64>,
    /// L̄_bb, once there is one.
    average: Option<DMatrix<f64>>,
    /// λ.
    damping: f64,
}

/// What a pass reports.
struct Pass {
    deviation: DVector<f64>,
    h: DVector<f64>,
    spread: DMatrix<f64>,
    h_spread: DMatrix<f64>,
    free_energy: f64,
    beliefs: Vec<Record>,
}

impl<E: Equations> GeneralisedFiltering<E> {
    /// Learns parameters and log-precisions over passes through a whole series.
    ///
    /// # Errors
    /// As [`crate::generalised::embedded::dem::Dem::learn`]; the scheme is as it was then.
    pub fn learn(&mut self, series: &Sequence, inputs: Option<&Sequence>) -> Result<LapFit> {
        let bins = series.len();
        let layout = self.dem.layout();
        let (data, seen) = flat(series);
        let known = match inputs {
            None => self.dem.stack.model.cause.mean.repeat(bins),
            Some(inputs) if inputs.len() == bins => all_seen(inputs)?,
            Some(inputs) => {
                let expected = format!("{bins}, as the observations");
                return Err(Error::size("inputs", inputs.len(), expected));
            }
        };
        if series.width() != layout.outputs {
            return Err(Error::size("observations", series.width(), layout.outputs));
        }
        let kept = self.dem.d_step.clone();
        let free = Free::new(self.dem.stack.model.levels.iter().map(|l| &l.parameters));
        let prior = regular_inverse("prior of the parameters", &free.covariance)?;
        let noise = self.dem.noise.clone();
        let prior_h = regular_inverse("prior of the log-precisions", &noise.covariance)?;
        let size = free.len() + noise.mean.len();
        let mut course = Course {
            b: DVector::zeros(size),
            momentum: DVector::zeros(size),
            average: None,
            damping: 0.0,
        };
        let mut log_precisions = course.b.rows_mut(free.len(), noise.mean.len());
        log_precisions.copy_from(&noise.mean);
        let mut passes: Vec<f64> = Vec::new();
        let mut last: Option<Pass> = None;
        let mut still = 0;
        for _ in 0..self.dem.config.sweeps.max(1) {
            let priors = (&prior, &prior_h);
            let rows = (&data[..], &seen[..], &known[..]);
            let pass = match self.pass(rows, &free, priors, &mut course) {
                Ok(pass) => pass,
                Err(e) => {
                    self.dem.d_step = kept;
                    return Err(e);
                }
            };
            let before = passes.last().copied().unwrap_or(f64::NEG_INFINITY);
            let gain = pass.free_energy - before;
            course.damping = match gain > 0.0 {
                true => f64::max(course.damping - 1.0, -8.0),
                false => f64::max(course.damping + 2.0, 2.0),
            };
            still = if gain < 1.0 { still + 1 } else { 0 };
            passes.push(pass.free_energy);
            let stop = still >= 5 || course.damping > 6.0;
            let published = self.dem.config.published.pass_before_last;
            if last.is_none() || !(stop && published) {
                last = Some(pass);
            }
            if stop {
                break;
            }
        }
        self.dem.d_step = kept;
        let Some(last) = last else {
            return Err(Error::setting("sweeps", 0, "at least one"));
        };
        Ok(LapFit {
            log_precision_covariance: last.h_spread,
            parameters: free.at(&last.deviation),
            parameter_covariance: &free.basis * last.spread * free.basis.transpose(),
            log_precisions: last.h.as_slice().to_vec(),
            beliefs: last.beliefs,
            passes,
        })
    }

    fn pass(
        &mut self,
        (data, seen, inputs): (&[f64], &[bool], &[f64]),
        free: &Free,
        (prior, prior_h): (&DMatrix<f64>, &DMatrix<f64>),
        course: &mut Course,
    ) -> Result<Pass> {
        let dem = &mut self.dem;
        let layout = dem.layout();
        let bins = seen.len();
        let Course {
            b,
            momentum,
            average,
            damping,
        } = course;
        let (nu, np) = (layout.unknowns(), free.len());
        let nh = b.len() - np;
        let nb = np + nh;
        let length = bins as f64;
        let top = dem.config.top();
        let substeps = dem.config.substeps;
        let noise = dem.noise.clone();
        let rows = |values, width, seen| SampleRows {
            length: bins,
            width,
            values,
            seen,
        };
        let rows = (
            rows(data, layout.outputs, seen),
            rows(inputs, layout.inputs, &[]),
        );
        let mut unknowns = dem.d_step.start(&dem.stack);
        let (uncoupled, floors) = {
            let published = dem.config.published;
            (published.uncoupled, published.covariance_floor)
        };
        let mut step = LocalLinearisation::new(nu + 2 * nb, layout.orders);
        let mut change = DVector::zeros(nu + 2 * nb);
        let mut motion = DMatrix::zeros(nu, nu);
        let n = layout.orders * layout.states;
        motion
            .view_mut((0, 0), (n, n))
            .copy_from(&shift_matrix(layout.orders, layout.states));
        let m = layout.cause_orders * layout.causes;
        let causes = shift_matrix(layout.cause_orders, layout.causes);
        motion.view_mut((n, n), (m, m)).copy_from(&causes);
        let mut information = DMatrix::zeros(np, np);
        let mut weighted_sum = DVector::zeros(np);
        let mut h_information = DMatrix::zeros(nh, nh);
        let mut h_weighted = DVector::zeros(nh);
        let mut free_energy = 0.0;
        let mut beliefs = Vec::with_capacity(bins);
        let kept = dem.d_step.free_energy.kept.clone();
        let temporal = dem.d_step.sharpening();
        for t in 0..bins {
            let parts = dem.d_step.parts(t, rows.0);
            for k in 0..substeps * parts {
                let (epsilon, log) = (b.rows(0, np).into_owned(), b.rows(np, nh).into_owned());
                let theta = free.at(&epsilon);
                if nh > 0 {
                    dem.d_step.flow.set_precision(noise.at(&log));
                }
                let looked =
                    dem.d_step
                        .look(&mut dem.stack, ((t, k), parts), rows, &theta, &unknowns);
                let (flow, y, eta) = looked.map_err(|e| e.at_observation(t as u64))?;
                let at = Instant {
                    unknowns: unknowns.as_slice(),
                    data: y,
                    inputs: eta,
                    parameters: &theta,
                };
                let slopes =
                    parameter_slopes(&dem.stack, &layout, top, free, at).with_missing(flow);
                let precision = flow.terms.precision.clone();
                let scaled: Vec<DMatrix<f64>> = noise
                    .components
                    .iter()
                    .zip(log.iter())
                    .map(|(q, &h)| q * libm::exp(h))
                    .collect();
                let (j, jp, e) = (&flow.jacobian, &slopes.first, &flow.errors);
                // Curvatures.
                let weighted_p = jp.tr_mul(&precision);
                let l_up = &flow.weighted * jp;
                let l_pp = &weighted_p * jp + prior;
                let mut joint = DMatrix::zeros(nu + np, nu + np);
                joint.view_mut((0, 0), (nu, nu)).copy_from(&flow.curvature);
                joint.view_mut((0, nu), (nu, np)).copy_from(&l_up);
                joint
                    .view_mut((nu, 0), (np, nu))
                    .copy_from(&l_up.transpose());
                joint.view_mut((nu, nu), (np, np)).copy_from(&l_pp);
                let open = flow.open;
                let c = match open {
                    true => open_covariance(&joint),
                    false => regular_inverse("precision of states and parameters", &joint)?,
                };
                let mut l_bb = DMatrix::zeros(nb, nb);
                l_bb.view_mut((0, 0), (np, np)).copy_from(&l_pp);
                let mut l_hh = prior_h.clone();
                let mut gradient = DVector::zeros(nb);
                let part = &weighted_p * e + prior * &epsilon;
                gradient.rows_mut(0, np).copy_from(&part);
                // Slopes of L_b by u and by the data's errors: row i of `through` times J, J_y, ….
                let mut through = DMatrix::zeros(nb, layout.errors());
                through.rows_mut(0, np).copy_from(&weighted_p);
                let mut both = DMatrix::zeros(layout.errors(), nu + np);
                both.columns_mut(0, nu).copy_from(j);
                both.columns_mut(nu, np).copy_from(jp);
                for (p, slope) in slopes.second.iter().enumerate() {
                    // ½ tr(C ∂[…]) = tr over (J, J_p) C_{·u} J^(p)ᵀ iS.
                    let spread = &both * c.columns(0, nu);
                    gradient[p] += (&precision * spread).dot(slope);
                }
                let delta = &log - &noise.mean;
                let prior_part = prior_h * &delta;
                for (i, q) in scaled.iter().enumerate() {
                    let qe = q * e;
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
                    let rank = left * rank(q, &precision);
                    let spread = both.tr_mul(&(q * &both));
                    gradient[np + i] =
                        0.5 * e.dot(&qe) - 0.5 * rank + prior_part[i] + 0.5 * spread.dot(&c);
                    through.row_mut(np + i).copy_from(&qe.transpose());
                }
                if open {
                    // Nothing can be learned where missing samples leave a direction of the states open: the prior is left.
                    gradient.rows_mut(0, np).copy_from(&(prior * &epsilon));
                    gradient.rows_mut(np, nh).copy_from(&prior_part);
                    through.fill(0.0);
                    l_hh.copy_from(prior_h);
                }
                l_bb.view_mut((np, np), (nh, nh)).copy_from(&l_hh);
                if k == 0 {
                    let mut record = Record::new(&layout);
                    let all = c.view((0, 0), (nu, nu)).into_owned();
                    record.take(&layout, unknowns.as_slice(), &all, &flow.local);
                    let constant = FreeEnergy::new(layout.data(), &precision, kept.clone());
                    record.accuracy = constant.accuracy(&precision, e);
                    if let Some(missing) = flow.missing() {
                        let n = layout.outputs;
                        let outputs = precision.view((0, 0), (n, n)) / temporal;
                        record.accuracy += missing.free_energy(&outputs, &kept[..n]);
                    }
                    record.free_energy = record.accuracy;
                    if !open {
                        free_energy += record.free_energy;
                    }
                    beliefs.push(record);
                    // What is left of L_pp when the states are integrated out.
                    let schur = match open {
                        true => prior.clone(),
                        false => regular_inverse(
                            "covariance of the parameters",
                            &c.view((nu, nu), (np, np)).into_owned(),
                        )?,
                    };
                    weighted_sum += &schur * &epsilon;
                    information += schur;
                    let seen = match floors {
                        true => lifted_inverse(&lifted_inverse(&l_hh)?)?,
                        false => l_hh.clone(),
                    };
                    h_weighted += &seen * &log;
                    h_information += seen;
                }
                let settled = match average.take() {
                    None => &l_bb + DMatrix::identity(nb, nb) * 32.0,
                    Some(average) if k % parts > 0 => average,
                    Some(average) => average * (1.0 - 1.0 / length) + &l_bb / length,
                };
                let mut damped = settled.clone();
                for i in 0..nb {
                    damped[(i, i)] += libm::exp(*damping) * settled[(i, i)];
                }
                *average = Some(settled);
                let whiten = regular_inverse("curvature of the parameters", &damped)?;
                // The joint flow and its Jacobian.
                let mut a = DMatrix::zeros(nu + 2 * nb, nu + 2 * nb);
                a.view_mut((0, 0), (nu, nu))
                    .copy_from(&(&motion - &flow.curvature));
                if !uncoupled {
                    let by_b = -j.tr_mul(&through.transpose());
                    a.view_mut((0, nu), (nu, nb)).copy_from(&by_b);
                    let by_u = -&whiten * (&through * j);
                    a.view_mut((nu + nb, 0), (nb, nu)).copy_from(&by_u);
                }
                for i in 0..nb {
                    a[(nu + i, nu + nb + i)] = 1.0;
                    a[(nu + nb + i, nu + i)] = -1.0;
                    a[(nu + nb + i, nu + nb + i)] = -length;
                }
                let mut forcing = DMatrix::zeros(nu + 2 * nb, layout.orders);
                let mut along = DVector::zeros(nu);
                flow.gradient(unknowns.as_slice(), &mut along);
                let drift = &motion * &unknowns - along;
                forcing.view_mut((0, 0), (nu, 1)).copy_from(&drift);
                forcing.view_mut((nu, 0), (nb, 1)).copy_from(&*momentum);
                let pull = -&*momentum * length - &whiten * &gradient;
                forcing.view_mut((nu + nb, 0), (nb, 1)).copy_from(&pull);
                for order in 1..layout.orders {
                    let moved = flow.moved_data(at, order).clone();
                    let column = -(&flow.weighted * &moved);
                    forcing.view_mut((0, order), (nu, 1)).copy_from(&column);
                    if !uncoupled {
                        let column = -&whiten * (&through * moved);
                        forcing
                            .view_mut((nu + nb, order), (nb, 1))
                            .copy_from(&column);
                    }
                }
                step.step(&a, &forcing, 1.0 / (substeps * parts) as f64, &mut change);
                finite("the motion of states and parameters", change.as_slice())
                    .map_err(|e| e.at_observation(t as u64))?;
                unknowns += change.rows(0, nu);
                *b += change.rows(nu, nb);
                *momentum += change.rows(nu + nb, nb);
            }
        }
        let inverse = |m: &DMatrix<f64>| match floors {
            true => lifted_inverse(m),
            false => regular_inverse("precision of the log-precisions", m),
        };
        information -= prior * (length - 1.0);
        h_information -= prior_h * (length - 1.0);
        let whole = regular_inverse("precision of the parameters", &information)?;
        // The average over time weighted by precision.
        let total = &information + prior * (length - 1.0);
        let deviation = regular_inverse("precision of the parameters", &total)? * weighted_sum;
        let total = &h_information + prior_h * (length - 1.0);
        let h = inverse(&total)? * h_weighted;
        let delta = &h - &noise.mean;
        free_energy -= 0.5 * deviation.dot(&(prior * &deviation));
        free_energy -= 0.5 * delta.dot(&(prior_h * &delta));
        free_energy += 0.5 * log_det_of_product(&whole, prior);
        // What is known exactly stays so, and counts neither here nor there.
        let unknown: Vec<bool> = (0..nh).map(|i| noise.covariance[(i, i)] > 0.0).collect();
        let mut h_spread = inverse(&h_information)?;
        free_energy += 0.5 * (log_det(&h_spread, &unknown) + log_det(prior_h, &unknown));
        for i in (0..nh).filter(|&i| !unknown[i]) {
            h_spread.row_mut(i).fill(0.0);
            h_spread.column_mut(i).fill(0.0);
        }
        Ok(Pass {
            deviation,
            h,
            spread: whole,
            h_spread,
            free_energy,
            beliefs,
        })
    }
}

/// (A + floor·I)⁻¹ of a symmetric A as the published schemes take it, which need not be positive definite: between two
/// such inverses a precision of e³² halves, so that its sum over bins less that of the prior turns negative.
fn lifted_inverse(matrix: &DMatrix<f64>) -> Result<DMatrix<f64>> {
    let n = matrix.nrows();
    if n == 0 {
        return Ok(matrix.clone());
    }
    let floor = published_floor(matrix);
    let lifted = matrix + DMatrix::identity(n, n) * floor;
    lifted
        .try_inverse()
        .ok_or_else(|| Error::NotPositiveDefinite {
            name: "precision of the log-precisions".to_owned(),
            pivot: 0,
            value: 0.0,
        })
}

/// tr(P_i iS⁻¹): how many errors the component rules. Where iS has nothing else in its rows that is their number.
fn rank(component: &DMatrix<f64>, precision: &DMatrix<f64>) -> f64 {
    let n = precision.nrows();
    let rows = (0..n).filter(|&i| component[(i, i)] != 0.0);
    rows.map(|i| component[(i, i)] / precision[(i, i)]).sum()
}
