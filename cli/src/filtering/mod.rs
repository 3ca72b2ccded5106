//! State-space models in files, and filtering of series.
//!
//! | concept | file |
//! |---|---|
//! | models in files | `model.rs` |
//! | networks among them, learned from series | `flow.rs` |
//! | the learning rule, as given on the command line | `names.rs`: [`LearnSpec`](names::LearnSpec) |
//! | where observations come from | `source.rs`: [`Source`] |
//! | one line an observation | `lines.rs`: [`Lines`] |
//! | figures and scores of beliefs | `recorder.rs`: [`BeliefRecorder`]; `credible.rs`: [`Band`]; `scores.rs` |
//! | a filter saved, to go on another day | `snapshot.rs` |
//! | factorisations beside each other | `comparison.rs` |
//! | orders, smoothness and schemes beside each other | `scheme_comparison.rs` |

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
