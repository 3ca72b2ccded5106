//! The E- and M-step: parameters and log-precisions learned over sweeps of a whole series.
//!
//! While the D-step sweeps over T bins these are summed, e and J those of the last step of each bin:
//!
//! ```text
//! F_p   = Σ_t [ −J_pᵀ iS e − ∂_ε ½tr(C_u Jᵀ iS J) ] − P_p ε          Λ_p = Σ_t J_pᵀ iS J_p + P_p,   C_p = Λ_p⁻¹
//! F_pp  = Σ_t [ −J_pᵀ iS J_p − ∂²_ε ½tr(C_u Jᵀ iS J) ] − P_p
//! E     = Σ_t [ e eᵀ + J C_u Jᵀ + J_p C_p J_pᵀ ]
//! ```
//!
//! M-step, with S = iS(h)⁻¹ and P_i = e^{h_i} Q̃_i:
//!
//! ```text
//! F_h,i = −½ tr(P_i (E − T S)) − [P_h (h − h₀)]_i,    C_h = −F_hh⁻¹
//! F_hh,ij = −½ T tr(P_i S P_j S) + δ_ij (F_h,i without its prior) − P_h,ij
//! ```
//!
//! Free energy of a sweep, with δ = h − h₀ and the D-step's part from `free_energy.rs`:
//!
//! ```text
//! F = Σ_t F_t − ½ εᵀ P_p ε − ½ δᵀ P_h δ + ½ ln det(C_p P_p) + ½ ln det(C_h P_h)
//! ```
//!
//! Each step Δ solves the ascent along its gradient for a time exp(τ)/|det|^{1/dim} of its curvature: long for
//! large τ (a Newton step), short for small τ. A sweep that does not raise F is taken back.

use nalgebra::{DMatrix, DVector};
use serde::{Deserialize, Serialize};

use super::d_step::SampleRows;
use super::parameters::{Free, parameter_slopes};
use super::posterior::as_prior;
use super::scheme::Dem;
use crate::generalised::embedded::energy::{covariance, log_det, published_floor};
use crate::generalised::embedded::free_energy::FreeEnergy;
use crate::generalised::embedded::missing_samples::MissingSamples;
use crate::generalised::embedded::record::Record;
use crate::generalised::integrator::LocalLinearisation;
use crate::generalised::model::{Equations, GenerativeModel};
use crate::{Error, Result, Sequence};

/// What was learned from a series.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DemFit {
    /// The posterior mean of θ of all levels `[parameters]`.
    pub parameters: Vec<f64>,
    /// Its covariance `[parameters, parameters]`.
    pub parameter_covariance: DMatrix<f64>,
    /// Posterior means of the log-precisions: of outputs and causes, then of motions.
    pub log_precisions: Vec<f64>,
    /// Their covariance.
    pub log_precision_covariance: DMatrix<f64>,
    /// The beliefs of the best sweep, bin by bin.
    pub beliefs: Vec<Record>,
    /// Each sweep: F in nats, and whether it was kept.
    pub sweeps: Vec<(f64, bool)>,
}

