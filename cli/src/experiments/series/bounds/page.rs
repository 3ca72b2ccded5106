//! The page.

use anyhow::{Context as _, Result};
use scotopic_figures::Figure;
use scotopic_figures::chart::{self, Mark, Panel, Series};

use super::super::common::{below, with_error, with_interval};
use super::sets::{
    NARROW, bracketed, gained, gap, holds, names, narrow, pooled, pooled_widths, quantile, widths,
};
use super::{DELTA_PERCENT, KINDS, LEFT_OUT, PARTICLES, RUNS, arm, case, length};
use crate::experiments::protocol::{Estimate, Interval, Page, Results, Share, Verdict};
use crate::table::{Cell, Table};

/// The probability with which both bounds are to hold, 1 − 2δ; also the share of sets that are to be narrow.
const STATED: f64 = 1.0 - 2.0 * DELTA_PERCENT / 100.0;
/// A gap below this, in nats per observation, is rounding: q is exact.
const ROUNDING: f64 = 1e-9;

/// The part of the sets on either side of the band of the figure.
const OUTER: f64 = 0.1;
/// The fewest and the most particles.
const FEWEST: usize = PARTICLES[0];
const MOST: usize = PARTICLES[PARTICLES.len() - 1];

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
         for 8 particles; counts of an autoregression. Sets of counts left out and replaced, because no grid settled: {}. Seconds are of a whole set, simulation and exact \
         evidence included.",
        length(results.size),
        price(results),
        left_out(results, &last)
    ));
    page.table(held(results));
    page.text(
        "Markov's inequality is not tight: bounds that fail less often than δ allows could be closer. An upper bound needs the generating states; of recorded \
         series there is the lower bound alone (`scotopic compare --certify`; with `--true-states` both, for simulated ones).",
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
            "Left: median width over particles (of Poisson latents, eight times the chains), with the middle 80 % of the sets. Right: how far the \
             lower bound is below ln p, over the gap of the free energy of the same q ({MOST} particles; exact q, with a gap of 0, are not shown)"
        ),
        figure(results, &last)?,
    );
    Ok(page)
}

/// The sets of all kinds whose evidence is not known.
fn left_out(results: &Results, arm: &str) -> f64 {
    let counts = KINDS.map(|(_, kind)| results.values(arm, kind, LEFT_OUT));
    counts.iter().flatten().flatten().sum()
}

/// ln(1/δ)(1 + 1/R)/T, in nats per observation.
fn price(results: &Results) -> f64 {
    -(DELTA_PERCENT / 100.0).ln() * (1.0 + 1.0 / RUNS as f64) / length(results.size) as f64
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
        "Where q is not exact, importance-weighted samples of it bound ln p more closely than its own free energy (in expectation: Burda, Grosse \
         and Salakhutdinov 2016; here with the price of confidence paid).",
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
            table.push(vec![
                kind.into(),
                particles.to_string().into(),
                in_words(bracketed(results, &arm, kind)).into(),
                fails("below").to_string().into(),
                fails("above").to_string().into(),
                width_cell(quantile(&widths, 0.5)),
                width_cell(quantile(&widths, 1.0)),
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
                // One latent has no plural.
                q.replace(", 1 latents", ", 1 latent").into(),
                of("gap").len().to_string().into(),
                cell("gap"),
                cell("below"),
                cell("above"),
                width_cell(quantile(&widths(&of("below"), &of("above")), 1.0)),
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
            let of_kind = PARTICLES.map(|n| pooled_widths(results, &arm(n), kind));
            let at = |part| of_kind.iter().map(|w| quantile(w, part)).collect();
            let x = PARTICLES.map(|n| n as f64).to_vec();
            Series::line(*kind, x, at(0.5)).spread(at(OUTER), at(1.0 - OUTER))
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
        "Lower bound (nats per observation)",
        "ln p − L",
        "ln p − lower bound",
        dots,
    );
    chart::lines(&[width.logarithmic(true, true), lower.logarithmic(true, true)])
        .context("the widths")
}
