//! Where the inputs of statistics are counted from.

use super::Regression;
use super::family::Family;
use super::moments::{dot, move_origin, packed_len};

/// c_x `[M]`: statistics are of x − c_x, and weights about it have the constant β_0 + β·c_x. It belongs to the data of a fit, as the
/// information does; without any it is 0.
#[derive(Debug, Clone, Default)]
pub(super) struct Centre(pub(super) Vec<f64>);

impl PartialEq for Centre {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl<F: Family> Regression<F> {
    /// Weights about c_x: the constant is that of x − c_x.
    pub(super) fn about_centre(&self, mut weights: Vec<f64>) -> Vec<f64> {
        weights[0] += dot(&weights[1..], &self.centre.0);
        weights
    }

    /// Weights of x itself, from those about c_x.
    pub(super) fn about_zero(&self, mut weights: Vec<f64>) -> Vec<f64> {
        weights[0] -= dot(&weights[1..], &self.centre.0);
        weights
    }

    /// The same with statistics of x − c_x for another c_x.
    pub(super) fn with_centre(mut self, centre: Vec<f64>) -> Self {
        let delta: Vec<f64> = std::iter::once(0.0)
            .chain(
                centre
                    .iter()
                    .zip(&self.centre.0)
                    .map(|(new, old)| new - old),
            )
            .collect();
        let len = packed_len(delta.len());
        for h in self.information.0.chunks_exact_mut(len) {
            move_origin(h, &delta);
        }
        self.centre = Centre(centre);
        self
    }
}
