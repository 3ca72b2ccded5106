//! A feed-forward network as plain weights.

mod sweep;

use nalgebra::DMatrix;
use rand::{SeedableRng, rngs::Xoshiro256PlusPlus};
use rand_distr::{Distribution, StandardNormal};
use serde::{Deserialize, Serialize};

use super::Number;
use super::equations::with_zeros;
use crate::{Error, Result};

/// What a hidden unit does to its input; smooth, because filters differentiate twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    /// tanh a
    #[default]
    Tanh,
    /// ln(1 + e^a)
    Softplus,
}

impl Activation {
    fn of<T: Number>(self, a: T) -> T {
        let one = T::constant(1.0);
        match self {
            Activation::Tanh => a.tanh(),
            // The exponent is never positive, so that nothing overflows.
            Activation::Softplus if a.value() > 0.0 => a + (one + (-a).exp()).ln(),
            Activation::Softplus => (one + a.exp()).ln(),
        }
    }

    /// The derivative at an input whose value is `value`.
    fn slope(self, value: f64) -> f64 {
        match self {
            Activation::Tanh => 1.0 - value * value,
            // e^{−ln(1 + e^a)} = 1 − the logistic function.
            Activation::Softplus => 1.0 - libm::exp(-value),
        }
    }
}

/// One layer, W h + b.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Layer {
    /// W, `[outputs][inputs]`.
    pub weight: Vec<Vec<f64>>,
    /// b, `[outputs]`.
    pub bias: Vec<f64>,
}

/// A feed-forward network with a linear part beside it,
///
/// ```text
/// h_0 = u,   h_l = a(W_l h_{l−1} + b_l),   y = S u + W_L h_{L−1} + b_L.
/// ```
///
/// Either part may be missing: without layers it is the linear map S u, without S the network alone. The
/// weights stand in one row, W_1 row by row, b_1, …, b_L, S row by row.
///
/// Up to two layers of 64 hidden units are evaluated and differentiated without allocating.
///
/// ```
/// use scotopic_filtering::generalised::model::{Activation, Network};
/// use scotopic_filtering::nalgebra::DMatrix;
/// # fn main() -> scotopic_filtering::Result<()> {
/// let decay = DMatrix::identity(2, 2) * -0.1;
/// let network = Network::start(2, &[8], 2, Activation::Tanh, 1.0, 7)?.with_linear(decay)?;
/// // It starts as its linear part, whatever the first layer is.
/// assert_eq!(network.of(&[1.0, -2.0])?, [-0.1, 0.2]);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Network {
    inputs: usize,
    outputs: usize,
    /// The outputs of every layer; the last are those of the network.
    widths: Vec<usize>,
    activation: Activation,
    linear: bool,
    weights: Vec<f64>,
}

/// Where weights are read from: the network itself, or parameters.
#[derive(Debug, Clone, Copy)]
pub(super) enum Weights<'a, T> {
    Fixed(&'a [f64]),
    Free(&'a [T]),
}

impl<T: Number> Weights<'_, T> {
    fn at(self, index: usize) -> T {
        match self {
            Weights::Fixed(all) => T::constant(all[index]),
            Weights::Free(all) => all[index],
        }
    }

    /// Σ_j w_{first + j} u_j
    fn dot<'a>(self, first: usize, u: impl Iterator<Item = &'a T>) -> T
    where
        T: 'a,
    {
        let mut sum = T::constant(0.0);
        match self {
            Weights::Fixed(all) => {
                for (&w, &u) in all[first..].iter().zip(u) {
                    sum += u.scaled(w);
                }
            }
            Weights::Free(all) => {
                for (&w, &u) in all[first..].iter().zip(u) {
                    sum += w * u;
                }
            }
        }
        sum
    }
}

/// Hidden values up to which nothing is allocated; see `sweep.rs`.
const ON_STACK: usize = 256;

impl Network {
    /// The linear map S u, S `[outputs, inputs]`.
    ///
    /// # Errors
    /// [`Error::Size`] for a matrix without entries; [`Error::Entry`] for one that is not finite.
    pub fn linear(s: DMatrix<f64>) -> Result<Self> {
        Self::build(s.ncols(), s.nrows(), &[], Activation::Tanh)?.with_linear(s)
    }

