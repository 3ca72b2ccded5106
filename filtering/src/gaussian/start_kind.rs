//! Where m0 and P0 of a linear-Gaussian model come from.

/// What m0 and P0 are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::gaussian) enum Start {
    /// Numbers of their own.
    #[default]
    Given,
    /// Those of the stationary distribution of F, b and Q.
    Stationary,
    /// The same of continuous time, F and Q being A and Q_c.
    StationaryOfRates,
}
