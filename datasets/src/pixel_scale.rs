//! On which scale the pixels of a set are, so that a model can refuse input on another one.

use serde::{Deserialize, Serialize};

use crate::{Error, ImageSet, Result, Splits, Standardisation};

/// How far input may lie beyond what a model was trained on, as a multiple of how far that lay from its mean: brighter,
/// darker and other images stay far below; levels of 8 bits on a model of pixels up to 1 are 255 times beyond.
const BEYOND: f64 = 16.0;
/// Levels of 8 bits, and of 16.
const LEVELS: [(f64, &str); 2] = [(255.0, "uint8"), (65_535.0, "uint16")];

/// The range of the pixels of a set and how they spread, before standardisation. A checkpoint that keeps it refuses input on
/// another scale.
///
/// ```
/// use scotopic_datasets::{PixelScale, check_scale};
/// let trained = PixelScale::of(&[0.0, 0.25, 1.0])?;
/// assert_eq!((trained.min, trained.max), (0.0, 1.0));
/// check_scale("dark.npy", &trained, &PixelScale::of(&[0.0, 0.001])?)?;
/// let levels = check_scale("levels.npy", &trained, &PixelScale::of(&[0.0, 255.0])?);
/// assert!(levels.unwrap_err().to_string().contains("divide by 255, or store as uint8"));
/// # Ok::<(), scotopic_datasets::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Plain", into = "Plain")]
pub struct PixelScale {
    /// The least value.
    pub min: f32,
    /// The largest value.
    pub max: f32,
    /// The mean.
    pub mean: f32,
    /// The mean absolute deviation from the mean, Σ |x − mean| / N.
    pub deviation: f32,
}

/// The numbers as they are written, not yet checked.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Plain {
    min: f32,
    max: f32,
    mean: f32,
    deviation: f32,
}

impl From<PixelScale> for Plain {
    fn from(scale: PixelScale) -> Self {
        let PixelScale {
            min,
            max,
            mean,
            deviation,
        } = scale;
        Self {
            min,
            max,
            mean,
            deviation,
        }
    }
}

impl TryFrom<Plain> for PixelScale {
    type Error = String;

    fn try_from(plain: Plain) -> std::result::Result<Self, String> {
        let Plain {
            min,
            max,
            mean,
            deviation,
        } = plain;
        let ordered = min <= mean && mean <= max && deviation >= 0.0;
        match ordered && [min, max, mean, deviation].iter().all(|v| v.is_finite()) {
            true => Ok(Self {
                min,
                max,
                mean,
                deviation,
            }),
            false => Err(format!(
                "pixels from {min} to {max} with mean {mean} and deviation {deviation}: expected finite numbers, \
                 min ≤ mean ≤ max"
            )),
        }
    }
}

impl PixelScale {
    /// The scale of these values.
    ///
    /// # Errors
    /// [`Error::Size`] if there are none; [`Error::NotFinite`] for the first that is not finite.
    pub fn of(values: &[f32]) -> Result<Self> {
        if values.is_empty() {
            return Err(Error::size("pixels", "number of values", 0, "at least 1"));
        }
        let (mut min, mut max, mut sum) = (f32::INFINITY, f32::NEG_INFINITY, 0.0);
        for (at, &value) in values.iter().enumerate() {
            if !value.is_finite() {
                return Err(Error::NotFinite {
                    name: "pixels".into(),
                    image: 0,
                    pixel: at,
                    found: value,
                });
            }
            min = min.min(value);
            max = max.max(value);
            sum += f64::from(value);
        }
        let n = values.len() as f64;
        let mean = sum / n;
        let deviations: f64 = values.iter().map(|&v| (f64::from(v) - mean).abs()).sum();
        Ok(Self {
            min,
            max,
            // Rounding does not take it beyond the values.
            mean: (mean as f32).clamp(min, max),
            deviation: (deviations / n) as f32,
        })
    }

    /// The same pixels after [`Standardisation::apply`].
    #[must_use]
    pub fn standardised(self, scale: Standardisation) -> Self {
        self.mapped(|values| scale.apply(values), 1.0 / scale.std)
    }

    /// The same pixels after [`Standardisation::undo`].
    #[must_use]
    pub fn unstandardised(self, scale: Standardisation) -> Self {
        self.mapped(|values| scale.undo(values), scale.std)
    }

    fn mapped(self, map: impl Fn(&mut [f32]), factor: f32) -> Self {
        let mut values = [self.min, self.max, self.mean];
        map(&mut values);
        let [min, max, mean] = values;
        Self {
            min,
            max,
            mean: mean.clamp(min.min(max), max.max(min)),
            deviation: self.deviation * factor.abs(),
        }
    }

