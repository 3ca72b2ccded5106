//! Equations whose f and g are networks.

mod file;

use nalgebra::DMatrix;
use serde::{Deserialize, Serialize};

use super::network::Weights;
use super::{Argument, Equations, Network, Number, Point, Sizes};
use crate::{Error, Result};

/// x' = f(x, v), y = g(x, v), each a [`Network`] of (x, v); g may be one of x alone.
///
/// Weights are fixed, and there are no parameters; or, with [`Neural::with_free_weights`], they are the
/// parameters θ (those of f, then those of g), of which a scheme learns those that have prior variance. The first is
/// right for a trained network; the second is for networks of some dozens of weights, because schemes that learn θ
/// carry its covariance, and [`Odem`](crate::generalised::odem::Odem) a filter for each of its entries.
///
/// ```
/// use scotopic_filtering::generalised::model::{Activation, Equations, Network, Neural, Point};
/// use scotopic_filtering::nalgebra::DMatrix;
/// # fn main() -> scotopic_filtering::Result<()> {
/// let flow = Network::start(2, &[16], 2, Activation::Tanh, 1.0, 0)?;
/// let first_state = Network::linear(DMatrix::from_row_slice(1, 2, &[1.0, 0.0]))?;
/// let equations = Neural::new(flow, first_state)?;
/// let mut y = [0.0];
/// equations.g(Point { x: &[3.0, 4.0], v: &[], theta: &[] }, &mut y);
/// assert_eq!(y, [3.0]);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "file::NeuralFile", into = "file::NeuralFile")]
pub struct Neural {
    flow: Network,
    output: Network,
    free: bool,
}

impl Neural {
    /// From f, whose outputs are the states and whose inputs are the states and then the causes, and g, whose inputs are
    /// those of f or the states alone.
    ///
    /// # Errors
    /// [`Error::Size`] if they do not fit.
    pub fn new(flow: Network, output: Network) -> Result<Self> {
        let states = flow.outputs();
        if flow.inputs() < states {
            let expected = format!("{states} states and the causes");
            return Err(Error::size("flow: inputs", flow.inputs(), expected));
        }
        if output.inputs() != states && output.inputs() != flow.inputs() {
            let expected = format!("{states} states, or {} with causes", flow.inputs());
            return Err(Error::size("output: inputs", output.inputs(), expected));
        }
        Ok(Self {
            flow,
            output,
            free: false,
        })
    }

    /// The same with its weights as parameters.
    pub fn with_free_weights(self) -> Self {
        Self { free: true, ..self }
    }

    /// Whether the weights are parameters.
    pub fn has_free_weights(&self) -> bool {
        self.free
    }

    /// f.
    pub fn flow(&self) -> &Network {
        &self.flow
    }

    /// g.
    pub fn output(&self) -> &Network {
        &self.output
    }

    /// θ: the weights where they are parameters, else nothing.
    pub fn defaults(&self) -> Vec<f64> {
        match self.free {
            true => [self.flow.weights(), self.output.weights()].concat(),
            false => Vec::new(),
        }
    }

    /// The weights of f and of g.
    fn weights<'a, T: Number>(&'a self, theta: &'a [T]) -> [Weights<'a, T>; 2] {
        if !self.free {
            return [&self.flow, &self.output].map(|n| Weights::Fixed(n.weights()));
        }
        let (f, g) = theta.split_at(self.flow.weights().len());
        [Weights::Free(f), Weights::Free(g)]
    }

    fn plain<'a>(&'a self, theta: &'a [f64]) -> [&'a [f64]; 2] {
        self.weights(theta).map(|weights| match weights {
            Weights::Fixed(w) | Weights::Free(w) => w,
        })
    }

    /// What g is a function of.
    fn seen<'a, T>(&self, at: Point<'a, T>) -> [&'a [T]; 2] {
        match self.output_sees_causes() {
            true => [at.x, at.v],
            false => [at.x, &[]],
        }
    }
}

impl Equations for Neural {
    fn sizes(&self) -> Sizes {
        let states = self.flow.outputs();
        let weights = self.flow.weights().len() + self.output.weights().len();
        Sizes {
            states,
            causes: self.flow.inputs() - states,
            outputs: self.output.outputs(),
            parameters: if self.free { weights } else { 0 },
        }
    }

    fn f<T: Number>(&self, at: Point<'_, T>, out: &mut [T]) {
        let [weights, _] = self.weights(at.theta);
        self.flow.evaluate(weights, [at.x, at.v], out);
    }

    fn g<T: Number>(&self, at: Point<'_, T>, out: &mut [T]) {
        let [_, weights] = self.weights(at.theta);
        self.output.evaluate(weights, self.seen(at), out);
    }

    fn is_linear(&self) -> bool {
        self.flow.is_linear() && self.output.is_linear()
    }

    fn output_sees_causes(&self) -> bool {
        self.output.inputs() > self.flow.outputs()
    }

    fn output_is_linear(&self) -> bool {
        self.output.is_linear()
    }

    fn output_has_parameters(&self) -> bool {
        self.free
    }

    fn f_by(&self, by: Argument, at: Point<'_>, out: &mut DMatrix<f64>) {
        let ([weights, _], input) = (self.plain(at.theta), [at.x, at.v]);
        let (states, inputs) = (self.flow.outputs(), self.flow.inputs());
        match by {
            Argument::State => self.flow.by_input(weights, input, 0..states, out),
            Argument::Cause => self.flow.by_input(weights, input, states..inputs, out),
            Argument::Parameter => {
                out.fill(0.0);
                if self.free {
                    self.flow.by_weight(weights, input, 0, out);
                }
            }
        }
    }

    fn g_by(&self, by: Argument, at: Point<'_>, out: &mut DMatrix<f64>) {
        let ([_, weights], input) = (self.plain(at.theta), self.seen(at));
        let (states, inputs) = (self.flow.outputs(), self.output.inputs());
        match by {
            Argument::State => self.output.by_input(weights, input, 0..states, out),
            Argument::Cause if inputs > states => {
                self.output.by_input(weights, input, states..inputs, out);
            }
            Argument::Cause => out.fill(0.0),
            Argument::Parameter => {
                out.fill(0.0);
                if self.free {
                    let first = self.flow.weights().len();
                    self.output.by_weight(weights, input, first, out);
                }
            }
        }
    }
}
