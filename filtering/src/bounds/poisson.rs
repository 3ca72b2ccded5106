//! Poisson latents seen through a linear map with normal noise.

use nalgebra::{DMatrix, DVector};
use rand::{Rng, RngExt};
use rand_distr::{Distribution, Poisson, StandardNormal};

use crate::{Error, Result, Sequence};

/// K counts behind every observation, the generative model of a Poisson VAE with a linear decoder,
///
/// ```text
/// z_k ~ Poisson(λ_k),   y = Φ z + c + N(0, σ² I),   z ∈ ℕᴷ, y ∈ ℝᴹ, Φ [M, K]                     (F85)
/// ```
///
/// independent from one observation to the next. The likelihood of an observation is a sum over ℕᴷ, which
/// [`PoissonLatents::enumerate`] takes to a tolerance where K and the rates are small.
///
/// ```
/// use scotopic_filtering::bounds::{BoundSettings, PoissonLatents, lower_bound, upper_bound};
/// use scotopic_filtering::nalgebra::{DMatrix, DVector};
/// use scotopic_filtering::rand::{SeedableRng, rngs::Xoshiro256PlusPlus};
/// # fn main() -> scotopic_filtering::Result<()> {
/// let map = DMatrix::from_row_slice(3, 2, &[1.0, 0.5, 0.0, 1.0, 0.5, 0.5]);
/// let model = PoissonLatents::new(vec![0.5, 1.0], map, DVector::zeros(3), 0.5)?;
/// let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
/// let (counts, y) = model.sample(150, &mut rng)?;
/// let proposal = model.proposal(&y)?;
/// let settings = BoundSettings { particles: 100, ..BoundSettings::default() };
/// let lower = lower_bound(&proposal, &settings, &mut rng)?;
/// let upper = upper_bound(&proposal, &[&counts], &settings, &mut rng)?;
/// let exact = model.enumerate(&y, 1e-10)?.log_evidence;
/// assert!(lower.nats < exact && exact < upper.nats && proposal.elbo() < exact);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct PoissonLatents {
    pub(super) rates: Vec<f64>,
    loadings: DMatrix<f64>,
    offset: DVector<f64>,
    variance: f64,
    /// ΦᵀΦ/σ² `[K, K]`.
    pub(super) gram: DMatrix<f64>,
}

impl PoissonLatents {
    /// λ `[K]`, Φ `[M, K]`, c `[M]` and the standard deviation σ.
    ///
    /// # Errors
    /// [`Error::Size`] where sizes do not go together, [`Error::Entry`] for a rate or σ that is not positive and for an
    /// entry that is not finite.
    pub fn new(
        rates: Vec<f64>,
        loadings: DMatrix<f64>,
        offset: DVector<f64>,
        deviation: f64,
    ) -> Result<Self> {
        let positive = |x: f64| x > 0.0 && x.is_finite();
        if rates.is_empty() || loadings.shape() != (offset.len(), rates.len()) {
            let found = format!("{}×{}", loadings.nrows(), loadings.ncols());
            let expected = format!(
                "{}×{}, as `offset` and `rates`",
                offset.len(),
                rates.len().max(1)
            );
            return Err(Error::size("loadings", found, expected));
        }
        if let Some(k) = rates.iter().position(|r| !positive(*r)) {
            return Err(Error::entry(
                "rates",
                &[k],
                rates[k],
                "a positive finite number",
            ));
        }
        if !positive(deviation) {
            return Err(Error::entry(
                "deviation",
                &[],
                deviation,
                "a positive finite number",
            ));
        }
        let all = loadings.iter().chain(offset.iter());
        if let Some(x) = all.copied().find(|x| !x.is_finite()) {
            return Err(Error::entry("loadings, offset", &[], x, "finite numbers"));
        }
        let variance = deviation * deviation;
        Ok(Self {
            gram: loadings.transpose() * &loadings / variance,
            rates,
            loadings,
            offset,
            variance,
        })
    }

    /// K.
    pub fn latents(&self) -> usize {
        self.rates.len()
    }

    /// M.
    pub fn width(&self) -> usize {
        self.offset.len()
    }

    /// `length` vectors of counts and their observations.
    ///
    /// # Errors
    /// [`Error::Observation`] for one that leaves the range of numbers.
    pub fn sample<R: Rng + ?Sized>(
        &self,
        length: usize,
        rng: &mut R,
    ) -> Result<(Vec<Vec<u32>>, Sequence)> {
        let mut all = Vec::with_capacity(length);
        let mut data = Sequence::new(self.width())?;
        for _ in 0..length {
            let z: Vec<u32> = self.rates.iter().map(|r| draw_count(*r, rng)).collect();
            let counts = DVector::from_iterator(z.len(), z.iter().map(|z| f64::from(*z)));
            let noise = DVector::from_fn(self.width(), |_, _| {
                self.variance.sqrt() * rng.sample::<f64, _>(StandardNormal)
            });
            let y = &self.loadings * counts + &self.offset + noise;
            data.push(Some(y.as_slice()))?;
            all.push(z);
        }
        Ok((all, data))
    }

    /// h = Φᵀ(y − c)/σ² `[K]`, and ln p(y|z = 0): ln p(y|z) = that + hᵀz − ½ zᵀGz, G = ΦᵀΦ/σ².
    pub(super) fn field(&self, y: &[f64]) -> (Vec<f64>, f64) {
        let residual = DVector::from_column_slice(y) - &self.offset;
        let silent = self.highest() - 0.5 * residual.norm_squared() / self.variance;
        let field = self.loadings.transpose() * residual / self.variance;
        (field.as_slice().to_vec(), silent)
    }

