//! One backward kernel for all times, b_t = b, given or learned online.

use serde::{Deserialize, Serialize};

use super::super::{Emission, Hmm};
use super::infinities;
use super::log_dynamics::LogDynamics;
use super::scratch::Scratch;
use super::tied_gradient::TiedGradient;
use super::value::ValueFunction;
use crate::{Error, Result, softmax};

/// Steps over which the prior occupancy is averaged for [`TiedStart::Reversal`].
const OCCUPANCY_STEPS: usize = 1000;

/// Settings of [`Factorisation::Tied`](super::Factorisation::Tied): the rows of the kernel are
/// softmax(ζ_j), ζ `[K, K]`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TiedKernel {
    /// The kernel at first.
    pub start: TiedStart,
    /// How it is learned; not at all for none.
    pub learning: Option<TiedLearning>,
}

/// The kernel that a tied posterior starts with.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TiedStart {
    /// The chain of the prior run backwards, `b(i|j) ∝ c_i A[i][j]`, where c is how often the prior is in
    /// state i over its first thousand steps: what a kernel can know without any observation.
    #[default]
    Reversal,
    /// Every state alike.
    Uniform,
    /// These logits ζ `[K, K]`, row j for s_t = j.
    Logits(#[serde(with = "infinities::vector")] Vec<f64>),
}

/// Stochastic ascent of the bound along ζ, with the gradient of each new increment L_t − L_{t−1}.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TiedLearning {
    /// c: the step for observation t (from 0) is c (t + 1)^−α.
    pub rate: f64,
    /// α, over ½ and at most 1 for the steps to add up to infinity and their squares not to.
    pub exponent: f64,
    /// Whether the gradient is divided by the Fisher information of the rows.
    pub natural: bool,
}

impl Default for TiedLearning {
    fn default() -> Self {
        Self {
            // A natural step of 1 is the closed form of one observation; a tenth averages over ten.
            rate: 0.1,
            exponent: 0.6,
            // Rows of states that are seldom visited learn as fast as the others.
            natural: true,
        }
    }
}

impl TiedKernel {
    pub(super) fn check(&self, states: usize) -> Result<()> {
        if let TiedStart::Logits(logits) = &self.start {
            check_logits(logits, states)?;
        }
        match &self.learning {
            Some(l) if !(l.rate.is_finite() && l.rate > 0.0) => {
                Err(Error::setting("rate", l.rate, "a positive number"))
            }
            Some(l) if !(0.0..=1.0).contains(&l.exponent) => {
                Err(Error::setting("exponent", l.exponent, "from 0 to 1"))
            }
            _ => Ok(()),
        }
    }

    /// ζ at first, for a model.
    fn logits<E: Emission>(&self, model: &Hmm<E>) -> Vec<f64> {
        let k = model.states();
        match &self.start {
            TiedStart::Logits(logits) => logits.clone(),
            TiedStart::Uniform => vec![0.0; k * k],
            TiedStart::Reversal => {
                let occupancy = occupancy(model);
                let entry =
                    |x: usize| (occupancy[x % k] * model.transition()[x % k * k + x / k]).ln();
                (0..k * k).map(entry).collect()
            }
        }
    }
}

/// Σ_t π A^t over the first steps.
fn occupancy<E: Emission>(model: &Hmm<E>) -> Vec<f64> {
    let k = model.states();
    let mut now = model.initial().to_vec();
    let mut total = now.clone();
    let mut next = vec![0.0; k];
    for _ in 1..OCCUPANCY_STEPS {
        next.fill(0.0);
        for (p, row) in now.iter().zip(model.transition().chunks_exact(k)) {
            next.iter_mut().zip(row).for_each(|(n, a)| *n += p * a);
        }
        std::mem::swap(&mut now, &mut next);
        total.iter_mut().zip(&now).for_each(|(c, p)| *c += p);
    }
    total
}

fn check_logits(logits: &[f64], states: usize) -> Result<()> {
    if logits.len() != states * states {
        let found = format!("{} entries", logits.len());
        return Err(Error::size("logits", found, format!("{states}×{states}")));
    }
    match logits
        .iter()
        .position(|z| z.is_nan() || *z == f64::INFINITY)
    {
        None => Ok(()),
        Some(at) => {
            let place = [at / states, at % states];
            let expected = "a number, or −∞ (−1e300 in a file) for probability 0";
            Err(Error::entry("logits", &place, logits[at], expected))
        }
    }
}

/// The state of a tied posterior beside its W: ζ, b, and what learning carries.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Tied {
    #[serde(with = "infinities::vector")]
    logits: Vec<f64>,
    /// softmax of the rows of ζ, for the observation to come.
    kernel: Vec<f64>,
    /// What b adds to W whatever the past: Σ_i b(i|j) (ln A_ij − ln b(i|j)) `[K]`, −∞ for a row of zeros.
    #[serde(with = "infinities::vector")]
    gain: Vec<f64>,
    learner: Option<Learner>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Learner {
    settings: TiedLearning,
    gradient: TiedGradient,
    /// E_{q_t}[Ĝ_t] `[K, K]` of the newest observation.
    total: Vec<f64>,
    /// The same of the one before while a step is made.
    #[serde(skip)]
    before: Scratch,
    /// Σ_t q_t `[K]`.
    occupancy: Vec<f64>,
}

