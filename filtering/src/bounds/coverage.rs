//! Whether the bounds hold: random models whose evidence is known, data simulated from them, both bounds.

use nalgebra::{DMatrix, DVector};
use rand::rngs::Xoshiro256PlusPlus;
use rand::{Rng, RngExt, SeedableRng};
use rand_distr::{Exp1, StandardNormal};
use serde::Serialize;

use super::poisson::PoissonLatents;
use super::proposal::{lower_bound, upper_bound};
use super::settings::BoundSettings;
use crate::gaussian::LinearGaussian;
use crate::hmm::{AnyEmission, Factorisation, Hmm, Poisson};
use crate::nonlinear::exact_evidence;
use crate::nonlinear::models::Ar1Poisson;
use crate::{AnyModel, Error, Result};

/// A kind of model whose evidence is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum KnownEvidence {
    /// Hidden Markov models of 2 to 6 states and two counts, sticky to fast-mixing; exact by the forward recursion.
    Hmm,
    /// Linear-Gaussian models of 1 to 3 states and 1 or 2 entries; exact by the Kalman filter.
    Kalman,
    /// 1 to 10 Poisson latents; exact by enumeration to 1e-10 of each p(y).
    Poisson,
    /// Counts of an autoregression; exact on a grid.
    Ar1Poisson,
}

impl KnownEvidence {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Hmm, Self::Kalman, Self::Poisson, Self::Ar1Poisson];
}

/// One set: a random model, data simulated from it, its evidence and the bounds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CoverageSet {
    /// The q of the bounds: each factorisation in turn.
    pub q: String,
    /// T.
    pub length: usize,
    /// ln p(y_1…y_T), in nats.
    pub exact: f64,
    /// L of q, in nats.
    pub elbo: f64,
    /// The lower bound, in nats.
    pub lower: f64,
    /// The upper bound, in nats.
    pub upper: f64,
}

impl CoverageSet {
    /// Whether the exact evidence lies between the bounds.
    pub fn brackets(&self) -> bool {
        self.lower <= self.exact && self.exact <= self.upper
    }

    /// Upper less lower bound, nats per observation.
    pub fn width(&self) -> f64 {
        (self.upper - self.lower) / self.length as f64
    }
}

