//! Generalised filtering with known parameters: the flow of the D-step, with a free energy of its own.

mod snapshot;

pub use snapshot::GeneralisedFilteringSnapshot;

use serde::{Deserialize, Serialize};

use crate::generalised::embedded::dem::{Dem, DemConfig, Deviation};
use crate::generalised::embedded::free_energy::FreeEnergy;
use crate::generalised::embedded::record::Record;
use crate::generalised::model::{Equations, GenerativeModel};
use crate::{Result, Sequence};

/// Log-precisions from here on are taken for certainty in the published free energy.
const CERTAIN: f64 = 8.0;

/// Generalised filtering (the published "LAP" scheme).
///
/// With known parameters and precisions the flow of states is that of [`Dem`]. Its free energy is
///
/// ```text
/// F_t = −½ eᵀ iS e − ½ n·outputs·ln 2π + ½ ln det iS        [+ ½ ln det(P C), zero where states have no prior]
/// ```
///
/// over errors whose log-precision is below 8 (`published.masks`; all errors otherwise), so it is not
/// comparable with that of [`Dem`].
///
/// Precisions count by their diagonals.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(
    try_from = "GeneralisedFilteringSnapshot<E>",
    into = "GeneralisedFilteringSnapshot<E>",
    bound(
        serialize = "E: Equations + Clone + Serialize",
        deserialize = "E: Equations + Deserialize<'de>"
    )
)]
pub struct GeneralisedFiltering<E> {
    pub(super) dem: Dem<E>,
}

impl<E: Equations> GeneralisedFiltering<E> {
    /// The scheme at the start of a series. `config.sweeps` is the number of passes of
    /// [`GeneralisedFiltering::learn`].
    ///
    /// # Errors
    /// As [`Dem::new`].
    pub fn new(mut model: GenerativeModel<E>, config: DemConfig) -> Result<Self> {
        for level in &mut model.levels {
            diagonal(&mut level.output);
            diagonal(&mut level.motion);
        }
        diagonal(&mut model.cause.precision);
        let mut dem = Dem::new(model, config)?;
        let layout = dem.layout();
        let precision = &dem.d_step.flow.terms.precision;
        let mut kept = vec![true; layout.errors()];
        if dem.config().published.has(Deviation::Masks) {
            let model = &dem.stack.model;
            let outputs = model.levels.iter().map(|l| &l.output);
            let cause = outputs.chain([&model.cause.precision]);
            let motion = model.levels.iter().map(|l| &l.motion);
            let certain = |p: f64| libm::log(p) >= CERTAIN - 1e-9;
            let diagonals = |p: &crate::generalised::model::NoisePrecision| {
                let d = p.expected().diagonal();
                d.iter().map(|&d| !certain(d)).collect::<Vec<_>>()
            };
            let cause: Vec<bool> = cause.flat_map(diagonals).collect();
            let motion: Vec<bool> = motion.flat_map(diagonals).collect();
            for order in 0..layout.orders {
                kept[layout.cause_error(order)].copy_from_slice(&cause);
                kept[layout.motion_error(order)].copy_from_slice(&motion);
            }
        }
        dem.d_step.free_energy = FreeEnergy::new(layout.data(), precision, kept);
        Ok(Self { dem })
    }

    /// The beliefs about every bin, parameters at their prior means.
    ///
    /// # Errors
    /// As [`Dem::run`].
    pub fn run(&mut self, series: &Sequence, inputs: Option<&Sequence>) -> Result<Vec<Record>> {
        let mut beliefs = self.dem.run(series, inputs)?;
        for belief in &mut beliefs {
            belief.free_energy = belief.accuracy;
        }
        Ok(beliefs)
    }

    /// The same flow bin by bin, for live data.
    pub fn into_stream(self) -> Dem<E> {
        self.dem
    }
}

/// Keeps the diagonals of a precision and its components.
pub(super) fn diagonal(noise: &mut crate::generalised::model::NoisePrecision) {
    for part in std::iter::once(&mut noise.fixed).chain(&mut noise.components) {
        *part = nalgebra::DMatrix::from_diagonal(&part.diagonal());
    }
}
