//! What is read from the files: measures of the sets of a kind of model, whichever their q.

use std::collections::BTreeSet;

use super::case;
use crate::experiments::protocol::{Estimate, Interval, Results, Share};

/// The distance between the bounds that is asked for, in nats per observation.
pub const NARROW: f64 = 0.05;

/// A value of every set of an arm, whichever its q; `None` where a bound is infinite.
pub type PerSet = Vec<Option<f64>>;

/// The q of a kind of model.
pub fn names(results: &Results, kind: &str) -> BTreeSet<String> {
    let cases = results.records.iter().flat_map(|r| r.values.cases());
    let start = case(kind, "");
    cases
        .filter_map(|c| Some(c.strip_prefix(&start)?.to_owned()))
        .collect()
}

/// A measure of all sets of a kind of model; arms have the sets in the same order.
pub fn pooled(results: &Results, arm: &str, kind: &str, measure: &str) -> PerSet {
    let names = names(results, kind).into_iter();
    let each = names.flat_map(|q| results.values(arm, &case(kind, &q), measure));
    each.collect()
}

/// Upper less lower bound.
pub fn widths(below: &[Option<f64>], above: &[Option<f64>]) -> PerSet {
    let pairs = below.iter().zip(above);
    pairs.map(|(b, a)| Some((*b)? + (*a)?)).collect()
}

/// Upper less lower bound of all sets of a kind of model.
pub fn pooled_widths(results: &Results, arm: &str, kind: &str) -> PerSet {
    let of = |measure| pooled(results, arm, kind, measure);
    widths(&of("below"), &of("above"))
}

/// Whether a bound holds: one that is infinite always does.
pub fn holds(distance: Option<f64>) -> bool {
    distance.is_none_or(|nats| nats >= 0.0)
}

/// The sets whose evidence is between the bounds.
pub fn bracketed(results: &Results, arm: &str, kind: &str) -> Option<Share> {
    let of = |measure| pooled(results, arm, kind, measure).into_iter();
    Share::of(
        of("below")
            .zip(of("above"))
            .map(|(b, a)| holds(b) && holds(a)),
    )
}

/// The sets whose bounds are at most [`NARROW`] apart.
pub fn narrow(results: &Results, arm: &str, kind: &str) -> Option<Share> {
    let widths = pooled_widths(results, arm, kind).into_iter();
    Share::of(widths.map(|w| w.is_some_and(|w| w <= NARROW)))
}

/// The lower bound less L of q.
pub fn gained(results: &Results, arm: &str, case: &str) -> Option<Interval> {
    let of = |measure| results.values(arm, case, measure);
    Interval::of_difference(&of("gap"), &of("below"))
}

/// ln p − L of q.
pub fn gap(results: &Results, arm: &str, case: &str) -> Option<Estimate> {
    results.mean(arm, case, "gap")
}

/// The width that this part of the sets does not exceed, the upper of two; infinite where it is.
pub fn quantile(widths: &[Option<f64>], part: f64) -> f64 {
    let mut all: Vec<f64> = widths.iter().map(|w| w.unwrap_or(f64::INFINITY)).collect();
    all.sort_by(f64::total_cmp);
    let place = (part * all.len() as f64) as usize;
    all.get(place.min(all.len().saturating_sub(1)))
        .copied()
        .unwrap_or(f64::NAN)
}
