//! The filters as their users call them: against recordings, closed forms, finite differences and one another.

mod bounded_settings;
mod bounds;
mod degenerate;
mod driven;
mod every_filter;
mod fitted;
mod forecasts;
mod gaussian;
mod generalised;
mod hmm;
mod hmm_units;
mod inputs;
mod nonlinear;
mod nonlinear_fit;
mod plds;
mod reference;
mod slopes;
mod switching;
mod units;
mod updates;
