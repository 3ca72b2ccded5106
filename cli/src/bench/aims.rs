//! The ratios of times that are aimed at.

use scotopic::ops::Indicator;

use super::cases::engine_case;
use super::training::Iteration;
use super::{Group, Record, Shape};

/// The time of one case over that of another.
pub(super) struct Aim {
    /// What it is.
    pub name: &'static str,
    /// No more than this is aimed at.
    pub at_most: f64,
    of: fn(&Record) -> bool,
    by: fn(&Record) -> bool,
}

impl Aim {
    /// The ratio of the medians, where both cases were measured.
    pub fn ratio(&self, records: &[Record]) -> Option<f64> {
        let seconds = |is: fn(&Record) -> bool| {
            let found = records.iter().find(|record| is(record));
            found.map(|record| record.median_s)
        };
        Some(seconds(self.of)? / seconds(self.by)?)
    }
}

/// All.
pub(super) const AIMS: &[Aim] = &[
    Aim {
        name: "training: an iteration ÷ its dense products",
        at_most: 1.8,
        of: |r| r.is(Group::Training, &usual()) && r.relaxed(Indicator::Sigmoid, 0.5),
        by: |r| r.is(Group::Products, super::cases::PRODUCTS),
    },
    Aim {
        name: "training: as one piece ÷ from tensor operations",
        at_most: 0.6,
        of: |r| r.is(Group::Training, &usual()) && r.relaxed(Indicator::Sigmoid, 0.5),
        by: |r| r.is(Group::Training, &composed()) && r.relaxed(Indicator::Sigmoid, 0.5),
    },
    Aim {
        name: "training: the cubic indicator at τ 0.5 ÷ at τ 0.01",
        at_most: 1.05,
        of: |r| r.is(Group::Training, &usual()) && r.relaxed(Indicator::Cubic, 0.5),
        by: |r| r.is(Group::Training, &usual()) && r.relaxed(Indicator::Cubic, 0.01),
    },
    Aim {
        name: "training: the iG-VAE ÷ the Poisson network at τ 0.5",
        at_most: 2.0,
        of: |r| {
            r.is(
                Group::Training,
                &Iteration::of_gaussians(Shape::PATCHES).name(),
            )
        },
        by: |r| r.is(Group::Training, &usual()) && r.relaxed(Indicator::Sigmoid, 0.5),
    },
    Aim {
        name: "mnist: an iteration ÷ its dense products",
        at_most: 1.8,
        of: |r| r.is(Group::Mnist, &usual()),
        by: |r| r.is(Group::Mnist, super::cases::PRODUCTS),
    },
    Aim {
        name: "engine, 95 % zeros, K 512: events ÷ dense",
        at_most: 0.5,
        of: |r| r.is_drive("events", 512),
        by: |r| r.is_drive("dense", 512),
    },
    Aim {
        name: "engine, 95 % zeros, K 4096: events ÷ dense",
        at_most: 0.25,
        of: |r| r.is_drive("events", 4096),
        by: |r| r.is_drive("dense", 4096),
    },
    Aim {
        name: "engine, 95 % zeros, K 512: lateral ÷ dense",
        at_most: 0.35,
        of: |r| r.is_drive("lateral", 512),
        by: |r| r.is_drive("dense", 512),
    },
    Aim {
        name: "films: a learned prior ÷ still images",
        at_most: 2.2,
        of: |r| r.is(Group::Films, &Iteration::of_films(true).name()),
        by: |r| r.is(Group::Films, &Iteration::of_films(false).name()),
    },
];

fn usual() -> String {
    Iteration::of(Shape::PATCHES).name()
}

fn composed() -> String {
    Iteration::of(Shape::PATCHES).composed().name()
}

impl Record {
    /// Whether it is this case of this group.
    fn is(&self, group: Group, case: &str) -> bool {
        self.group == group.name() && self.case == case
    }

    /// Whether samples were relaxed like this.
    fn relaxed(&self, indicator: Indicator, temperature: f64) -> bool {
        self.indicator.as_deref() == Some(indicator.name()) && self.temperature == Some(temperature)
    }

    /// Whether the engine was driven like this, by so many latents of which 95 % were silent.
    fn is_drive(&self, form: &str, latents: usize) -> bool {
        self.is(Group::Sparsity, &engine_case(form))
            && self.zeros == Some(0.95)
            && self.shape.latents == latents
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A record of a case that took so long.
    fn record(group: Group, case: &str, median_s: f64) -> Record {
        Record {
            group: group.name().into(),
            case: case.to_owned(),
            device: "flex (CPU)".to_owned(),
            threads: 1,
            simd: "portable".into(),
            shape: Shape::PATCHES,
            temperature: Some(0.5),
            indicator: Some("sigmoid".into()),
            zeros: None,
            seed: 0,
            samples: 1,
            min_s: median_s,
            median_s,
            p90_s: median_s,
            peak_bytes: None,
        }
    }

    #[test]
    fn a_ratio_is_that_of_its_two_cases_and_needs_both() {
        let records = [
            record(Group::Training, &usual(), 3.0),
            record(Group::Training, &composed(), 6.0),
            record(Group::Products, super::super::cases::PRODUCTS, 2.0),
        ];
        let ratios: Vec<_> = AIMS.iter().map(|aim| aim.ratio(&records)).collect();
        assert_eq!(ratios[..2], [Some(1.5), Some(0.5)]);
        assert!(ratios[2..].iter().all(Option::is_none));
    }
}
