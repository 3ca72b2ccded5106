//! Hidden Markov models.

mod emissions;
mod exact;
mod factorisations;
mod far;
mod identities;
mod learning;
mod long;
mod online;
mod value;
