//! Widths of credible bands: by probability or in standard deviations.

use std::fmt;
use std::str::FromStr;

use scotopic_filtering::deviations_of;

/// How wide a credible band is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Band {
    /// The central interval of this probability.
    Level(f64),
    /// So many standard deviations to either side.
    Deviations(f64),
}

impl Default for Band {
    /// 90 %: wide enough to contain most true values, narrow enough that misses of a wrong belief show soon.
    fn default() -> Self {
        Self::Level(0.9)
    }
}

impl Band {
    /// Half the width in standard deviations of a normal belief.
    pub fn deviations(self) -> f64 {
        match self {
            Self::Level(level) => deviations_of(level).unwrap_or(f64::NAN),
            Self::Deviations(z) => z,
        }
    }

    /// The Mahalanobis radius of the ellipse that goes with it: of the same probability in two dimensions, where it is
    /// 1 − exp(−r²/2); as many standard deviations in every direction.
    pub fn radius(self) -> f64 {
        match self {
            Self::Level(level) => (-2.0 * (-level).ln_1p()).sqrt(),
            Self::Deviations(z) => z,
        }
    }
}

impl fmt::Display for Band {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // As many digits as it takes to say the level, and no rounding left-overs.
            Self::Level(level) => {
                let percent = format!("{:.6}", 100.0 * level);
                let percent = percent.trim_end_matches('0').trim_end_matches('.');
                write!(f, "{percent} % credible band")
            }
            Self::Deviations(1.0) => write!(f, "± 1 standard deviation"),
            Self::Deviations(z) => write!(f, "± {z} standard deviations"),
        }
    }
}

impl FromStr for Band {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "`{text}` is no width of a band: write a probability below 1 as 0.9 or 90%, or standard deviations \
                 as 2sd"
            )
        };
        let number = |t: &str| t.trim().parse::<f64>().map_err(|_| wrong());
        let text = text.trim();
        let band = match (text.strip_suffix("sd"), text.strip_suffix('%')) {
            (Some(z), _) => Self::Deviations(number(z)?),
            (_, Some(percent)) => Self::Level(number(percent)? / 100.0),
            _ => Self::Level(number(text)?),
        };
        let makes_sense = match band {
            Self::Level(level) => level > 0.0 && level < 1.0,
            Self::Deviations(z) => z > 0.0 && z.is_finite(),
        };
        makes_sense.then_some(band).ok_or_else(wrong)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The last digit of a quantile.
    const TABLE: f64 = 1e-9;

    #[test]
    fn a_band_is_read_as_it_is_said() {
        let read = |text: &str| text.parse::<Band>();
        assert_eq!(read("0.9"), Ok(Band::Level(0.9)));
        assert_eq!(read(" 95% "), Ok(Band::Level(0.95)));
        assert_eq!(read("2sd"), Ok(Band::Deviations(2.0)));
        for wrong in [
            "", "1", "0", "-0.1", "100%", "sd", "0sd", "2s", "NaN", "infsd",
        ] {
            let error = read(wrong).unwrap_err();
            assert!(error.contains("0.9 or 90%"), "{error}");
        }
        let said = |band: Band| band.to_string();
        assert_eq!(said(Band::default()), "90 % credible band");
        assert_eq!(said(Band::Level(0.995)), "99.5 % credible band");
        assert_eq!(said(Band::Deviations(2.0)), "± 2 standard deviations");
        assert!((Band::Level(0.95).deviations() - 1.959_963_984_540).abs() < TABLE);
        // Half of a normal in the plane lies within √(2 ln 2).
        assert!((Band::Level(0.5).radius() - 2.0f64.ln().mul_add(2.0, 0.0).sqrt()).abs() < TABLE);
    }
}
