//! Linear-Gaussian models.

mod bounds;
mod constrained;
mod diagonals;
mod diffuse;
mod diffuse_fits;
mod ends;

mod far_inputs;
mod learning;
mod maximum;
mod missing;
mod recorded;
mod structural;
mod undetermined;

pub use structural::nile;
