//! The page.

use anyhow::{Context as _, Result};
use scotopic_figures::chart::{self, Mark, Panel, Series};

use super::super::common::{below, below_one, ratio, with_error, with_interval};
use super::{discrete, selection, smooth};
use crate::experiments::protocol::{Interval, Page, Results, Verdict};
use crate::table::{Cell, Table};

/// A gap below this, in nats, is rounding of a sum over 65 536 paths.
const ROUNDING: f64 = 1e-9;
/// The Bayes factor that is called decisive, in nats: ln 100 (Kass and Raftery 1995, "very strong" from ln 150).
const DECISIVE: f64 = 5.0;
const TRUE_EQUATIONS: &str = "lotka-volterra";

pub fn page(results: &Results) -> Result<Page> {
    let mut page = Page::new("The first experiments of the guide, and model selection");
    exact(results, &mut page);
    benchmark(results, &mut page);
    coordinates(results, &mut page);
    selected(results, &mut page);
    page.heading("Hidden Markov models with known parameters");
    let [states, length] = discrete::ENUMERATED;
    page.text(format!(
        "Random models of {states} states and {length} observations beside the sum over all {} paths, and the occasionally dishonest casino \
         (Durbin et al. 1998), {} throws: gap of the bound, rate of throws whose die is named rightly, and −ln q of the true die. Mean ± \
         standard error over sets.",
        states.pow(length as u32),
        discrete::THROWS
    ));
    page.table(discrete_table(results));
    page.heading("Generalised coordinates on a smooth system");
    page.text(
        "Lotka–Volterra's predators and prey, equations known, observation noise of smoothness 2 bins. *White* is the same filter that takes \
         the noise for white.",
    );
    page.table(smooth_table(results));
    page.heading("Model selection");
    page.text(
        "Free action ΣF of the published network (lower is better, as published) and ln p of the samples under the causal filter (higher is \
         better), unit precisions for all three equations; the process is Lotka–Volterra. ΣF leaves out the entropy of the belief and is no \
         bound of ln p.",
    );
    page.table(selection_table(results));
    page.figure(
        "selection",
        "Model selection: free action (less its least) and ln evidence (its greatest less it) of each fresh series; 0 is the chosen model",
        figure(results)?,
    );
    Ok(page)
}

fn exact(results: &Results, page: &mut Page) {
    let gaps = results.values("reversed", discrete::PATHS, "gap");
    let largest = gaps
        .iter()
        .flatten()
        .fold(0.0f64, |most, gap| most.max(gap.abs()));
    let said = match largest {
        0.0 => "below 10⁻⁹".to_owned(),
        l => format!("{l:.1e}"),
    };
    page.answer(
        "With known parameters the reversed factorisation gives the exact evidence of a hidden Markov model (arXiv 2307.08613).",
        format!("Largest difference from the sum over all paths, {} sets: {said} nats.", gaps.len()),
        Verdict::of([Some(largest < ROUNDING)]),
    );
}

fn benchmark(results: &Results, page: &mut Page) {
    let of = |measure: &str| results.difference("reversed", "decoupled", discrete::CASINO, measure);
    let (gap, surprise) = (of("gap"), of("surprise"));
    page.answer(
        "On a benchmark the reversed factorisation is better than the decoupled one.",
        format!(
            "Casino, reversed less decoupled: gap {} nats per throw, −ln q of the true die {} nats.",
            with_interval(gap, 4),
            with_interval(surprise, 4)
        ),
        Verdict::of([below(gap), below(surprise)]),
    );
}

fn coordinates(results: &Results, page: &mut Page) {
    let of = |arm: &str| {
        ratio(
            &results.values(arm, smooth::CASE, "rmse"),
            &results.values("white", smooth::CASE, "rmse"),
        )
    };
    let ratios = smooth::ARMS[1..].iter().map(|arm| (arm, of(arm)));
    let said: Vec<String> = ratios
        .clone()
        .map(|(arm, r)| format!("{arm} {}", with_interval(r, 3)))
        .collect();
    page.answer(
        "On a smooth system generalised coordinates reduce the error.",
        format!(
            "RMSE over that of the filter for white noise: {}.",
            said.join("; ")
        ),
        Verdict::of(ratios.map(|(_, r)| below_one(r))),
    );
}