    /// How far values lie from `centre` at most.
    fn reach(&self, centre: f64) -> f64 {
        let from = |value: f32| (f64::from(value) - centre).abs();
        from(self.min).max(from(self.max))
    }

    fn is_within(&self, low: f64, high: f64) -> bool {
        f64::from(self.min) >= low && f64::from(self.max) <= high
    }
}

impl ImageSet {
    /// The scale of its pixels as they are.
    ///
    /// # Errors
    /// [`Error::Size`] if there is no image.
    pub fn scale(&self) -> Result<PixelScale> {
        PixelScale::of(self.pixels())
    }
}

impl Splits {
    /// The scale of the training pixels before standardisation.
    ///
    /// # Errors
    /// As [`ImageSet::scale`].
    pub fn training_scale(&self) -> Result<PixelScale> {
        Ok(self.train.scale()?.unstandardised(self.standardisation))
    }
}

/// Refuses pixels that cannot be on the scale of those that a model was trained on, both before standardisation. Images that
/// are dark, bright, blank or of another kind are not refused:
///
/// ```text
/// r(S) = max |x − mean(trained)| over the pixels of S
/// refused    r(given) ≥ 16·max(r(trained), 1 if trained lies in [0, 1])
///            given in [0, 1] and not blank, trained in [0, …] up to 128 or more     the levels of its darkest pixels
/// ```
///
/// # Errors
/// [`Error::Scale`] with what to do.
pub fn check_scale(name: &str, trained: &PixelScale, given: &PixelScale) -> Result<()> {
    let wrong = |advice: String| {
        Err(Error::Scale {
            name: name.to_owned(),
            found: (given.min, given.max),
            trained: (trained.min, trained.max),
            advice,
        })
    };
    if ![given.min, given.max].iter().all(|v| v.is_finite()) {
        return wrong("remove or repair what is not finite".into());
    }
    let centre = f64::from(trained.mean);
    let unit = trained.is_within(0.0, 1.0);
    // A model of nothing but dark pictures sees bright ones as well.
    let reach = trained.reach(centre).max(if unit { 1.0 } else { 0.0 });
    let on_levels = trained.min >= 0.0 && trained.max >= 128.0;
    if reach > 0.0 && given.reach(centre) >= BEYOND * reach {
        let levels = LEVELS
            .iter()
            .find(|(most, _)| unit && given.is_within(0.0, *most));
        return wrong(match levels {
            Some((most, element)) => format!("divide by {most}, or store as {element}"),
            None => "put them on the scale of the training images".into(),
        });
    }
    if on_levels && given.is_within(0.0, 1.0) && given.min < given.max {
        let most = match trained.max <= 255.0 {
            true => 255.0,
            false => f64::from(trained.max),
        };
        return wrong(format!("multiply by {most}"));
    }
    Ok(())
}

