//! Networks in files: matrices in rows, or sizes of hidden layers.

use nalgebra::DMatrix;
use serde::{Deserialize, Serialize};

use super::super::{Activation, Layer};
use super::{Equations, Network, Neural};
use crate::{Error, Result};

/// What is read of [`Neural`] before it is known to fit together.
///
/// ```toml
/// kind = "neural"
/// states = 2
/// flow = { hidden = [16], spread = 2.0 }      # a network that starts as 0
/// output = { linear = [[1.0, 0.0]] }          # left out: every state is seen
/// ```
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NeuralFile {
    states: usize,
    #[serde(default)]
    causes: usize,
    #[serde(default, skip_serializing_if = "is_false")]
    weights_are_parameters: bool,
    flow: NetworkFile,
    #[serde(default)]
    output: Option<NetworkFile>,
}

/// A network: its layers, or `hidden` for one that starts as 0; a linear part if it is given.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct NetworkFile {
    activation: Activation,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    hidden: Vec<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    spread: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seed: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    outputs: Option<usize>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    linear: Vec<Vec<f64>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    layers: Vec<Layer>,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // as serde calls it
fn is_false(value: &bool) -> bool {
    !value
}

/// The most states and causes of a file: beyond, the covariance of a belief does not fit into memory.
const MOST: usize = 10_000;

impl NetworkFile {
    /// The network of `inputs`, and of `outputs` where these are known.
    fn build(&self, name: &str, inputs: usize, outputs: Option<usize>) -> Result<Network> {
        let given = self.linear.first().map(|_| self.linear.len());
        let last = self.layers.last().map(|layer| layer.bias.len());
        let outputs = outputs.or(self.outputs).or(given).or(last);
        let Some(outputs) = outputs else {
            let expected = "`layers`, `linear`, or `hidden` and `outputs`";
            return Err(Error::size(
                name,
                "nothing that says how many outputs",
                expected,
            ));
        };
        if !self.hidden.is_empty() && !self.layers.is_empty() {
            let expected = "one of them: `hidden` starts a network, `layers` are one";
            return Err(Error::size(name, "both `hidden` and `layers`", expected));
        }
        // Sizes come from a file: none may ask for more memory than a network of this kind can need.
        for (what, size) in self
            .hidden
            .iter()
            .map(|h| ("hidden", *h))
            .chain([("outputs", outputs)])
        {
            if size > MOST {
                let expected = format!("at most {MOST}");
                return Err(Error::size(format!("{name}: {what}"), size, expected));
            }
        }
        let network = if !self.layers.is_empty() {
            Network::from_layers(&self.layers, self.activation)?
        } else if !self.hidden.is_empty() {
            let (spread, seed) = (self.spread.unwrap_or(1.0), self.seed.unwrap_or(0));
            Network::start(inputs, &self.hidden, outputs, self.activation, spread, seed)?
        } else {
            Network::linear(DMatrix::zeros(outputs, inputs))?
        };
        let network = match self.linear.iter().find(|row| row.len() != inputs) {
            Some(row) => {
                return Err(Error::size(
                    format!("{name}.linear: a row"),
                    row.len(),
                    inputs,
                ));
            }
            None if self.linear.is_empty() => network,
            None => {
                let (rows, linear) = (self.linear.len(), &self.linear);
                network.with_linear(DMatrix::from_fn(rows, inputs, |i, j| linear[i][j]))?
            }
        };
        for (end, found, expected) in [
            ("inputs", network.inputs(), inputs),
            ("outputs", network.outputs(), outputs),
        ] {
            if found != expected {
                return Err(Error::size(format!("{name}: {end}"), found, expected));
            }
        }
        Ok(network)
    }

    fn of(network: &Network) -> Self {
        Self {
            activation: network.activation(),
            linear: network.linear_part().unwrap_or_default(),
            layers: network.layers(),
            ..Self::default()
        }
    }
}

impl TryFrom<NeuralFile> for Neural {
    type Error = Error;

    fn try_from(file: NeuralFile) -> Result<Self> {
        for (name, size, least) in [("states", file.states, 1), ("causes", file.causes, 0)] {
            if !(least..=MOST).contains(&size) {
                return Err(Error::size(name, size, format!("from {least} to {MOST}")));
            }
        }
        let (states, both) = (file.states, file.states + file.causes);
        let flow = file.flow.build("flow", both, Some(states))?;
        let output = match &file.output {
            None => Network::linear(DMatrix::identity(states, states))?,
            Some(output) => {
                // What a matrix says of the causes is said by its width.
                let wide = |row: &Vec<f64>| row.len() == both;
                let first = output.layers.first().and_then(|layer| layer.weight.first());
                let sees = output.linear.first().or(first).is_some_and(wide);
                output.build("output", if sees { both } else { states }, None)?
            }
        };
        let new = Self::new(flow, output)?;
        Ok(match file.weights_are_parameters {
            true => new.with_free_weights(),
            false => new,
        })
    }
}

impl From<Neural> for NeuralFile {
    fn from(neural: Neural) -> Self {
        let sizes = neural.sizes();
        Self {
            states: sizes.states,
            causes: sizes.causes,
            weights_are_parameters: neural.free,
            flow: NetworkFile::of(&neural.flow),
            output: Some(NetworkFile::of(&neural.output)),
        }
    }
}
