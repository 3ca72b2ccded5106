//! What a fitted model says: against statsmodels, hmmlearn and scipy, and against its own replicates.

mod against_peers;
mod coverage;
mod standard_errors;
