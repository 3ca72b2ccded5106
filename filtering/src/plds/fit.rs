//! Fits to whole sequences: variational expectation–maximisation.

use super::law::CountLaw;
use super::model::Plds;
use super::sites::of_filter;
use super::smoother::PldsSmoothed;
use super::start::{by_moments, check_seen};
use crate::gaussian::{Learned, Site, Statistics};
use crate::{Error, Result, Sequence};

/// How a model is fitted.
#[derive(Debug, Clone, PartialEq)]
pub struct PldsFit {
    /// Most iterations of EM.
    pub max_iterations: usize,
    /// Converged when an iteration has gained less than this, in nats an observation.
    pub tolerance: f64,
}

impl Default for PldsFit {
    fn default() -> Self {
        Self {
            // EM moves Q and F slowly; what it gains after two hundred iterations is below what held-out neurons can tell.
            max_iterations: 200,
            // A hundredth of a nat over a thousand rows.
            tolerance: 1e-5,
        }
    }
}

/// A fitted model.
#[derive(Debug, Clone, PartialEq)]
pub struct PldsFitted {
    /// The model.
    pub model: Plds,
    /// The bound of all sequences before each iteration and at the end, nats; it never falls.
    pub elbo: Vec<f64>,
    /// Iterations of EM.
    pub iterations: usize,
    /// Whether the last iteration gained less than the tolerance.
    pub converged: bool,
}

/// Of one sequence.
type Sites = Vec<Option<Site>>;

impl Plds {
    /// A model of `latents` latents that describes `sequences`: a start from their moments (L. Buesing, J. H. Macke,
    /// M. Sahani, 2012), then [`Plds::fit`]. Latents have unit variance at the start; nothing is random.
    ///
    /// ```
    /// use scotopic_filtering::Sequence;
    /// use scotopic_filtering::plds::{CountLaw, Plds, PldsFit};
    /// # fn main() -> scotopic_filtering::Result<()> {
    /// let wave = |t: u32, sign: f64| (2.0 + 2.0 * sign * (0.2 * f64::from(t)).sin()).round();
    /// let spikes = Sequence::of_rows((0..80).map(|t| [wave(t, 1.0), wave(t, -1.0), wave(t, 0.5)]))?;
    /// let fitted = Plds::fit_latents(CountLaw::Poisson, 1, &[spikes], &PldsFit::default())?;
    /// // The first two neurons follow the latent with opposite signs.
    /// let c = fitted.model.loadings();
    /// assert!(c[(0, 0)] * c[(1, 0)] < 0.0);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As [`Plds::fit`]; [`Error::Size`] for no data or more latents than neurons.
    pub fn fit_latents(
        law: CountLaw,
        latents: usize,
        sequences: &[Sequence],
        fit: &PldsFit,
    ) -> Result<PldsFitted> {
        by_moments(law, latents, sequences)?.fit(sequences, fit)
    }

    /// Variational EM from this model: the smoother (eq. F74), then F, b and Q in closed form (eq. F75) and c, d of every
    /// neuron by Newton's method (eq. F76). m0 and P0 are learned from two sequences or more: of one, P0 would shrink to
    /// nothing.
    ///
    /// # Errors
    /// As [`Plds::smooth`]; [`Error::Setting`] for a tolerance that is none; [`Error::Size`] where nothing was seen, [`Error::Entry`]
    /// where nothing was seen of a neuron.
    pub fn fit(&self, sequences: &[Sequence], fit: &PldsFit) -> Result<PldsFitted> {
        if !(fit.tolerance >= 0.0 && fit.tolerance.is_finite()) {
            return Err(Error::setting("tolerance", fit.tolerance, "0 or above"));
        }
        let mut sites: Vec<Sites> = Vec::with_capacity(sequences.len());
        for sequence in sequences {
            self.check_sequence(sequence)?;
            sites.push(of_filter(self, sequence)?);
        }
        check_seen(self.width(), sequences)?;
        let observations: usize = sequences.iter().map(|s| s.iter().flatten().count()).sum();
        let room = fit.tolerance * observations as f64;
        let (mut model, mut elbo, mut converged) = (self.clone(), Vec::new(), false);
        loop {
            let smoothed: Vec<PldsSmoothed> = (sequences.iter().zip(sites))
                .map(|(sequence, sites)| model.smooth_from(sequence, sites))
                .collect::<Result<_>>()?;
            let bound: f64 = smoothed.iter().map(PldsSmoothed::elbo).sum();
            converged |= elbo.last().is_some_and(|last| bound - last <= room);
            elbo.push(bound);
            if converged || elbo.len() > fit.max_iterations {
                break;
            }
            model = model.maximised_by(sequences, &smoothed)?;
            sites = smoothed.into_iter().map(PldsSmoothed::into_sites).collect();
        }
        Ok(PldsFitted {
            model,
            iterations: elbo.len() - 1,
            elbo,
            converged,
        })
    }

    /// The M-step.
    fn maximised_by(&self, sequences: &[Sequence], smoothed: &[PldsSmoothed]) -> Result<Self> {
        let mut statistics = Statistics::new(self.predictor());
        let mut pairs = Vec::new();
        for (sequence, own) in sequences.iter().zip(smoothed) {
            add_dynamics(self, own, &mut statistics);
            if let Some(first) = own.beliefs().first() {
                statistics.add_start(first);
            }
            let rows = sequence.iter().zip(own.beliefs());
            pairs.extend(rows.filter_map(|(row, belief)| Some((row?, belief))));
        }
        self.maximised_of(&statistics, pairs, sequences.len() > 1)
    }

    /// The same with F, b and Q, and m0 and P0 if `initial`, from expected statistics.
    pub(super) fn with_dynamics(
        &self,
        statistics: &Statistics,
        initial: bool,
        pseudo_count: f64,
    ) -> Result<Self> {
        let learned = Learned {
            observation: false,
            offset: false,
            observation_noise: false,
            initial,
            ..Learned::default()
        };
        let predictor = self
            .predictor()
            .maximised(statistics, &learned, pseudo_count)?;
        Self::of(self.law(), self.exposure(), predictor)
    }
}

/// Adds the transitions of a smoothed sequence.
pub(super) fn add_dynamics(model: &Plds, smoothed: &PldsSmoothed, into: &mut Statistics) {
    let later = smoothed.beliefs().iter().skip(1);
    for (kernel, later) in smoothed.kernels().iter().zip(later) {
        into.add_transition(1.0, model.predictor(), kernel, later);
    }
}
