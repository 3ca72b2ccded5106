//! The page.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result};
use scotopic_figures::Figure;
use scotopic_figures::chart::{self, Mark, Panel, Series};

use super::super::common::{below, curve, median, with_error, with_interval};
use super::{DELTA_PERCENT, KINDS, PARTICLES, RUNS, arm, case, length};
use crate::experiments::protocol::{Estimate, Interval, Page, Results, Share, Verdict};
use crate::table::{Cell, Table};

/// The probability with which both bounds are to hold, 1 − 2δ; also the share of sets that are to be narrow.
const STATED: f64 = 1.0 - 2.0 * DELTA_PERCENT / 100.0;
/// The distance between the bounds that is asked for, in nats per observation.
const NARROW: f64 = 0.05;
/// A gap below this, in nats per observation, is rounding: q is exact.
const ROUNDING: f64 = 1e-9;

/// The fewest and the most particles.
const FEWEST: usize = PARTICLES[0];
const MOST: usize = PARTICLES[PARTICLES.len() - 1];

/// A value of every set of an arm, whichever its q; `None` where a bound is infinite.
type PerSet = Vec<Option<f64>>;

pub fn page(results: &Results) -> Result<Page> {
    let mut page = Page::new("Bounds of the evidence that hold with a stated probability");
    let last = arm(MOST);
    coverage(results, &mut page);
    width(results, &last, &mut page);
    particles(results, &last, &mut page);
    tightening(results, &last, &mut page);
    page.heading("How often they hold, how far apart they are");
    page.text(format!(
        "A set is a random model, {} observations simulated from it and a q, each factorisation in turn. A bound fails where the exact evidence \
         (forward recursion, Kalman filter, enumeration of the counts to 10⁻¹⁰, grid) is beyond it; shares have the exact 95 % \
         intervals of Clopper and Pearson. Width is the upper less the lower bound, in nats per observation; ln(1/δ)(1 + 1/R) of it, {:.4}, is \
         the price of confidence, whatever the particles. Models: hidden Markov, 2–6 states and two Poisson counts; linear-Gaussian, 1–3 \
         states; 1–10 Poisson latents, whose rates sum to at most 1, and to 5/K above five, so that they can be enumerated, with one annealed chain \
         for 8 particles; counts of an autoregression. Seconds are of a whole set, simulation and exact evidence included.",
        length(results.size),
        price(results)
    ));
    page.table(held(results));
    page.text(
        "Markov's inequality is not tight: that no or few bounds fail says that they are safe, not that they are as close as they could be. An upper bound needs the \
         generating states; of recorded series there is the lower bound alone (`scotopic compare --certify`; `--true-states` for simulated ones).",
    );
    page.heading("By q");
    page.text(format!(
        "`{last}`, nats per observation: gap ln p − L of the free energy, mean ± standard error over sets; how far below ln p the lower \
         bound is, and how far above the upper; the largest width; lower bound less L, with its interval. Of counts of an \
         autoregression, sums of `jelbo` and `vjf` are no bounds, so that their gap may be of either sign."
    ));
    page.table(by_q(results, &last));
    page.figure(
        "width",
        &format!(
            "Left: mean width over particles (of Poisson latents, eight times the chains), one standard error shaded. Right: how far the \
             lower bound is below ln p, over the gap of the free energy of the same q ({MOST} particles; exact q, with a gap of 0, are not shown)"
        ),
        figure(results, &last)?,
    );
    Ok(page)
}

/// ln(1/δ)(1 + 1/R)/T, in nats per observation.
fn price(results: &Results) -> f64 {
    -(DELTA_PERCENT / 100.0).ln() * (1.0 + 1.0 / RUNS as f64) / length(results.size) as f64
}

/// The q of a kind of model.
fn names(results: &Results, kind: &str) -> BTreeSet<String> {
    let cases = results.records.iter().flat_map(|r| r.values.cases());
    let start = case(kind, "");
    cases
        .filter_map(|c| Some(c.strip_prefix(&start)?.to_owned()))
        .collect()
}

/// A measure of all sets of a kind of model; arms have the sets in the same order.
fn pooled(results: &Results, arm: &str, kind: &str, measure: &str) -> PerSet {
    let names = names(results, kind).into_iter();
    let each = names.flat_map(|q| results.values(arm, &case(kind, &q), measure));
    each.collect()
}

/// Upper less lower bound.
fn widths(below: &PerSet, above: &PerSet) -> PerSet {
    let pairs = below.iter().zip(above);
    pairs.map(|(b, a)| Some((*b)? + (*a)?)).collect()
}

fn pooled_widths(results: &Results, arm: &str, kind: &str) -> PerSet {
    let of = |measure| pooled(results, arm, kind, measure);
    widths(&of("below"), &of("above"))
}

