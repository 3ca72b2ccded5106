//! The D-step: one bin of the filter of generalised states.
//!
//! At bin t, in this order: the data are embedded; e, J and C are evaluated at the current ũ; **ũ and C
//! are recorded as the belief about bin t**; then ũ is moved by one bin. So what is recorded was pulled on by
//! windows up to bin t − 1; the first record is the start.

use nalgebra::{DMatrix, DVector};

use super::config::DemConfig;
use super::published::Deviation;
use super::recording::SampleRows;
use super::stacked_precision::StackedPrecision;
use crate::generalised::embedded::cached_weights::CachedEmbedding;
use crate::generalised::embedded::embedding::SampleEmbedding;
use crate::generalised::embedded::flow::{Flow, Instant, MeanField, Terms};
use crate::generalised::embedded::free_energy::FreeEnergy;
use crate::generalised::embedded::layout::Layout;
use crate::generalised::embedded::missing_samples::MissingSamples;
use crate::generalised::embedded::record::Record;
use crate::generalised::model::Equations;
use crate::generalised::model::stacked::{Local, Stack};
use crate::generalised::precision::temporal_precision;
use crate::{Error, Result};

/// Where samples are missing a step is taken in so many parts. Q is that of the beginning of a step, and what a missing
/// sample does to the derivatives moves during it: with whole steps that leaks into what is seen (states of the convolution
/// model, N = 4, every eighth sample missing: an error of 0.67), with eight the result is within 3 % of the limit (0.098).
const MISSING_PARTS: usize = 8;

/// Everything the D-step of one model keeps between bins, except the belief itself.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct DStep {
    pub flow: Flow,
    pub free_energy: FreeEnergy,
    pub data_embedding: CachedEmbedding,
    input_embedding: CachedEmbedding,
    /// The same in finer steps, for windows in which samples are missing.
    fine: [CachedEmbedding; 2],
    substeps: usize,
    /// R(s) `[n, n]`.
    temporal: DMatrix<f64>,
    data: Vec<f64>,
    inputs: Vec<f64>,
    change: DVector<f64>,
}

/// What learning does between evaluation and step: it sees the flow and the point, and gives the mean field.
pub(crate) type Between<'a, E> =
    &'a mut dyn FnMut(&mut Stack<E>, &Flow, Instant<'_>, bool) -> Result<MeanField>;

impl DStep {
    pub fn new<E: Equations>(
        stack: &Stack<E>,
        config: &DemConfig,
        noise: &StackedPrecision,
    ) -> Result<Self> {
        let layout = layout_of(stack, config);
        let (kept, masked) = noise.masks(&layout, config.published.has(Deviation::Masks));
        let precision = noise.at(&noise.mean);
        let mut prior = DMatrix::zeros(layout.unknowns(), layout.unknowns());
        for i in layout.x(0) {
            prior[(i, i)] = config.state_ridge;
        }
        let free_energy = FreeEnergy::new(layout.data(), &precision, kept);
        let terms = Terms {
            layout,
            top: config.published.top_order(),
            precision,
            prior,
            rate: config.rate,
            floor: config.published.has(Deviation::CovarianceFloor),
            masked,
        };
        let embedding = |orders, steps| {
            let embedding = SampleEmbedding::new(orders, config.published.window(config.window))?;
            CachedEmbedding::new(embedding, steps)
        };
        let (n, m, steps) = (layout.orders, layout.cause_orders, config.substeps);
        Ok(Self {
            flow: Flow::new(terms, Local::zeros(stack.totals())),
            free_energy,
            data_embedding: embedding(n, steps)?,
            input_embedding: embedding(m, steps)?,
            fine: [
                embedding(n, steps * MISSING_PARTS)?,
                embedding(m, steps * MISSING_PARTS)?,
            ],
            substeps: config.substeps,
            temporal: temporal_precision(
                layout.orders,
                config.published.smoothness(config.embedding.smoothness),
            )?,
            data: vec![0.0; layout.data()],
            inputs: vec![0.0; layout.input_data()],
            change: DVector::zeros(layout.unknowns()),
        })
    }

    pub fn layout(&self) -> Layout {
        self.flow.terms.layout
    }