    /// A network of `layers` alone.
    ///
    /// # Errors
    /// [`Error::Size`] for layers that do not fit each other; [`Error::Entry`] for a weight that is not finite.
    pub fn from_layers(layers: &[Layer], activation: Activation) -> Result<Self> {
        let first = layers.first().and_then(|layer| layer.weight.first());
        let inputs = first.map_or(0, Vec::len);
        let widths: Vec<usize> = layers.iter().map(|layer| layer.bias.len()).collect();
        let outputs = widths.last().copied().unwrap_or(0);
        let mut new = Self::build(inputs, outputs, &widths, activation)?;
        let (mut below, mut weights) = (inputs, Vec::with_capacity(new.weights.len()));
        for (l, layer) in layers.iter().enumerate() {
            let rows = layer.weight.len();
            if rows != layer.bias.len() {
                let name = format!("layers[{l}].weight: rows");
                return Err(Error::size(name, rows, layer.bias.len()));
            }
            if let Some(row) = layer.weight.iter().find(|row| row.len() != below) {
                let name = format!("layers[{l}].weight: a row");
                return Err(Error::size(name, row.len(), below));
            }
            weights.extend(layer.weight.iter().flatten().chain(&layer.bias));
            below = rows;
        }
        new.weights = weights;
        new.check()?;
        Ok(new)
    }

    /// A network of `hidden` layers that starts as the function 0: weights of the first layer normal with
    /// deviation 1/(√inputs · `spread`), those between 1/√(units below), biases of hidden units normal, the
    /// last layer 0. `spread` is the size of typical inputs, so that units bend where these are.
    ///
    /// # Errors
    /// [`Error::Size`] for a layer without units; [`Error::Setting`] for a spread that is not positive.
    pub fn start(
        inputs: usize,
        hidden: &[usize],
        outputs: usize,
        activation: Activation,
        spread: f64,
        seed: u64,
    ) -> Result<Self> {
        if !(spread > 0.0 && spread.is_finite()) {
            return Err(Error::setting("spread", spread, "a positive finite number"));
        }
        let widths: Vec<usize> = hidden.iter().copied().chain([outputs]).collect();
        let mut new = Self::build(inputs, outputs, &widths, activation)?;
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
        let mut normal = || -> f64 { StandardNormal.sample(&mut rng) };
        let (mut at, mut below) = (0, inputs);
        for (l, &width) in hidden.iter().enumerate() {
            let scale = if l == 0 { spread } else { 1.0 };
            let deviation = 1.0 / (scale * libm::sqrt(below as f64));
            let (weight, bias) = (below * width, width);
            let place = &mut new.weights[at..at + weight + bias];
            for (k, w) in place.iter_mut().enumerate() {
                *w = normal() * if k < weight { deviation } else { 1.0 };
            }
            at += weight + bias;
            below = width;
        }
        Ok(new)
    }

    /// The same with the linear part S `[outputs, inputs]`.
    ///
    /// # Errors
    /// [`Error::Size`] if it does not fit; [`Error::Entry`] for an entry that is not finite.
    pub fn with_linear(mut self, s: DMatrix<f64>) -> Result<Self> {
        for (name, found, expected) in [
            ("linear: rows", s.nrows(), self.outputs),
            ("linear: columns", s.ncols(), self.inputs),
        ] {
            if found != expected {
                return Err(Error::size(name, found, expected));
            }
        }
        self.weights.truncate(self.linear_at());
        for row in s.row_iter() {
            self.weights.extend(row.iter());
        }
        self.linear = true;
        self.check()?;
        Ok(self)
    }

    /// The same with other weights, all of them in one row.
    ///
    /// # Errors
    /// [`Error::Size`] or [`Error::Entry`].
    pub fn with_weights(mut self, weights: &[f64]) -> Result<Self> {
        if weights.len() != self.weights.len() {
            return Err(Error::size("weights", weights.len(), self.weights.len()));
        }
        self.weights.copy_from_slice(weights);
        self.check()?;
        Ok(self)
    }

    fn build(
        inputs: usize,
        outputs: usize,
        widths: &[usize],
        activation: Activation,
    ) -> Result<Self> {
        for (name, found) in [("inputs", inputs), ("outputs", outputs)] {
            if found == 0 {
                return Err(Error::size(format!("network: {name}"), 0, "at least 1"));
            }
        }
        if let Some(l) = widths.iter().position(|&width| width == 0) {
            return Err(Error::size(format!("layers[{l}]: units"), 0, "at least 1"));
        }
        let mut new = Self {
            inputs,
            outputs,
            widths: widths.to_vec(),
            activation,
            linear: false,
            weights: Vec::new(),
        };
        new.weights = vec![0.0; new.linear_at()];
        Ok(new)
    }

