//! Snapshots of states as plain numbers.

use burn::tensor::Tensor;
use scotopic::filtering::{Error, Result};
use serde::{Deserialize, Serialize};

use super::ascent_state::AscentState;
use super::filter::{AmortisedFilter, numbers};
use super::model::TensorStateSpace;
use super::network::StateNetwork;
use super::pair::{BackwardKernel, Pair, Past};
use super::state::AmortisedState;
use super::theta::constant;

/// An [`AmortisedState`] as numbers. A filter of the same model and settings continues from it with the same numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AmortisedSnapshot {
    time: u64,
    elbo: f64,
    increment: f64,
    mean: Vec<f64>,
    variance: Vec<f64>,
    #[serde(rename = "climb")]
    ascent: AscentState,
    past: Option<Written>,
}

/// A [`Past`] as numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    /// μ and σ.
    belief: Vec<Array>,
    /// B, s and the layers.
    value: Vec<Array>,
    score: Option<Vec<Array>>,
    /// μ_{t−1} and σ_{t−1}, the coordinates of x_t, the parameters.
    kernel: Option<Vec<Array>>,
}

/// A matrix row by row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Array {
    shape: [usize; 2],
    values: Vec<f64>,
}

impl AmortisedState {
    /// The state as numbers.
    ///
    /// # Errors
    /// [`Error::Unsupported`] where the device does not give numbers back.
    pub fn snapshot(&self) -> Result<AmortisedSnapshot> {
        let past = match &self.past {
            None => None,
            Some(past) => Some(Written {
                belief: write([&past.mean, &past.deviation])?,
                value: write_network(&past.value)?,
                score: past.score.as_ref().map(write_network).transpose()?,
                kernel: past.kernel.as_ref().map(write_kernel).transpose()?,
            }),
        };
        Ok(AmortisedSnapshot {
            time: self.time,
            elbo: self.elbo,
            increment: self.increment,
            mean: self.mean.clone(),
            variance: self.variance.clone(),
            ascent: self.ascent.clone(),
            past,
        })
    }
}

impl<M: TensorStateSpace> AmortisedFilter<M> {
    /// The state of a snapshot, on the device of this filter.
    ///
    /// # Errors
    /// [`Error::Size`] for arrays of another model or other settings, [`Error::Entry`] for one that is not finite.
    pub fn restore(&self, snapshot: &AmortisedSnapshot) -> Result<AmortisedState> {
        let (n, p) = (self.model().dim(), self.model().parameters().len());
        let ascent = &snapshot.ascent;
        for (name, values, length) in [
            ("mean", &snapshot.mean, n),
            ("variance", &snapshot.variance, n),
            ("theta", &ascent.theta, p),
            ("gradient", &ascent.gradient, p),
            ("score", &ascent.score, p),
            ("first", &ascent.first, p),
            ("second", &ascent.second, p),
        ] {
            check(name, values, [1, length], [1, values.len()])?;
        }
        check("elbo", &[snapshot.elbo, snapshot.increment], [1, 2], [1, 2])?;
        let past = match &snapshot.past {
            None => None,
            Some(written) => Some(self.read(written, p)?),
        };
        if past.is_none() != (snapshot.time == 0) {
            return Err(size(
                "past",
                "of another time",
                "one after each observation",
            ));
        }
        Ok(AmortisedState {
            time: snapshot.time,
            elbo: snapshot.elbo,
            increment: snapshot.increment,
            mean: snapshot.mean.clone(),
            variance: snapshot.variance.clone(),
            past,
            ascent: ascent.clone(),
        })
    }

