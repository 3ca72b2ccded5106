//! One pass through a series: states, parameters and log-precisions filtered together, and what is reported of them.

use nalgebra::{DMatrix, DVector};

use super::expansion::Expansion;
use super::joint_flow::{Course, JointFlow};
use super::scheme::GeneralisedFiltering;
use crate::generalised::embedded::dem::{Deviation, Priors, Recording, parameter_slopes};
use crate::generalised::embedded::energy::{
    log_det, log_det_of_product, published_floor, regular_inverse,
};
use crate::generalised::embedded::flow::Instant;
use crate::generalised::embedded::free_energy::FreeEnergy;
use crate::generalised::embedded::record::Record;
use crate::generalised::model::Equations;
use crate::{Error, Result};

/// What a pass reports.
pub(super) struct Pass {
    pub deviation: DVector<f64>,
    pub h: DVector<f64>,
    pub spread: DMatrix<f64>,
    pub h_spread: DMatrix<f64>,
    pub free_energy: f64,
    pub beliefs: Vec<Record>,
}

/// An average over time weighted by precision: Σ P and Σ P x.
struct Average {
    information: DMatrix<f64>,
    weighted: DVector<f64>,
}

impl Average {
    fn new(size: usize) -> Self {
        Self {
            information: DMatrix::zeros(size, size),
            weighted: DVector::zeros(size),
        }
    }

    fn add(&mut self, precision: DMatrix<f64>, value: &DVector<f64>) {
        self.weighted += &precision * value;
        self.information += precision;
    }

    /// The average and its covariance; the prior `[size, size]`, which every bin brought in, counts once.
    fn finish(
        mut self,
        prior: &DMatrix<f64>,
        length: f64,
        inverse: impl Fn(&DMatrix<f64>) -> Result<DMatrix<f64>>,
    ) -> Result<(DVector<f64>, DMatrix<f64>)> {
        self.information -= prior * (length - 1.0);
        let covariance = inverse(&self.information)?;
        let total = &self.information + prior * (length - 1.0);
        Ok((inverse(&total)? * self.weighted, covariance))
    }
}