fn selected(results: &Results, page: &mut Page) {
    let others: Vec<&str> = selection::ARMS
        .into_iter()
        .filter(|a| *a != TRUE_EQUATIONS)
        .collect();
    let action: Vec<Option<Interval>> = others
        .iter()
        .map(|other| results.difference(TRUE_EQUATIONS, other, selection::FRESH, "action"))
        .collect();
    let said = |all: &[Option<Interval>]| -> String {
        let each = others.iter().zip(all);
        let each = each.map(|(other, i)| format!("{other} {}", with_interval(*i, 1)));
        each.collect::<Vec<_>>().join("; ")
    };
    page.answer(
        "The free action of the network selects the equations of the process (arXiv 2502.08860).",
        format!(
            "ΣF of the process's equations less that of {}.",
            said(&action)
        ),
        Verdict::of(action.iter().map(|i| below(*i))),
    );
    let factors: Vec<Option<Interval>> = others
        .iter()
        .map(|other| results.difference(TRUE_EQUATIONS, other, selection::FRESH, "evidence"))
        .collect();
    page.answer(
        "The evidence of the samples selects them (ln of the Bayes factor).",
        format!(
            "ln p of the process's equations less that of {}.",
            said(&factors)
        ),
        Verdict::of(factors.iter().map(|i| match i {
            Some(i) if i.low > DECISIVE => Some(true),
            Some(i) if i.is_negative() => Some(false),
            _ => None,
        })),
    );
}

fn discrete_table(results: &Results) -> Table {
    let mut table = Table::new(&[
        "factorisation",
        "gap, enumerated (nats)",
        "marginals off (total variation)",
        "casino: gap per throw",
        "die named",
        "−ln q of the die",
    ]);
    for arm in discrete::ARMS {
        let of = |case: &str, measure: &str| -> Cell {
            match results.mean(arm, case, measure) {
                Some(e) if e.mean == 0.0 => "0".into(),
                other => with_error(other, 4).into(),
            }
        };
        table.push(vec![
            arm.into(),
            of(discrete::PATHS, "gap"),
            of(discrete::PATHS, "marginals"),
            of(discrete::CASINO, "gap"),
            of(discrete::CASINO, "hits"),
            of(discrete::CASINO, "surprise"),
        ]);
    }
    table
}

fn smooth_table(results: &Results) -> Table {
    let mut table = Table::new(&["filter", "RMSE", "NEES", "ln p per bin"]);
    for arm in smooth::ARMS {
        let of = |measure: &str, decimals| -> Cell {
            with_error(results.mean(arm, smooth::CASE, measure), decimals).into()
        };
        table.push(vec![
            arm.into(),
            of("rmse", 4),
            of("nees", 2),
            of("evidence", 3),
        ]);
    }
    table
}

fn selection_table(results: &Results) -> Table {
    let mut table = Table::new(&[
        "equations",
        "published series: ΣF",
        "error of the network",
        "ln p",
        "fresh series: ΣF",
        "error of the network",
        "ln p",
    ]);
    for arm in selection::ARMS {
        let mut row: Vec<Cell> = vec![arm.into()];
        for case in [selection::PUBLISHED, selection::FRESH] {
            for (measure, decimals) in [("action", 1), ("error", 3), ("evidence", 1)] {
                row.push(with_error(results.mean(arm, case, measure), decimals).into());
            }
        }
        table.push(row);
    }
    table
}

fn figure(results: &Results) -> Result<scotopic_figures::Figure> {
    let panel = |title: &str, measure: &str, sign: f64, label: &str| {
        let all = selection::ARMS.map(|arm| results.values(arm, selection::FRESH, measure));
        let best = |unit: usize| {
            let each = all.iter().filter_map(|v| v.get(unit).copied().flatten());
            each.map(|v| sign * v).fold(f64::INFINITY, f64::min)
        };
        let series = selection::ARMS.iter().zip(&all).map(|(arm, values)| {
            let points = values.iter().enumerate();
            let points =
                points.filter_map(|(unit, v)| Some(((unit + 1) as f64, sign * (*v)? - best(unit))));
            let (x, y) = points.unzip();
            Series::line(*arm, x, y).marked(Mark::Dots)
        });
        Panel::new(title, "series", label, series.collect())
    };
    let panels = [
        panel("Free action", "action", 1.0, "ΣF less the least (nats)"),
        panel(
            "Evidence",
            "evidence",
            -1.0,
            "ln p, greatest less it (nats)",
        ),
    ];
    chart::lines(&panels).context("model selection")
}
