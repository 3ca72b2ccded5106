//! Training, validation and test images, and the one scale they share.

use sha2::{Digest, Sha256};

use crate::uniform::is_uniform;
use crate::{Error, ImageSet, Result, Standardisation, sha};

impl Standardisation {
    /// The mean and standard deviation of a training set.
    ///
    /// # Errors
    /// [`Error::NoVariance`] if all pixels are equal but for rounding, or there are none.
    pub fn of(train: &ImageSet) -> Result<Self> {
        let pixels = train.pixels();
        if is_uniform(pixels.iter().map(|&x| f64::from(x))) {
            return Err(Error::NoVariance {
                name: train.name().to_owned(),
                found: 0.0,
            });
        }
        let n = pixels.len().max(1) as f64;
        // Sequential sums in f64: independent of the number of threads.
        let mean = pixels.iter().map(|&x| f64::from(x)).sum::<f64>() / n;
        let variance = pixels
            .iter()
            .map(|&x| (f64::from(x) - mean).powi(2))
            .sum::<f64>()
            / n;
        let fitted = Self {
            mean: mean as f32,
            std: variance.sqrt() as f32,
        };
        // A subnormal σ would turn pixels into infinities.
        if !(fitted.std.is_normal() && fitted.mean.is_finite()) {
            return Err(Error::NoVariance {
                name: train.name().to_owned(),
                found: variance.sqrt(),
            });
        }
        Ok(fitted)
    }
}

/// What a [`DataConfig`](crate::DataConfig) loads. All three sets are on the scale of
/// [`standardisation`](Self::standardisation) already.
#[derive(Debug, Clone, PartialEq)]
pub struct Splits {
    /// Images to learn from.
    pub train: ImageSet,
    /// Images to watch the learning with.
    pub validation: ImageSet,
    /// Images to report on, where the source has a test set of its own.
    pub test: Option<ImageSet>,
    /// The scale, to undo for display.
    pub standardisation: Standardisation,
}

impl Splits {
    /// Puts the sets together and, if asked, on the scale of the training set.
    ///
    /// # Errors
    /// [`Error::Size`] if the shapes of the images differ or there is nothing to train on;
    /// [`Error::NoVariance`] if the training images are blank.
    pub fn new(
        train: ImageSet,
        validation: ImageSet,
        test: Option<ImageSet>,
        standardise: bool,
    ) -> Result<Self> {
        if train.is_empty() {
            return Err(Error::size(
                train.name(),
                "number of training images",
                0,
                "at least 1",
            ));
        }
        for other in std::iter::once(&validation).chain(&test) {
            if other.shape() != train.shape() {
                let (found, expected) = (other.shape(), train.shape());
                let expected = format!("{expected:?} as in {}", train.name());
                return Err(Error::size(
                    other.name(),
                    "image shape",
                    format!("{found:?}"),
                    expected,
                ));
            }
        }
        let standardisation = if standardise {
            Standardisation::of(&train)?
        } else {
            Standardisation::NONE
        };
        // Finite pixels stay finite unless they are near the end of the range of f32.
        let scaled = |set: ImageSet| match standardise {
            true => set.rescaled(standardisation),
            false => Ok(set),
        };
        Ok(Self {
            train: scaled(train)?,
            validation: scaled(validation)?,
            test: test.map(scaled).transpose()?,
            standardisation,
        })
    }

    /// SHA-256, in hexadecimal, over the digests of the sets and the bits of the scale.
    pub fn digest(&self) -> String {
        let mut hash = Sha256::new();
        hash.update(self.train.digest());
        hash.update(self.validation.digest());
        hash.update(
            self.test
                .as_ref()
                .map_or_else(|| "no test set".to_owned(), ImageSet::digest),
        );
        hash.update(self.standardisation.mean.to_bits().to_le_bytes());
        hash.update(self.standardisation.std.to_bits().to_le_bytes());
        sha::hex(hash)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ImageShape;

    fn set(name: &str, pixels: &[f32]) -> ImageSet {
        let shape = ImageShape {
            channels: 1,
            height: 1,
            width: 2,
        };
        ImageSet::new(name, shape, pixels.to_vec(), None).unwrap()
    }

    #[test]
    fn the_scale_comes_from_the_training_set_alone() {
        let train = set("train", &[0.0, 2.0, 4.0, 6.0]);
        let a = Splits::new(train.clone(), set("v", &[100.0, 3.0]), None, true).unwrap();
        let b = Splits::new(
            train,
            set("v", &[-7.0, 0.0]),
            Some(set("t", &[9.0, 9.0])),
            true,
        )
        .unwrap();
        assert_eq!(a.standardisation, b.standardisation);
        assert_eq!(a.standardisation.mean, 3.0);
        assert_eq!(a.standardisation.std, 5.0f32.sqrt());
        assert_eq!(a.validation.image(0)[0], (100.0 - 3.0) / 5.0f32.sqrt());
        assert_ne!(a.digest(), b.digest());
    }

    #[test]
    fn blank_or_unequal_sets_are_refused() {
        for level in [1.0, 0.1, 128.0 / 255.0, 1e20] {
            let train = set("t", &[level; 1002]);
            let blank = Splits::new(train, set("v", &[1.0; 2]), None, true).unwrap_err();
            assert!(blank.to_string().contains("standardise = false"), "{blank}");
        }
        assert!(Splits::new(set("t", &[]), set("v", &[]), None, false).is_err());
        let shape = ImageShape {
            channels: 1,
            height: 2,
            width: 1,
        };
        let other = ImageSet::new("v", shape, vec![0.0; 2], None).unwrap();
        assert!(Splits::new(set("t", &[0.0, 1.0]), other, None, false).is_err());
        let far = Splits::new(set("t", &[0.0, 1e-20]), set("v", &[3e38, 0.0]), None, true);
        assert!(matches!(
            far.unwrap_err(),
            Error::NotFinite {
                image: 0,
                pixel: 0,
                ..
            }
        ));
    }
}