impl<E: Equations> GeneralisedFiltering<E> {
    /// One pass; `course` goes on from where the last one left it.
    pub(super) fn pass(
        &mut self,
        recording: &Recording,
        priors: &Priors,
        course: &mut Course,
    ) -> Result<Pass> {
        let dem = &mut self.dem;
        let layout = dem.layout();
        let (free, noise) = (&priors.free, dem.noise.clone());
        let np = free.len();
        let nh = course.b.len() - np;
        let published = dem.config.published;
        let lifts = published.has(Deviation::CovarianceFloor);
        let (top, length) = (published.top_order(), recording.bins as f64);
        let uncoupled = published.has(Deviation::Uncoupled);
        let mut joint = JointFlow::new(layout, course.b.len(), length, uncoupled);
        let (mut parameters, mut precisions) = (Average::new(np), Average::new(nh));
        let mut free_energy = 0.0;
        let mut beliefs = Vec::with_capacity(recording.bins);
        let kept = dem.d_step.free_energy.kept.clone();
        let temporal = dem.d_step.sharpening();
        let mut unknowns = dem.d_step.start(&dem.stack);
        for t in 0..recording.bins {
            let here = |e: Error| e.at_observation(t as u64);
            let rows = recording.rows();
            let parts = dem.d_step.parts(t, rows[0]);
            let steps = dem.config.substeps * parts;
            for k in 0..steps {
                let epsilon = course.b.rows(0, np).into_owned();
                let log = course.b.rows(np, nh).into_owned();
                let theta = free.at(&epsilon);
                if nh > 0 {
                    dem.d_step.flow.set_precision(noise.at(&log));
                }
                let stack = &mut dem.stack;
                let at = ((t, k), parts);
                let looked = dem.d_step.look(stack, at, rows, &theta, &unknowns);
                let (flow, data, inputs) = looked.map_err(here)?;
                let at = Instant {
                    unknowns: unknowns.as_slice(),
                    data,
                    inputs,
                    parameters: &theta,
                };
                let slopes = parameter_slopes(stack, &layout, top, free, at).with_missing(flow);
                let expansion = Expansion::new(flow, &slopes, priors, &noise, (&epsilon, &log))?;
                if k == 0 {
                    let precision = &flow.terms.precision;
                    let mut record = Record::new(&layout);
                    record.take(&layout, at.unknowns, &expansion.covariance, &flow.local);
                    let constant = FreeEnergy::new(layout.data(), precision, kept.clone());
                    record.accuracy = constant.accuracy(precision, &flow.errors);
                    if let Some(missing) = flow.missing() {
                        let n = layout.outputs;
                        let outputs = precision.view((0, 0), (n, n)) / temporal;
                        record.accuracy += missing.free_energy(&outputs, &kept[..n]);
                    }
                    record.free_energy = record.accuracy;
                    if !flow.open {
                        free_energy += record.free_energy;
                    }
                    beliefs.push(record);
                    // What is left of L_pp when the states are integrated out.
                    let nu = layout.unknowns();
                    let c_pp = expansion.covariance.view((nu, nu), (np, np)).into_owned();
                    let schur = match flow.open {
                        true => priors.parameters.clone(),
                        false => regular_inverse("covariance of the parameters", &c_pp)?,
                    };
                    parameters.add(schur, &epsilon);
                    let l_hh = &expansion.log_curvature;
                    let seen = match lifts {
                        true => lifted_inverse(&lifted_inverse(l_hh)?)?,
                        false => l_hh.clone(),
                    };
                    precisions.add(seen, &log);
                }
                let whiten = course.whitening(&expansion.curvature, length, k % parts > 0)?;
                let h = 1.0 / steps as f64;
                let moved = joint.step(flow, at, &expansion, &whiten, h, course);
                unknowns = moved.map_err(here)?;
            }
        }
        let (deviation, spread) = parameters.finish(&priors.parameters, length, |m| {
            regular_inverse("precision of the parameters", m)
        })?;
        let (h, mut h_spread) =
            precisions.finish(&priors.log_precisions, length, |m| match lifts {
                true => lifted_inverse(m),
                false => regular_inverse("precision of the log-precisions", m),
            })?;
        let delta = &h - &noise.mean;
        let (prior, prior_h) = (&priors.parameters, &priors.log_precisions);
        free_energy -= 0.5 * deviation.dot(&(prior * &deviation));
        free_energy -= 0.5 * delta.dot(&(prior_h * &delta));
        free_energy += 0.5 * log_det_of_product(&spread, prior);
        // What is known exactly stays so, and counts neither here nor there.
        let unknown: Vec<bool> = (0..nh).map(|i| noise.covariance[(i, i)] > 0.0).collect();
        free_energy += 0.5 * (log_det(&h_spread, &unknown) + log_det(prior_h, &unknown));
        for i in (0..nh).filter(|&i| !unknown[i]) {
            h_spread.row_mut(i).fill(0.0);
            h_spread.column_mut(i).fill(0.0);
        }
        if !free_energy.is_finite() {
            return Err(Error::not_finite(0, "free energy", free_energy));
        }
        Ok(Pass {
            deviation,
            h,
            spread,
            h_spread,
            free_energy,
            beliefs,
        })
    }
}

impl Course {
    /// Γ, after L̄_bb took in the curvature of another step; within the parts of a step it stays.
    fn whitening(
        &mut self,
        curvature: &DMatrix<f64>,
        length: f64,
        within: bool,
    ) -> Result<DMatrix<f64>> {
        let nb = curvature.nrows();
        let settled = match self.average.take() {
            None => curvature + DMatrix::identity(nb, nb) * 32.0,
            Some(average) if within => average,
            Some(average) => average * (1.0 - 1.0 / length) + curvature / length,
        };
        let mut damped = settled.clone();
        for i in 0..nb {
            damped[(i, i)] += libm::exp(self.damping) * settled[(i, i)];
        }
        self.average = Some(settled);
        regular_inverse("curvature of the parameters", &damped)
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
