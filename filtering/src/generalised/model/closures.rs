//! f and g as closures.

use super::equations::with_zeros;
use super::{Dual, Equations, Number, Point, Sizes};

/// The numbers that closures are written over: a value with two directions of differentiation.
pub type Jet = Dual<Dual>;

/// Numbers of all arguments and the result together up to which an evaluation allocates nothing.
const ON_STACK: usize = 48;

/// The equations x' = f(x, v, θ), y = g(x, v, θ) given by two closures.
///
/// A closure is written over one type of number, [`Jet`], from which values, Jacobians and second derivatives are read
/// off; a type that implements [`Equations`] over any [`Number`] does less arithmetic where no derivative is needed.
///
/// ```
/// use scotopic_filtering::generalised::causal::{CausalGeneralisedFilter, CausalConfig};
/// use scotopic_filtering::generalised::model::{Closures, GenerativeModel, Jet, Number, Point, Sizes};
/// use scotopic_filtering::Filter;
///
/// # fn main() -> Result<(), scotopic_filtering::Error> {
/// let sizes = Sizes { states: 2, causes: 0, outputs: 1, parameters: 1 };
/// let pendulum = Closures::new(
///     sizes,
///     |at: Point<'_, Jet>, out: &mut [Jet]| {
///         out[0] = at.x[1];
///         out[1] = -at.theta[0] * at.x[0].sin();
///     },
///     |at: Point<'_, Jet>, out: &mut [Jet]| out[0] = at.x[0],
/// );
/// let model = GenerativeModel::single(pendulum, &[0.04], 100.0, 1e4, 1.0, &[1.0, 0.0])?;
/// let mut filter = CausalGeneralisedFilter::new(model, CausalConfig::default(), None)?;
/// filter.update(Some(&[0.98]))?;
/// assert!((filter.states()[0] - 0.98).abs() < 0.05);
/// # Ok(()) }
/// ```
#[derive(Clone, Copy)]
pub struct Closures<F, G> {
    sizes: Sizes,
    f: F,
    g: G,
}

impl<F, G> Closures<F, G>
where
    F: Fn(Point<'_, Jet>, &mut [Jet]),
    G: Fn(Point<'_, Jet>, &mut [Jet]),
{
    /// Equations of these sizes: `f` writes `[states]`, `g` `[outputs]`. What a closure does not write is 0.
    pub fn new(sizes: Sizes, f: F, g: G) -> Self {
        Self { sizes, f, g }
    }
}

impl<F, G> std::fmt::Debug for Closures<F, G> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Closures")
            .field("sizes", &self.sizes)
            .finish_non_exhaustive()
    }
}

/// Evaluates a closure on numbers of another type.
fn through<T: Number>(
    function: impl Fn(Point<'_, Jet>, &mut [Jet]),
    at: Point<'_, T>,
    out: &mut [T],
) {
    let (x, v, theta) = (at.x.len(), at.v.len(), at.theta.len());
    with_zeros::<ON_STACK, _, _>(x + v + theta + out.len(), |all: &mut [Jet]| {
        let entries = at.x.iter().chain(at.v).chain(at.theta);
        for (slot, entry) in all.iter_mut().zip(entries) {
            *slot = Jet::from_derivatives(entry.derivatives());
        }
        let (arguments, result) = all.split_at_mut(x + v + theta);
        let (states, rest) = arguments.split_at(x);
        let (causes, parameters) = rest.split_at(v);
        let at = Point {
            x: states,
            v: causes,
            theta: parameters,
        };
        function(at, result);
        for (out, entry) in out.iter_mut().zip(result) {
            *out = T::from_derivatives(entry.derivatives());
        }
    });
}

impl<F, G> Equations for Closures<F, G>
where
    F: Fn(Point<'_, Jet>, &mut [Jet]),
    G: Fn(Point<'_, Jet>, &mut [Jet]),
{
    fn sizes(&self) -> Sizes {
        self.sizes
    }

    fn f<T: Number>(&self, at: Point<'_, T>, out: &mut [T]) {
        through(&self.f, at, out);
    }

    fn g<T: Number>(&self, at: Point<'_, T>, out: &mut [T]) {
        through(&self.g, at, out);
    }
}

#[cfg(test)]
mod tests {
    use nalgebra::DMatrix;

    use super::super::{Argument, Lorenz};
    use super::*;

    #[test]
    fn values_and_derivatives_are_those_of_the_equations_written_out() {
        let own = Lorenz::default();
        let closures = Closures::new(
            own.sizes(),
            |at: Point<'_, Jet>, out: &mut [Jet]| own.f(at, out),
            |at: Point<'_, Jet>, out: &mut [Jet]| own.g(at, out),
        );
        let at = Point {
            x: &[0.3, -1.2, 20.0],
            v: &[],
            theta: &[10.0, 28.0, 2.5],
        };
        let (mut a, mut b) = ([0.0; 3], [0.0; 3]);
        own.f(at, &mut a);
        closures.f(at, &mut b);
        assert_eq!(a, b);
        for by in [Argument::State, Argument::Parameter] {
            let (mut a, mut b) = (DMatrix::zeros(3, 3), DMatrix::zeros(3, 3));
            own.f_by(by, at, &mut a);
            closures.f_by(by, at, &mut b);
            assert_eq!(a, b, "{by:?}");
            for (i, j) in [(0, 0), (0, 1), (1, 0), (0, 2), (2, 1)] {
                let (mut a, mut b) = ([0.0; 3], [0.0; 3]);
                own.f_second((Argument::State, i), (by, j), at, &mut a);
                closures.f_second((Argument::State, i), (by, j), at, &mut b);
                assert_eq!(a, b, "{by:?} {i} {j}");
            }
        }
        let outputs = own.sizes().outputs;
        let (mut a, mut b) = (DMatrix::zeros(outputs, 3), DMatrix::zeros(outputs, 3));
        own.g_by(Argument::State, at, &mut a);
        closures.g_by(Argument::State, at, &mut b);
        assert_eq!(a, b);
    }
}
