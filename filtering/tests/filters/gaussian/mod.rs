//! Linear-Gaussian models.

mod bounds;
mod learning;
mod recorded;
