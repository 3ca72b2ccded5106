//! q = ∏_t Pois(e^{u_t}): the bound in closed form, its optimum frame by frame, its gradient (eqs. T9–T12).

use super::SpikingPopulation;
use crate::{Error, Result};

/// Where the filter ends a frame: the natural gradient is below this in every neuron, in nats per spike.
const CONVERGED: f64 = 1e-11;
/// Steps of a frame; each lowers F. A frame takes ten to thirty.
const MOST_STEPS: usize = 2000;

/// The film's beliefs and bound.
#[derive(Debug, Clone, PartialEq)]
pub struct Frozen {
    /// u_t, `[T][K]`.
    pub log_rates: Vec<Vec<f64>>,
    /// −Σ_t F_t ≤ ln p(x_1 … x_T), in nats.
    pub bound: f64,
}

/// What the transition says of frame t under q_{t−1} (eq. T9), `[K]` each.
#[derive(Debug, Clone, PartialEq)]
pub struct Predicted {
    /// ā = E a.
    pub mean: Vec<f64>,
    /// E e^a.
    pub rate: Vec<f64>,
}

/// The prediction from the belief of the frame before, log-rates `[K]`; of the first frame where there is none.
pub fn predict(model: &SpikingPopulation, before: Option<&[f64]>) -> Predicted {
    let Some(before) = before else {
        return Predicted {
            mean: model.first.clone(),
            rate: model.first.iter().map(|a| a.exp()).collect(),
        };
    };
    let rates: Vec<f64> = before.iter().map(|u| u.exp()).collect();
    let drives: Vec<f64> = rates.iter().map(|&r| model.drive.mean(r)).collect();
    let rate = |(k, bias): (usize, &f64)| {
        let moments = model.row(k).iter().zip(&rates);
        let sum: f64 = moments.map(|(&w, &r)| model.drive.log_moment(r, w)).sum();
        (bias + sum).exp()
    };
    Predicted {
        mean: model.driven(&drives),
        rate: model.bias.iter().enumerate().map(rate).collect(),
    }
}

/// F_t of the belief `log_rates` (eq. T10), in nats.
pub fn free_energy(
    model: &SpikingPopulation,
    frame: &[f64],
    log_rates: &[f64],
    predicted: &Predicted,
) -> f64 {
    let rates: Vec<f64> = log_rates.iter().map(|u| u.exp()).collect();
    let mut f = -model.log_likelihood(frame, &model.decoded(&rates));
    for (k, h) in model.curvature().iter().enumerate() {
        f += rates[k] * (log_rates[k] - predicted.mean[k]) - rates[k] + predicted.rate[k];
        f += 0.5 * h * rates[k];
    }
    f
}

/// The natural gradient u − ā + g of F_t (eq. T11), `[K]`.
pub fn natural_gradient(
    model: &SpikingPopulation,
    frame: &[f64],
    log_rates: &[f64],
    predicted: &Predicted,
) -> Vec<f64> {
    let rates: Vec<f64> = log_rates.iter().map(|u| u.exp()).collect();
    let mean = model.decoded(&rates);
    let mut out = model.curvature();
    for (k, out) in out.iter_mut().enumerate() {
        let column = model.atoms.iter().skip(k).step_by(model.neurons());
        let pulled_back: f64 = column
            .zip(frame.iter().zip(&mean))
            .zip(&model.sigma)
            .map(|((atom, (x, mean)), sigma)| atom * (x - mean) / (sigma * sigma))
            .sum();
        *out = 0.5 * *out - pulled_back + log_rates[k] - predicted.mean[k];
    }
    out
}

/// The filter: each frame's best belief given that of the frame before, by natural-gradient steps from the prediction.
///
/// # Errors
/// If the film does not fit the model, or a rate leaves the range of numbers.
pub fn filter(model: &SpikingPopulation, film: &[Vec<f64>]) -> Result<Frozen> {
    model.check_film(film)?;
    let mut seen = Frozen {
        log_rates: Vec::with_capacity(film.len()),
        bound: 0.0,
    };
    for (t, frame) in film.iter().enumerate() {
        let predicted = predict(model, seen.log_rates.last().map(Vec::as_slice));
        let mut u = predicted.mean.clone();
        let mut f = free_energy(model, frame, &u, &predicted);
        let mut size = 1.0;
        for _ in 0..MOST_STEPS {
            let gradient = natural_gradient(model, frame, &u, &predicted);
            if gradient.iter().all(|g| g.abs() < CONVERGED) {
                break;
            }
            let next: Vec<f64> = u.iter().zip(&gradient).map(|(u, g)| u - size * g).collect();
            let there = free_energy(model, frame, &next, &predicted);
            // A step within rounding of F is still a step towards the zero of the gradient.
            if there <= f + 1e-13 * f.abs() {
                (u, f) = (next, there);
                size = (size * 1.3).min(1.0);
            } else {
                size *= 0.5;
                if size < 1e-12 {
                    break;
                }
            }
        }
        if !f.is_finite() {
            return Err(Error::not_finite(t as u64, "the free energy", f));
        }
        seen.bound -= f;
        seen.log_rates.push(u);
    }
    Ok(seen)
}

/// −Σ_t F_t of given beliefs `[T][K]`.
pub fn bound(model: &SpikingPopulation, film: &[Vec<f64>], log_rates: &[Vec<f64>]) -> f64 {
    let of = |(t, frame): (usize, &Vec<f64>)| {
        let before = t.checked_sub(1).map(|t| log_rates[t].as_slice());
        -free_energy(model, frame, &log_rates[t], &predict(model, before))
    };
    film.iter().enumerate().map(of).sum()
}

/// The gradient of the bound with respect to W and b at fixed beliefs, summed frame by frame in constant memory (eq. T12).
#[derive(Debug, Clone, PartialEq)]
pub struct OnlineGradient {
    /// ∂/∂W, `[K, K]`.
    pub weights: Vec<f64>,
    /// ∂/∂b, `[K]`.
    pub bias: Vec<f64>,
}

impl OnlineGradient {
    /// Nothing seen yet.
    pub fn new(model: &SpikingPopulation) -> Self {
        Self {
            weights: vec![0.0; model.weights.len()],
            bias: vec![0.0; model.bias.len()],
        }
    }

    /// Adds what one frame adds: the belief before it and the belief after it, `[K]`.
    pub fn add(&mut self, model: &SpikingPopulation, before: &[f64], after: &[f64]) {
        let n = model.neurons();
        let predicted = predict(model, Some(before));
        for (k, (u, &expected)) in after.iter().zip(&predicted.rate).enumerate() {
            let rate = u.exp();
            self.bias[k] += rate - expected;
            for (j, u) in before.iter().enumerate() {
                let (from, w) = (u.exp(), model.weights[k * n + j]);
                self.weights[k * n + j] += rate * model.drive.mean(from)
                    - expected * model.drive.log_moment_slope(from, w);
            }
        }
    }
}