impl DemFit {
    /// `model` with what was learned as its prior, to go on learning from another series.
    ///
    /// That is the M- and E-step's own way of carrying over: the second series sees the first through means and
    /// covariances of parameters and log-precisions. Covariances between levels and between noises are left out, as a
    /// model has a prior for each; the states begin anew.
    ///
    /// ```
    /// use scotopic_filtering::Sequence;
    /// use scotopic_filtering::generalised::dem::{Dem, DemConfig};
    /// use scotopic_filtering::generalised::model::{GenerativeModel, Linear, NoisePrecision};
    ///
    /// # fn main() -> scotopic_filtering::Result<()> {
    /// let leak = Linear::ornstein_uhlenbeck(0.5);
    /// let mut model = GenerativeModel::single(leak.clone(), &leak.defaults(), 9.0, 9.0, 1.0, &[0.0])?;
    /// model.levels[0].output = NoisePrecision::unknown(1, 2.0, 4.0);
    /// let wave = |from: u32| Sequence::of_numbers((from..from + 32).map(|t| (0.4 * f64::from(t)).sin()));
    /// let first = Dem::new(model.clone(), DemConfig::default())?.learn(&wave(0)?, None)?;
    /// let second = Dem::new(first.as_prior(model)?, DemConfig::default())?.learn(&wave(32)?, None)?;
    /// // Two series tell more than one.
    /// assert!(second.log_precision_covariance[(0, 0)] < first.log_precision_covariance[(0, 0)]);
    /// # Ok(()) }
    /// ```
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

/// The sums of one sweep.
struct Sums {
    gradient: DVector<f64>,
    curvature: DMatrix<f64>,
    information: DMatrix<f64>,
    errors: DMatrix<f64>,
    spread: DMatrix<f64>,
    entropy: f64,
    /// The bins that count: all but those in which missing samples leave a direction of the states open, so that nothing can
    /// be learned there.
    bins: usize,
    /// The windows with missing samples.
    incomplete: Vec<MissingSamples>,
}

/// The longest time τ of a step: nearly Newton's.
const LONGEST: f64 = 4.0;

/// Largest change of a log-precision in one step of the M-step.
const LOG_PRECISION_STEP: f64 = 2.0;

impl<E: Equations> Dem<E> {
    /// Learns parameters and log-precisions from a whole series; afterwards the scheme filters with them.
    ///
    /// # Errors
    /// As [`Dem::run`]. What was learned up to then is discarded.
    pub fn learn(&mut self, series: &Sequence, inputs: Option<&Sequence>) -> Result<DemFit> {
        let start = self.d_step.clone();
        let learned = self.sweeps(series, inputs);
        if learned.is_err() {
            self.d_step = start;
        }
        learned
    }

    fn sweeps(&mut self, series: &Sequence, inputs: Option<&Sequence>) -> Result<DemFit> {
        let free = Free::new(self.stack.model.levels.iter().map(|l| &l.parameters));
        let layout = self.layout();
        let bins = series.len();
        let (data, seen) = flat(series);
        let known = match inputs {
            None => self.stack.model.cause.mean.repeat(bins),
            Some(inputs) if inputs.len() == bins => all_seen(inputs)?,
            Some(inputs) => {
                let expected = format!("{bins}, as the observations");
                return Err(Error::size("inputs", inputs.len(), expected));
            }
        };
        if series.width() != layout.outputs {
            return Err(Error::size("observations", series.width(), layout.outputs));
        }
        let published = self.config.published;
        let mean_field = if published.half_mean_field { 0.5 } else { 1.0 };
        let prior = regular_inverse("prior of the parameters", &free.covariance)?;
        let prior_h = regular_inverse("prior of the log-precisions", &self.noise.covariance)?;

        let (mut deviation, mut h) = (DVector::zeros(free.len()), self.noise.mean.clone());
        let mut spread = DMatrix::zeros(free.len(), free.len());
        let mut h_spread = DMatrix::zeros(h.len(), h.len());
        let mut time = self.config.first_time;
        let mut kept: Option<Kept> = None;
        let mut sweeps = Vec::new();
        let mut precision_steps = self.config.precision_steps;
        let mut step = DVector::zeros(free.len());
        let mut before = None;
        for _ in 0..self.config.sweeps {
            let (mut sums, beliefs) = self.sweep(
                (&data, &seen, &known),
                bins,
                &free,
                (&deviation, &h, &spread),
                mean_field,
            )?;
            sums.gradient -= &prior * &deviation;
            sums.curvature -= &prior;
            sums.information += &prior;
            spread = regular_inverse("precision of the parameters", &sums.information)?;
            let steps = (precision_steps, &mut h_spread);
            let (moved, judged) = self.precisions(&sums, &prior_h, &mut h, steps)?;

            let precision = self.noise.at(&judged);
            let counted = self.d_step.free_energy.kept.clone();
            let constant = FreeEnergy::new(layout.data(), &precision, counted);
            let delta = &judged - &self.noise.mean;
            let mut f = sums.bins as f64 * constant.constant + sums.entropy;
            let outputs = self.d_step.output_precision(&precision);
            let incomplete = sums.incomplete.iter().map(Some);
            f += incomplete
                .map(|missing| self.d_step.missing_free_energy(missing, &outputs))
                .sum::<f64>();
            f -= 0.5 * masked_trace(&precision, &sums.errors, &constant.kept);
            f -= 0.5 * deviation.dot(&(&prior * &deviation));
            f -= 0.5 * delta.dot(&(&prior_h * &delta));
            f += 0.5 * log_det_of_product(&spread, &prior);
            f += 0.5 * log_det_of_product(&h_spread, &prior_h);

            // Later sweeps are taken back, but there is nothing before the first.
            if kept.is_none() && !f.is_finite() {
                return Err(Error::NotFinite {
                    index: 0,
                    what: "the free energy of the first sweep",
                    found: f,
                });
            }
            let better = kept.as_ref().is_none_or(|k| f > k.free_energy);
            sweeps.push((f, better));
            if better {
                time = f64::min(time + 0.5, LONGEST);
                kept = Some(Kept {
                    free_energy: f,
                    deviation: deviation.clone(),
                    h: h.clone(),
                    spread: spread.clone(),
                    h_spread: h_spread.clone(),
                    gradient: sums.gradient,
                    curvature: sums.curvature,
                    beliefs,
                });
            } else {
                time = f64::min(time - 2.0, -2.0);
            }
            let Some(best) = &kept else { break };
            if !better {
                deviation.clone_from(&best.deviation);
                h.clone_from(&best.h);
                spread.clone_from(&best.spread);
            }
            let stale = !better && published.stale_restore;
            precision_steps = if stale {
                1
            } else {
                self.config.precision_steps
            };
            step = match stale {
                true => DVector::zeros(free.len()),
                false => self.ascent(&best.curvature, &best.gradient, time),
            };
            let small = (-4f64).exp();
            let length = step.lp_norm(1);
            let left = match published.small_step {
                true => length,
                false => left(length, before),
            };
            before = better.then_some(length);
            let settled = better
                && left < small * deviation.lp_norm(1).max(f64::MIN_POSITIVE)
                && moved < small;
            deviation += &step;
            if settled || time < -8.0 {
                break;
            }
        }
        let Some(mut best) = kept else {
            return Err(Error::setting("sweeps", 0, "at least one"));
        };
        if published.untried_step && sweeps.last().is_some_and(|&(_, better)| better) {
            best.deviation += step;
        }
        self.parameters = free.at(&best.deviation);
        self.d_step.set_precision(self.noise.at(&best.h));
        self.log_precisions.copy_from(&best.h);
        Ok(DemFit {
            parameters: self.parameters.clone(),
            parameter_covariance: &free.basis * &best.spread * free.basis.transpose(),
            log_precisions: best.h.as_slice().to_vec(),
            log_precision_covariance: best.h_spread,
            beliefs: best.beliefs,
            sweeps,
        })
    }