    fn read(&self, written: &Written, p: usize) -> Result<Past> {
        let (n, settings) = (self.model().dim(), self.settings());
        let row = [1, n];
        let layers = |hidden: usize, d: usize| match hidden {
            0 => Vec::new(),
            h => vec![[n, h], [1, h], [h, d], [1, d]],
        };
        let network = |name: &str, arrays: &[Array], d: usize| {
            let fixed = vec![[settings.features(n), d], [1, d]];
            let shapes = [fixed, layers(settings.network_hidden, d)].concat();
            let mut read = self.arrays(name, arrays, &shapes)?.into_iter();
            match (read.next(), read.next()) {
                (Some(readout), Some(size)) => Ok(StateNetwork {
                    readout,
                    size,
                    layers: read.collect(),
                    products: settings.network_products,
                }),
                _ => Err(size(name, arrays.len(), "at least 2 arrays")),
            }
        };
        if written.score.is_some() != settings.scores() {
            return Err(size(
                "score",
                "of other settings",
                "a score where it is carried",
            ));
        }
        let score = match &written.score {
            None => None,
            Some(arrays) => Some(network("score", arrays, p)?),
        };
        let kernel = match &written.kernel {
            None => None,
            Some(arrays) => {
                let fixed = vec![row, row, row, row, row, row, [n, n], row, row];
                let shapes = [fixed, layers(settings.kernel_hidden, n)].concat();
                let mut read = self.arrays("kernel", arrays, &shapes)?.into_iter();
                match (read.next(), read.next(), read.next(), read.next()) {
                    (Some(mean), Some(deviation), Some(centre), Some(scale)) => {
                        let parameters = read.collect();
                        let pair = Pair {
                            centre,
                            scale,
                            parameters,
                        };
                        Some(BackwardKernel {
                            pair,
                            mean,
                            deviation,
                        })
                    }
                    _ => return Err(size("kernel", arrays.len(), "at least 9 arrays")),
                }
            }
        };
        match self
            .arrays("belief", &written.belief, &[row, row])?
            .as_slice()
        {
            [mean, deviation] => Ok(Past {
                mean: mean.clone(),
                deviation: deviation.clone(),
                value: network("value", &written.value, n)?,
                score,
                kernel,
            }),
            _ => Err(size("belief", written.belief.len(), "2 arrays")),
        }
    }

    fn arrays(
        &self,
        name: &str,
        arrays: &[Array],
        shapes: &[[usize; 2]],
    ) -> Result<Vec<Tensor<2>>> {
        if arrays.len() != shapes.len() {
            let expected = format!("{} arrays, with these settings", shapes.len());
            return Err(size(name, arrays.len(), expected));
        }
        let read = |(array, &shape): (&Array, &[usize; 2])| {
            check(name, &array.values, shape, array.shape)?;
            Ok(constant(&array.values, shape, &self.device))
        };
        arrays.iter().zip(shapes).map(read).collect()
    }
}

fn write<'a>(tensors: impl IntoIterator<Item = &'a Tensor<2>>) -> Result<Vec<Array>> {
    let array = |t: &Tensor<2>| {
        Ok(Array {
            shape: t.dims(),
            values: numbers(t.clone())?,
        })
    };
    tensors.into_iter().map(array).collect()
}

fn write_network(network: &StateNetwork) -> Result<Vec<Array>> {
    let fixed = [&network.readout, &network.size];
    write(fixed.into_iter().chain(&network.layers))
}

fn write_kernel(kernel: &BackwardKernel) -> Result<Vec<Array>> {
    let pair = &kernel.pair;
    let coordinates = [&kernel.mean, &kernel.deviation, &pair.centre, &pair.scale];
    write(coordinates.into_iter().chain(&pair.parameters))
}

fn check(name: &str, values: &[f64], expected: [usize; 2], found: [usize; 2]) -> Result<()> {
    if found != expected || values.len() != expected[0] * expected[1] {
        let found = format!("{found:?}, {} numbers", values.len());
        return Err(size(
            name,
            found,
            format!("{expected:?}, of this model and settings"),
        ));
    }
    match values.iter().position(|v| !v.is_finite()) {
        None => Ok(()),
        Some(at) => Err(Error::Entry {
            name: name.to_string(),
            at: vec![at / found[1], at % found[1]],
            found: values[at].to_string(),
            expected: "a finite number".to_string(),
        }),
    }
}

fn size(name: &str, found: impl ToString, expected: impl ToString) -> Error {
    Error::Size {
        name: name.to_string(),
        found: found.to_string(),
        expected: expected.to_string(),
    }
}