    /// ln (2πσ²)^(−M/2), what no ln p(y|z) exceeds.
    pub(super) fn highest(&self) -> f64 {
        -0.5 * self.width() as f64 * (std::f64::consts::TAU * self.variance).ln()
    }

    /// The rates μ `[K]` of the best q(z) = ∏ Poisson(z_k; μ_k) for one observation, and its bound
    ///
    /// ```text
    /// L = ln p(y|z = 0) + hᵀμ − ½ μᵀGμ − ½ Σ_k G_kk μ_k − Σ_k [μ_k ln(μ_k/λ_k) − μ_k + λ_k]
    /// ln(μ_k/λ_k) = h_k − (Gμ)_k − ½ G_kk                                                            (F86)
    /// ```
    ///
    /// by coordinate ascent, each coordinate by Newton's method in ln μ_k, where the equation is monotone and convex.
    pub(super) fn best_rates(&self, field: &[f64], silent: f64) -> (Vec<f64>, f64) {
        /// Sweeps end when no rate moves by more than this part; the bound is flat there.
        const TOLERANCE: f64 = 1e-10;
        const SWEEPS: usize = 200;
        const NEWTON: usize = 60;
        let k = self.latents();
        let mut rates = self.rates.clone();
        for _ in 0..SWEEPS {
            let mut moved: f64 = 0.0;
            for i in 0..k {
                let own = self.gram[(i, i)];
                let others: f64 = (0..k).map(|j| self.gram[(i, j)] * rates[j]).sum::<f64>();
                let drive = self.rates[i].ln() + field[i] - (others - own * rates[i]) - 0.5 * own;
                // u + own·e^u = drive: from above, where Newton's method cannot overshoot, the function being convex.
                let mut u = match own > 0.0 && drive > 0.0 {
                    true => drive.min((drive / own).ln().max(0.0) + 1.0),
                    false => drive,
                };
                for _ in 0..NEWTON {
                    let step = (u + own * u.exp() - drive) / (1.0 + own * u.exp());
                    u -= step;
                    if step.abs() < 1e-14 * (1.0 + u.abs()) {
                        break;
                    }
                }
                let rate = u.exp().max(f64::MIN_POSITIVE);
                moved = moved.max((rate - rates[i]).abs() / rate);
                rates[i] = rate;
            }
            if moved < TOLERANCE {
                break;
            }
        }
        let mut bound = silent;
        for i in 0..k {
            let (rate, prior) = (rates[i], self.rates[i]);
            let bent: f64 = (0..k).map(|j| self.gram[(i, j)] * rates[j]).sum();
            bound += rate * (field[i] - 0.5 * bent - 0.5 * self.gram[(i, i)]);
            bound -= rate * (rate / prior).ln() - rate + prior;
        }
        (rates, bound)
    }

    /// Fails for observations of another width, and where one is missing in part.
    pub(super) fn check_data(&self, data: &Sequence) -> Result<()> {
        if data.width() != self.width() {
            return Err(Error::size("observations", data.width(), self.width()));
        }
        match data.has_partial_rows() {
            false => Ok(()),
            true => Err(Error::Unsupported {
                what: "a model of Poisson latents".to_owned(),
                asked: "use a row with missing entries",
                why: "drop such rows; rows that are missing as a whole are taken",
            }),
        }
    }
}

/// A Poisson number; 0 for a rate that is 0 to rounding.
pub(super) fn draw_count<R: Rng + ?Sized>(rate: f64, rng: &mut R) -> u32 {
    Poisson::new(rate).map_or(0, |law| law.sample(rng) as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// L of q by its definition: a sum over counts up to `most` in both latents.
    fn by_definition(model: &PoissonLatents, y: &[f64], rates: &[f64], most: u32) -> f64 {
        let (field, silent) = model.field(y);
        let log_law = |z: u32, rate: f64| {
            let z = f64::from(z);
            z * rate.ln() - rate - libm::lgamma(z + 1.0)
        };
        let mut sum = 0.0;
        for a in 0..most {
            for b in 0..most {
                let z = DVector::from_column_slice(&[f64::from(a), f64::from(b)]);
                let likelihood =
                    silent + field[0] * z[0] + field[1] * z[1] - 0.5 * z.dot(&(&model.gram * &z));
                let prior = log_law(a, model.rates[0]) + log_law(b, model.rates[1]);
                let q = log_law(a, rates[0]) + log_law(b, rates[1]);
                sum += q.exp() * (likelihood + prior - q);
            }
        }
        sum
    }

    #[test]
    fn the_rates_are_the_best_and_the_bound_is_its_definition() {
        let map = DMatrix::from_row_slice(3, 2, &[1.0, 0.4, -0.2, 0.8, 0.5, 0.5]);
        let offset = DVector::from_column_slice(&[0.1, -0.3, 0.0]);
        let model = PoissonLatents::new(vec![0.7, 1.6], map, offset, 0.8).unwrap();
        for y in [[0.0, 0.0, 0.0], [2.0, 1.5, 2.2], [-3.0, 1.0, 0.4]] {
            let (field, silent) = model.field(&y);
            let (rates, bound) = model.best_rates(&field, silent);
            // Counts beyond 40 have a probability below 1e-30 under any of these rates.
            let defined = by_definition(&model, &y, &rates, 40);
            assert!((bound - defined).abs() < 1e-10, "{bound} {defined}");
            for i in 0..2 {
                for factor in [0.99, 1.01] {
                    let mut moved = rates.clone();
                    moved[i] *= factor;
                    assert!(by_definition(&model, &y, &moved, 40) < bound);
                }
            }
        }
    }
}