    /// One D-step over the whole series, and the sums for the other two.
    fn sweep(
        &mut self,
        (data, seen, inputs): (&[f64], &[bool], &[f64]),
        bins: usize,
        free: &Free,
        (deviation, h, spread): (&DVector<f64>, &DVector<f64>, &DMatrix<f64>),
        mean_field: f64,
    ) -> Result<(Sums, Vec<Record>)> {
        let layout = self.layout();
        let (np, ne) = (free.len(), layout.errors());
        let mut sums = Sums {
            gradient: DVector::zeros(np),
            curvature: DMatrix::zeros(np, np),
            information: DMatrix::zeros(np, np),
            errors: DMatrix::zeros(ne, ne),
            spread: DMatrix::zeros(ne, ne),
            entropy: 0.0,
            bins: 0,
            incomplete: Vec::new(),
        };
        let theta = free.at(deviation);
        self.d_step.set_precision(self.noise.at(h));
        let mut unknowns = self.d_step.start(&self.stack);
        let mut record = Record::new(&layout);
        let mut beliefs = Vec::with_capacity(bins);
        let top = self.config.top();
        let rows = |values, width, seen| SampleRows {
            length: bins,
            width,
            values,
            seen,
        };
        for t in 0..bins {
            let mut between = |stack: &mut crate::generalised::model::stacked::Stack<E>,
                               flow: &crate::generalised::embedded::flow::Flow,
                               at: crate::generalised::embedded::flow::Instant<'_>,
                               last: bool| {
                let slopes = parameter_slopes(stack, &layout, top, free, at).with_missing(flow);
                if last && !flow.open {
                    sums.bins += 1;
                    let precision = &flow.terms.precision;
                    let weighted = slopes.first.tr_mul(precision);
                    let fisher = &weighted * &slopes.first;
                    let (by, twice) = slopes.state_terms(flow, mean_field);
                    sums.incomplete.extend(flow.missing().cloned());
                    sums.gradient -= &weighted * &flow.errors + by;
                    sums.curvature -= &fisher + twice;
                    sums.information += fisher;
                    sums.errors += &flow.errors * flow.errors.transpose();
                    sums.spread += &flow.jacobian * &flow.covariance * flow.jacobian.transpose();
                    sums.spread += &slopes.first * spread * slopes.first.transpose();
                }
                Ok(slopes.mean_field(flow, spread, mean_field))
            };
            self.d_step
                .bin(
                    &mut self.stack,
                    t,
                    rows(data, layout.outputs, seen),
                    Some(rows(inputs, layout.inputs, &[])),
                    &theta,
                    &mut unknowns,
                    &mut record,
                    Some(&mut between),
                )
                .map_err(|e| e.at_observation(t as u64))?;
            sums.entropy += record.free_energy - record.accuracy;
            beliefs.push(record.clone());
        }
        Ok((sums, beliefs))
    }

