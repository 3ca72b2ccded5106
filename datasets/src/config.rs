//! The `[data]` table of a run.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::{
    CifarConfig, DeadLeavesConfig, IdxConfig, ImagesConfig, MovingDeadLeavesConfig,
    MovingDigitsConfig, MovingImagesConfig, NpyConfig, OmniglotConfig, Result, Splits,
};

/// One of the sources of images, named by the key `source`; the other keys are those of the source,
/// all with defaults, and an unknown one is an error.
///
/// ```
/// use scotopic_datasets::{DataConfig, DeadLeavesConfig};
/// let data: DataConfig = serde_json::from_str(r#"{ "source": "dead-leaves", "size": 16 }"#).unwrap();
/// assert_eq!(data, DataConfig::DeadLeaves(DeadLeavesConfig { size: 16, ..Default::default() }));
/// let typo = serde_json::from_str::<DataConfig>(r#"{ "source": "dead-leaves", "siez": 16 }"#);
/// assert!(typo.unwrap_err().to_string().contains("siez"));
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "source", rename_all = "kebab-case")]
pub enum DataConfig {
    /// Pictures of occluding discs, drawn on the spot.
    DeadLeaves(DeadLeavesConfig),
    /// MNIST and its relatives.
    Idx(IdxConfig),
    /// Arrays made elsewhere.
    Npy(NpyConfig),
    /// Folders of photographs.
    Images(ImagesConfig),
    /// CIFAR-10, small colour photographs.
    Cifar(CifarConfig),
    /// Omniglot, handwritten characters of many alphabets.
    Omniglot(OmniglotConfig),
    /// Films: a window that moves over dead leaves.
    MovingDeadLeaves(MovingDeadLeavesConfig),
    /// Films: a window that moves over photographs.
    MovingImages(MovingImagesConfig),
    /// Films: digits that move over a dark field.
    MovingDigits(MovingDigitsConfig),
}

impl Default for DataConfig {
    fn default() -> Self {
        Self::DeadLeaves(DeadLeavesConfig::default())
    }
}

impl DataConfig {
    /// Checks every value without touching a file.
    ///
    /// # Errors
    /// [`Error::Config`](crate::Error::Config) naming the field, what it is and what it may be.
    pub fn validate(&self) -> Result<()> {
        match self {
            DataConfig::DeadLeaves(config) => config.validate(),
            DataConfig::Idx(config) => config.validate(),
            DataConfig::Npy(config) => config.validate(),
            DataConfig::Images(config) => config.validate(),
            DataConfig::Cifar(config) => config.validate(),
            DataConfig::Omniglot(config) => config.validate(),
            DataConfig::MovingDeadLeaves(config) => config.validate(),
            DataConfig::MovingImages(config) => config.validate(),
            DataConfig::MovingDigits(config) => config.validate(),
        }
    }

    /// Whether the data are films, not still images.
    pub fn are_films(&self) -> bool {
        matches!(
            self,
            DataConfig::MovingDeadLeaves(_)
                | DataConfig::MovingImages(_)
                | DataConfig::MovingDigits(_)
        )
    }

    /// Reads, or draws, the images. Relative paths are looked up in `root`; `note` is given a short
    /// line at each step.
    ///
    /// # Errors
    /// What [`validate`](Self::validate) finds, and whatever is wrong with the files.
    pub fn load(&self, root: &Path, note: &mut dyn FnMut(&str)) -> Result<Splits> {
        self.validate()?;
        match self {
            DataConfig::DeadLeaves(config) => config.load(note),
            DataConfig::Idx(config) => config.load(root, note),
            DataConfig::Npy(config) => config.load(root, note),
            DataConfig::Images(config) => config.load(root, note),
            DataConfig::Cifar(config) => config.load(root, note),
            DataConfig::Omniglot(config) => config.load(root, note),
            DataConfig::MovingDeadLeaves(config) => config.load(note),
            DataConfig::MovingImages(config) => config.load(root, note),
            DataConfig::MovingDigits(config) => config.load(root, note),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_source_survives_serialisation() {
        for (config, name) in [
            (DataConfig::default(), "dead-leaves"),
            (
                DataConfig::Idx(IdxConfig {
                    limit: Some(3),
                    ..Default::default()
                }),
                "idx",
            ),
            (DataConfig::Npy(NpyConfig::default()), "npy"),
            (DataConfig::Images(ImagesConfig::default()), "images"),
            (DataConfig::Cifar(CifarConfig::default()), "cifar"),
            (DataConfig::Omniglot(OmniglotConfig::default()), "omniglot"),
            (
                DataConfig::MovingDeadLeaves(MovingDeadLeavesConfig::default()),
                "moving-dead-leaves",
            ),
            (
                DataConfig::MovingImages(MovingImagesConfig::default()),
                "moving-images",
            ),
            (
                DataConfig::MovingDigits(MovingDigitsConfig::default()),
                "moving-digits",
            ),
        ] {
            let text = serde_json::to_string(&config).unwrap();
            assert!(text.contains(&format!(r#""source":"{name}""#)), "{text}");
            assert_eq!(serde_json::from_str::<DataConfig>(&text).unwrap(), config);
            let bare = format!(r#"{{"source":"{name}"}}"#);
            serde_json::from_str::<DataConfig>(&bare).unwrap();
            let typo = format!(r#"{{"source":"{name}","standardize":true}}"#);
            assert!(serde_json::from_str::<DataConfig>(&typo).is_err());
        }
        assert!(serde_json::from_str::<DataConfig>(r#"{"source":"deadleaves"}"#).is_err());
    }

    #[test]
    fn numbers_are_read_to_the_nearest_double() {
        // Without the feature `float_roundtrip` some of these are read a unit of the last place off.
        for text in ["0.1", "94.90308541619743", "8.98846567431158e307", "5e-324"] {
            let number: f64 = text.parse().unwrap();
            assert_eq!(serde_json::from_str::<f64>(text).unwrap(), number, "{text}");
        }
        for seed in 0..20_000u64 {
            let bits = crate::rng::CounterRng::new(seed, &[]).below(0x7FE0_0000_0000_0000);
            let number = f64::from_bits(bits);
            let text = serde_json::to_string(&number).unwrap();
            assert_eq!(
                serde_json::from_str::<f64>(&text).unwrap(),
                number,
                "{text}"
            );
        }
    }

    #[test]
    fn whitening_is_a_table_of_its_own() {
        let text = r#"{"source":"images","whitening":{"kind":"none","f0":0.5}}"#;
        let DataConfig::Images(config) = serde_json::from_str(text).unwrap() else {
            panic!()
        };
        assert_eq!(config.whitening.kind, crate::WhiteningKind::None);
        assert_eq!(config.whitening.f0, 0.5);
    }

    #[test]
    fn defaults_are_valid() {
        for config in [
            DataConfig::default(),
            DataConfig::Idx(IdxConfig::default()),
            DataConfig::Images(ImagesConfig::default()),
            DataConfig::Cifar(CifarConfig::default()),
            DataConfig::Omniglot(OmniglotConfig::default()),
            DataConfig::MovingDeadLeaves(MovingDeadLeavesConfig::default()),
            DataConfig::MovingImages(MovingImagesConfig::default()),
            DataConfig::MovingDigits(MovingDigitsConfig::default()),
        ] {
            config.validate().unwrap();
        }
        let empty = DataConfig::Npy(NpyConfig::default())
            .validate()
            .unwrap_err();
        assert!(empty.to_string().contains("field `train`"), "{empty}");
    }
}
