//! Annealed importance sampling for Poisson latents, and its reversal from an exact posterior sample.

use rand::rngs::Xoshiro256PlusPlus;
use rand::{Rng, RngExt, SeedableRng};

use super::particles::{effective, log_mean};
use super::poisson::{PoissonLatents, draw_count};
use super::proposal::Proposal;
use crate::{Error, Result, Sequence};

/// q(z) = ∏ Poisson(z_k; μ_k) of every observation, and how finely it is tempered towards the posterior.
///
/// Targets between them are q(z)^{1−β} p(y, z)^β; Metropolis moves at each β leave the target as it is and are
/// their own reversal (eq. F87).
#[derive(Debug, Clone)]
pub struct PoissonProposal {
    model: PoissonLatents,
    /// `None` where nothing is seen: p = 1 whatever the counts are.
    moments: Vec<Option<Moment>>,
    elbo: f64,
}

/// One observation.
#[derive(Debug, Clone)]
struct Moment {
    field: Vec<f64>,
    silent: f64,
    /// μ.
    rates: Vec<f64>,
    /// ln μ, and ln λ/μ.
    log_rates: Vec<f64>,
    log_change: Vec<f64>,
    /// The number of temperatures.
    temperatures: usize,
}

impl PoissonLatents {
    /// The best factorised Poisson q of every observation (eq. F86). An observation is tempered the finer the wider its
    /// plain weights are in a pilot run, whose random numbers are of the model's own and independent of those of a bound.
    ///
    /// # Errors
    /// [`Error::Size`] for no observation or one of another width, [`Error::Unsupported`] for missing entries.
    pub fn proposal(&self, data: &Sequence) -> Result<PoissonProposal> {
        self.check_data(data)?;
        if data.is_empty() {
            return Err(Error::size("observations", "none", "at least one"));
        }
        let (mut moments, mut elbo) = (Vec::with_capacity(data.len()), 0.0);
        let mut pilot = Xoshiro256PlusPlus::seed_from_u64(PILOT_SEED);
        for row in data.iter() {
            let Some(y) = row else {
                moments.push(None);
                continue;
            };
            let (field, silent) = self.field(y);
            let (rates, bound) = self.best_rates(&field, silent);
            elbo += bound;
            let logarithm = |rate: &f64| rate.ln();
            let log_rates: Vec<f64> = rates.iter().map(logarithm).collect();
            let priors = self.rates.iter().map(logarithm);
            let mut moment = Moment {
                field,
                silent,
                log_change: priors.zip(&log_rates).map(|(l, m)| l - m).collect(),
                log_rates,
                rates,
                temperatures: FEWEST_TEMPERATURES,
            };
            while moment.temperatures < MOST_TEMPERATURES {
                let weights: Vec<f64> = (0..PILOT)
                    .map(|_| moment.anneal(self, &mut pilot))
                    .collect();
                if effective(&weights, log_mean(&weights)) >= ENOUGH * PILOT as f64 {
                    break;
                }
                moment.temperatures *= 2;
            }
            moments.push(Some(moment));
        }
        Ok(PoissonProposal {
            model: self.clone(),
            moments,
            elbo,
        })
    }
}

/// Chains of a pilot run.
const PILOT: usize = 64;
const PILOT_SEED: u64 = 0;
/// The effective part of them below which an observation is tempered more finely.
const ENOUGH: f64 = 0.4;
/// With fewer, chains that start in one mode of a posterior miss the others, and a pilot run cannot tell.
const FEWEST_TEMPERATURES: usize = 8;
const MOST_TEMPERATURES: usize = 256;

impl PoissonProposal {
    /// L of the fitted q, in nats.
    pub fn elbo(&self) -> f64 {
        self.elbo
    }

    /// μ `[K]` of observation `t`; `None` where nothing is seen.
    pub fn rates(&self, t: usize) -> Option<&[f64]> {
        Some(&self.moments.get(t)?.as_ref()?.rates)
    }
}

impl Moment {
    /// ln p(y, z) − ln q(z).
    fn log_ratio(&self, model: &PoissonLatents, z: &[u32]) -> f64 {
        let mut sum = self.silent;
        for (i, &count) in z.iter().enumerate() {
            let count = f64::from(count);
            let bent: f64 = z
                .iter()
                .enumerate()
                .map(|(j, z)| model.gram[(i, j)] * f64::from(*z))
                .sum();
            sum += count * (self.field[i] - 0.5 * bent);
            sum += count * self.log_change[i] - model.rates[i] + self.rates[i];
        }
        sum
    }

