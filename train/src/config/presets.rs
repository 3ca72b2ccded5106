//! Named configurations, one commented TOML file each, compiled in.

use anyhow::{Context, Result, bail};
use scotopic_datasets::{
    CifarConfig, DataConfig, DeadLeavesConfig, IdxConfig, ImagesConfig, MovingDeadLeavesConfig,
    MovingDigitsConfig, MovingImagesConfig, NpyConfig, OmniglotConfig,
};
use toml::Table;

use super::stimulus;
use super::table::{leaves, merge, nearest};

/// A configuration with a name.
#[derive(Debug, Clone, Copy)]
pub struct Preset {
    /// What `--preset` is given.
    pub name: &'static str,
    /// One line on what it is for.
    pub about: &'static str,
    /// The preset that says what this one leaves out.
    pub base: Option<&'static str>,
    /// The commented file.
    pub text: &'static str,
}

macro_rules! presets {
    (@base) => {
        None
    };
    (@base $base:literal) => {
        Some($base)
    };
    ($($name:literal $(on $base:literal)?: $about:literal,)*) => {
        /// All presets; the first is the default.
        pub const PRESETS: &[Preset] = &[$(
            Preset {
                name: $name,
                about: $about,
                base: presets!(@base $($base)?),
                text: include_str!(concat!("../../presets/", $name, ".toml")),
            },
        )*];
    };
}

/// The preset of a command that is given none.
pub const DEFAULT_PRESET: &str = "dead-leaves";

presets! {
    "dead-leaves": "occluding discs, generated: Gabor-like filters within minutes (default)",
    "smoke": "the same in seconds, a test of the installation",
    "natural-patches": "whitened 12×12 patches of photographs: Gabor filters (a folder of images)",
    "moving-dead-leaves": "films of dead leaves under a moving eye, with a learned prior in time; needs no data",
    "moving-scenes" on "moving-dead-leaves": "the same with photographs (BSDS500, or any folder of images)",
    "mnist": "MNIST digits in 3 000 iterations",
    "published/natural-patches": "the published settings on natural patches, 300 epochs (for a GPU)",
    "published/mnist": "the published settings on MNIST, 400 epochs (for a GPU)",
    "mnist/gaussian" on "mnist": "iG-VAE: Gaussian latents, natural gradient",
    "mnist/gaussian-relu" on "mnist": "iG_relu-VAE: Gaussian latents through a relu with learned gain",
    "mnist/amortized-poisson" on "mnist": "P-VAE: an encoder instead of iterative inference, Poisson latents",
    "mnist/amortized-gaussian" on "mnist": "G-VAE: the standard VAE",
    "mnist/iterative-amortized" on "mnist": "ia-VAE: a learned update (Gaussian)",
    "mnist/semi-amortized" on "mnist": "sa-VAE: an encoder, then gradient steps (Gaussian)",
    "mnist/predictive-coding" on "mnist": "PC: gradient descent on a point estimate, local learning",
    "mnist/128-steps" on "mnist": "iP-VAE, T = 128: a second stage, begun with the weights of `mnist`",
    "mnist/settled" on "mnist": "iP-VAE, T = 128: a third stage, begun with the decoder of `mnist/128-steps`",
    "mnist/lca" on "mnist": "LCA: soft-threshold sparse coding with a learned dictionary",
    "natural-patches/colour" on "natural-patches": "colour patches of CIFAR-10: brightness and opponent colours (`scotopic data info cifar10`)",
    "published/mnist-gaussian" on "published/mnist": "iG-VAE on MNIST, T = 64, β = 64 (Table 2; for a GPU)",
    "published/mnist-gaussian-relu" on "published/mnist": "iG_relu-VAE on MNIST, T = 32, β = 32 (Table 2; for a GPU)",
    "published/mnist-poisson" on "published/mnist": "iP-VAE on MNIST, T = 128, β = 128 (Table 2; for a GPU)",
    "published/mnist-amortized-poisson" on "published/mnist": "P-VAE with conv encoder and decoder on MNIST (Table 2; for a GPU)",
    "published/mnist-amortized-gaussian" on "published/mnist": "G-VAE with conv encoder and decoder on MNIST (Table 2; for a GPU)",
    "published/natural-patches-gaussian" on "published/natural-patches": "iG-VAE on natural patches, T = 16, β = 8 (for a GPU)",
    "published/natural-patches-gaussian-relu" on "published/natural-patches": "iG_relu-VAE on natural patches, T = 16, β = 8 (for a GPU)",
}

/// The preset of this name.
///
/// # Errors
/// Names the nearest preset if there is none.
pub fn preset(name: &str) -> Result<&'static Preset> {
    if let Some(found) = PRESETS.iter().find(|p| p.name == name) {
        return Ok(found);
    }
    match nearest(name, PRESETS.iter().map(|p| p.name)) {
        Some(nearest) => bail!("there is no preset `{name}`: did you mean `{nearest}`?"),
        None => bail!("there is no preset `{name}`"),
    }
}

