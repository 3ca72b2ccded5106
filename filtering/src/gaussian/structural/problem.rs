//! What is fitted to what.

use super::coordinates::Coordinates;
use super::data::Data;
use super::fit_settings::StructuralSettings;
use super::model::StructuralModel;
use crate::math::bfgs::{Limits, Minimum, minimise};

/// So many nats are none: no criterion and no interval tells them.
pub(super) const NOTHING: f64 = 1e-6;
/// The largest change of a coordinate in one step: e³ = 20 times a variance.
const STEP: f64 = 3.0;

/// A model and its data, and how it is fitted.
pub(super) struct Problem<'a> {
    pub model: &'a StructuralModel,
    pub data: &'a Data<'a>,
    pub settings: &'a StructuralSettings,
}

impl Problem<'_> {
    /// −ln p and its gradient.
    pub fn value(&self, coordinates: &Coordinates, u: &[f64]) -> Option<(f64, Vec<f64>)> {
        self.data.objective(self.model, coordinates, u)
    }

    /// To the optimum, or as far as so many steps lead.
    pub fn descend(
        &self,
        coordinates: &Coordinates,
        u: &[f64],
        iterations: usize,
    ) -> Option<Minimum> {
        let limits = Limits {
            iterations,
            gradient: self.settings.tolerance,
            step: STEP,
        };
        minimise(u, limits, |u| self.value(coordinates, u))
    }
}
