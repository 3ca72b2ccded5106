//! The filters as their users call them: against recordings, closed forms, finite differences and one another.

mod bounded_settings;
mod degenerate;
mod every_filter;
mod fitted;
mod gaussian;
mod generalised;
mod hmm;
mod nonlinear;
mod reference;
mod units;