impl Preset {
    /// The parsed file, on top of that of its base.
    ///
    /// # Errors
    /// Never for a preset that passed its tests.
    pub fn table(&self) -> Result<Table> {
        let own: Table = self
            .text
            .parse()
            .with_context(|| format!("preset {}", self.name))?;
        let Some(base) = self.base else {
            return Ok(own);
        };
        let mut table = preset(base)?.table()?;
        merge(&mut table, own);
        Ok(table)
    }
}

/// The dotted keys of the `[data]` table for one source.
pub(super) fn data_keys(source: &str) -> Result<Vec<String>> {
    let config = match source {
        "dead-leaves" => DataConfig::DeadLeaves(DeadLeavesConfig::default()),
        // A limit is optional: give it a value, so that its key shows.
        "idx" => DataConfig::Idx(IdxConfig {
            limit: Some(1),
            ..Default::default()
        }),
        "cifar" => DataConfig::Cifar(CifarConfig {
            limit: Some(1),
            ..Default::default()
        }),
        "omniglot" => DataConfig::Omniglot(OmniglotConfig {
            limit: Some(1),
            ..Default::default()
        }),
        "npy" => DataConfig::Npy(NpyConfig::default()),
        "images" => DataConfig::Images(ImagesConfig::default()),
        "moving-dead-leaves" => DataConfig::MovingDeadLeaves(MovingDeadLeavesConfig::default()),
        "moving-images" => DataConfig::MovingImages(MovingImagesConfig::default()),
        "moving-digits" => DataConfig::MovingDigits(MovingDigitsConfig::default()),
        other => bail!(
            "data.source = \"{other}\": must be \"dead-leaves\", \"idx\", \"cifar\", \"omniglot\", \"npy\", \"images\", \"moving-dead-leaves\", \"moving-images\" or \"moving-digits\""
        ),
    };
    Ok(leaves(&Table::try_from(config)?, "data"))
}

/// The keys that the default preset leaves out, with their defaults.
const OTHER_KEYS: &str = include_str!("../../presets/other-keys.toml");

/// Every key with its default and its reason: the default preset's file, then the keys that it leaves out, then the keys of each source, then those
/// of each stimulus.
///
/// # Errors
/// Never for sources and stimuli that can be written as TOML.
pub fn annotated() -> Result<String> {
    let mut text = PRESETS[0].text.to_string();
    text.push_str("\n# Keys that only other models need:\n\n");
    for line in OTHER_KEYS.lines().skip(2) {
        text.push_str(format!("# {line}").trim_end());
        text.push('\n');
    }
    text.push_str("\n# Keys of [data] by source, with their defaults:\n");
    for config in [
        DataConfig::DeadLeaves(DeadLeavesConfig::default()),
        DataConfig::Idx(IdxConfig::default()),
        DataConfig::Cifar(CifarConfig::default()),
        DataConfig::Omniglot(OmniglotConfig::default()),
        DataConfig::Npy(NpyConfig::default()),
        DataConfig::Images(ImagesConfig::default()),
        DataConfig::MovingDeadLeaves(MovingDeadLeavesConfig::default()),
        DataConfig::MovingImages(MovingImagesConfig::default()),
        DataConfig::MovingDigits(MovingDigitsConfig::default()),
    ] {
        let table = toml::to_string(&toml::Table::from_iter([(
            "data".to_string(),
            toml::Value::try_from(config)?,
        )]))?;
        text.push('\n');
        for line in table.lines() {
            text.push_str(&format!("# {line}\n"));
        }
    }
    text.push_str(
        "\n# Keys of a stimulus (`scotopic infer --stimulus`) by kind, with their defaults:\n",
    );
    text.push_str(&stimulus::annotated()?);
    Ok(text)
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;
    use crate::config::{RunConfig, resolve};

    /// Together they are every key of a run, each once, and what the second says changes nothing.
    #[test]
    fn the_default_preset_and_the_other_keys_are_all_keys() {
        let default = PRESETS[0].table().unwrap();
        let others: Table = OTHER_KEYS.parse().unwrap();
        let config = resolve(PRESETS[0].name, None, &[]).unwrap();
        let complete = Table::try_from(&config).unwrap();
        let of = |table: &Table| leaves(table, "");
        let mut both = [of(&default), of(&others)].concat();
        both.retain(|key| !key.starts_with("data."));
        both.sort();
        let mut all = of(&complete);
        all.retain(|key| !key.starts_with("data."));
        all.sort();
        assert_eq!(both, all);
        let mut table = default;
        merge(&mut table, others);
        assert_eq!(RunConfig::deserialize(table).unwrap(), config);
    }
}