/// Whether a bound holds: one that is infinite always does.
fn holds(distance: Option<f64>) -> bool {
    distance.is_none_or(|nats| nats >= 0.0)
}

fn bracketed(results: &Results, arm: &str, kind: &str) -> Option<Share> {
    let of = |measure| pooled(results, arm, kind, measure).into_iter();
    Share::of(
        of("below")
            .zip(of("above"))
            .map(|(b, a)| holds(b) && holds(a)),
    )
}

fn narrow(results: &Results, arm: &str, kind: &str) -> Option<Share> {
    let widths = pooled_widths(results, arm, kind).into_iter();
    Share::of(widths.map(|w| w.is_some_and(|w| w <= NARROW)))
}

fn in_words(share: Option<Share>) -> String {
    share.map_or_else(
        || "–".to_owned(),
        |s| {
            let (low, high) = (100.0 * s.low, 100.0 * s.high);
            format!("{} of {} [{low:.1} %, {high:.1} %]", s.hits, s.units)
        },
    )
}

fn coverage(results: &Results, page: &mut Page) {
    let of_kind = |kind| PARTICLES.map(|n| bracketed(results, &arm(n), kind));
    let said = KINDS.map(|(_, kind)| {
        let least = of_kind(kind).into_iter().flatten().min_by_key(|s| s.hits);
        format!("{kind} {}", in_words(least))
    });
    let cases = KINDS.iter().flat_map(|(_, kind)| of_kind(kind));
    page.answer(
        "A lower and an upper bound by Markov's inequality, δ = 2.5 % each, hold together with a probability of 95 % or more (eqs. F80–F87).",
        format!(
            "Exact evidence between the bounds, fewest of the three numbers of particles: {}.",
            said.join("; ")
        ),
        Verdict::of(cases.map(|s| s?.reaches(STATED))),
    );
}

fn width(results: &Results, last: &str, page: &mut Page) {
    let shares = KINDS.map(|(_, kind)| (kind, narrow(results, last, kind)));
    let said = shares.map(|(kind, share)| format!("{kind} {}", in_words(share)));
    page.answer(
        &format!(
            "With {MOST} particles and {RUNS} runs the bounds are at most {NARROW} nats per observation apart in 95 % of the sets (no number was published).",
        ),
        format!("Sets that are: {}.", said.join("; ")),
        Verdict::of(shares.map(|(_, share)| share?.reaches(STATED))),
    );
}

fn particles(results: &Results, last: &str, page: &mut Page) {
    let first = arm(FEWEST);
    let less = KINDS.map(|(_, kind)| {
        let (a, b) = (
            pooled_widths(results, last, kind),
            pooled_widths(results, &first, kind),
        );
        (kind, Interval::of_difference(&a, &b))
    });
    let said = less.map(|(kind, i)| format!("{kind} {}", with_interval(i, 4)));
    page.answer(
        "More particles bring the bounds closer to each other.",
        format!(
            "Width with {MOST} less that with {FEWEST}: {}.",
            said.join("; ")
        ),
        Verdict::of(less.map(|(_, i)| below(i))),
    );
}

/// The lower bound less L of q.
fn gained(results: &Results, arm: &str, case: &str) -> Option<Interval> {
    let of = |measure| results.values(arm, case, measure);
    Interval::of_difference(&of("gap"), &of("below"))
}

fn gap(results: &Results, arm: &str, case: &str) -> Option<Estimate> {
    results.mean(arm, case, "gap")
}

fn tightening(results: &Results, last: &str, page: &mut Page) {
    let all = KINDS.iter().flat_map(|(_, kind)| {
        let names = names(results, kind).into_iter();
        names.map(move |q| case(kind, &q))
    });
    let inexact = all.filter(|c| gap(results, last, c).is_some_and(|e| e.mean.abs() > ROUNDING));
    let found: Vec<(String, Option<bool>)> = inexact
        .map(|c| {
            (
                c.clone(),
                below(gained(results, last, &c)).map(|less| !less),
            )
        })
        .collect();
    let count = |what| found.iter().filter(|(_, is)| *is == what).count();
    let contrary: Vec<&str> = found
        .iter()
        .filter(|(_, is)| *is == Some(false))
        .map(|(case, _)| case.as_str())
        .collect();
    let named = match contrary.is_empty() {
        true => String::new(),
        false => format!(" ({})", contrary.join("; ")),
    };
    page.answer(
        "Where q is not exact, weighed samples of it bound ln p more closely than its own free energy (Burda, Grosse and Salakhutdinov 2016, in \
         expectation; here less the price of confidence).",
        format!(
            "Lower bound less L, {} cases of a kind and a q that is not exact: the interval is above 0 in {}, below 0 in {}{named}, neither in {}.",
            found.len(),
            count(Some(true)),
            count(Some(false)),
            count(None)
        ),
        Verdict::of(found.iter().map(|(_, is)| *is)),
    );
}

