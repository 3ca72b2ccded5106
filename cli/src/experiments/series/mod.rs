//! The second paper's experiments (arXiv 2307.08613 and what it builds on): state-space models, without networks.
//!
//! | question | file |
//! |---|---|
//! | what a factorisation of the posterior costs | `factorisations/` |
//! | bounds of the evidence with a stated probability | `bounds/` |
//! | order of motion, smoothness of noise and scheme | `orders/` |
//! | the first experiments of the paper's guide, and model selection | `first_experiments/` |
//! | online triple estimation beside the published run on the same series | `odem.rs` |
//! | learning while filtering in ten dimensions | `campbell.rs` |
//! | the published network's series and its recorded run | `published_series.rs` |
//! | what they share | `common.rs` |

use super::protocol::Protocol;

mod bounds;
mod campbell;
pub(crate) mod common;
mod factorisations;
mod first_experiments;
mod odem;
mod orders;
mod published_series;

/// The experiments that are protocols.
pub const PROTOCOLS: &[Protocol] = &[
    factorisations::PROTOCOL,
    bounds::PROTOCOL,
    orders::PROTOCOL,
    first_experiments::PROTOCOL,
    odem::PROTOCOL,
    campbell::PROTOCOL,
];
