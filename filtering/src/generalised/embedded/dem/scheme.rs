//! The D-step bin by bin, for streams.

mod snapshot;

pub use snapshot::DemSnapshot;

use nalgebra::DVector;
use serde::{Deserialize, Serialize};

use super::config::DemConfig;
use super::d_step::{DStep, layout_of};
use super::recording::SampleRows;
use super::stacked_precision::StackedPrecision;
use crate::generalised::embedded::layout::Layout;
use crate::generalised::embedded::record::Record;
use crate::generalised::model::stacked::Stack;
use crate::generalised::model::{Equations, GenerativeModel};
use crate::sequence::check_row;
use crate::{Belief, Error, Filter, GaussianBelief, Result, Sequence, Step};

/// Dynamic expectation maximisation: filtering of generalised states, and learning of parameters and
/// log-precisions over sweeps ([`Dem::learn`]).
///
/// With the centred window (the default) a bin needs samples after it: the belief lags the data by half a
/// window, [`crate::Filter::lag`]. The window [`super::super::Window::Causal`] does not.
///
/// ```
/// use scotopic_filtering::Sequence;
/// use scotopic_filtering::generalised::dem::{Dem, DemConfig};
/// use scotopic_filtering::generalised::model::{Equations, GenerativeModel, Number, Point, Sizes};
///
/// /// x' = −x/2 + v, seen directly.
/// #[derive(Debug, Clone)]
/// struct Leak;
/// impl Equations for Leak {
///     fn sizes(&self) -> Sizes {
///         Sizes { states: 1, causes: 1, outputs: 1, parameters: 0 }
///     }
///     fn f<T: Number>(&self, at: Point<'_, T>, out: &mut [T]) {
///         out[0] = at.v[0] - at.x[0].scaled(0.5);
///     }
///     fn g<T: Number>(&self, at: Point<'_, T>, out: &mut [T]) {
///         out[0] = at.x[0];
///     }
/// }
/// # fn main() -> scotopic_filtering::Result<()> {
/// let model = GenerativeModel::single(Leak, &[], 100.0, 100.0, 1.0, &[0.0])?;
/// let mut dem = Dem::new(model, DemConfig::default())?;
/// let step = Sequence::of_numbers((0..32).map(|t| if t < 8 { 0.0 } else { 1.0 }))?;
/// let beliefs = dem.run(&step, None)?;
/// assert_eq!(beliefs.len(), 32);
/// assert!((beliefs[20].states[0] - 1.0).abs() < 0.1);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(
    try_from = "DemSnapshot<E>",
    into = "DemSnapshot<E>",
    bound(
        serialize = "E: Equations + Clone + Serialize",
        deserialize = "E: Equations + Deserialize<'de>"
    )
)]
pub struct Dem<E> {
    pub(crate) config: DemConfig,
    pub(crate) stack: Stack<E>,
    pub(crate) noise: StackedPrecision,
    pub(crate) d_step: DStep,
    pub(crate) parameters: Vec<f64>,
    /// The log-precisions that it filters with.
    pub(crate) log_precisions: DVector<f64>,
    pub(super) now: Now,
    /// The state before an update that may fail.
    before: Now,
    /// The newest samples and the inputs that came with them, one place more than is ever asked for: what a
    /// failed update wrote is written over.
    pub(super) rows: Vec<f64>,
    pub(super) input_rows: Vec<f64>,
    /// Which of the newest samples were seen.
    pub(super) seen_rows: Vec<bool>,
}

/// What changes from bin to bin.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Now {
    pub unknowns: DVector<f64>,
    pub record: Record,
    pub seen: usize,
    pub formed: usize,
    pub free_energy: f64,
}

impl Now {
    fn take(&mut self, other: &Self) {
        self.unknowns.copy_from(&other.unknowns);
        self.record.copy_from(&other.record);
        (self.seen, self.formed) = (other.seen, other.formed);
        self.free_energy = other.free_energy;
    }
}

