//! How often the bounds of ln p hold, and how wide they are: sets of data simulated from random models whose evidence is known.
//!
//! ```text
//! cargo run --release -p scotopic-filtering --example bounds [SETS] [LENGTH] [PARTICLES] [KIND]
//! ```
//!
//! Seeds are 0, 1, …; one line for each kind of model, docs/papers/bounds.md is made of it.

use std::time::Instant;

use scotopic_filtering::bounds::{BoundSettings, CoverageSet, KnownEvidence, coverage_set};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut number = |default: usize| arguments.next().map_or(Ok(default), |text| text.parse());
    let (sets, length) = (number(200)?, number(150)?);
    let particles = number(BoundSettings::default().particles)?;
    let settings = BoundSettings {
        particles,
        ..BoundSettings::default()
    };
    let only = arguments.next();
    println!(
        "{sets} sets of {length} observations, {} particles, {} runs, δ = {}",
        settings.particles, settings.runs, settings.delta
    );
    println!(
        "| kind | brackets | lower fails | upper fails | median width | largest width | median gap | s per set |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    let chosen = |kind: &KnownEvidence| only.as_ref().is_none_or(|o| *o == format!("{kind:?}"));
    for kind in KnownEvidence::ALL.into_iter().filter(chosen) {
        let clock = Instant::now();
        let found: Vec<CoverageSet> = (0..sets as u64)
            .map(|seed| coverage_set(kind, length, seed, &settings))
            .collect::<Result<_, _>>()?;
        let seconds = clock.elapsed().as_secs_f64() / sets as f64;
        let count = |of: &dyn Fn(&CoverageSet) -> bool| found.iter().filter(|s| of(s)).count();
        let sorted = |of: &dyn Fn(&CoverageSet) -> f64| {
            let mut values: Vec<f64> = found.iter().map(of).collect();
            values.sort_by(f64::total_cmp);
            values
        };
        let widths = sorted(&CoverageSet::width);
        let gaps = sorted(&|s| (s.exact - s.elbo) / s.length as f64);
        println!(
            "| {kind:?} | {} | {} | {} | {:.4} | {:.4} | {:.4} | {seconds:.2} |",
            count(&CoverageSet::brackets),
            count(&|s| s.lower > s.exact),
            count(&|s| s.upper < s.exact),
            widths[sets / 2],
            widths[sets - 1],
            gaps[sets / 2],
        );
        // By q, so that a wide one is not hidden in the median.
        let mut names: Vec<&str> = found.iter().map(|s| &s.q[..]).collect();
        names.sort_unstable();
        names.dedup();
        for name in names {
            let own = || found.iter().filter(|s| s.q == name);
            let widest = own().map(CoverageSet::width).fold(0.0, f64::max);
            let gap = own().map(|s| (s.exact - s.elbo) / s.length as f64);
            println!(
                "    {name}: {} of {}, largest width {widest:.4}, mean gap {:.4}",
                own().filter(|s| s.brackets()).count(),
                own().count(),
                gap.sum::<f64>() / own().count() as f64,
            );
        }
    }
    Ok(())
}
