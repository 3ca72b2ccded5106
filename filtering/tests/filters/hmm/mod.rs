//! Hidden Markov models.

mod emissions;
mod exact;
mod factorisations;
mod far;
mod fitting;
mod fitting_maxima;
mod identities;
mod learning;
mod long;
mod online;
mod partial_rows;
mod passes;
mod value;
