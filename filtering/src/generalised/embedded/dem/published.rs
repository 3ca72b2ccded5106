//! What the published implementations do that the theory does not ask for, each thing by its name.

use std::collections::BTreeMap;

use nalgebra::DMatrix;
use serde::{Deserialize, Serialize};

use crate::generalised::embedded::embedding::{Edge, Window};
use crate::generalised::embedded::energy::published_floor;
use crate::generalised::embedded::errors::TopOrder;
use crate::generalised::model::stacked::{Derivatives, PUBLISHED_STEP};
use crate::generalised::precision::PUBLISHED_WHITE;

/// One thing that the published implementations do and the theory does not ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Deviation {
    /// The highest order of the error of motion is 0 in e but keeps its row in J.
    TopOrder,
    /// Windows before the first bin are rounded towards zero, not down.
    Edges,
    /// Jacobians by x and v are forward differences with a step of e^−8.
    ForwardDifferences,
    /// s = 0 stands for s = e^−8.
    WhiteFloor,
    /// max(ε(‖Λ‖_∞)·dim, e^−32) is added to a precision before it is inverted.
    CovarianceFloor,
    /// What is known with a precision of e¹⁶ or more (of e⁸ in generalised filtering) counts as certain: its errors do not
    /// count in F, and such states are reported with variance 0.
    Masks,
    /// Mean-field terms have half their weight.
    HalfMeanField,
    /// After a rejected sweep the best point is evaluated again, its log-precisions and C_p included, with one step of
    /// the M-step at most, instead of a smaller step being taken.
    StaleRestore,
    /// F of a sweep is that of the log-precisions before the last step of its M-step; the next sweep filters with those
    /// after it.
    LatePrecisions,
    /// The determinant of a curvature without entries off its diagonal counts as one in the time of a step, which then
    /// is nearly Newton's whatever τ is.
    DiagonalTime,
    /// The step after the last sweep, if that was kept, is part of the parameters that are reported: no sweep has
    /// tried them.
    UntriedStep,
    /// Sweeps end when a step is small (e^−4 of the way so far), however many of that size are still to come.
    SmallStep,
    /// Generalised filtering: within a step neither do states feel how parameters and log-precisions change, nor these the
    /// states.
    Uncoupled,
    /// Generalised filtering: when passes end because F no longer rises, the pass before the last is reported.
    PassBeforeLast,
}

impl Deviation {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::TopOrder,
        Self::Edges,
        Self::ForwardDifferences,
        Self::WhiteFloor,
        Self::CovarianceFloor,
        Self::Masks,
        Self::HalfMeanField,
        Self::StaleRestore,
        Self::LatePrecisions,
        Self::DiagonalTime,
        Self::UntriedStep,
        Self::SmallStep,
        Self::Uncoupled,
        Self::PassBeforeLast,
    ];
}

/// Which deviations of the published implementations a scheme reproduces; none by default. In a file: their names, each
/// with true or false.
///
/// ```
/// use scotopic_filtering::generalised::dem::{Deviation, Published};
/// let all_but_one = Published::spm().without(Deviation::TopOrder);
/// assert!(all_but_one.has(Deviation::Masks) && !all_but_one.has(Deviation::TopOrder));
/// assert_eq!(Published::of([]), Published::default());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(from = "BTreeMap<Deviation, bool>", into = "BTreeMap<Deviation, bool>")]
pub struct Published(u16);

impl From<BTreeMap<Deviation, bool>> for Published {
    fn from(named: BTreeMap<Deviation, bool>) -> Self {
        Self::of(named.into_iter().filter_map(|(d, on)| on.then_some(d)))
    }
}

impl From<Published> for BTreeMap<Deviation, bool> {
    fn from(published: Published) -> Self {
        let all = Deviation::ALL.into_iter();
        all.map(|d| (d, published.has(d))).collect()
    }
}

impl Published {
    /// These deviations alone.
    pub fn of(deviations: impl IntoIterator<Item = Deviation>) -> Self {
        deviations.into_iter().fold(Self::default(), Self::with)
    }

    /// Everything as published: needed to reproduce recorded numbers.
    pub fn spm() -> Self {
        Self::of(Deviation::ALL)
    }

    /// With one more deviation.
    pub fn with(self, deviation: Deviation) -> Self {
        Self(self.0 | 1 << deviation as u16)
    }

    /// With one fewer.
    pub fn without(self, deviation: Deviation) -> Self {
        Self(self.0 & !(1 << deviation as u16))
    }

    /// Whether this deviation is reproduced.
    pub fn has(self, deviation: Deviation) -> bool {
        self.0 & 1 << deviation as u16 != 0
    }

    /// What becomes of the highest error of motion.
    pub(crate) fn top_order(self) -> TopOrder {
        match self.has(Deviation::TopOrder) {
            true => TopOrder::Published,
            false => TopOrder::Marginal,
        }
    }

    /// How Jacobians by x and v are taken.
    pub(crate) fn derivatives(self) -> Derivatives {
        match self.has(Deviation::ForwardDifferences) {
            true => Derivatives::Forward {
                step: PUBLISHED_STEP,
            },
            false => Derivatives::Exact,
        }
    }

    /// The window that is used for the one that was asked for.
    pub(crate) fn window(self, asked: Window) -> Window {
        match asked {
            Window::Centred(_) if self.has(Deviation::Edges) => Window::Centred(Edge::Published),
            window => window,
        }
    }

    /// s, or what stands for it.
    pub(crate) fn smoothness(self, asked: f64) -> f64 {
        match asked {
            0.0 if self.has(Deviation::WhiteFloor) => PUBLISHED_WHITE,
            s => s,
        }
    }

    /// What is added to the diagonal of a precision before it is inverted.
    pub(crate) fn floor(self, precision: &DMatrix<f64>) -> f64 {
        match self.has(Deviation::CovarianceFloor) {
            true => published_floor(precision),
            false => 0.0,
        }
    }

    /// The weight of mean-field terms.
    pub(crate) fn mean_field_weight(self) -> f64 {
        match self.has(Deviation::HalfMeanField) {
            true => 0.5,
            false => 1.0,
        }
    }
}