impl<E: Equations> Dem<E> {
    /// The scheme at the start of a series, parameters and log-precisions at their prior means.
    ///
    /// # Errors
    /// As [`GenerativeModel::check`]; [`Error::Setting`] for settings that make no sense.
    pub fn new(model: GenerativeModel<E>, config: DemConfig) -> Result<Self> {
        config.check()?;
        let stack = Stack::new(model, config.published.derivatives())?;
        let layout = layout_of(&stack, &config);
        let s = config.published.smoothness(config.embedding.smoothness);
        let noise = StackedPrecision::new(&stack.model, &layout, s, config.published.top_order())?;
        let d_step = DStep::new(&stack, &config, &noise)?;
        let ahead = &d_step.data_embedding;
        let room = ahead.embedding.samples() + ahead.look_ahead() + 1;
        let now = Now {
            unknowns: d_step.start(&stack),
            record: Record::new(&layout),
            seen: 0,
            formed: 0,
            free_energy: 0.0,
        };
        Ok(Self {
            parameters: stack.prior_parameters(),
            log_precisions: noise.mean.clone(),
            before: now.clone(),
            now,
            rows: vec![0.0; room * layout.outputs],
            input_rows: vec![0.0; room * layout.inputs],
            seen_rows: vec![true; room],
            config,
            stack,
            noise,
            d_step,
        })
    }

    /// Where everything lies in the generalised vectors.
    pub fn layout(&self) -> Layout {
        self.d_step.layout()
    }

    /// The settings.
    pub fn config(&self) -> &DemConfig {
        &self.config
    }

    /// The newest belief.
    pub fn record(&self) -> &Record {
        &self.now.record
    }

    /// ũ after the newest bin was integrated `[unknowns]`: where the next bin begins.
    pub fn generalised_states(&self) -> &[f64] {
        self.now.unknowns.as_slice()
    }

    /// Σ F_t over the bins whose belief is formed, in nats (see `free_energy.rs` for what it cannot be
    /// compared with).
    pub fn free_energy(&self) -> f64 {
        self.now.free_energy
    }

    /// Takes in the next observation `[outputs]` and the known input η of its bin `[inputs]` (the prior mean if
    /// none), and forms the beliefs that this makes possible: none while the first window fills, then those of
    /// all bins so far, then one each time. `each` sees every one.
    ///
    /// # Errors
    /// An observation or input of the wrong width or not finite; f, g, a slope, the motion or F_t not finite, with
    /// the bin; a posterior precision that is not positive definite. The scheme is as it was then.
    pub fn push(
        &mut self,
        observation: &[f64],
        input: Option<&[f64]>,
        each: impl FnMut(&Record),
    ) -> Result<()> {
        self.take(Some(observation), input, each)
    }

    /// A bin whose observation is missing: as [`Dem::push`], but that the sample has no precision. The belief moves on by
    /// what other samples of a window say, and by the motion alone where there are none. It is then as wide as
    /// rounding can tell in directions that nothing but data determines.
    ///
    /// # Errors
    /// As [`Dem::push`].
    pub fn push_missing(&mut self, input: Option<&[f64]>, each: impl FnMut(&Record)) -> Result<()> {
        self.take(None, input, each)
    }

    fn take(
        &mut self,
        observation: Option<&[f64]>,
        input: Option<&[f64]>,
        each: impl FnMut(&Record),
    ) -> Result<()> {
        let layout = self.layout();
        let number = self.now.seen as u64;
        let input = input.unwrap_or(&self.stack.model.cause.mean);
        observation
            .map_or(Ok(()), |y| check_row(y, layout.outputs))
            .and(check_row(input, layout.inputs))
            .map_err(|e| e.at_observation(number))?;
        // What stands in place of a missing sample does not matter: the last one keeps differences small.
        if let Some(y) = observation {
            write(&mut self.rows, self.now.seen, y);
        } else if self.now.seen > 0 {
            repeat(&mut self.rows, self.now.seen, layout.outputs);
        } else {
            self.rows.fill(0.0);
        }
        write(&mut self.input_rows, self.now.seen, input);
        let room = self.seen_rows.len();
        self.seen_rows[self.now.seen % room] = observation.is_some();
        self.before.take(&self.now);
        self.now.seen += 1;
        let ahead = &self.d_step.data_embedding;
        let full = self.now.seen >= ahead.embedding.samples();
        let to = self.now.seen.saturating_sub(ahead.look_ahead());
        let formed = match full {
            true => self.form(to, each),
            false => Ok(()),
        };
        if formed.is_err() {
            self.now.take(&self.before);
        }
        formed
    }