    fn check(&self) -> Result<()> {
        match self.weights.iter().position(|w| !w.is_finite()) {
            None => Ok(()),
            Some(at) => {
                let found = self.weights[at];
                Err(Error::entry("weights", &[at], found, "a finite number"))
            }
        }
    }

    /// The entries of u.
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// The entries of y.
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// The activation of hidden units.
    pub fn activation(&self) -> Activation {
        self.activation
    }

    /// All weights in one row.
    pub fn weights(&self) -> &[f64] {
        &self.weights
    }

    /// The layers; none for a linear map.
    pub fn layers(&self) -> Vec<Layer> {
        let (mut at, mut below) = (0, self.inputs);
        let layer = |&width: &usize| {
            let bias = at + below * width;
            let weight = self.weights[at..bias].chunks_exact(below);
            let layer = Layer {
                weight: weight.map(<[f64]>::to_vec).collect(),
                bias: self.weights[bias..bias + width].to_vec(),
            };
            (at, below) = (bias + width, width);
            layer
        };
        self.widths.iter().map(layer).collect()
    }

    /// S `[outputs][inputs]`, if there is one.
    pub fn linear_part(&self) -> Option<Vec<Vec<f64>>> {
        let rows = self.weights[self.linear_at()..].chunks_exact(self.inputs);
        self.linear.then(|| rows.map(<[f64]>::to_vec).collect())
    }

    /// Whether y is linear (not merely affine) in u for any weights.
    pub fn is_linear(&self) -> bool {
        self.widths.is_empty()
    }

    /// y `[outputs]` at u `[inputs]`.
    ///
    /// # Errors
    /// [`Error::Size`] for an input of another length.
    pub fn of(&self, u: &[f64]) -> Result<Vec<f64>> {
        if u.len() != self.inputs {
            return Err(Error::size("input", u.len(), self.inputs));
        }
        let mut out = vec![0.0; self.outputs];
        self.write(u, &mut out);
        Ok(out)
    }

    /// y into `out` `[outputs]` at u `[inputs]`, without allocating. Entries that are missing from u count as 0.
    pub fn write(&self, u: &[f64], out: &mut [f64]) {
        self.evaluate(Weights::Fixed(&self.weights), [u, &[]], out);
    }

    /// Where S begins among the weights.
    fn linear_at(&self) -> usize {
        let below = std::iter::once(&self.inputs).chain(&self.widths);
        let sizes = below.zip(&self.widths).map(|(&n, &m)| (n + 1) * m);
        sizes.sum()
    }

    /// The units of the widest layer.
    fn widest(&self) -> usize {
        self.widths.iter().copied().max().unwrap_or(0)
    }

    /// y at u = (`input[0]`, `input[1]`).
    pub(super) fn evaluate<T: Number>(
        &self,
        weights: Weights<'_, T>,
        input: [&[T]; 2],
        out: &mut [T],
    ) {
        let u = || input[0].iter().chain(input[1]);
        match self.linear {
            true => {
                let first = self.linear_at();
                for (i, o) in out.iter_mut().enumerate() {
                    *o = weights.dot(first + i * self.inputs, u());
                }
            }
            false => out.fill(T::constant(0.0)),
        }
        let widest = self.widest();
        with_zeros::<ON_STACK, T, ()>(2 * widest, |all| {
            let (mut below, mut above) = all.split_at_mut(widest);
            let (mut at, mut size) = (0, self.inputs);
            for (l, &width) in self.widths.iter().enumerate() {
                let last = l + 1 == self.widths.len();
                let bias = at + size * width;
                for i in 0..width {
                    let row = at + i * size;
                    let product = match l {
                        0 => weights.dot(row, u()),
                        _ => weights.dot(row, below[..size].iter()),
                    };
                    let sum = product + weights.at(bias + i);
                    match last {
                        true => out[i] += sum,
                        false => above[i] = self.activation.of(sum),
                    }
                }
                std::mem::swap(&mut below, &mut above);
                (at, size) = (bias + width, width);
            }
        });
    }
}