    /// The start: the states' and causes' prior values, all motion zero.
    pub fn start<E: Equations>(&self, stack: &Stack<E>) -> DVector<f64> {
        let layout = self.layout();
        let mut u = DVector::zeros(layout.unknowns());
        let starts = stack.model.levels.iter().flat_map(|l| &l.start);
        for (i, &x) in layout.x(0).zip(starts) {
            u[i] = x;
        }
        // Causes of lower levels start at 0; those of the top level at their prior mean.
        let top = layout.v(0).end - layout.inputs;
        for (k, &v) in stack.model.cause.mean.iter().enumerate() {
            u[top + k] = v;
        }
        u
    }

    /// The parts in which each step of bin t is to be taken: one, unless a sample that its window may hold is missing.
    pub fn parts(&self, t: usize, data: SampleRows<'_>) -> usize {
        let reach = self.data_embedding.embedding.samples();
        let last = (t + reach).min(data.length.saturating_sub(1));
        match (t.saturating_sub(reach)..=last).all(|t| data.seen(t)) {
            true => 1,
            false => MISSING_PARTS,
        }
    }

    /// ỹ at bin t and step k, and what is missing of its window.
    fn embed_data(
        &mut self,
        at: (usize, usize),
        parts: usize,
        data: SampleRows<'_>,
    ) -> Result<Option<MissingSamples>> {
        let row = |i| data.row(i);
        let last = data.length.saturating_sub(1);
        if parts == 1 {
            let ahead = &self.data_embedding;
            ahead.embed(at, data.length, data.width, row, &mut self.data)?;
            return Ok(None);
        }
        let ahead = &self.fine[0];
        let (window, time) = ahead.window(at, data.length)?;
        let place = |i: usize| (window.first + i as isize).clamp(0, last as isize) as usize;
        let seen = |i: usize| data.seen(place(i));
        let places = window.weights.ncols();
        let orders = self.temporal.nrows();
        let fitted = match (0..places).all(seen) {
            true => None,
            false => ahead.embedding.without(&window, time, seen)?,
        };
        let weights = fitted.as_ref().unwrap_or(&window);
        weights.apply(data.length, data.width, row, &mut self.data);
        match fitted {
            Some(_) => Ok(None),
            None if places > orders && !(0..places).all(seen) => {
                Ok(Some(MissingSamples::whole(&self.temporal)))
            }
            None => MissingSamples::new(&window, &self.temporal, seen),
        }
    }

    /// What missing samples change F_t by at the point last looked at, for outputs of precision Π.
    pub fn missing_free_energy(
        &self,
        missing: Option<&MissingSamples>,
        precision: &DMatrix<f64>,
    ) -> f64 {
        let kept = &self.free_energy.kept[..self.layout().outputs];
        missing.map_or(0.0, |missing| missing.free_energy(precision, kept))
    }

    /// Π of the outputs in iS `[errors, errors]`: what multiplies R_00.
    pub fn output_precision(&self, precision: &DMatrix<f64>) -> DMatrix<f64> {
        let n = self.layout().outputs;
        precision.view((0, 0), (n, n)) / self.temporal[(0, 0)]
    }

    /// Takes another iS, for the flow and for F_t.
    pub fn set_precision(&mut self, precision: DMatrix<f64>) {
        let kept = std::mem::take(&mut self.free_energy.kept);
        self.free_energy = FreeEnergy::new(self.layout().data(), &precision, kept);
        self.flow.set_precision(precision);
    }

    /// R_00.
    pub fn sharpening(&self) -> f64 {
        self.temporal[(0, 0)]
    }

