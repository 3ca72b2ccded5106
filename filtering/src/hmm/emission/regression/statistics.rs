//! A row of the statistics of a regression.

use super::moments::{dot, times};

/// Places in a row of statistics: n, Σy, Σe, Σ(y − c·x)², then Σ ω z x `[1 + M]` and Σ ω x xᵀ packed.
pub(super) const Y: usize = 1;
pub(super) const EXPOSURE: usize = 2;
pub(super) const SQUARES: usize = 3;
pub(super) const FIRST: usize = 4;

/// One state's statistics.
pub(super) struct Row<'a> {
    pub(super) n: f64,
    pub(super) squares: f64,
    /// Σ ω z x, z = η + (y − μ)/ω, less c·x.
    pub(super) b: &'a [f64],
    /// Σ ω x xᵀ.
    pub(super) h: &'a [f64],
}

impl<'a> Row<'a> {
    pub(super) fn of(row: &'a [f64], m: usize) -> Self {
        Self {
            n: row[0],
            squares: row[SQUARES],
            b: &row[FIRST..FIRST + m],
            h: &row[FIRST + m..],
        }
    }

    /// Σ ω (z − u·x) x, for weights u less the origin.
    pub(super) fn gradient(&self, u: &[f64]) -> Vec<f64> {
        let hu = times(u.len(), self.h, u);
        self.b.iter().zip(hu).map(|(b, h)| b - h).collect()
    }

    /// Σ (y − u·x)² of a linear regression.
    pub(super) fn residual(&self, u: &[f64]) -> f64 {
        let hu = times(u.len(), self.h, u);
        self.squares - 2.0 * dot(u, self.b) + dot(u, &hu)
    }
}
