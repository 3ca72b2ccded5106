//! The page.

use anyhow::{Context as _, Result};
use scotopic_figures::chart::{self, Panel};

use super::super::common::{below, curve, with_interval};
use super::tables::{cases, costs, gaps, learned, learned_counts, real_series};
use super::{DYNAMICS, LENGTHS, counts, discrete};
use crate::experiments::protocol::{Interval, Page, Results, Verdict};

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

fn panel(results: &Results, dynamics: &str) -> Panel {
    let [_, length] = LENGTHS;
    let series = APPROXIMATE.iter().map(|arm| {
        let points = discrete::STATES.iter().filter_map(|k| {
            let case = discrete::case(*k, dynamics, length);
            Some((*k as f64, results.mean(arm, &case, "gap")?))
        });
        curve(arm, points)
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
