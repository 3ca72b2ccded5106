//! Cross-orientation suppression.

use crate::Result;
use crate::error::check_rates;

/// How much of the response to a grating a second, orthogonal grating takes away,
///
/// ```text
/// suppression = 1 − R(plaid)/R(grating)
/// ```
///
/// 0 if nothing, 1 if everything, negative if the plaid drives the unit more. `None` for a unit that
/// does not respond to the grating.
///
/// Source: Morrone, Burr & Maffei (1982), *Proc. R. Soc. B* 216:335.
///
/// ```
/// use scotopic_measures::tuning::cross_orientation_suppression;
/// # fn main() -> scotopic_measures::Result<()> {
/// assert_eq!(cross_orientation_suppression(8.0, 6.0)?, Some(0.25));
/// assert_eq!(cross_orientation_suppression(0.0, 6.0)?, None);
/// # Ok(()) }
/// ```
///
/// # Errors
/// [`Error::NotFinite`](crate::Error::NotFinite), [`Error::Value`](crate::Error::Value) for a negative
/// response.
pub fn cross_orientation_suppression(grating: f64, plaid: f64) -> Result<Option<f64>> {
    check_rates("responses to grating and plaid", &[grating, plaid], 2)?;
    let suppression = 1.0 - plaid / grating;
    Ok((grating > 0.0 && suppression.is_finite()).then_some(suppression))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closed_form() {
        assert_eq!(cross_orientation_suppression(4.0, 4.0), Ok(Some(0.0)));
        assert_eq!(cross_orientation_suppression(4.0, 0.0), Ok(Some(1.0)));
        assert_eq!(cross_orientation_suppression(4.0, 8.0), Ok(Some(-1.0)));
        assert!(cross_orientation_suppression(4.0, -1.0).is_err());
        assert!(cross_orientation_suppression(f64::NAN, 1.0).is_err());
        assert_eq!(cross_orientation_suppression(1e-300, 1e300), Ok(None));
    }
}