/// What is to be said of pixels that [`check_scale`] lets pass but that may well be on another scale than those of training: beyond
/// 0 to 1 where those lay within, or twice as far from their mean. Nothing where there is no doubt.
///
/// ```
/// use scotopic_datasets::{PixelScale, scale_doubt};
/// let trained = PixelScale::of(&[0.03, 0.25, 0.98])?;
/// let doubt = scale_doubt("centred.npy", &trained, &PixelScale::of(&[-0.94, 0.96])?);
/// assert!(doubt.unwrap().starts_with("centred.npy: values from -0.94 to 0.96, the model was trained on 0.03 to 0.98"));
/// assert!(scale_doubt("bright.npy", &trained, &PixelScale::of(&[0.5, 1.0])?).is_none());
/// # Ok::<(), scotopic_datasets::Error>(())
/// ```
pub fn scale_doubt(name: &str, trained: &PixelScale, given: &PixelScale) -> Option<String> {
    /// Rounding and resampling of pixels from 0 to 1.
    const SLACK: f64 = 0.01;
    /// Pixels so many times as far from the mean as any in training are of no image of the same kind.
    const FAR: f64 = 2.0;
    let centre = f64::from(trained.mean);
    let beyond = match trained.is_within(0.0, 1.0) {
        true => !given.is_within(-SLACK, 1.0 + SLACK),
        false => given.reach(centre) > FAR * trained.reach(centre),
    };
    let range = |scale: &PixelScale| format!("{} to {}", scale.min, scale.max);
    beyond.then(|| {
        format!(
            "{name}: values from {}, the model was trained on {}: if they are on another scale, what it sees in them means nothing",
            range(given),
            range(trained)
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ImageShape;

    fn scale(values: &[f32]) -> PixelScale {
        PixelScale::of(values).unwrap()
    }

    fn refusal(trained: &[f32], given: &[f32]) -> String {
        check_scale("in.npy", &scale(trained), &scale(given))
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn another_scale_is_refused_with_advice() {
        let unit = [0.0, 0.3, 1.0];
        let text = refusal(&unit, &[0.0, 7.0, 255.0]);
        let expected = "in.npy: values from 0 to 255, the model was trained on 0 to 1: divide by 255, or store as uint8";
        assert_eq!(text, expected);
        assert!(refusal(&unit, &[3.0, 60_000.0]).contains("divide by 65535, or store as uint16"));
        assert!(refusal(&unit, &[-3.0, 1e20]).contains("on the scale of the training images"));
        // Whitened patches against levels, and levels against pixels.
        assert!(refusal(&[-0.4, 0.02, 0.5], &[0.0, 255.0]).contains("the scale of the training"));
        assert!(refusal(&[0.0, 40.0, 255.0], &[0.0, 0.5, 1.0]).contains("multiply by 255"));
        // Standardised: what a model sees after (x − 0.13)/0.31.
        assert!(refusal(&[-0.42, 2.8], &[0.0, 255.0]).contains("-0.42 to 2.8"));
    }

    #[test]
    fn what_may_be_on_another_scale_is_doubted() {
        let unit = scale(&[0.03, 0.4, 0.98]);
        let doubt = |given: &[f32]| scale_doubt("x.npy", &unit, &scale(given)).is_some();
        // 2x − 1, four times as bright, z scores, three darker.
        for given in [[-0.94, 0.96], [0.12, 3.92], [-1.8, 2.4], [-2.97, -2.02]] {
            assert!(doubt(&given), "{given:?}");
        }
        assert!(!doubt(&[0.0, 1.0]) && !doubt(&[0.5, 0.6]) && !doubt(&[-0.005, 1.005]));
        let whitened = scale(&[-0.4, 0.02, 0.5]);
        assert!(scale_doubt("x.npy", &whitened, &scale(&[-0.7, 0.8])).is_none());
        assert!(scale_doubt("x.npy", &whitened, &scale(&[-1.1, 1.2])).is_some());
    }

    #[test]
    fn other_images_are_not_refused() {
        let dark = [0.0, 0.02, 0.05];
        let whitened = [-3.0, 0.01, 4.0];
        for (trained, given) in [
            (&[0.0, 0.3, 1.0][..], &dark[..]),
            (&dark, &[0.0, 1.0]),
            (&[0.0, 40.0, 255.0], &[0.0, 0.0]),
            (&[0.0, 40.0, 255.0], &[0.0, 1.0, 2.0]),
            (&whitened, &[0.0, 0.0]),
            (&whitened, &[-30.0, 30.0]),
            (&whitened, &[0.0, 1.0]),
            (&whitened, &[-1e-4, 1e-4]),
            (&[7.0, 7.0], &[0.0, 1e9]),
            (&[-1.0, 0.0, 1.0], &[0.5, 0.5]),
        ] {
            check_scale("in.npy", &scale(trained), &scale(given)).unwrap();
        }
    }

    #[test]
    fn standardisation_is_undone() {
        let shape = ImageShape {
            channels: 1,
            height: 1,
            width: 2,
        };
        let set = |values: &[f32]| ImageSet::new("s", shape, values.to_vec(), None).unwrap();
        let splits = Splits::new(set(&[0.0, 2.0, 4.0, 6.0]), set(&[1.0, 1.0]), None, true).unwrap();
        let found = splits.training_scale().unwrap();
        for (found, expected) in [
            (found.min, 0.0),
            (found.max, 6.0),
            (found.mean, 3.0),
            (found.deviation, 2.0),
        ] {
            assert!((found - expected).abs() < 1e-6);
        }
        let seen = found.standardised(splits.standardisation);
        assert!((seen.deviation - splits.train.scale().unwrap().deviation).abs() < 1e-6);
        assert!(PixelScale::of(&[]).is_err() && PixelScale::of(&[f32::NAN]).is_err());
    }

    #[test]
    fn files_hold_the_same_numbers_and_no_others() {
        let found = scale(&[0.1, 0.7, 1.0 / 3.0]);
        let text = serde_json::to_string(&found).unwrap();
        assert_eq!(serde_json::from_str::<PixelScale>(&text).unwrap(), found);
        for bad in [
            r#"{"min":1,"max":0,"mean":0.5,"deviation":0.1}"#,
            r#"{"min":0,"max":1,"mean":0.5,"deviation":-0.1}"#,
            r#"{"min":0,"max":1e99,"mean":0.5,"deviation":0.1}"#,
            r#"{"min":0,"max":1,"mean":0.5}"#,
        ] {
            assert!(serde_json::from_str::<PixelScale>(bad).is_err(), "{bad}");
        }
    }
}
