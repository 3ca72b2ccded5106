//! State-space models in files, and filtering of series.
//!
//! | concept | file |
//! |---|---|
//! | models in files | `model.rs`; their kinds and keys: `kinds.rs`; what they say of a fit: `of_fit.rs` |
//! | networks as equations, learned from series | `flow.rs` |
//! | the learning rule, as given on the command line | `names.rs`: [`LearnSpec`](names::LearnSpec) |
//! | sources of observations | `source.rs`: [`Source`]; `columns.rs`; `streams.rs` |
//! | output lines, and the file they go to | `lines.rs`: [`Lines`]; `results.rs`: [`Results`](results::Results) |
//! | figures and scores of beliefs | `recorder.rs`: [`BeliefRecorder`]; `credible.rs`: [`Band`]; `scores.rs`; `truth.rs` |
//! | whole series beside a model; output lines of them | `recording.rs`: [`Subject`](recording::Subject), [`Recording`](recording::Recording); `records.rs` |
//! | alarms | `alarm.rs`: [`Alarm`](alarm::Alarm) |
//! | inputs apart from observations | `inputs.rs` |
//! | columns of which no fit can be made | `dependence.rs` |
//! | spike trains | `spikes.rs`; of several units and trials: `spike_trains.rs`, `npz.rs`, `trials.rs` |
//! | saved filters | `snapshot.rs`; how they begin: `saved.rs` |
//! | factorisations beside each other | `comparison.rs` |
//! | comparison of orders, smoothness and schemes | `scheme_comparison.rs` |

pub mod alarm;
pub mod columns;
pub mod comparison;
mod credible;
pub mod data_format;
pub mod dependence;
#[cfg(feature = "vision")]
pub mod flow;
pub mod grid_note;
pub mod inputs;
pub mod kinds;
pub mod left_out;
pub mod lines;
pub mod model;
pub mod model_file;
pub(crate) mod model_text;
pub mod names;
mod npz;
pub mod of_fit;
pub mod places;
pub mod recorder;
pub mod recording;
pub mod records;
pub mod results;
pub mod saved;
pub mod scheme_comparison;
pub mod scores;
pub mod snapshot;
pub mod source;
mod spike_trains;
mod spikes;
mod streams;
mod time_names;
pub mod trials;
pub mod truth;

pub use credible::Band;
pub use lines::{LineFormat, Lines};
pub use recorder::BeliefRecorder;
pub use source::Source;
