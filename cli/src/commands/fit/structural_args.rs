//! Components of `scotopic fit`, and which of their parameters are estimated.

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use scotopic_filtering::gaussian::StructuralModel;

/// Components, and what is not estimated of them.
#[derive(Debug, Clone, Default, Args)]
pub struct StructuralArgs {
    /// Components of a structural model of one column, added up: level, slope, trend (both), seasonal:N,
    /// trigonometric:N, trigonometric:N:K (its first K harmonics), cycle, ar:P, arma:P:Q, regression (on --inputs) or
    /// regression:walk; fitted by maximum likelihood from an exact diffuse start
    #[arg(
        long,
        alias = "components",
        value_name = "LIST",
        value_delimiter = ',',
        conflicts_with_all = ["kind", "model", "n_states"]
    )]
    pub component: Vec<String>,
    /// Parameter that is not estimated, for example irregular=15000 (or R=15000) or slope=0; of a linear-gaussian model F, b, Q,
    /// H, d or R, where it is one number, or an entry, counted from 0: F[0][1]=1; may be repeated
    #[arg(long, value_name = "NAME=VALUE", value_delimiter = ',')]
    pub fix: Vec<String>,
    /// Variances that are one parameter, for example level,irregular; of a linear-gaussian model entries of one parameter, or
    /// variances, such as R[0][0],R[1][1], which begin with their mean; may be repeated
    #[arg(long, value_name = "LIST")]
    pub tie: Vec<String>,
    /// Variance of the start in place of the exact diffuse one, in squared units of the data
    #[arg(long, value_name = "VARIANCE")]
    pub initial_variance: Option<f64>,
}

impl StructuralArgs {
    /// The model that they describe, or `file`'s with what they add.
    ///
    /// # Errors
    /// An unknown component or parameter, a value out of its range.
    pub fn model(
        &self,
        file: Option<StructuralModel>,
        learn: &[String],
        inputs: &[String],
    ) -> Result<Option<StructuralModel>> {
        let mut model = match (file, self.component.is_empty()) {
            (Some(model), _) => model,
            (None, false) => {
                let model =
                    StructuralModel::new(&self.component.join(",")).context("--component")?;
                let regression = |name: &String| name.starts_with("regression");
                match (inputs.is_empty(), self.component.iter().any(regression)) {
                    (true, true) => bail!(
                        "--component regression: name the columns that it is on with --inputs"
                    ),
                    (true, false) => model,
                    (false, _) => model.with_inputs(inputs).context("--inputs")?,
                }
            }
            (None, true) => {
                ensure!(
                    self.initial_variance.is_none(),
                    "--initial-variance is of structural models: name their components with --component"
                );
                return Ok(None);
            }
        };
        let mut given: Vec<String> = Vec::new();
        for text in &self.fix {
            let parsed = text.split_once('=');
            let (name, value) = parsed
                .and_then(|(name, value)| Some((name.trim(), value.trim().parse::<f64>().ok()?)))
                .with_context(|| format!("--fix {text}: expected NAME=VALUE, such as level=0"))?;
            for name in named(&model, name) {
                ensure!(
                    !given.contains(&name),
                    "--fix {text}: {name} is fixed already: give every parameter once"
                );
                given.push(name.clone());
                model = model
                    .with_fixed(&name, value)
                    .with_context(|| format!("--fix {text}"))?;
            }
        }
        for list in &self.tie {
            let names: Vec<String> = list
                .split(',')
                .flat_map(|n| named(&model, n.trim()))
                .collect();
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            model = model
                .with_tied(&names)
                .with_context(|| format!("--tie {list}"))?;
        }
        if !learn.is_empty() {
            model = fixed_but(model, learn)?;
        }
        if let Some(variance) = self.initial_variance {
            model = model
                .with_initial_variance(variance)
                .context("--initial-variance")?;
        }
        Ok(Some(model))
    }
}

/// The model with all parameters but those of `learn` fixed at the values that they have.
fn fixed_but(mut model: StructuralModel, learn: &[String]) -> Result<StructuralModel> {
    let free: Vec<String> = learn.iter().flat_map(|name| named(&model, name)).collect();
    let names = model.parameter_names();
    for name in &free {
        ensure!(
            names.contains(name),
            "--learn {name}: the parameters are {}",
            names.join(", ")
        );
    }
    let values = model.given_values();
    for name in names.iter().filter(|name| !free.contains(name)) {
        let value = values.get(name).with_context(|| {
            format!(
                "--learn leaves out {name}, which has no value: give it with --fix {name}=VALUE"
            )
        })?;
        model = model.with_fixed(name, *value)?;
    }
    Ok(model)
}

/// R is `irregular`, Q the variances of all components.
fn named(model: &StructuralModel, name: &str) -> Vec<String> {
    match name {
        "R" => vec!["irregular".to_owned()],
        "Q" => model.variance_names().split_off(1),
        name => vec![name.to_owned()],
    }
}
