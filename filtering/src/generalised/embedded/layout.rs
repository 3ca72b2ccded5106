//! Layout of ũ, ỹ, η̃ and of the generalised prediction errors.
//!
//! | vector | entries |
//! |---|---|
//! | ũ | x⁽⁰⁾ … x⁽ᴺ⁾, then v⁽⁰⁾ … v⁽ᵈ⁾ |
//! | ỹ | y⁽⁰⁾ … y⁽ᴺ⁾ |
//! | η̃ | η⁽⁰⁾ … η⁽ᵈ⁾ |
//! | e | for each order (errors of the data, of the causes of each level); then for each order (errors of motion) |

use std::ops::Range;

use serde::{Deserialize, Serialize};

/// Sizes of a model in generalised coordinates, all levels stacked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layout {
    /// Entries of one observation y.
    pub outputs: usize,
    /// Entries of x.
    pub states: usize,
    /// Entries of v.
    pub causes: usize,
    /// Entries of η: the causes of the top level.
    pub inputs: usize,
    /// Orders of states and data, the value included: n = N + 1.
    pub orders: usize,
    /// Orders of causes, the value included: m = d + 1 ≤ n.
    pub cause_orders: usize,
}

impl Layout {
    /// Entries of ũ: n·states + m·causes.
    pub fn unknowns(&self) -> usize {
        self.orders * self.states + self.cause_orders * self.causes
    }

    /// Entries of e: n·(outputs + causes + states).
    pub fn errors(&self) -> usize {
        self.orders * (self.outputs + self.causes + self.states)
    }

    /// Entries of ỹ.
    pub fn data(&self) -> usize {
        self.orders * self.outputs
    }

    /// Entries of η̃.
    pub fn input_data(&self) -> usize {
        self.cause_orders * self.inputs
    }

    /// x⁽ⁱ⁾ in ũ.
    pub fn x(&self, order: usize) -> Range<usize> {
        order * self.states..(order + 1) * self.states
    }

    /// v⁽ⁱ⁾ in ũ, for i ≤ d.
    pub fn v(&self, order: usize) -> Range<usize> {
        let from = self.orders * self.states + order * self.causes;
        from..from + self.causes
    }

    /// The errors of data and causes of order i in e.
    pub fn cause_error(&self, order: usize) -> Range<usize> {
        let width = self.outputs + self.causes;
        order * width..(order + 1) * width
    }

    /// The errors of motion of order i in e.
    pub fn motion_error(&self, order: usize) -> Range<usize> {
        let from = self.orders * (self.outputs + self.causes) + order * self.states;
        from..from + self.states
    }

    /// Outputs of all levels, stacked: the data and the causes of every level but the top one.
    pub fn all_outputs(&self) -> usize {
        self.outputs + self.causes - self.inputs
    }
}
