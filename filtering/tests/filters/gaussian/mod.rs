//! Linear-Gaussian models.

mod bounds;
mod diffuse;
mod ends;
mod learning;
mod maximum;
mod missing;
mod recorded;
mod structural;

pub use structural::nile;
