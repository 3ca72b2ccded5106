//! The equations of one level, f and g, and their derivatives.

use nalgebra::DMatrix;
use serde::{Deserialize, Serialize};

use super::{Dual, Number};

/// The numbers of states, causes, outputs and parameters of one level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sizes {
    /// Hidden states, entries of x.
    pub states: usize,
    /// Causes, entries of v.
    pub causes: usize,
    /// Outputs, entries of g.
    pub outputs: usize,
    /// Parameters, entries of θ.
    pub parameters: usize,
}

impl Sizes {
    /// The number of entries of one argument.
    pub fn of(&self, argument: Argument) -> usize {
        match argument {
            Argument::State => self.states,
            Argument::Cause => self.causes,
            Argument::Parameter => self.parameters,
        }
    }
}

/// The argument by which f or g is differentiated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Argument {
    /// x
    State,
    /// v
    Cause,
    /// θ
    Parameter,
}

/// Where f and g are evaluated.
#[derive(Debug, Clone, Copy)]
pub struct Point<'a, T = f64> {
    /// States x `[states]`.
    pub x: &'a [T],
    /// Causes v `[causes]`.
    pub v: &'a [T],
    /// Parameters θ `[parameters]`.
    pub theta: &'a [T],
}

/// The equations x' = f(x, v, θ), y = g(x, v, θ) of one level.
///
/// `f` and `g` are written once over any [`Number`]; all derivatives follow by forward differentiation
/// (exact to rounding, no step size). A model with a cheaper closed form overrides `f_by` and `g_by`.
/// Nothing here allocates for models of up to 48 states, causes, outputs and parameters together.
///
/// ```
/// use scotopic_filtering::generalised::model::{Argument, Equations, Number, Point, Sizes};
/// use scotopic_filtering::nalgebra::DMatrix;
///
/// /// x' = −θ x³ + v, seen directly.
/// #[derive(Debug, Clone)]
/// struct Cubic;
/// impl Equations for Cubic {
///     fn sizes(&self) -> Sizes {
///         Sizes { states: 1, causes: 1, outputs: 1, parameters: 1 }
///     }
///     fn f<T: Number>(&self, at: Point<'_, T>, out: &mut [T]) {
///         out[0] = -at.theta[0] * at.x[0].powi(3) + at.v[0];
///     }
///     fn g<T: Number>(&self, at: Point<'_, T>, out: &mut [T]) {
///         out[0] = at.x[0];
///     }
/// }
/// let at = Point { x: &[2.0], v: &[0.0], theta: &[0.5] };
/// let mut slope = DMatrix::zeros(1, 1);
/// Cubic.f_by(Argument::State, at, &mut slope);
/// assert_eq!(slope[(0, 0)], -6.0);
/// ```
pub trait Equations {
    /// How many states, causes, outputs and parameters.
    fn sizes(&self) -> Sizes;

