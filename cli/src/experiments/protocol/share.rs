//! A share of units with its exact interval, for counts that a bootstrap cannot tell apart from certainty (200 of 200).

/// The part beyond each end of a 95 % interval.
const TAIL: f64 = 0.025;
/// Halvings of the interval of p: to 2⁻⁵³, the spacing of numbers below 1.
const HALVINGS: usize = 53;

/// So many units of all, with the 95 % interval of Clopper and Pearson (1934): every p under which neither as many nor as few are
/// rarer than 2.5 %.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Share {
    /// The units that count.
    pub hits: usize,
    /// All units.
    pub units: usize,
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

impl Share {
    /// Of units that count or do not; `None` for no unit.
    ///
    /// ```
    /// use scotopic_cli::experiments::protocol::Share;
    /// let all = Share::of([true; 200]).unwrap();
    /// // All of n: the lower end is the n-th root of 0.025.
    /// assert!((all.low - 0.025f64.powf(1.0 / 200.0)).abs() < 1e-12 && all.high == 1.0);
    /// assert_eq!(all.reaches(0.95), Some(true));
    /// ```
    pub fn of(units: impl IntoIterator<Item = bool>) -> Option<Self> {
        let (mut hits, mut all) = (0, 0);
        for hit in units {
            hits += usize::from(hit);
            all += 1;
        }
        (all > 0).then(|| Self {
            hits,
            units: all,
            low: lower_end(hits, all),
            high: 1.0 - lower_end(all - hits, all),
        })
    }

    /// Whether the share is `part` or more, below it, or neither by its interval.
    pub fn reaches(&self, part: f64) -> Option<bool> {
        match self {
            s if s.low >= part => Some(true),
            s if s.high < part => Some(false),
            _ => None,
        }
    }
}

/// The p at which `hits` or more have a probability of [`TAIL`]; 0 for none.
fn lower_end(hits: usize, units: usize) -> f64 {
    if hits == 0 {
        return 0.0;
    }
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..HALVINGS {
        let p = 0.5 * (low + high);
        match at_least(hits, units, p) < TAIL {
            true => low = p,
            false => high = p,
        }
    }
    low
}

/// P(X ≥ hits) of X ~ Binomial(units, p), 0 < p < 1.
fn at_least(hits: usize, units: usize, p: f64) -> f64 {
    let log_odds = p.ln() - (-p).ln_1p();
    let mut log_term = units as f64 * (-p).ln_1p();
    let mut sum = 0.0;
    for i in 0..=units {
        if i >= hits {
            sum += log_term.exp();
        }
        log_term += ((units - i) as f64 / (i + 1) as f64).ln() + log_odds;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    fn share(hits: usize, units: usize) -> Share {
        Share::of((0..units).map(|unit| unit < hits)).unwrap()
    }

    #[test]
    fn the_ends_are_quantiles_of_beta_distributions() {
        // scipy.stats.beta.ppf(0.025, k, n − k + 1) and ppf(0.975, k + 1, n − k), scipy 1.17.1. Ten digits: its own tolerance.
        for (hits, units, low, high) in [
            (190, 200, 0.9099724622986486, 0.9757658345278915),
            (200, 200, 0.9817246596448638, 1.0),
            (3, 40, 0.01574217985104153, 0.20386474873289895),
            (0, 10, 0.0, 0.3084971078187607),
        ] {
            let found = share(hits, units);
            assert!((found.low - low).abs() < 1e-10, "{found:?} {low}");
            assert!((found.high - high).abs() < 1e-10, "{found:?} {high}");
        }
    }

    #[test]
    fn a_share_is_decided_by_its_interval() {
        assert!(Share::of([]).is_none());
        assert_eq!(share(200, 200).reaches(0.95), Some(true));
        // Nine of nine is compatible with 67 %.
        assert_eq!(share(9, 9).reaches(0.95), None);
        assert_eq!(share(100, 200).reaches(0.95), Some(false));
    }
}
