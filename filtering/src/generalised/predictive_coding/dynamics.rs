//! The dynamics of the published networks, one state per output, each observed directly.

use serde::{Deserialize, Serialize};

use crate::generalised::model::{Equations, Number, Point, Sizes};

/// f(x) = −½(x − 1), g(x) = x: every state is drawn to 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pullback {
    /// How many states.
    pub states: usize,
}

/// f(x) = sin x, g(x) = x, entry by entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trigonometric {
    /// How many states.
    pub states: usize,
}

fn seen_directly(states: usize) -> Sizes {
    Sizes {
        states,
        causes: 0,
        outputs: states,
        parameters: 0,
    }
}

impl Equations for Pullback {
    fn sizes(&self) -> Sizes {
        seen_directly(self.states)
    }
    fn f<T: Number>(&self, at: Point<'_, T>, out: &mut [T]) {
        for (o, &x) in out.iter_mut().zip(at.x) {
            *o = (T::constant(1.0) - x).scaled(0.5);
        }
    }
    fn g<T: Number>(&self, at: Point<'_, T>, out: &mut [T]) {
        out.copy_from_slice(at.x);
    }
}

impl Equations for Trigonometric {
    fn sizes(&self) -> Sizes {
        seen_directly(self.states)
    }
    fn f<T: Number>(&self, at: Point<'_, T>, out: &mut [T]) {
        for (o, &x) in out.iter_mut().zip(at.x) {
            *o = x.sin();
        }
    }
    fn g<T: Number>(&self, at: Point<'_, T>, out: &mut [T]) {
        out.copy_from_slice(at.x);
    }
}
