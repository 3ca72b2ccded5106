//! The second paper's experiments (arXiv 2307.08613 and what it builds on): state-space models, without networks.
//!
//! | question | file |
//! |---|---|
//! | what a factorisation of the posterior costs | `factorisations/` |
//! | order of motion, smoothness of noise and scheme | `orders/` |
//! | the first experiments of the paper's guide, and model selection | `first_experiments/` |
//! | online triple estimation beside the published run on the same series | `odem.rs` |
//! | learning while filtering in ten dimensions | `campbell.rs` |
//! | what they share | `common.rs` |

use super::protocol::Protocol;

mod campbell;
pub(crate) mod common;
mod factorisations;

/// The experiments that are protocols.
pub const PROTOCOLS: &[Protocol] = &[factorisations::PROTOCOL, campbell::PROTOCOL];
