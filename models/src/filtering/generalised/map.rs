//! A network as a burn module.

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor};
use scotopic::filtering::Result;
use scotopic::filtering::generalised::model::{Activation, Layer, Network};
use scotopic::filtering::nalgebra::DMatrix;

use crate::filtering::filter::numbers;
use crate::filtering::theta::constant;
use crate::layers::Dense;

/// f or g as a module, the same function as [`Network`]:
///
/// ```text
/// h_0 = u,   h_l = a(h_{l−1} W_l + b_l),   y = u S + h_{L−1} W_L + b_L
/// ```
///
/// with rows of a batch for columns of the formula, so that matrices are transposed.
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use scotopic::filtering::generalised::model::{Activation, Network};
/// use scotopic_models::filtering::generalised::NeuralMap;
/// let plain = Network::start(2, &[8], 3, Activation::Softplus, 1.0, 0)?;
/// let module = NeuralMap::from_network(&plain, &Device::flex());
/// assert_eq!(module.forward(Tensor::<2>::ones([5, 2], &Device::flex())).dims(), [5, 3]);
/// assert_eq!(module.to_network()?.layers().len(), 2);
/// # Ok::<(), scotopic::filtering::Error>(())
/// ```
#[derive(Module, Debug)]
pub struct NeuralMap {
    /// W_l and b_l, in order; none for a linear map.
    pub layers: Vec<Dense>,
    /// S `[inputs, outputs]`, if there is one.
    pub linear: Option<Param<Tensor<2>>>,
    /// a.
    #[module(skip)]
    pub activation: Activation,
}

impl NeuralMap {
    /// The same function on a device, in its precision.
    pub fn from_network(network: &Network, device: &Device) -> Self {
        // Rows of the plain matrix are columns here.
        let matrix = |rows: &[Vec<f64>]| {
            let (m, n) = (rows.len(), network_inputs(rows));
            Param::from_tensor(constant(&rows.concat(), [m, n], device).transpose())
        };
        let layer = |layer: &Layer| Dense {
            weight: matrix(&layer.weight),
            bias: Param::from_tensor(constant(&layer.bias, [layer.bias.len()], device)),
        };
        Self {
            layers: network.layers().iter().map(layer).collect(),
            linear: network.linear_part().map(|rows| matrix(&rows)),
            activation: network.activation(),
        }
    }

    /// The plain weights.
    ///
    /// # Errors
    /// [`Error::Entry`](scotopic::filtering::Error) for weights that are not finite; `Unsupported` where the device gives no numbers back.
    pub fn to_network(&self) -> Result<Network> {
        let rows = |weight: Tensor<2>| -> Result<Vec<Vec<f64>>> {
            let [n, _] = weight.dims();
            let all = numbers(weight.transpose())?;
            Ok(all.chunks_exact(n).map(<[f64]>::to_vec).collect())
        };
        let layers = self.layers.iter().map(|layer| {
            Ok(Layer {
                weight: rows(layer.weight.val())?,
                bias: numbers(layer.bias.val())?,
            })
        });
        let layers = layers.collect::<Result<Vec<_>>>()?;
        let linear = self.linear.as_ref().map(|s| rows(s.val())).transpose()?;
        let linear = linear.map(|rows| {
            let n = network_inputs(&rows);
            DMatrix::from_fn(rows.len(), n, |i, j| rows[i][j])
        });
        match (layers.is_empty(), linear) {
            (false, None) => Network::from_layers(&layers, self.activation),
            (false, Some(s)) => Network::from_layers(&layers, self.activation)?.with_linear(s),
            (true, s) => Network::linear(s.unwrap_or_else(|| DMatrix::zeros(0, 0))),
        }
    }

    /// y: `[batch, inputs]` → `[batch, outputs]`.
    pub fn forward(&self, u: Tensor<2>) -> Tensor<2> {
        self.with(&self.weights(), u)
    }

    /// All weights as matrices: W_1, b_1 `[1, units]`, …, and S.
    pub(super) fn weights(&self) -> Vec<Tensor<2>> {
        let layer = |layer: &Dense| [layer.weight.val(), layer.bias.val().unsqueeze::<2>()];
        let layers = self.layers.iter().flat_map(layer);
        layers.chain(self.linear.iter().map(Param::val)).collect()
    }

    /// The same function with other weights, in the order of [`NeuralMap::weights`].
    pub(super) fn with(&self, weights: &[Tensor<2>], u: Tensor<2>) -> Tensor<2> {
        let (layers, linear) = weights.split_at(2 * self.layers.len());
        let straight = linear.first().map(|s| u.clone().matmul(s.clone()));
        let mut h = u;
        let pairs = layers.chunks_exact(2);
        let last = pairs.len();
        for (l, pair) in pairs.enumerate() {
            h = h.matmul(pair[0].clone()) + pair[1].clone();
            if l + 1 < last {
                h = match self.activation {
                    Activation::Tanh => h.tanh(),
                    Activation::Softplus => burn::tensor::activation::softplus(h, 1.0),
                };
            }
        }
        match straight {
            Some(straight) if last == 0 => straight,
            Some(straight) => h + straight,
            None => h,
        }
    }

    /// The module with other weights, in the same order.
    pub(super) fn put(&mut self, weights: Vec<Tensor<2>>) {
        let mut weights = weights.into_iter();
        for layer in &mut self.layers {
            if let (Some(weight), Some(bias)) = (weights.next(), weights.next()) {
                layer.weight = Param::from_tensor(weight);
                layer.bias = Param::from_tensor(bias.flatten::<1>(0, 1));
            }
        }
        if let (Some(s), Some(found)) = (&mut self.linear, weights.next()) {
            *s = Param::from_tensor(found);
        }
    }
}

fn network_inputs(rows: &[Vec<f64>]) -> usize {
    rows.first().map_or(0, Vec::len)
}
