//! State-space models in files, and filtering of series.
//!
//! | concept | file |
//! |---|---|
//! | models in files | `model.rs` |
//! | networks as equations, learned from series | `flow.rs` |
//! | the learning rule, as given on the command line | `names.rs`: [`LearnSpec`](names::LearnSpec) |
//! | sources of observations | `source.rs`: [`Source`] |
//! | output lines | `lines.rs`: [`Lines`] |
//! | figures and scores of beliefs | `recorder.rs`: [`BeliefRecorder`]; `credible.rs`: [`Band`]; `scores.rs` |
//! | saved filters | `snapshot.rs` |
//! | factorisations beside each other | `comparison.rs` |
//! | comparison of orders, smoothness and schemes | `scheme_comparison.rs` |

pub mod comparison;
mod credible;
#[cfg(feature = "vision")]
pub mod flow;
pub mod lines;
pub mod model;
pub mod names;
pub mod recorder;
pub mod scheme_comparison;
pub mod scores;
pub mod snapshot;
pub mod source;

pub use credible::Band;
pub use lines::{LineFormat, Lines};
pub use recorder::BeliefRecorder;
pub use source::Source;