    /// 2K Metropolis moves at β, in place: each either one latent up or down, or one up and another down. Kinds, latents and
    /// signs are drawn anew for each, so that the reversal of all of them is of the same law.
    fn step<R: Rng + ?Sized>(&self, model: &PoissonLatents, beta: f64, z: &mut [u32], rng: &mut R) {
        let k = z.len();
        for _ in 0..2 * k {
            let i = rng.random_range(0..k);
            let up: bool = rng.random();
            let change = |z: &[u32], i: usize, up: bool| self.change(model, beta, z, i, up);
            let moved = |count: u32, up: bool| if up { count + 1 } else { count - 1 };
            let other = (k > 1 && rng.random::<bool>()).then(|| (i + rng.random_range(1..k)) % k);
            if (!up && z[i] == 0) || other.is_some_and(|j| up && z[j] == 0) {
                continue;
            }
            let mut log_ratio = change(z, i, up);
            let before = z[i];
            z[i] = moved(before, up);
            if let Some(j) = other {
                log_ratio += change(z, j, !up);
            }
            match (rng.random::<f64>().ln() < log_ratio, other) {
                (true, Some(j)) => z[j] = moved(z[j], !up),
                (true, None) => {}
                (false, _) => z[i] = before,
            }
        }
    }

    /// The change of the logarithm of the target at β when latent i goes one up or down.
    fn change(&self, model: &PoissonLatents, beta: f64, z: &[u32], i: usize, up: bool) -> f64 {
        let count = f64::from(z[i]);
        let bent: f64 = z
            .iter()
            .enumerate()
            .map(|(j, z)| model.gram[(i, j)] * f64::from(*z))
            .sum();
        let own = model.gram[(i, i)];
        let log_rate = self.log_rates[i] + beta * self.log_change[i];
        match up {
            true => log_rate - (count + 1.0).ln() + beta * (self.field[i] - bent - 0.5 * own),
            false => count.ln() - log_rate - beta * (self.field[i] - bent + 0.5 * own),
        }
    }

    /// β of a level: closer to each other near q, where the target changes most.
    fn beta(&self, level: usize) -> f64 {
        (level as f64 / self.temperatures as f64).powi(2)
    }

    /// What the state at a level adds to the logarithm of the weight: (β_{l+1} − β_l)(ln p(y, z) − ln q(z)).
    fn gain(&self, model: &PoissonLatents, level: usize, z: &[u32]) -> f64 {
        (self.beta(level + 1) - self.beta(level)) * self.log_ratio(model, z)
    }

    /// ln of an unbiased estimate of p(y): a chain from q at β = 0 to β = 1.
    fn anneal<R: Rng + ?Sized>(&self, model: &PoissonLatents, rng: &mut R) -> f64 {
        let mut z: Vec<u32> = self.rates.iter().map(|r| draw_count(*r, rng)).collect();
        let mut sum = self.gain(model, 0, &z);
        for level in 1..self.temperatures {
            self.step(model, self.beta(level), &mut z, rng);
            sum += self.gain(model, level, &z);
        }
        sum
    }

    /// The same of the chain that ends in an exact posterior sample, run backwards.
    fn anneal_from<R: Rng + ?Sized>(
        &self,
        model: &PoissonLatents,
        end: &[u32],
        rng: &mut R,
    ) -> f64 {
        let mut z = end.to_vec();
        let mut sum = self.gain(model, self.temperatures - 1, &z);
        for level in (1..self.temperatures).rev() {
            self.step(model, self.beta(level), &mut z, rng);
            sum += self.gain(model, level - 1, &z);
        }
        sum
    }
}

impl Proposal for PoissonProposal {
    type States = [Vec<u32>];

    fn log_estimate<R: Rng + ?Sized>(&self, particles: usize, rng: &mut R) -> f64 {
        let seen = self.moments.iter().flatten();
        let one = |moment: &Moment| {
            let weights: Vec<f64> = (0..particles)
                .map(|_| moment.anneal(&self.model, rng))
                .collect();
            log_mean(&weights)
        };
        seen.map(one).sum()
    }

    fn log_estimate_about<R: Rng + ?Sized>(
        &self,
        states: &[Vec<u32>],
        particles: usize,
        rng: &mut R,
    ) -> f64 {
        let seen = self.moments.iter().zip(states);
        let seen = seen.filter_map(|(moment, z)| moment.as_ref().map(|moment| (moment, z)));
        let one = |(moment, z): (&Moment, &Vec<u32>)| {
            let mut weights = vec![moment.anneal_from(&self.model, z, rng)];
            weights.extend((1..particles).map(|_| moment.anneal(&self.model, rng)));
            log_mean(&weights)
        };
        seen.map(one).sum()
    }

    fn check(&self, states: &[Vec<u32>]) -> Result<()> {
        if states.len() != self.moments.len() {
            let expected = format!("{}, one an observation", self.moments.len());
            return Err(Error::size("states", states.len(), expected));
        }
        let k = self.model.latents();
        match states.iter().position(|z| z.len() != k) {
            None => Ok(()),
            Some(t) => Err(Error::size(format!("states[{t}]"), states[t].len(), k)),
        }
    }
}
