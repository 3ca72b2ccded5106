//! The numerics that the measures share; none of it knows what is measured.
//!
//! | file | one idea |
//! |---|---|
//! | `levenberg_marquardt` | least squares within bounds, few parameters |
//! | `lbfgs` | a smooth function of many parameters |

pub mod lbfgs;
pub mod levenberg_marquardt;
