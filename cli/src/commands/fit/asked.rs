//! What a fit of a linear-Gaussian model learns, by the file and by the command line.

use anyhow::{Context, Result, bail, ensure};
use scotopic_filtering::gaussian::{Constraints, Entry};

use super::args::FitArgs;
use super::fixed::{left_to_learn, of_entry};
use crate::filtering::of_fit::OfFit;

/// The parameters that are learned, and of these the entries that stay and those that are one number: as a file names them.
pub(super) struct Asked {
    pub learned: Vec<String>,
    pub fixed: Vec<String>,
    pub tied: Vec<Vec<String>>,
    pub constraints: Constraints,
}

impl Asked {
    /// What `file` says, if one is given, and the options --learn, --fix and --tie; `inputs` if the model has some.
    ///
    /// # Errors
    /// For names that are none, and for what is named twice.
    pub fn new(file: Option<&OfFit>, args: &FitArgs, inputs: bool) -> Result<Self> {
        let asked = !args.learn.is_empty();
        let of_file = file.filter(|_| !asked).map(|file| file.learned.clone());
        let names = of_file.unwrap_or_else(|| args.learn.clone());
        let fix = &args.structural.fix;
        let learned = left_to_learn(names, fix, asked, inputs)?;
        let mut fixed = file.map_or_else(Vec::new, |file| file.fixed.clone());
        let mut tied = file.map_or_else(Vec::new, |file| file.tied.clone());
        let mut of_option: Vec<Entry> = Vec::new();
        for text in fix {
            let Some((entry, _)) = of_entry(text)? else {
                continue;
            };
            ensure!(
                !of_option.contains(&entry),
                "--fix {text}: {entry} is fixed already: give every entry once"
            );
            of_option.push(entry);
            // What a file holds may be held at another number.
            let same = |name: &String| Entry::named("fixed", name).is_ok_and(|own| own == entry);
            if !fixed.iter().any(same) {
                fixed.push(entry.to_string());
            }
        }
        for list in &args.structural.tie {
            let names: Vec<String> = list.split(',').map(|n| n.trim().to_owned()).collect();
            if let Some(name) = names.iter().find(|name| !name.contains('[')) {
                bail!(
                    "--tie {list}: found {name:?}, expected entries of a linear-gaussian model, such as R[0][0],R[1][1]; names of components \
                     are of structural models (--component)"
                );
            }
            Constraints::new(&[], std::slice::from_ref(&names))
                .with_context(|| format!("--tie {list}"))?;
            tied.push(names);
        }
        let constraints = Constraints::new(&fixed, &tied);
        let constraints = match fix.is_empty() && args.structural.tie.is_empty() {
            true => constraints?,
            false => constraints.context("with --fix and --tie")?,
        };
        Ok(Self {
            learned,
            fixed,
            tied,
            constraints,
        })
    }
}