/// The set of number `seed`: everything in it is drawn from that.
///
/// ```
/// use scotopic_filtering::bounds::{BoundSettings, KnownEvidence, coverage_set};
/// # fn main() -> scotopic_filtering::Result<()> {
/// let set = coverage_set(KnownEvidence::Hmm, 150, 7, &BoundSettings::default())?;
/// assert!(set.brackets() && set.width() < 0.05);
/// # Ok(()) }
/// ```
///
/// # Errors
/// [`Error::Setting`] of `kind` where the evidence of the drawn set is not known: no grid settles. Those of the models and of the bounds.
pub fn coverage_set(
    kind: KnownEvidence,
    length: usize,
    seed: u64,
    settings: &BoundSettings,
) -> Result<CoverageSet> {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
    let turn = |names: &[&'static str]| names[seed as usize % names.len()];
    let (model, q, exact): (AnyModel, _, _) = match kind {
        KnownEvidence::Poisson => return poisson_set(length, seed, settings, &mut rng),
        KnownEvidence::Hmm => (
            AnyModel::Hmm(random_hmm(&mut rng)?),
            turn(&Factorisation::COMPARED),
            None,
        ),
        KnownEvidence::Kalman => {
            let names = [
                "reversed",
                "temporal-mean-field",
                "diagonal",
                "decoupled",
                "frozen-mean-field",
                "jelbo",
            ];
            (
                AnyModel::LinearGaussian(random_linear(&mut rng)?),
                turn(&names),
                None,
            )
        }
        KnownEvidence::Ar1Poisson => {
            let uniform =
                |rng: &mut Xoshiro256PlusPlus, a: f64, b: f64| a + (b - a) * rng.random::<f64>();
            let a = uniform(&mut rng, 0.5, 0.98);
            let variance = uniform(&mut rng, 0.1, 1.0);
            let c = uniform(&mut rng, -1.0, 2.0);
            let model = Ar1Poisson::new(a, c, variance * (1.0 - a * a), 0.0, variance)?;
            let q = turn(&["reversed", "jelbo", "vjf"]);
            (AnyModel::Nonlinear(model.clone().into()), q, Some(model))
        }
    };
    let (states, data) = model.sample(length, &mut rng)?;
    let found = model.certify(&data, q, Some(&states), settings, &mut rng)?;
    let exact = match (&model, exact) {
        (AnyModel::Hmm(model), _) => model.log_evidence(&data)?,
        (AnyModel::LinearGaussian(model), _) => model.log_evidence(&data)?,
        (_, Some(model)) => {
            exact_evidence(&model, &data).ok_or_else(|| unknown("a grid that settles"))?
        }
        _ => return Err(unknown("a kind with an exact evidence")),
    };
    Ok(CoverageSet {
        q: q.to_owned(),
        length,
        exact,
        elbo: -found.free_energy,
        lower: found.lower.nats,
        upper: found.upper.map_or(f64::INFINITY, |upper| upper.nats),
    })
}

fn unknown(expected: &str) -> Error {
    Error::setting("kind", "no exact evidence", expected)
}

fn poisson_set<R: Rng>(
    length: usize,
    seed: u64,
    settings: &BoundSettings,
    rng: &mut R,
) -> Result<CoverageSet> {
    let latents = 1 + seed as usize % 10;
    // The fewer terms to enumerate, the higher the rates can be.
    let total = (0.2 + 0.8 * rng.random::<f64>()) * (5.0 / latents as f64).min(1.0);
    let parts = distribution(latents, rng);
    let rates = parts.iter().map(|p| total * p).collect();
    let map = normal(latents + 2, latents, rng);
    let offset = DVector::from_column_slice(normal(latents + 2, 1, rng).as_slice());
    let deviation = 0.5 + 0.5 * rng.random::<f64>();
    let model = PoissonLatents::new(rates, map, offset, deviation)?;
    let (counts, data) = model.sample(length, rng)?;
    let q = model.proposal(&data)?;
    Ok(CoverageSet {
        q: format!("factorised, {latents} latents"),
        length,
        exact: model.enumerate(&data, 1e-10)?.log_evidence,
        elbo: q.elbo(),
        lower: lower_bound(&q, settings, rng)?.nats,
        upper: upper_bound(&q, &[&counts], settings, rng)?.nats,
    })
}

/// A uniform draw from the simplex.
fn distribution<R: Rng>(size: usize, rng: &mut R) -> Vec<f64> {
    let parts: Vec<f64> = (0..size).map(|_| rng.sample(Exp1)).collect();
    let sum: f64 = parts.iter().sum();
    parts.iter().map(|p| p / sum).collect()
}

fn normal<R: Rng>(rows: usize, columns: usize, rng: &mut R) -> DMatrix<f64> {
    DMatrix::from_fn(rows, columns, |_, _| rng.sample(StandardNormal))
}

fn random_hmm<R: Rng>(rng: &mut R) -> Result<Hmm<AnyEmission>> {
    let k = rng.random_range(2..=6);
    let sticky = 0.95 * rng.random::<f64>();
    let row = |i: usize, rng: &mut R| -> Vec<f64> {
        let free = distribution(k, rng);
        let stay = |j: usize| if i == j { sticky } else { 0.0 };
        free.iter()
            .enumerate()
            .map(|(j, p)| stay(j) + (1.0 - sticky) * p)
            .collect()
    };
    let transition = (0..k).map(|i| row(i, rng)).collect();
    // From 0.3 to 20 counts, evenly in the logarithm.
    let rate = |rng: &mut R| 0.3 * (20.0f64 / 0.3).powf(rng.random());
    let rates = (0..k).map(|_| vec![rate(rng), rate(rng)]).collect();
    Hmm::new(
        distribution(k, rng),
        transition,
        AnyEmission::from(Poisson::new(rates)?),
    )
}

fn random_linear<R: Rng>(rng: &mut R) -> Result<LinearGaussian> {
    let (n, m) = (rng.random_range(1..=3), rng.random_range(1..=2));
    let free = normal(n, n, rng);
    let longest = free.clone().svd(false, false).singular_values.max();
    let transition = free * (0.98 * rng.random::<f64>() / longest);
    let covariance = |size: usize, rng: &mut R| {
        let root = normal(size, size, rng);
        &root * root.transpose() + DMatrix::identity(size, size) * 0.1
    };
    let process = covariance(n, rng);
    LinearGaussian::new(transition, process, normal(m, n, rng), covariance(m, rng))
}
