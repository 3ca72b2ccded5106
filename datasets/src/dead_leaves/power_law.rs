//! The sizes of the leaves: a power law between two radii.

/// p(r) ∝ r^−α on \[min, max\].
///
/// The quantile function, for α ≠ 1, is
///
/// ```text
/// r(u) = (a + u·(b − a))^(1/(1−α)),   a = min^(1−α),  b = max^(1−α)
/// ```
///
/// and for α = 3 it needs nothing but +, ×, ÷ and √, whose results are the same on every machine.
///
/// ```
/// use scotopic_datasets::dead_leaves::PowerLaw;
/// let law = PowerLaw { min: 1.0, max: f64::INFINITY, exponent: 3.0 };
/// // Half of the radii are below √2: P(r > x) = x⁻².
/// assert!((law.quantile(0.5) - 2.0f64.sqrt()).abs() < 1e-15);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PowerLaw {
    /// The smallest radius.
    pub min: f64,
    /// The largest radius.
    pub max: f64,
    /// α
    pub exponent: f64,
}

impl PowerLaw {
    /// The radius below which a fraction `u` of the leaves is.
    pub fn quantile(&self, u: f64) -> f64 {
        let r = if self.exponent == 3.0 {
            let (a, b) = (1.0 / (self.min * self.min), 1.0 / (self.max * self.max));
            1.0 / (a + u * (b - a)).sqrt()
        } else if self.exponent == 1.0 {
            self.min * (self.max / self.min).powf(u)
        } else {
            let k = 1.0 - self.exponent;
            let (a, b) = (self.min.powf(k), self.max.powf(k));
            (a + u * (b - a)).powf(1.0 / k)
        };
        // Rounding must not lead outside, for `min` may equal `max`.
        r.clamp(self.min, self.max)
    }

    /// E[r²], by the midpoint rule over the quantiles: needed only to estimate the work.
    pub(crate) fn mean_square(&self) -> f64 {
        const STEPS: usize = 1000;
        let square = |i: usize| self.quantile((i as f64 + 0.5) / STEPS as f64).powi(2);
        (0..STEPS).map(square).sum::<f64>() / STEPS as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::CounterRng;

    #[test]
    fn the_histogram_of_radii_falls_as_r_to_the_minus_three() {
        let law = PowerLaw {
            min: 2.0,
            max: 64.0,
            exponent: 3.0,
        };
        let mut draws = CounterRng::new(11, &[]);
        let n = 200_000;
        // Bins of one octave: the probability of [r, 2r) is (r⁻² − (2r)⁻²)/(2⁻² − 64⁻²).
        let mut counts = [0.0f64; 5];
        for _ in 0..n {
            let r = law.quantile(draws.unit());
            assert!((2.0..=64.0).contains(&r));
            counts[((r / 2.0).log2() as usize).min(4)] += 1.0;
        }
        for (octave, &count) in counts.iter().enumerate() {
            let r = 2.0 * f64::from(1 << octave);
            let p = (r.powi(-2) - (2.0 * r).powi(-2)) / (2.0f64.powi(-2) - 64.0f64.powi(-2));
            let sd = (f64::from(n) * p * (1.0 - p)).sqrt();
            assert!(
                (count - f64::from(n) * p).abs() < 5.0 * sd,
                "octave {octave}: {count}"
            );
        }
        // The density itself: log-log slope over the first three octaves, between bin centres.
        let density = |octave: usize| counts[octave] / f64::from(2 << octave);
        let slope = (density(2) / density(0)).log2() / 2.0;
        assert!((slope + 3.0).abs() < 0.05, "{slope}");
    }

    #[test]
    fn other_exponents_agree_with_their_distribution() {
        for exponent in [0.0, 1.0, 2.0, 2.5, 3.0, 3.000001] {
            let law = PowerLaw {
                min: 1.0,
                max: 16.0,
                exponent,
            };
            assert!(
                (law.quantile(0.0) - 1.0).abs() < 1e-12 && (law.quantile(1.0) - 16.0).abs() < 1e-12
            );
            // F(r(u)) = u, with F by the midpoint rule.
            let mass = |upper: f64| -> f64 {
                let step = (upper - 1.0) / 20_000.0;
                (0..20_000)
                    .map(|i| (1.0 + (f64::from(i) + 0.5) * step).powf(-exponent) * step)
                    .sum()
            };
            for u in [0.1, 0.5, 0.9] {
                assert!(
                    (mass(law.quantile(u)) / mass(16.0) - u).abs() < 1e-5,
                    "{exponent} {u}"
                );
            }
        }
        let point = PowerLaw {
            min: 5.0,
            max: 5.0,
            exponent: 3.0,
        };
        assert_eq!(point.quantile(0.3), 5.0);
        assert!((point.mean_square() - 25.0).abs() < 1e-9);
    }
}
