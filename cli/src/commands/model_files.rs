//! `scotopic model`

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Args, Subcommand};
use scotopic_filtering::gaussian::Component;
use scotopic_filtering::{AnyModel, many};

use super::print;
use crate::filtering::kinds::{self, KINDS};
use crate::filtering::model;
use crate::usage::UsageError;

/// Options of `scotopic model`.
#[derive(Debug, Args)]
pub struct ModelArgs {
    /// What to do.
    #[command(subcommand)]
    pub action: ModelAction,
}

/// Actions on model files.
#[derive(Debug, Subcommand)]
pub enum ModelAction {
    /// List the kinds of models that files hold
    List {
        /// All kinds with their templates, as the page docs/models.md
        #[arg(long)]
        markdown: bool,
    },
    /// Print a model file of a kind, with a comment for every key
    #[command(after_help = "Example:\n  scotopic model template linear-gaussian > track.toml")]
    Template {
        /// Kind: a name of `scotopic model list`
        kind: String,
    },
    /// Say what a model file holds, or what is wrong with it
    Check {
        /// Model in TOML
        file: PathBuf,
    },
}

/// Lists kinds of models, prints one, or checks a file.
///
/// # Errors
/// For an unknown kind, or a file that holds no valid model.
pub fn run(args: &ModelArgs) -> Result<ExitCode> {
    match &args.action {
        ModelAction::List { markdown: true } => print::line(kinds::page().trim_end())?,
        ModelAction::List { markdown: false } => {
            let widest = KINDS.iter().map(|kind| kind.name.len()).max().unwrap_or(0);
            for kind in KINDS {
                print::line(format!("{:widest$}  {}", kind.name, kind.about))?;
            }
        }
        ModelAction::Template { kind } => {
            let found = kinds::find(kind).with_context(|| {
                let names: Vec<&str> = KINDS.iter().map(|kind| kind.name).collect();
                format!(
                    "there is no kind {kind}; the kinds are {}",
                    names.join(", ")
                )
            });
            print::line(found.map_err(UsageError)?.template.trim_end())?;
        }
        ModelAction::Check { file } => print::line(checked(file)?)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn checked(file: &std::path::Path) -> Result<String> {
    if let Some(structural) = model::structural(file)? {
        let components: Vec<String> = structural
            .components()
            .iter()
            .map(Component::to_string)
            .collect();
        let state = match structural.values() {
            Some(values) => {
                AnyModel::of_structural(&structural, &values)?;
                "every parameter has a value"
            }
            None => "not every parameter has a value: fit it to data",
        };
        return Ok(format!(
            "{}: structural model of {} ({}, parameters {}) of 1 column{}; {state}",
            file.display(),
            components.join(", "),
            many(structural.states(), "state"),
            structural.parameter_names().join(", "),
            given(structural.inputs())
        ));
    }
    let model = model::read(file)?;
    let outputs = many(model.width() - model.inputs().len(), "column");
    Ok(format!(
        "{}: {} of {outputs}{}",
        file.display(),
        model.described(),
        given(model.inputs())
    ))
}

fn given(inputs: &[String]) -> String {
    match inputs {
        [] => String::new(),
        names => format!(" given {}", names.join(", ")),
    }
}
