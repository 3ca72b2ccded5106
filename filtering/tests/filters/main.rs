//! The filters as their users call them: against recordings, closed forms, finite differences and one another.

mod bounded_settings;
mod bounds;
mod degenerate;
mod every_filter;
mod fitted;
mod gaussian;
mod generalised;
mod hmm;
mod nonlinear;
mod nonlinear_fit;
mod reference;
mod units;
