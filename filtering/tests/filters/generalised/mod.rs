//! Filters in generalised coordinates.

mod causal;
mod contract;
mod exact;
mod golden;
mod identities;
mod levels;
mod levels_learning;
mod missing;
mod models;
mod neural;
mod noise;
mod odem;
mod published;
mod reference;
mod repeat;
mod snapshots;
