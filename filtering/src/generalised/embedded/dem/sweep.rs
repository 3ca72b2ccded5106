//! One sweep of learning: the D-step over a whole series, what it sums for the E- and M-step, and its free energy.

use nalgebra::{DMatrix, DVector};

use super::parameters::parameter_slopes;
use super::priors::Priors;
use super::recording::Recording;
use super::scheme::Dem;
use super::stacked_precision::StackedPrecision;
use crate::Result;
use crate::generalised::embedded::energy::{log_det_of_product, regular_inverse};
use crate::generalised::embedded::flow::{Flow, Instant};
use crate::generalised::embedded::free_energy::FreeEnergy;
use crate::generalised::embedded::missing_samples::MissingSamples;
use crate::generalised::embedded::record::Record;
use crate::generalised::model::Equations;
use crate::generalised::model::stacked::Stack;

/// What is believed of parameters and log-precisions.
#[derive(Clone)]
pub(super) struct Estimate {
    /// ε.
    pub deviation: DVector<f64>,
    /// h.
    pub h: DVector<f64>,
    /// C_p.
    pub spread: DMatrix<f64>,
    /// C_h.
    pub h_spread: DMatrix<f64>,
}

impl Estimate {
    pub fn start(free: usize, noise: &StackedPrecision) -> Self {
        let n = noise.mean.len();
        Self {
            deviation: DVector::zeros(free),
            h: noise.mean.clone(),
            spread: DMatrix::zeros(free, free),
            h_spread: DMatrix::zeros(n, n),
        }
    }
}

/// The sums of one sweep.
pub(super) struct Sums {
    /// F_p and F_pp.
    pub gradient: DVector<f64>,
    pub curvature: DMatrix<f64>,
    /// Λ_p.
    pub information: DMatrix<f64>,
    /// Σ e eᵀ, and the rest of E.
    pub errors: DMatrix<f64>,
    pub spread: DMatrix<f64>,
    entropy: f64,
    /// The bins that count: all but those in which missing samples leave a direction of the states open, so that nothing can
    /// be learned there.
    pub bins: usize,
    /// The windows with missing samples.
    pub incomplete: Vec<MissingSamples>,
}

impl<E: Equations> Dem<E> {
    /// One D-step over the whole series at an estimate, of which C_p becomes that of the sweep; the sums for the other two
    /// steps, and the beliefs.
    pub(super) fn sweep(
        &mut self,
        recording: &Recording,
        priors: &Priors,
        estimate: &mut Estimate,
    ) -> Result<(Sums, Vec<Record>)> {
        let layout = self.layout();
        let free = &priors.free;
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
        let theta = free.at(&estimate.deviation);
        self.d_step.set_precision(self.noise.at(&estimate.h));
        let mut unknowns = self.d_step.start(&self.stack);
        let mut record = Record::new(&layout);
        let mut beliefs = Vec::with_capacity(recording.bins);
        let published = self.config.published;
        let (top, weight) = (published.top_order(), published.mean_field_weight());
        let spread = &estimate.spread;
        for t in 0..recording.bins {
            let mut between = |stack: &mut Stack<E>, flow: &Flow, at: Instant<'_>, last: bool| {
                let slopes = parameter_slopes(stack, &layout, top, free, at).with_missing(flow);
                if last && !flow.open {
                    sums.bins += 1;
                    let precision = &flow.terms.precision;
                    let weighted = slopes.first.tr_mul(precision);
                    let fisher = &weighted * &slopes.first;
                    let (by, twice) = slopes.state_terms(flow, weight);
                    sums.incomplete.extend(flow.missing().cloned());
                    sums.gradient -= &weighted * &flow.errors + by;
                    sums.curvature -= &fisher + twice;
                    sums.information += fisher;
                    sums.errors += &flow.errors * flow.errors.transpose();
                    sums.spread += &flow.jacobian * &flow.covariance * flow.jacobian.transpose();
                    sums.spread += &slopes.first * spread * slopes.first.transpose();
                }
                Ok(slopes.mean_field(flow, spread, weight))
            };
            self.d_step
                .bin(
                    &mut self.stack,
                    t,
                    recording.rows(),
                    &theta,
                    &mut unknowns,
                    &mut record,
                    Some(&mut between),
                )
                .map_err(|e| e.at_observation(t as u64))?;
            sums.entropy += record.free_energy - record.accuracy;
            beliefs.push(record.clone());
        }
        sums.gradient -= &priors.parameters * &estimate.deviation;
        sums.curvature -= &priors.parameters;
        sums.information += &priors.parameters;
        estimate.spread = regular_inverse("precision of the parameters", &sums.information)?;
        Ok((sums, beliefs))
    }

    /// F of a sweep at the log-precisions `judged`.
    pub(super) fn sweep_free_energy(
        &self,
        sums: &Sums,
        priors: &Priors,
        estimate: &Estimate,
        judged: &DVector<f64>,
    ) -> f64 {
        let precision = self.noise.at(judged);
        let counted = self.d_step.free_energy.kept.clone();
        let constant = FreeEnergy::new(self.layout().data(), &precision, counted);
        let (deviation, delta) = (&estimate.deviation, judged - &self.noise.mean);
        let (prior, prior_h) = (&priors.parameters, &priors.log_precisions);
        let mut f = sums.bins as f64 * constant.constant + sums.entropy;
        let outputs = self.d_step.output_precision(&precision);
        let incomplete = sums.incomplete.iter().map(Some);
        f += incomplete
            .map(|missing| self.d_step.missing_free_energy(missing, &outputs))
            .sum::<f64>();
        f -= 0.5 * masked_trace(&precision, &sums.errors, &constant.kept);
        f -= 0.5 * deviation.dot(&(prior * deviation));
        f -= 0.5 * delta.dot(&(prior_h * &delta));
        f += 0.5 * log_det_of_product(&estimate.spread, prior);
        f + 0.5 * log_det_of_product(&estimate.h_spread, prior_h)
    }
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
