//! Named configurations, one commented TOML file each, compiled in.

use anyhow::{Context, Result, bail};
use scotopic_datasets::{DataConfig, DeadLeavesConfig, IdxConfig, ImagesConfig, NpyConfig};
use toml::Table;

use super::merge::leaves;

/// A configuration with a name.
#[derive(Debug, Clone, Copy)]
pub struct Preset {
    /// What `--preset` is given.
    pub name: &'static str,
    /// One line on what it is for.
    pub about: &'static str,
    /// The commented file.
    pub text: &'static str,
}

/// All presets; the first is the default.
pub const PRESETS: &[Preset] = &[
    Preset {
        name: "dead-leaves",
        about: "occluding discs, drawn on the spot: Gabor-like filters within minutes (default)",
        text: include_str!("../../presets/dead-leaves.toml"),
    },
    Preset {
        name: "smoke",
        about: "the same in seconds, to see that everything works",
        text: include_str!("../../presets/smoke.toml"),
    },
    Preset {
        name: "natural-patches",
        about: "whitened 16×16 patches of photographs (a folder of images)",
        text: include_str!("../../presets/natural-patches.toml"),
    },
    Preset {
        name: "mnist",
        about: "MNIST digits in 3 000 iterations",
        text: include_str!("../../presets/mnist.toml"),
    },
    Preset {
        name: "published/natural-patches",
        about: "the published settings on natural patches, 300 epochs (for a GPU)",
        text: include_str!("../../presets/published/natural-patches.toml"),
    },
    Preset {
        name: "published/mnist",
        about: "the published settings on MNIST, 400 epochs (for a GPU)",
        text: include_str!("../../presets/published/mnist.toml"),
    },
];

/// The preset of this name.
///
/// # Errors
/// Names the nearest preset if there is none.
pub fn preset(name: &str) -> Result<&'static Preset> {
    if let Some(found) = PRESETS.iter().find(|p| p.name == name) {
        return Ok(found);
    }
    let nearest = PRESETS.iter().max_by(|a, b| {
        strsim::jaro_winkler(a.name, name).total_cmp(&strsim::jaro_winkler(b.name, name))
    });
    match nearest {
        Some(nearest) => bail!(
            "there is no preset `{name}`: did you mean `{}`?",
            nearest.name
        ),
        None => bail!("there is no preset `{name}`"),
    }
}

impl Preset {
    /// The parsed file, completed by the defaults of its data source.
    ///
    /// # Errors
    /// Never for a preset that passed its tests.
    pub fn table(&self) -> Result<Table> {
        self.text
            .parse()
            .with_context(|| format!("preset {}", self.name))
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
        "npy" => DataConfig::Npy(NpyConfig::default()),
        "images" => DataConfig::Images(ImagesConfig::default()),
        other => bail!(
            "data.source = \"{other}\": must be \"dead-leaves\", \"idx\", \"npy\" or \"images\""
        ),
    };
    Ok(leaves(&Table::try_from(config)?, "data"))
}

/// Every key with its default and its reason: the default preset's file, then the keys of each source.
///
/// # Errors
/// Never for sources that can be written as TOML.
pub fn annotated() -> Result<String> {
    let mut text = PRESETS[0].text.to_string();
    text.push_str("\n# Keys of [data] by source, with their defaults:\n");
    for config in [
        DataConfig::DeadLeaves(DeadLeavesConfig::default()),
        DataConfig::Idx(IdxConfig::default()),
        DataConfig::Npy(NpyConfig::default()),
        DataConfig::Images(ImagesConfig::default()),
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
    Ok(text)
}
