//! What a linear read-out can tell from a representation: multinomial logistic regression.
//!
//! | file | contents |
//! |---|---|
//! | `config` | the settings, and training |
//! | `objective` | the penalised loss and its gradient |
//! | `classifier` | the trained read-out: probabilities, predictions, accuracy |
//!
//! The objective and its settings are those of scikit-learn's `LogisticRegression` with its default
//! solver, so that numbers can be compared.

mod classifier;
mod config;
mod objective;

pub use classifier::Classifier;
pub use config::LogisticConfig;

#[cfg(test)]
mod tests;
