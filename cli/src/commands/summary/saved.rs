//! `scotopic summary` of a saved filter that learned by counting: posterior means and credible intervals.

use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use scotopic_filtering::hmm::Learn;
use scotopic_filtering::{AnyFilter, CredibleParameter, Filter as _, many};

use super::{SummaryArgs, short};
use crate::commands::print;
use crate::filtering::snapshot;
use crate::table::{Cell, Table};
use crate::usage::UsageError;

/// Prints the parameters under the posterior.
///
/// # Errors
/// If the file is no filter, or the filter learned by another rule.
pub(super) fn run(args: &SummaryArgs) -> Result<ExitCode> {
    check(args).map_err(UsageError)?;
    let shown = args.model.display();
    let (filter, _) = snapshot::load(&args.model).map_err(UsageError)?;
    let parameters = filter
        .credible(args.level)
        .with_context(|| shown.to_string())?;
    let (observations, described) = (filter.observations(), filter.model().described());
    if args.json {
        let value = serde_json::json!({
            "rule": "dirichlet", "observations": observations, "level": args.level, "parameters": parameters,
        });
        print::line(serde_json::to_string_pretty(&value)?)?;
        return Ok(ExitCode::SUCCESS);
    }
    print::line(described)?;
    let prior = prior(&filter).unwrap_or_default();
    print::line(format!(
        "{}, learned by dirichlet{prior}\n",
        many(observations as usize, "observation")
    ))?;
    print::line(table(&parameters, args.level).text())?;
    Ok(ExitCode::SUCCESS)
}

fn check(args: &SummaryArgs) -> Result<()> {
    ensure!(
        args.data.is_empty(),
        "{} is a saved filter, which has counted its observations: leave {} out",
        args.model.display(),
        args.data[0].display()
    );
    ensure!(
        args.hold.is_empty(),
        "--hold is of models that were fitted, and {} is a saved filter",
        args.model.display()
    );
    ensure!(
        args.figure.is_none(),
        "--figure draws estimates of a model and data, and {} is a saved filter",
        args.model.display()
    );
    Ok(())
}

/// What the model is worth that the filter began with.
fn prior(filter: &AnyFilter) -> Option<String> {
    let AnyFilter::HmmLearning(learning) = filter else {
        return None;
    };
    let Learn::Dirichlet(rule) = learning.settings() else {
        return None;
    };
    Some(format!(
        "; the first model counts as {} transitions out of each state and {} observations of it",
        rule.transition_weight, rule.emission_weight
    ))
}

fn table(parameters: &[CredibleParameter], level: f64) -> Table {
    let interval = format!("{} % interval", 100.0 * level);
    let columns = ["parameter", "mean", "standard deviation", &interval, ""];
    let mut table = Table::new(&columns);
    for one in parameters {
        let ends = |[low, high]: [f64; 2]| format!("{} … {}", short(low), short(high));
        table.push(vec![
            one.name.as_str().into(),
            short(one.mean).into(),
            one.deviation.map(|d| Cell::Text(short(d))).into(),
            one.interval.map(|i| Cell::Text(ends(i))).into(),
            one.remark.unwrap_or_default().into(),
        ]);
    }
    table
}