impl Tied {
    pub fn new<E: Emission>(settings: &TiedKernel, model: &Hmm<E>) -> Result<Self> {
        let k = model.states();
        settings.check(k)?;
        let mut tied = Self {
            logits: settings.logits(model),
            kernel: vec![0.0; k * k],
            gain: vec![0.0; k],
            learner: settings.learning.clone().map(|settings| Learner {
                settings,
                gradient: TiedGradient::new(k),
                total: vec![0.0; k * k],
                before: Scratch::default(),
                occupancy: vec![0.0; k],
            }),
        };
        tied.renew(&LogDynamics::of(model));
        Ok(tied)
    }

    /// b and what it adds from ζ, which is shifted so that the largest of each row is 0.
    fn renew(&mut self, dynamics: &LogDynamics) {
        let k = self.gain.len();
        let rows = self.logits.chunks_exact_mut(k);
        let rows = rows
            .zip(self.kernel.chunks_exact_mut(k))
            .zip(&mut self.gain);
        for (j, ((logits, b), gain)) in rows.enumerate() {
            let top = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            *gain = top;
            if top == f64::NEG_INFINITY {
                b.fill(0.0);
                continue;
            }
            logits.iter_mut().for_each(|z| *z -= top);
            b.copy_from_slice(logits);
            // ln b = ζ − ln Σ e^ζ.
            let total = softmax(b);
            let terms = b.iter().zip(logits.iter().zip(dynamics.into_state(j)));
            let possible = terms.filter(|(b, _)| **b > 0.0);
            *gain = possible.map(|(b, (z, a))| b * (a - (z - total))).sum();
        }
    }

    /// What b adds to W, `[K]`.
    pub fn gain(&self) -> &[f64] {
        &self.gain
    }

    /// b `[K, K]`, for the observation to come.
    pub fn kernel(&self) -> &[f64] {
        &self.kernel
    }

    /// Checks what came from a file.
    pub fn checked(self, states: usize) -> Result<Self> {
        let k = states;
        check_logits(&self.logits, k)?;
        let mut lengths = vec![
            ("kernel", self.kernel.len(), k * k),
            ("gain", self.gain.len(), k),
        ];
        if let Some(l) = &self.learner {
            lengths.push(("advantage", l.gradient.advantage.len(), k * k * k));
            lengths.push(("total", l.total.len(), k * k));
            lengths.push(("occupancy", l.occupancy.len(), k));
            lengths.push(("states", l.gradient.states, k));
        }
        for (name, found, expected) in lengths {
            if found != expected {
                return Err(Error::size(name, found, expected));
            }
        }
        if let Some(l) = &self.learner {
            let numbers = l
                .gradient
                .advantage
                .iter()
                .chain(&l.total)
                .chain(&l.occupancy);
            if let Some(bad) = numbers.into_iter().find(|x| !x.is_finite()) {
                return Err(Error::entry("learner", &[], bad, "finite numbers"));
            }
        }
        Ok(self)
    }

    /// Takes in the step that is about to be made with b: G_t from W_{t−1}.
    pub fn carry(&mut self, past: &ValueFunction, dynamics: &LogDynamics) -> Result<()> {
        match &mut self.learner {
            Some(learner) => learner.gradient.advance(past, dynamics, &self.kernel),
            None => Ok(()),
        }
    }

    /// Ascends the newest increment: ζ ← ζ + c (t + 1)^−α (C_t − C_{t−1}), C_t = E_{q_t}[G_t], t from 0.
    pub fn learn(&mut self, dynamics: &LogDynamics, q: &[f64], t: u64) {
        let Some(learner) = &mut self.learner else {
            return;
        };
        let k = q.len();
        let before = learner.before.of(k * k);
        std::mem::swap(&mut learner.total, before);
        learner.gradient.expected(q, &mut learner.total);
        let visits = learner.occupancy.iter_mut();
        visits.zip(q).for_each(|(n, q)| *n += q);
        let time = (t + 1) as f64;
        let step = learner.settings.rate * time.powf(-learner.settings.exponent);
        let newest = learner.total.chunks_exact(k).zip(before.chunks_exact(k));
        let rows = self
            .logits
            .chunks_exact_mut(k)
            .zip(self.kernel.chunks_exact(k));
        for (((logits, b), visits), (total, before)) in rows.zip(&learner.occupancy).zip(newest) {
            // How often s = l, with one visit of every state beforehand.
            let often = (visits + 1.0) / (time + k as f64);
            let increments = total.iter().zip(before).map(|(c, past)| c - past);
            for ((zeta, &b), c) in logits.iter_mut().zip(b.iter()).zip(increments) {
                let weight = if learner.settings.natural {
                    1.0 / often
                } else {
                    b
                };
                if b > 0.0 {
                    *zeta += step * weight * c;
                }
            }
        }
        self.renew(dynamics);
    }
}