    /// The M-step: moves `h` in at most so many steps, gives its covariance, Σ|Δh|, and the h that F is to be taken at.
    fn precisions(
        &self,
        sums: &Sums,
        prior: &DMatrix<f64>,
        h: &mut DVector<f64>,
        (steps, spread): (usize, &mut DMatrix<f64>),
    ) -> Result<(f64, DVector<f64>)> {
        let n = h.len();
        let start = h.clone();
        let mut judged = h.clone();
        if n == 0 {
            return Ok((0.0, judged));
        }
        let late = self.config.published.late_precisions;
        // The bins that the errors of a component stand for: missing samples have none.
        let lost: f64 = sums
            .incomplete
            .iter()
            .map(|missing| 1.0 - missing.share())
            .sum();
        let of_data = self.noise.of_data;
        let counted = |i: usize| sums.bins as f64 - if i < of_data { lost } else { 0.0 };
        for _ in 0..steps {
            let precision = self.noise.at(h);
            let kept: Vec<usize> = (0..precision.nrows())
                .filter(|&i| precision[(i, i)] != 0.0)
                .collect();
            let part = |m: &DMatrix<f64>| {
                DMatrix::from_fn(kept.len(), kept.len(), |i, j| m[(kept[i], kept[j])])
            };
            let mut s = DMatrix::zeros(kept.len(), kept.len());
            let part_precision = part(&precision);
            // The published schemes lift small precisions to what rounding leaves of the large ones.
            let floor = match self.config.published.covariance_floor {
                true => published_floor(&part_precision),
                false => 0.0,
            };
            covariance("precision of the noise", &part_precision, floor, &mut s)?;
            let summed = part(&(&sums.errors + &sums.spread));
            let scaled: Vec<_> = self
                .noise
                .components
                .iter()
                .zip(h.iter())
                .map(|(q, &h)| part(q) * libm::exp(h))
                .collect();
            let products: Vec<_> = scaled.iter().map(|p| p * &s).collect();
            let mut gradient = DVector::from_fn(n, |i, _| {
                -0.5 * (scaled[i].dot(&summed) - counted(i) * scaled[i].dot(&s))
            });
            let likelihood = gradient.clone();
            gradient -= prior * (&*h - &self.noise.mean);
            let mut curvature = DMatrix::from_fn(n, n, |i, j| {
                let bins = counted(i).min(counted(j));
                -0.5 * bins * products[i].dot(&products[j].transpose())
            });
            curvature -= prior;
            curvature += DMatrix::from_diagonal(&likelihood);
            let step = self.ascent(&curvature, &gradient, LONGEST);
            let step = step.map(|d| d.clamp(-LOG_PRECISION_STEP, LOG_PRECISION_STEP));
            *spread = regular_inverse("precision of the log-precisions", &-curvature)?;
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

    /// [`regularised_step`], for a time that counts determinants as the settings say.
    fn ascent(&self, curvature: &DMatrix<f64>, gradient: &DVector<f64>, time: f64) -> DVector<f64> {
        let unit = self.config.published.diagonal_time && is_diagonal(curvature);
        regularised_step(curvature, gradient, time, unit)
    }
}

fn is_diagonal(matrix: &DMatrix<f64>) -> bool {
    let n = matrix.nrows();
    (0..n).all(|i| (0..n).all(|j| i == j || matrix[(i, j)] == 0.0))
}

/// A sweep that was accepted.
struct Kept {
    free_energy: f64,
    deviation: DVector<f64>,
    h: DVector<f64>,
    spread: DMatrix<f64>,
    h_spread: DMatrix<f64>,
    gradient: DVector<f64>,
    curvature: DMatrix<f64>,
    beliefs: Vec<Record>,
}

/// All rows one after another, and which of them were seen: in place of a missing one stands the one before.
pub(crate) fn flat(series: &Sequence) -> (Vec<f64>, Vec<bool>) {
    let width = series.width();
    let mut all = Vec::with_capacity(series.len() * width);
    let mut seen = Vec::with_capacity(series.len());
    for row in series.iter() {
        seen.push(row.is_some());
        match row {
            Some(row) => all.extend_from_slice(row),
            None if all.is_empty() => all.resize(width, 0.0),
            None => all.extend_from_within(all.len() - width..),
        }
    }
    (all, seen)
}

/// The rows of known inputs, none of which may be missing.
pub(crate) fn all_seen(inputs: &Sequence) -> Result<Vec<f64>> {
    match flat(inputs) {
        (all, seen) if seen.iter().all(|&s| s) => Ok(all),
        _ => Err(Error::Unsupported {
            what: "a known input".to_owned(),
            asked: "pass over a missing row",
            why: "only observations may be missing; give the prior mean where an input is unknown",
        }),
    }
}

/// How far away the end of a way is on which a step of this `length` follows one of the length `before`: if steps go on
/// shrinking as they do, length·(r + r² + …) + length = length/(1 − r), r = length/before; without bound if they do not.
fn left(length: f64, before: Option<f64>) -> f64 {
    match before {
        Some(before) if length < before => length / (1.0 - length / before),
        Some(_) if length == 0.0 => 0.0,
        _ => f64::INFINITY,
    }
}

/// The ascent along `gradient` in a landscape of this `curvature` for a time exp(τ)/|det|^{1/dim}, or exp(τ) if the
/// determinant is to count as one.
///
/// Directions that do not mix are solved one by one, Δ_i = g_i (e^{c_i t} − 1)/c_i: exact even where one is known so well
/// (e³²) that an exponential of the whole would round the others away.
fn regularised_step(
    curvature: &DMatrix<f64>,
    gradient: &DVector<f64>,
    time: f64,
    unit_determinant: bool,
) -> DVector<f64> {
    let n = gradient.len();
    let mut step = DVector::zeros(n);
    if n == 0 {
        return step;
    }
    // What is known exactly, with a curvature of e³² or more, does not shorten the time of the rest.
    let log_det: f64 = match unit_determinant {
        true => 0.0,
        false => curvature
            .singular_values()
            .iter()
            .filter(|&&v| v > 1e-16 && v < libm::exp(32.0))
            .map(|&v| libm::log(v))
            .sum(),
    };
    let h = libm::exp(time - log_det / n as f64);
    if is_diagonal(curvature) {
        return DVector::from_fn(n, |i, _| {
            let c = curvature[(i, i)];
            let reach = if c == 0.0 { h } else { libm::expm1(c * h) / c };
            gradient[i] * reach
        });
    }
    let forcing = DMatrix::from_column_slice(n, 1, gradient.as_slice());
    LocalLinearisation::new(n, 1).step(curvature, &forcing, h, &mut step);
    step
}

/// The inverse of a precision or covariance with e^−32 (more for large entries, by rounding) added to its
/// diagonal: what is known exactly gets a precision of e³².
pub(crate) fn regular_inverse(what: &str, matrix: &DMatrix<f64>) -> Result<DMatrix<f64>> {
    let mut inverse = DMatrix::zeros(matrix.nrows(), matrix.ncols());
    if matrix.nrows() > 0 {
        covariance(what, matrix, published_floor(matrix), &mut inverse)?;
    }
    Ok(inverse)
}

/// tr(iS E) over the rows that count.
fn masked_trace(precision: &DMatrix<f64>, errors: &DMatrix<f64>, kept: &[bool]) -> f64 {
    let n = precision.nrows();
    let pairs = (0..n).flat_map(|j| (0..n).map(move |i| (i, j)));
    pairs
        .filter(|&(i, j)| kept[i] && kept[j])
        .map(|at| precision[at] * errors[at])
        .sum()
}

pub(crate) fn log_det_of_product(a: &DMatrix<f64>, b: &DMatrix<f64>) -> f64 {
    let all = vec![true; a.nrows()];
    log_det(a, &all) + log_det(b, &all)
}