    /// ỹ and η̃ at bin t and step k.
    fn embed(
        &mut self,
        at: (usize, usize),
        parts: usize,
        [data, inputs]: [SampleRows<'_>; 2],
    ) -> Result<()> {
        let missing = self.embed_data(at, parts, data)?;
        self.flow.set_missing(missing);
        let ahead = match parts {
            1 => &self.input_embedding,
            _ => &self.fine[1],
        };
        let row = |i| inputs.row(i);
        ahead.embed(at, inputs.length, inputs.width, row, &mut self.inputs)
    }

    /// ỹ, η̃ at bin t and step k (each of so many parts), and the flow evaluated there.
    ///
    /// # Errors
    /// As [`DStep::bin`].
    pub fn look<E: Equations>(
        &mut self,
        stack: &mut Stack<E>,
        (at, parts): ((usize, usize), usize),
        rows: [SampleRows<'_>; 2],
        parameters: &[f64],
        unknowns: &DVector<f64>,
    ) -> Result<(&mut Flow, &[f64], &[f64])> {
        self.embed(at, parts, rows)?;
        let at = Instant {
            unknowns: unknowns.as_slice(),
            data: &self.data,
            inputs: &self.inputs,
            parameters,
        };
        self.flow.evaluate(stack, at)?;
        Ok((&mut self.flow, &self.data, &self.inputs))
    }

    /// One bin: records the belief about bin `t` and moves ũ to bin t + 1.
    ///
    /// # Errors
    /// f, g, a slope, the motion or F_t not finite, at this bin; a posterior precision that is not positive
    /// definite; a series shorter than the window. ũ is then wherever it was when this failed.
    #[allow(clippy::too_many_arguments)]
    pub fn bin<E: Equations>(
        &mut self,
        stack: &mut Stack<E>,
        t: usize,
        rows: [SampleRows<'_>; 2],
        parameters: &[f64],
        unknowns: &mut DVector<f64>,
        record: &mut Record,
        mut between: Option<Between<'_, E>>,
    ) -> Result<()> {
        let layout = self.layout();
        let parts = self.parts(t, rows[0]);
        let steps = self.substeps * parts;
        let h = 1.0 / steps as f64;
        let mut entropy = 0.0;
        if between.is_none() && !self.flow.refers_to(parameters) {
            let start = self.start(stack);
            self.flow.refer(stack, start.as_slice(), parameters);
        }
        for k in 0..steps {
            self.embed((t, k), parts, rows)?;
            let at = Instant {
                unknowns: unknowns.as_slice(),
                data: &self.data,
                inputs: &self.inputs,
                parameters,
            };
            self.flow.evaluate(stack, at).map_err(|e| match e {
                Error::NotPositiveDefinite { name, pivot, value } => Error::NotPositiveDefinite {
                    name: format!("bin {t}: {name}"),
                    pivot,
                    value,
                },
                other => other,
            })?;
            if k == 0 {
                record.take(
                    &layout,
                    unknowns.as_slice(),
                    &self.flow.covariance,
                    &self.flow.local,
                );
            }
            entropy += 0.5 * self.flow.log_det * h;
            // The first part of the last step.
            let last = k + parts == steps;
            if last {
                let precision = &self.flow.terms.precision;
                record.accuracy = self.free_energy.accuracy(precision, &self.flow.errors);
                if self.flow.missing().is_some() {
                    let outputs = self.output_precision(precision);
                    record.accuracy += self.missing_free_energy(self.flow.missing(), &outputs);
                }
                record.free_energy = record.accuracy + entropy;
            }
            let mean_field = match &mut between {
                Some(between) => Some(between(stack, &self.flow, at, last)?),
                None => None,
            };
            self.flow
                .step(at, h, mean_field.as_ref(), &mut self.change)?;
            *unknowns += &self.change;
        }
        let not_finite = |what, found| Error::NotFinite {
            index: t as u64,
            what,
            found,
        };
        if let Some(&found) = unknowns.iter().find(|v| !v.is_finite()) {
            return Err(not_finite("the generalised states", found));
        }
        // Squares of errors overflow before the states do. Learning judges whole sweeps, and takes such a one back.
        match between.is_some() || record.free_energy.is_finite() {
            true => Ok(()),
            false => Err(not_finite("the free energy", record.free_energy)),
        }
    }
}

pub(crate) fn layout_of<E: Equations>(stack: &Stack<E>, config: &DemConfig) -> Layout {
    let total = stack.totals();
    let top = stack.model.cause.mean.len();
    Layout {
        outputs: stack.model.outputs(),
        states: total.states,
        causes: total.causes,
        inputs: top,
        orders: config.embedding.states + 1,
        cause_orders: config.embedding.causes.min(config.embedding.states) + 1,
    }
}
