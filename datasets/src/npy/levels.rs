//! Whole numbers as pixels.

use super::header::{ELEMENTS, Element};
use crate::{Error, Result};

/// Levels of whole numbers on the scale from 0 to 1, and floats as they are. `element` is the type as numpy calls it in `dtype.str`,
/// without its byte order: `u1`. The brightest level is 65 535 of `u2`, 1 of truth values (`b1`) and 255 of all others.
///
/// # Errors
/// [`Error::Level`] for a number outside of its levels, and [`Error::TooDark`] where all are so low that another scale was meant: 0 and 1
/// alone, unless they are truth values, and 16 bits without a level above 255.
///
/// ```
/// use scotopic_datasets::npy::from_levels;
/// assert_eq!(from_levels("a", vec![0.0, 51.0, 255.0], "u1")?, [0.0, 0.2, 1.0]);
/// assert_eq!(from_levels("a", vec![0.0, 1.0], "b1")?, [0.0, 1.0]);
/// assert_eq!(from_levels("a", vec![-3.0, 0.5], "f8")?, [-3.0, 0.5]);
/// assert!(from_levels("a", vec![0.0, 1.0], "i8").is_err());
/// # Ok::<(), scotopic_datasets::Error>(())
/// ```
pub fn from_levels(name: &str, mut values: Vec<f32>, element: &str) -> Result<Vec<f32>> {
    let known = ELEMENTS.iter().find(|(n, _)| *n == element.as_bytes());
    let Some((_, known)) = known else {
        let expected = "real numbers of up to 64 bits";
        return Err(Error::setting("images", "dtype", element, expected));
    };
    to_unit(name, &mut values, known.brightest())?;
    Ok(values)
}

/// Divides levels by the brightest, if there is one.
pub(super) fn to_unit(name: &str, values: &mut [f32], brightest: Option<f32>) -> Result<()> {
    let Some(brightest) = brightest else {
        return Ok(());
    };
    let wrong = values.iter().position(|v| !(0.0..=brightest).contains(v));
    if let Some(at) = wrong {
        return Err(Error::Level {
            name: name.to_owned(),
            at,
            found: values[at],
            brightest,
        });
    }
    let largest = values.iter().copied().fold(0.0, f32::max);
    check_brightest(&|| name.to_owned(), largest, brightest)?;
    values.iter_mut().for_each(|v| *v /= brightest);
    Ok(())
}

/// Refuses levels of which none is above `largest` where they were meant on another scale than up to `brightest`.
pub(crate) fn check_brightest(
    name: &dyn Fn() -> String,
    largest: f32,
    brightest: f32,
) -> Result<()> {
    match too_dark(largest, brightest) {
        None => Ok(()),
        Some(advice) => Err(Error::TooDark {
            name: name(),
            largest,
            brightest,
            advice,
        }),
    }
}

/// What to do about whole numbers that were almost certainly meant on another scale: nothing but 0 and 1 among 256 levels or more, or no
/// level above 255 among 65 536, all below half a per cent of white. Blank images, all 0, are right on every scale.
fn too_dark(largest: f32, brightest: f32) -> Option<&'static str> {
    match (largest, brightest) {
        (_, ..=1.0) | (..=0.0, _) => None,
        (..=1.0, _) => Some("store zeros and ones as bool or float32"),
        (..=255.0, 65_535.0..) => Some("store levels up to 255 as uint8"),
        _ => None,
    }
}

impl Element {
    /// The brightest level of a pixel stored so, where it is stored as a whole number.
    pub(super) fn brightest(self) -> Option<f32> {
        match self {
            Self::F2 | Self::F4 | Self::F8 => None,
            Self::Bool => Some(1.0),
            Self::U2 => Some(65_535.0),
            _ => Some(255.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(values: &[f32], element: &str) -> String {
        from_levels("a.npy", values.to_vec(), element)
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn levels_of_fewer_bits_than_their_type_are_refused() {
        let text = refusal(&[0.0, 255.0, 12.0], "u2");
        assert_eq!(
            text,
            "a.npy: no value is above 255, and the brightest pixel of this type has 65535: store levels up to 255 as uint8"
        );
        for element in ["u1", "i1", "i4", "u8", "u2"] {
            assert!(
                refusal(&[0.0, 1.0], element).contains("as bool or float32"),
                "{element}"
            );
        }
    }

    #[test]
    fn dark_and_blank_images_are_not_refused() {
        for (values, element, most) in [
            (&[0.0, 2.0][..], "u1", 2.0 / 255.0),
            (&[0.0, 256.0], "u2", 256.0 / 65_535.0),
            (&[0.0, 0.0], "u2", 0.0),
            (&[0.0, 0.0], "i8", 0.0),
            (&[0.0, 1.0], "b1", 1.0),
            (&[0.0, 1.0], "f4", 1.0),
        ] {
            let pixels = from_levels("a", values.to_vec(), element).unwrap();
            assert_eq!(pixels[1], most, "{element}");
        }
        assert!(refusal(&[0.0, 256.0], "i4").contains("expected a level from 0 to 255"));
        assert!(refusal(&[-1.0], "i2").contains("value 0 is -1"));
        assert!(refusal(&[1.0], "c16").contains("c16"));
    }
}