fn largest(widths: &PerSet) -> f64 {
    let each = widths.iter().map(|w| w.unwrap_or(f64::INFINITY));
    each.fold(f64::NEG_INFINITY, f64::max)
}

fn width_cell(nats: f64) -> Cell {
    match nats.is_finite() {
        true => Cell::Number(nats, 4),
        false => "infinite".into(),
    }
}

fn held(results: &Results) -> Table {
    let mut table = Table::new(&[
        "model",
        "particles",
        "between the bounds",
        "lower fails",
        "upper fails",
        "median width",
        "largest width",
        "0.05 or less",
        "s per set",
    ]);
    for (_, kind) in KINDS {
        for particles in PARTICLES {
            let arm = arm(particles);
            let of = |measure| pooled(results, &arm, kind, measure);
            let fails = |measure| of(measure).into_iter().filter(|d| !holds(*d)).count();
            let widths = pooled_widths(results, &arm, kind);
            let or_infinite = widths.iter().map(|w| w.unwrap_or(f64::INFINITY));
            table.push(vec![
                kind.into(),
                particles.to_string().into(),
                in_words(bracketed(results, &arm, kind)).into(),
                fails("below").to_string().into(),
                fails("above").to_string().into(),
                width_cell(median(or_infinite.collect())),
                width_cell(largest(&widths)),
                in_words(narrow(results, &arm, kind)).into(),
                with_error(Estimate::of(&of("seconds")), 2).into(),
            ]);
        }
    }
    table
}

fn by_q(results: &Results, arm: &str) -> Table {
    let mut table = Table::new(&[
        "model",
        "q",
        "sets",
        "gap of L",
        "lower bound below ln p",
        "upper bound above ln p",
        "largest width",
        "lower bound less L",
    ]);
    for (_, kind) in KINDS {
        let mean = |q: &str| gap(results, arm, &case(kind, q)).map_or(f64::NAN, |e| e.mean);
        let mut names: Vec<String> = names(results, kind).into_iter().collect();
        names.sort_by(|a, b| mean(a).total_cmp(&mean(b)));
        for q in names {
            let case = case(kind, &q);
            let of = |measure| results.values(arm, &case, measure);
            let cell = |measure| with_error(results.mean(arm, &case, measure), 4).into();
            table.push(vec![
                kind.into(),
                q.into(),
                of("gap").len().to_string().into(),
                cell("gap"),
                cell("below"),
                cell("above"),
                width_cell(largest(&widths(&of("below"), &of("above")))),
                with_interval(gained(results, arm, &case), 4).into(),
            ]);
        }
    }
    table
}

fn figure(results: &Results, last: &str) -> Result<Figure> {
    let mut lines: Vec<Series> = KINDS
        .iter()
        .map(|(_, kind)| {
            let at = |n: &usize| {
                let width = Estimate::of(&pooled_widths(results, &arm(*n), kind))?;
                Some((*n as f64, width))
            };
            curve(kind, PARTICLES.iter().filter_map(at))
        })
        .collect();
    let ends = [FEWEST, MOST].map(|n| n as f64);
    lines.push(
        Series::line(
            "price of confidence",
            ends.to_vec(),
            vec![price(results); 2],
        )
        .faint(),
    );
    let mut dots: Vec<Series> = KINDS
        .iter()
        .map(|(_, kind)| {
            let of = |measure| pooled(results, last, kind, measure).into_iter();
            let points = of("gap")
                .zip(of("below"))
                .filter_map(|(g, b)| Some((g?, b?)));
            let (x, y) = points.filter(|(gap, _)| *gap > ROUNDING).unzip();
            Series::line(*kind, x, y).marked(Mark::Dots)
        })
        .collect();
    let gaps = dots.iter().flat_map(|s| s.x.iter().copied());
    let gaps: Vec<f64> = gaps.collect();
    let (low, high) = (
        gaps.iter().copied().fold(f64::INFINITY, f64::min),
        gaps.iter().copied().fold(0.0, f64::max),
    );
    dots.push(Series::line("L itself", vec![low, high], vec![low, high]).faint());
    let width = Panel::new("Width", "particles", "nats per observation", lines);
    let lower = Panel::new(
        "Lower bound",
        "ln p − L (nats per observation)",
        "ln p − lower bound (nats per observation)",
        dots,
    );
    chart::lines(&[
        width.logarithmic(true, false),
        lower.logarithmic(true, true),
    ])
    .context("the widths")
}
