//! The page.

use anyhow::{Context as _, Result};
use scotopic_figures::chart::{self, Panel, Series};

use super::super::common::{below, with_error, with_interval};
use super::{DYNAMICS, LENGTHS, counts, discrete, gaussian, real};
use crate::experiments::protocol::{Estimate, Interval, Page, Results, Verdict};
use crate::table::{Cell, Table, number};

/// A gap below this, in nats an observation, is rounding.
const ROUNDING: f64 = 1e-9;
/// Arms whose q has no dependence over time, online and in batch.
const UNCOUPLED: [&str; 3] = ["mean-field", "decoupled", "frozen"];
/// Arms that are approximations and of which the ranking is asked.
const APPROXIMATE: [&str; 7] = [
    "block-8",
    "block-4",
    "block-2",
    "mean-field",
    "decoupled",
    "frozen",
    "tied",
];

pub fn page(results: &Results) -> Result<Page> {
    let mut page = Page::new("What a factorisation of the posterior costs");
    exactness(results, &mut page);
    cost(results, &mut page);
    ranking(results, &mut page);
    learning(results, &mut page);
    page.heading("Known parameters");
    page.text(
        "Gap ln p − L of the bound, in nats per observation, mean ± standard error over sets. Every set is a model of its own, drawn \
         at random. *Sticky* chains stay in a state with probability 0.95 and more (ρ = 0.98 of the linear model, a = 0.98 of the \
         counts), *fast* ones forget it (transitions from Dirichlet(1); 0.5, 0.5). 0 is below 10⁻⁹.",
    );
    for length in LENGTHS.into_iter().rev() {
        page.table(gaps(results, length));
    }
    page.text(
        "*Reversed* and *forward-markov* differ in cost alone: the first is kept up to date by one observation at a time, the second \
         passes over the whole series. Of the linear model `jelbo` is exact as `reversed` is, and of the counts its sum is no bound \
         of ln p, so that its gap may be of either sign.",
    );
    page.figure(
        "gap",
        "Gap to the log evidence over the number of states, series of 400 observations; exact factorisations are not shown (0)",
        chart::lines(&DYNAMICS.map(|dynamics| panel(results, dynamics))).context("the gaps")?,
    );
    page.heading("Marginals, time and memory");
    page.text(
        "Error of the marginals (total variation from the exact ones; for the linear model RMSE of the means, whose states have unit \
         variance), sweeps of coordinate ascent, time per observation and numbers carried (8 bytes each; model included where the \
         factorisation runs online, the whole posterior of the series where not), series of 400 observations. Times are medians of \
         single runs.",
    );
    page.table(costs(results));
    page.heading("Learned parameters");
    page.text(format!(
        "Variational EM from half the truth and half uniform, {} observations, K states: mean absolute errors of A and B, iterations \
         until converged, and what the learned model loses to the true one on a fresh series, in nats per observation. Counts: one \
         pass over {} observations, errors of averaged parameters. Linear-Gaussian models are not learned under these \
         factorisations by this program.",
        discrete::LEARNED_LENGTH,
        counts::LEARNED_LENGTH
    ));
    page.table(learned(results));
    page.table(learned_counts(results));
    page.heading("Real series");
    page.text(
        "One series is one unit: there is no interval. Sunspot numbers 1700–2008 (three states) and spikes of a grasshopper's \
         auditory neuron in bins of 10 ms (four states), Poisson emissions fitted by maximum likelihood; the Nile's level. *Lost*: what \
         EM under the factorisation, started at the maximum of the evidence, loses of the evidence, in nats per observation. A dash: no finite bound, because the fitted \
         model has transitions that never happen.",
    );
    page.table(real_series(results));
    Ok(page)
}

/// Cases of models with known parameters and of series of this length.
fn cases(length: usize) -> Vec<String> {
    let discrete = discrete::STATES
        .iter()
        .flat_map(|k| DYNAMICS.map(|d| discrete::case(*k, d, length)));
    let others = DYNAMICS.map(|d| gaussian::case(d, length));
    let counts = DYNAMICS.map(|d| counts::case(d, length));
    discrete.chain(others).chain(counts).collect()
}

fn exactness(results: &Results, page: &mut Page) {
    let all: Vec<String> = LENGTHS.iter().flat_map(|l| cases(*l)).collect();
    let exact = all.iter().filter(|case| !case.starts_with("counts"));
    let gaps = exact.flat_map(|case| results.values("reversed", case, "gap"));
    let gaps: Vec<f64> = gaps.flatten().collect();
    let largest = gaps.iter().fold(0.0f64, |most, gap| most.max(gap.abs()));
    let said = match largest {
        0.0 => "below 10⁻⁹".to_owned(),
        largest => format!("{largest:.1e}"),
    };
    page.answer(
        "The reversed factorisation with free kernels loses nothing, in one pass forward (arXiv 2307.08613; eq. F6).",
        format!(
            "Largest gap over {} discrete and linear-Gaussian sets: {said} nats per observation.",
            gaps.len()
        ),
        Verdict::of([Some(largest < ROUNDING)]),
    );
    let counts: Vec<Option<Interval>> = all
        .iter()
        .filter(|case| case.starts_with("counts"))
        .map(|case| {
            let gaps: Vec<f64> = results
                .values("reversed", case, "gap")
                .into_iter()
                .flatten()
                .collect();
            Interval::of(&gaps)
        })
        .collect();
    let most = counts.iter().flatten().map(|i| i.high).fold(0.0, f64::max);
    page.answer(
        "Where the model is not linear, Gaussian kernels lose little (Poisson counts; no number was published).",
        format!("Upper ends of the intervals of the gap: at most {most:.4} nats per observation, which is not 0."),
        Verdict::of(counts.iter().map(|i| i.map(|i| i.high < 0.01))),
    );
}