    /// Forms the beliefs about the last bins of the series, whose windows reach past its end.
    ///
    /// # Errors
    /// As [`Dem::push`]; [`Error::Setting`] for a series shorter than one window.
    pub fn finish(&mut self, each: impl FnMut(&Record)) -> Result<()> {
        self.before.take(&self.now);
        let formed = self.form(self.now.seen, each);
        if formed.is_err() {
            self.now.take(&self.before);
        }
        formed
    }

    fn form(&mut self, to: usize, mut each: impl FnMut(&Record)) -> Result<()> {
        let layout = self.layout();
        while self.now.formed < to {
            let now = &mut self.now;
            let rows = |values, width, seen| SampleRows {
                length: now.seen,
                width,
                values,
                seen,
            };
            let data = rows(&self.rows, layout.outputs, &self.seen_rows);
            let inputs = rows(&self.input_rows, layout.inputs, &[]);
            let t = now.formed;
            let formed = self.d_step.bin(
                &mut self.stack,
                t,
                [data, inputs],
                &self.parameters,
                &mut now.unknowns,
                &mut now.record,
                None,
            );
            formed.map_err(|e| e.at_observation(t as u64))?;
            let energy = now.record.free_energy;
            if !energy.is_finite() {
                return Err(Error::not_finite(t as u64, "free energy", energy));
            }
            now.free_energy += energy;
            now.formed += 1;
            each(&now.record);
        }
        Ok(())
    }

    /// The beliefs about every bin of a whole series, from the start, with known inputs η if there are any.
    /// The scheme itself is left at the end of the series.
    ///
    /// # Errors
    /// As [`Dem::push`]; [`Error::Size`] for inputs of another length.
    pub fn run(&mut self, series: &Sequence, inputs: Option<&Sequence>) -> Result<Vec<Record>> {
        if let Some(inputs) = inputs
            && inputs.len() != series.len()
        {
            let expected = format!("{}, as the observations", series.len());
            return Err(Error::size("inputs", inputs.len(), expected));
        }
        self.restart();
        let mut beliefs = Vec::with_capacity(series.len());
        for (t, y) in series.iter().enumerate() {
            let input = inputs.and_then(|i| i.get(t));
            self.take(y, input, |record| beliefs.push(record.clone()))?;
        }
        self.finish(|record| beliefs.push(record.clone()))?;
        Ok(beliefs)
    }

    /// Back to the start of a series.
    pub fn restart(&mut self) {
        let start = self.d_step.start(&self.stack);
        self.now.unknowns.copy_from(&start);
        self.now.record = Record::new(&self.layout());
        (self.now.seen, self.now.formed) = (0, 0);
        self.now.free_energy = 0.0;
    }
}

fn write(ring: &mut [f64], t: usize, row: &[f64]) {
    if row.is_empty() {
        return;
    }
    let from = (t % (ring.len() / row.len())) * row.len();
    ring[from..from + row.len()].copy_from_slice(row);
}

/// Row t becomes row t − 1.
fn repeat(ring: &mut [f64], t: usize, width: usize) {
    let room = ring.len() / width.max(1);
    let from = ((t - 1) % room) * width;
    ring.copy_within(from..from + width, (t % room) * width);
}

impl<E: Equations> Filter for Dem<E> {
    fn update(&mut self, observation: Option<&[f64]>) -> Result<Step> {
        self.take(observation, None, |_| ())?;
        Ok(Step::NO_EVIDENCE)
    }

    /// Of no use before N + 1 samples, which the embedding of order N needs: means and covariances are 0 until then.
    fn belief(&self) -> Belief<'_> {
        let record = &self.now.record;
        Belief::Gaussian(GaussianBelief {
            mean: &record.states,
            covariance: &record.state_covariance,
            cause_mean: &record.causes,
            cause_covariance: &record.cause_covariance,
            ..GaussianBelief::default()
        })
    }

    /// None: the free energy of embedded data is no evidence of the samples, every order adds data of its own.
    fn elbo(&self) -> f64 {
        f64::NAN
    }

    fn observations(&self) -> u64 {
        self.now.seen as u64
    }

    fn width(&self) -> usize {
        self.stack.totals().outputs
    }

    fn lag(&self) -> usize {
        self.d_step.data_embedding.look_ahead()
    }
}
