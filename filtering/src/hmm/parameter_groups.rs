//! The parameters of an emission by name, and how each is free.

/// One parameter, or several that are bound together.
#[derive(Debug, Clone, PartialEq)]
pub enum ParameterGroup {
    /// Any number.
    Number {
        /// Its name, see [`entry_name`].
        name: String,
        /// Its value.
        value: f64,
        /// What is small beside it, in the units of the data.
        unit: f64,
    },
    /// A positive number.
    Positive {
        /// Its name.
        name: String,
        /// Its value.
        value: f64,
    },
    /// A positive number that is learned up to `most`, where the law is its limit at infinity to all digits that data have.
    Limited {
        /// Its name.
        name: String,
        /// Its value.
        value: f64,
        /// The largest that is learned.
        most: f64,
    },
    /// A probability, free of all others.
    Probability {
        /// Its name.
        name: String,
        /// Its value.
        value: f64,
    },
    /// Probabilities of one state that sum to 1.
    Distribution {
        /// The key of a model file.
        name: &'static str,
        /// The state, from 0.
        state: usize,
        /// The probabilities.
        row: Vec<f64>,
    },
}

/// `rates[2,1]`: entry `i` of state `state`, both from 0, under the key of a model file, counted from 1.
pub fn entry_name(key: &str, state: usize, i: usize) -> String {
    format!("{key}[{},{}]", state + 1, i + 1)
}
