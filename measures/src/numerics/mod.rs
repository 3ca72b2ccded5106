//! The numerics that the measures share; none of it knows what is measured.
//!
//! | file | contents |
//! |---|---|
//! | `levenberg_marquardt` | least squares within bounds, few parameters |
//! | `lbfgs` | a smooth function of many parameters |
//! | `products` | dot products of one row with four |
//! | `normal` | the normal distribution function |
//! | `crossing` | where a sampled curve passes a level |

pub mod crossing;
pub mod lbfgs;
pub mod levenberg_marquardt;
pub mod normal;
pub mod products;