fn cost(results: &Results, page: &mut Page) {
    let all: Vec<String> = LENGTHS.iter().flat_map(|l| cases(*l)).collect();
    let differences: Vec<(String, Option<Interval>)> = UNCOUPLED
        .iter()
        .flat_map(|arm| all.iter().map(move |case| (*arm, case)))
        .filter(|(arm, case)| !results.values(arm, case, "gap").is_empty())
        .map(|(arm, case)| {
            (
                format!("{arm}, {case}"),
                results.difference("reversed", arm, case, "gap"),
            )
        })
        .collect();
    let of = |by: &dyn Fn(f64, f64) -> bool| {
        let there = differences
            .iter()
            .filter_map(|(name, i)| Some((name, (*i)?)));
        there.reduce(|a, b| if by(b.1.mean, a.1.mean) { b } else { a })
    };
    let said = |found: Option<(&String, Interval)>| {
        found.map_or_else(String::new, |(name, i)| {
            let turned = Interval {
                mean: -i.mean,
                low: -i.high,
                high: -i.low,
                units: i.units,
            };
            format!("{} ({name})", with_interval(Some(turned), 4))
        })
    };
    page.answer(
        "Beliefs without dependence over time (mean field, in batch, online, frozen) have a looser bound than the reversed one.",
        format!(
            "Paired differences of the gap over {} cases lie from {} to {} nats per observation.",
            differences.len(),
            said(of(&|new, old| new > old)),
            said(of(&|new, old| new < old))
        ),
        Verdict::of(differences.iter().map(|(_, i)| below(*i))),
    );
}

/// Pairs of approximations whose order is one way for sticky chains and the other for fast ones.
fn ranking(results: &Results, page: &mut Page) {
    let [_, length] = LENGTHS;
    let (mut turned, mut pairs) = (Vec::new(), 0);
    for k in discrete::STATES {
        for (i, a) in APPROXIMATE.iter().enumerate() {
            for b in &APPROXIMATE[i + 1..] {
                pairs += 1;
                let of =
                    |d: &str| below(results.difference(a, b, &discrete::case(k, d, length), "gap"));
                let (sticky, fast) = (of("sticky"), of("fast"));
                if let (Some(sticky), Some(fast)) = (sticky, fast)
                    && sticky != fast
                {
                    let (better, worse) = if sticky { (a, b) } else { (b, a) };
                    turned.push(format!("{better} before {worse} (K = {k})"));
                }
            }
        }
    }
    page.answer(
        "The ranking of approximations depends on how fast the chain mixes.",
        format!(
            "{} of {pairs} pairs change their order with both intervals clear of 0{}; for sticky chains it is: {}.",
            turned.len(),
            if turned.is_empty() { "" } else { ", and for fast chains are the other way round" },
            if turned.is_empty() { "none".to_owned() } else { turned.join(", ") }
        ),
        Verdict::of([Some(!turned.is_empty())]),
    );
}

fn learning(results: &Results, page: &mut Page) {
    let cases: Vec<String> = discrete::LEARNED_STATES
        .iter()
        .flat_map(|k| DYNAMICS.map(|d| discrete::learned_case(*k, d)))
        .collect();
    for (measure, what) in [
        ("lost", "explains fresh data worse"),
        ("A", "has worse transitions"),
    ] {
        let differences: Vec<(String, Option<Interval>)> = UNCOUPLED
            .iter()
            .flat_map(|arm| cases.iter().map(move |case| (*arm, case)))
            .map(|(arm, case)| {
                (
                    format!("{arm}, {case}"),
                    results.difference("reversed", arm, case, measure),
                )
            })
            .collect();
        let clear = |sign: Option<bool>| {
            differences
                .iter()
                .filter(|(_, i)| below(*i) == sign)
                .count()
        };
        page.answer(
            &format!("What is learned under beliefs without dependence over time {what} than what is learned under the reversed one."),
            format!(
                "Of {} cases the interval of the paired difference says so in {}, the contrary in {}, neither in {}.",
                differences.len(),
                clear(Some(true)),
                clear(Some(false)),
                clear(None)
            ),
            Verdict::of(differences.iter().map(|(_, i)| below(*i))),
        );
    }
}

fn gaps(results: &Results, length: usize) -> Table {
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

fn costs(results: &Results) -> Table {
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

fn learned(results: &Results) -> Table {
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

fn learned_counts(results: &Results) -> Table {
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

fn real_series(results: &Results) -> Table {
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

fn panel(results: &Results, dynamics: &str) -> Panel {
    let [_, length] = LENGTHS;
    let series = APPROXIMATE.iter().map(|arm| {
        let points = discrete::STATES.iter().filter_map(|k| {
            let case = discrete::case(*k, dynamics, length);
            Some((*k as f64, results.mean(arm, &case, "gap")?))
        });
        let (x, e): (Vec<f64>, Vec<Estimate>) = points.unzip();
        let of = |sign: f64| e.iter().map(|e| e.mean + sign * e.error).collect();
        Series::line(*arm, x, e.iter().map(|e| e.mean).collect()).spread(of(-1.0), of(1.0))
    });
    let title = match dynamics {
        "sticky" => "Sticky chains",
        _ => "Fast-mixing chains",
    };
    Panel::new(
        title,
        "states K",
        "gap (nats per observation)",
        series.collect(),
    )
    .logarithmic(true, true)
}