    /// The flow f(x, v, θ), `out` `[states]`.
    fn f<T: Number>(&self, at: Point<'_, T>, out: &mut [T]);

    /// The output g(x, v, θ), `out` `[outputs]`.
    fn g<T: Number>(&self, at: Point<'_, T>, out: &mut [T]);

    /// Whether f and g are linear (not merely affine) in x and v for fixed θ. Exact schemes for linear
    /// models prepare their matrices once if this is so.
    fn is_linear(&self) -> bool {
        false
    }

    /// Whether g depends on v at all. Saying that it does not spares schemes with memory the past causes.
    fn output_sees_causes(&self) -> bool {
        true
    }

    /// Whether g is linear in x and v together for fixed θ: its linearisation need not be repeated then.
    fn output_is_linear(&self) -> bool {
        self.is_linear()
    }

    /// Whether g depends on θ at all.
    fn output_has_parameters(&self) -> bool {
        true
    }

    /// The Jacobian of f by one argument, `out` `[states, entries of the argument]`.
    fn f_by(&self, by: Argument, at: Point<'_>, out: &mut DMatrix<f64>) {
        let rows = self.sizes().states;
        forward(self.sizes(), by, at, rows, out, |p, o| self.f(p, o));
    }

    /// The Jacobian of g by one argument, `out` `[outputs, entries of the argument]`.
    fn g_by(&self, by: Argument, at: Point<'_>, out: &mut DMatrix<f64>) {
        let rows = self.sizes().outputs;
        forward(self.sizes(), by, at, rows, out, |p, o| self.g(p, o));
    }

    /// The second derivative ∂²f/∂a∂b by entry `a.1` of argument `a.0` and entry `b.1` of `b.0`,
    /// `out` `[states]`.
    fn f_second(&self, a: (Argument, usize), b: (Argument, usize), at: Point<'_>, out: &mut [f64]) {
        second(self.sizes(), a, b, at, out, |p, o| self.f(p, o));
    }

    /// The second derivative ∂²g/∂a∂b, as [`Equations::f_second`], `out` `[outputs]`.
    fn g_second(&self, a: (Argument, usize), b: (Argument, usize), at: Point<'_>, out: &mut [f64]) {
        second(self.sizes(), a, b, at, out, |p, o| self.g(p, o));
    }
}

/// The methods of [`Equations`] about an output that is a linear function of the states alone.
macro_rules! linear_in_states {
    () => {
        fn output_sees_causes(&self) -> bool {
            false
        }

        fn output_has_parameters(&self) -> bool {
            false
        }

        fn output_is_linear(&self) -> bool {
            true
        }
    };
}
pub(super) use linear_in_states;

impl<E: Equations + ?Sized> Equations for &E {
    fn sizes(&self) -> Sizes {
        (**self).sizes()
    }
    fn f<T: Number>(&self, at: Point<'_, T>, out: &mut [T]) {
        (**self).f(at, out);
    }
    fn g<T: Number>(&self, at: Point<'_, T>, out: &mut [T]) {
        (**self).g(at, out);
    }
    fn is_linear(&self) -> bool {
        (**self).is_linear()
    }
    fn output_sees_causes(&self) -> bool {
        (**self).output_sees_causes()
    }
    fn output_is_linear(&self) -> bool {
        (**self).output_is_linear()
    }
    fn output_has_parameters(&self) -> bool {
        (**self).output_has_parameters()
    }
    fn f_by(&self, by: Argument, at: Point<'_>, out: &mut DMatrix<f64>) {
        (**self).f_by(by, at, out);
    }
    fn g_by(&self, by: Argument, at: Point<'_>, out: &mut DMatrix<f64>) {
        (**self).g_by(by, at, out);
    }
}

/// Entries of all arguments and the result together up to which no memory is allocated.
const ON_STACK: usize = 48;

/// Runs `work` on `size` zeros, from the stack if there are at most `STACK`.
pub(super) fn with_zeros<const STACK: usize, T: Number, R>(
    size: usize,
    work: impl FnOnce(&mut [T]) -> R,
) -> R {
    let zero = T::constant(0.0);
    match size <= STACK {
        true => work(&mut [zero; STACK][..size]),
        false => work(&mut vec![zero; size]),
    }
}

/// Where entry `index` of an argument lies in (x, v, θ).
fn place(sizes: Sizes, (argument, index): (Argument, usize)) -> usize {
    index
        + match argument {
            Argument::State => 0,
            Argument::Cause => sizes.states,
            Argument::Parameter => sizes.states + sizes.causes,
        }
}

fn split<T>(sizes: Sizes, all: &[T]) -> Point<'_, T> {
    let (x, rest) = all.split_at(sizes.states);
    let (v, theta) = rest.split_at(sizes.causes);
    Point { x, v, theta }
}

fn forward(
    sizes: Sizes,
    by: Argument,
    at: Point<'_>,
    rows: usize,
    out: &mut DMatrix<f64>,
    function: impl Fn(Point<'_, Dual>, &mut [Dual]),
) {
    let arguments = sizes.states + sizes.causes + sizes.parameters;
    with_zeros::<ON_STACK, _, _>(arguments + rows, |all: &mut [Dual]| {
        let (point, result) = all.split_at_mut(arguments);
        let entries = at.x.iter().chain(at.v).chain(at.theta);
        for (slot, &value) in point.iter_mut().zip(entries) {
            *slot = Dual::fixed(value);
        }
        for column in 0..sizes.of(by) {
            let here = place(sizes, (by, column));
            point[here].slope = 1.0;
            function(split(sizes, point), result);
            point[here].slope = 0.0;
            for (row, entry) in result.iter().enumerate() {
                out[(row, column)] = entry.slope;
            }
        }
    });
}

fn second(
    sizes: Sizes,
    a: (Argument, usize),
    b: (Argument, usize),
    at: Point<'_>,
    out: &mut [f64],
    function: impl Fn(Point<'_, Dual<Dual>>, &mut [Dual<Dual>]),
) {
    let arguments = sizes.states + sizes.causes + sizes.parameters;
    with_zeros::<ON_STACK, _, _>(arguments + out.len(), |all: &mut [Dual<Dual>]| {
        let (point, result) = all.split_at_mut(arguments);
        let entries = at.x.iter().chain(at.v).chain(at.theta);
        for (slot, &value) in point.iter_mut().zip(entries) {
            *slot = Dual::constant(value);
        }
        point[place(sizes, a)].value.slope = 1.0;
        point[place(sizes, b)].slope.value = 1.0;
        function(split(sizes, point), result);
        for (entry, twice) in out.iter_mut().zip(result.iter()) {
            *entry = twice.slope.slope;
        }
    });
}
