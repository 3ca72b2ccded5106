//! State-space models in files, and filtering of series.
//!
//! | concept | file |
//! |---|---|
//! | which model a file describes | `model.rs`: [`Model`] |
//! | continuous-time models in files | `generalised.rs`: [`Generalised`] |
//! | networks among them, learned from series | `flow.rs` |
//! | what factorisations, schemes and rules are called | `names.rs` |
//! | a filter of any kind, fixed or learning, behind one surface | `running.rs`: [`Running`] |
//! | where observations come from | `source.rs`: [`Source`] |
//! | one line an observation | `lines.rs`: [`Lines`] |
//! | figures and scores of beliefs | `recorder.rs`: [`BeliefRecorder`]; `credible.rs`: [`Band`]; `signal.rs`, `scores.rs` |
//! | a filter saved, to go on another day | `snapshot.rs` |
//! | factorisations beside each other | `comparison.rs`; learned and true states paired: `label_matching.rs` |
//! | orders, smoothness and schemes beside each other | `scheme_comparison.rs` |

pub mod comparison;
mod credible;
#[cfg(feature = "vision")]
pub mod flow;
pub mod generalised;
mod label_matching;
pub mod lines;
pub mod model;
pub mod names;
pub mod recorder;
pub mod running;
pub mod scheme_comparison;
pub mod scores;
pub mod signal;
pub mod snapshot;
pub mod source;

pub use credible::Band;
pub use generalised::Generalised;
pub use lines::{LineFormat, Lines};
pub use model::Model;
pub use recorder::BeliefRecorder;
pub use running::Running;
pub use source::Source;
