//! What `scotopic fit` says at its end: the fits that were made, or why no model is written.

use anyhow::{Error, Result, anyhow};
use scotopic_filtering::many;

use super::fitted::{ModelFit, table};
use crate::commands::print;

/// The numbers of states that could not be fitted, and why.
pub type Failed = Vec<(u32, Error)>;

/// Prints the fits, what there is to know of each, and what could not be fitted.
pub fn told(fits: &[ModelFit], failed: &Failed, observations: usize) -> Result<()> {
    print::line(table(fits, observations).text())?;
    for fit in fits {
        for warning in &fit.report.warnings {
            print::line(format!("{}: {warning}", many(fit.states, "state")))?;
        }
    }
    for (states, error) in failed {
        print::line(format!("{}: {error:#}", many(*states as usize, "state")))?;
    }
    Ok(())
}

/// The same as JSON, with the number of states and the place of the fit that is written, if one is.
pub fn json(
    fits: &[ModelFit],
    failed: &Failed,
    (observations, sequences): (usize, usize),
    written: Option<(usize, &str)>,
) -> Result<()> {
    let rows: Vec<_> = fits.iter().map(|f| f.json(observations)).collect();
    let failed = failed
        .iter()
        .map(|(k, error)| serde_json::json!({"states": k, "error": format!("{error:#}")}));
    let value = serde_json::json!({
        "observations": observations, "sequences": sequences, "fits": rows,
        "best": written.map(|(best, _)| best), "model": written.map(|(_, path)| path),
        "failed": failed.collect::<Vec<_>>(),
    });
    print::line(serde_json::to_string_pretty(&value)?)
}

/// Why no model is written where several were fitted, none of which can be compared, and what helps: `limit` is the most iterations that
/// they had, `prior` says that the fit takes pseudo-observations and had none.
pub fn unranked(fits: &[ModelFit], limit: usize, prior: bool) -> Error {
    let states = fits.first().map_or(1, |fit| fit.states);
    let mut help = vec![format!(
        "ask for one number of states to have its fit written (--n-states {states})"
    )];
    if prior && fits.iter().any(|fit| fit.report.kept) {
        help.push(
            "give --pseudo-count 0.01, with which noise does not collapse and all are compared"
                .to_owned(),
        );
    }
    if fits
        .iter()
        .any(|fit| !fit.converged && fit.iterations >= limit)
    {
        help.push("raise --max-iterations".to_owned());
    }
    anyhow!(
        "no model is written: no fit can be compared by BIC, for the reasons said of each; {}",
        help.join(", or ")
    )
}

/// Why there is no fit at all; `prior` says that it takes pseudo-observations.
pub fn nothing_fitted(failed: Failed, prior: bool) -> Error {
    let Some((states, error)) = failed.into_iter().next() else {
        return anyhow!("there is nothing to fit");
    };
    let of_observation = matches!(
        error.downcast_ref(),
        Some(scotopic_filtering::Error::Observation { .. })
    );
    // Some say already what helps, or are about one observation.
    let said = error.to_string();
    if of_observation
        || ["--pseudo-count", "--columns", "--fix"]
            .iter()
            .any(|o| said.contains(o))
    {
        return error;
    }
    error.context(format!(
        "{} could not be fitted{}",
        many(states as usize, "state"),
        match prior {
            true => " (--pseudo-count keeps probabilities and variances from zero)",
            false => "",
        }
    ))
}
