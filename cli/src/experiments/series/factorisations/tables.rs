//! The tables of the page.

use super::super::common::{with_error, with_interval};
use super::{DYNAMICS, LENGTHS, counts, discrete, gaussian, real};
use crate::experiments::protocol::{Estimate, Results};
use crate::table::{Cell, Table, number};

/// Cases of models with known parameters and of series of this length.
pub fn cases(length: usize) -> Vec<String> {
    let discrete = discrete::STATES
        .iter()
        .flat_map(|k| DYNAMICS.map(|d| discrete::case(*k, d, length)));
    let others = DYNAMICS.map(|d| gaussian::case(d, length));
    let counts = DYNAMICS.map(|d| counts::case(d, length));
    discrete.chain(others).chain(counts).collect()
}

/// The gap of every arm and case, series of one length.
pub fn gaps(results: &Results, length: usize) -> Table {
    let cases = cases(length);
    let mut columns = vec![format!("T = {length}")];
    columns.extend(cases.iter().map(|case| {
        let name = case.trim_end_matches(&format!(" T={length}")).to_owned();
        name.replace("K=", "K = ")
    }));
    let names: Vec<&str> = columns.iter().map(String::as_str).collect();
    let mut table = Table::new(&names);
    for arm in results.arms() {
        let mut row: Vec<Cell> = vec![arm.into()];
        row.extend(
            cases
                .iter()
                .map(|case| gap(results.mean(arm, case, "gap")).into()),
        );
        table.push(row);
    }
    table
}

fn gap(estimate: Option<Estimate>) -> String {
    match estimate {
        Some(e) if e.mean == 0.0 && e.failed == 0 => "0".to_owned(),
        other => with_error(other, 4),
    }
}

/// Error of the marginals, sweeps, time and memory.
pub fn costs(results: &Results) -> Table {
    let [_, length] = LENGTHS;
    let shown: Vec<String> = [
        discrete::case(4, "sticky", length),
        discrete::case(16, "sticky", length),
        gaussian::case("sticky", length),
        counts::case("sticky", length),
    ]
    .into();
    let mut table = Table::new(&[
        "model",
        "factorisation",
        "error of marginals",
        "sweeps",
        "µs",
        "bytes",
    ]);
    for case in shown {
        for arm in results.arms() {
            let Some(micros) = results.mean(arm, &case, "micros") else {
                continue;
            };
            let bytes = results.mean(arm, &case, "bytes");
            table.push(vec![
                case.replace("K=", "K = ").replace(" T=", ", T = ").into(),
                arm.into(),
                with_error(results.mean(arm, &case, "marginals"), 4).into(),
                with_error(results.mean(arm, &case, "sweeps"), 1).into(),
                number(micros.mean, 2).into(),
                bytes.map(|b| Cell::Text(number(b.mean, 0))).into(),
            ]);
        }
    }
    table
}

/// What variational EM came to.
pub fn learned(results: &Results) -> Table {
    let mut table = Table::new(&[
        "model",
        "factorisation",
        "error of A",
        "error of B",
        "iterations",
        "lost on fresh data",
        "lost, less that of reversed",
    ]);
    for k in discrete::LEARNED_STATES {
        for dynamics in DYNAMICS {
            let case = discrete::learned_case(k, dynamics);
            for arm in results.arms() {
                if results.values(arm, &case, "A").is_empty() {
                    continue;
                }
                let value =
                    |measure, decimals| with_error(results.mean(arm, &case, measure), decimals);
                table.push(vec![
                    format!("K = {k}, {dynamics}").into(),
                    arm.into(),
                    value("A", 4).into(),
                    value("B", 4).into(),
                    value("updates", 1).into(),
                    value("lost", 4).into(),
                    match arm {
                        "reversed" => Cell::Empty,
                        _ => with_interval(results.difference(arm, "reversed", &case, "lost"), 4)
                            .into(),
                    },
                ]);
            }
        }
    }
    table
}

/// What was learned online of counts.
pub fn learned_counts(results: &Results) -> Table {
    let mut table = Table::new(&[
        "counts",
        "bound",
        "error of a",
        "error of c",
        "error of ln q",
    ]);
    for dynamics in DYNAMICS {
        let case = counts::learned_case(dynamics);
        for arm in results.arms() {
            if results.values(arm, &case, "a").is_empty() {
                continue;
            }
            let mut row: Vec<Cell> = vec![dynamics.into(), arm.into()];
            row.extend(
                ["a", "c", "ln q"].map(|m| with_error(results.mean(arm, &case, m), 4).into()),
            );
            table.push(row);
        }
    }
    table
}

/// The real series.
pub fn real_series(results: &Results) -> Table {
    let mut table = Table::new(&["series", "factorisation", "gap", "lost", "iterations"]);
    let names = real::COUNTS
        .iter()
        .map(|(name, _)| *name)
        .chain([real::NILE]);
    for series in names {
        let case = real::case(series);
        for arm in results.arms() {
            let value = |measure: &str| {
                results
                    .values(arm, &case, measure)
                    .first()
                    .copied()
                    .flatten()
            };
            if results.values(arm, &case, "gap").is_empty() {
                continue;
            }
            table.push(vec![
                series.into(),
                arm.into(),
                value("gap").map(|v| Cell::Number(v, 4)).into(),
                value("lost").map(|v| Cell::Number(v, 4)).into(),
                value("updates").map(|v| Cell::Number(v, 0)).into(),
            ]);
        }
    }
    table
}
