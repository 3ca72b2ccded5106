//! What a count contributes to the next log-rates, and its moments under a Poisson belief (eq. T8).

use crate::{Error, Result};

/// The drive s(n) of a count n.
///
/// ```text
/// s(n) = n            ln E e^{w s} = λ(e^w − 1),                                     E s = λ
/// s(n) = min(n, m)    E e^{w s} = e^{wm} + Σ_{n<m} Pois(n; λ)(e^{wn} − e^{wm})                    (T8)
/// ```
///
/// ```
/// use scotopic_filtering::spiking_population::Drive;
/// let (lambda, w): (f64, f64) = (0.3, 0.7);
/// let fired = 1.0 - (-lambda).exp();
/// let moment = Drive::Capped(1).log_moment(lambda, w).exp();
/// assert!((moment - (1.0 + fired * (w.exp() - 1.0))).abs() < 1e-15);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drive {
    /// The count itself. Rates stay bounded only where no weight is positive.
    Count,
    /// min(n, m), m at least 1: rates are bounded for all weights (eq. T13).
    Capped(u32),
}

impl Drive {
    /// s(n).
    pub fn of(self, count: u32) -> f64 {
        match self {
            Self::Count => f64::from(count),
            Self::Capped(most) => f64::from(count.min(most)),
        }
    }

    /// E s(n), n ~ Pois(`rate`).
    pub fn mean(self, rate: f64) -> f64 {
        match self {
            Self::Count => rate,
            Self::Capped(most) => {
                let m = f64::from(most);
                m - below(most, rate).map(|(n, p)| p * (m - n)).sum::<f64>()
            }
        }
    }

    /// d/dλ E s(n): 1, or Pr(n < m).
    pub fn mean_slope(self, rate: f64) -> f64 {
        match self {
            Self::Count => 1.0,
            Self::Capped(most) => below(most, rate).map(|(_, p)| p).sum(),
        }
    }

    /// ln E e^{w s(n)}.
    pub fn log_moment(self, rate: f64, w: f64) -> f64 {
        match self {
            Self::Count => rate * w.exp_m1(),
            Self::Capped(most) => self.moment(most, rate, w).ln(),
        }
    }

    /// d/dw ln E e^{w s(n)}: the mean of s under the tilted law.
    pub fn log_moment_slope(self, rate: f64, w: f64) -> f64 {
        match self {
            Self::Count => rate * w.exp(),
            Self::Capped(most) => {
                let m = f64::from(most);
                let top = m * (w * m).exp();
                let rest: f64 = below(most, rate)
                    .map(|(n, p)| p * (n * (w * n).exp() - top))
                    .sum();
                (top + rest) / self.moment(most, rate, w)
            }
        }
    }

    /// The largest drive; none where it has no bound.
    pub fn most(self) -> Option<f64> {
        match self {
            Self::Count => None,
            Self::Capped(most) => Some(f64::from(most)),
        }
    }

    pub(super) fn validate(self) -> Result<()> {
        match self {
            Self::Capped(most) if !(1..=1000).contains(&most) => {
                Err(Error::setting("drive", most, "a cap from 1 to 1000 spikes"))
            }
            _ => Ok(()),
        }
    }

    fn moment(self, most: u32, rate: f64, w: f64) -> f64 {
        let top = (w * f64::from(most)).exp();
        let rest: f64 = below(most, rate)
            .map(|(n, p)| p * ((w * n).exp() - top))
            .sum();
        top + rest
    }
}

/// n and Pois(n; rate) for n < `most`.
fn below(most: u32, rate: f64) -> impl Iterator<Item = (f64, f64)> {
    let start = (0u32, (-rate).exp());
    std::iter::successors(Some(start), move |(n, p)| {
        Some((n + 1, p * rate / f64::from(n + 1)))
    })
    .take(most as usize)
    .map(|(n, p)| (f64::from(n), p))
}
