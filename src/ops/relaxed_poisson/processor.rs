//! The kernel for CPUs: pieces of the tensor, spread over the threads of rayon's pool.

use burn::backend::{Backend, tensor::FloatTensor};
use rayon::prelude::*;

use super::lanes::{self, Elements, Request};
use super::{Indicator, LARGEST_LOG_RATE, Relaxation, RelaxedPoisson, transformed_rejection};
use crate::noise::{NoiseKey, uniform};
use crate::ops::host::{Values, tensor, values};
use crate::ops::scalar;

/// Elements that one task of the pool takes: large enough to hide its cost, small enough to balance.
const TASK: usize = 4096;

fn sample_f32(u: &[f32], request: Request) -> (Vec<f32>, Vec<f32>) {
    let mut z = vec![0f32; u.len()];
    let mut slope = vec![0f32; if request.slope { u.len() } else { 0 }];
    if request.slope {
        z.par_chunks_mut(TASK)
            .zip(slope.par_chunks_mut(TASK))
            .zip(u.par_chunks(TASK))
            .enumerate()
            .for_each(|(task, ((z, slope), u))| {
                sample_task(Elements::row(u, z, slope, (task * TASK) as u32), request);
            });
    } else {
        z.par_chunks_mut(TASK)
            .zip(u.par_chunks(TASK))
            .enumerate()
            .for_each(|(task, (z, u))| {
                sample_task(Elements::row(u, z, &mut [], (task * TASK) as u32), request);
            });
    }
    (z, slope)
}

/// Samples elements on this thread; they are numbered from the tensor's first.
pub(crate) fn sample_task(mut elements: Elements<'_>, request: Request) {
    elements.first = elements.first.wrapping_add(request.first);
    lanes::sample(&mut elements, request);
    for (from, number) in elements.rows() {
        let row = &elements.u[from..from + elements.width];
        // Without a branch for each, since there are hardly ever any.
        if row.iter().fold(true, |all, u| all & (*u <= request.most)) {
            continue;
        }
        let left_out = |u: &f32| u.is_nan() || *u > request.most;
        for (i, &u) in row.iter().enumerate().filter(|(_, u)| left_out(u)) {
            let drawn = if u.is_nan() {
                (f32::NAN, f32::NAN)
            } else {
                beyond(u, number.wrapping_add(i as u32), request)
            };
            elements.z[from + i] = drawn.0;
            if request.slope {
                elements.slope[from + i] = drawn.1;
            }
        }
    }
}

/// Rates too large to go through arrival by arrival.
fn beyond(log_rate: f32, element: u32, request: Request) -> (f32, f32) {
    if request.relaxation.temperature <= 0.0 {
        return (
            transformed_rejection::count(log_rate, request.key, element),
            0.0,
        );
    }
    gaussian_limit(log_rate, request.relaxation, request.key, element)
}

/// Shot noise with many pulses f((1 − t)/τ): Gaussian with Campbell's mean m and variance v (eq. I27).
///
/// ```text
/// z = m + √v·n,  dz/du = m + ½√v·n
/// ```
fn gaussian_limit(
    log_rate: f32,
    relaxation: Relaxation,
    key: NoiseKey,
    element: u32,
) -> (f32, f32) {
    let rate = scalar::exp(log_rate.min(LARGEST_LOG_RATE));
    let (mean, variance) = match relaxation.indicator {
        Indicator::Sigmoid => {
            let x = 1.0 / relaxation.temperature;
            let softplus = x + scalar::ln(1.0 + scalar::exp(-x));
            let scale = rate * relaxation.temperature;
            (scale * softplus, scale * (softplus - scalar::sigmoid(x)))
        }
        indicator => {
            let [mean, variance] = indicator.moments(f64::from(relaxation.temperature));
            (rate * mean as f32, rate * variance as f32)
        }
    };
    let deviation = variance.sqrt();
    let [a, b, ..] = key.words(element, 0);
    // Box–Muller.
    let radius = (-2.0 * scalar::ln(uniform(a))).sqrt();
    let normal = radius * (std::f32::consts::TAU * uniform(b)).cos();
    (mean + deviation * normal, mean + 0.5 * deviation * normal)
}

/// The same sum in double precision, one element at a time: for checks that need digits, not speed.
fn sample_f64(u: &[f64], request: Request) -> (Vec<f64>, Vec<f64>) {
    u.par_iter()
        .enumerate()
        .map(|(place, &u)| {
            let Request {
                key,
                first,
                relaxation,
                most,
                ..
            } = request;
            let element = first.wrapping_add(place as u32);
            if u.is_nan() {
                return (f64::NAN, f64::NAN);
            }
            if u as f32 > most {
                let (z, slope) = beyond(u as f32, element, request);
                return (f64::from(z), f64::from(slope));
            }
            let tau = f64::from(relaxation.temperature);
            let f = relaxation.indicator;
            let stop = 1.0 + f64::from(f.reach()) * tau;
            let (mut elapsed, mut z, mut slope) = (0f64, 0f64, 0f64);
            for wait in key.exponentials(element) {
                elapsed += f64::from(wait);
                let t = elapsed * (-u).exp();
                if t > stop {
                    break;
                }
                if tau <= 0.0 {
                    z += 1.0;
                } else {
                    let x = (1.0 - t) / tau;
                    z += f.value(x);
                    slope += f.slope(x) * t / tau;
                }
            }
            (z, slope)
        })
        .unzip()
}

fn sample<B: Backend>(
    log_rate: FloatTensor<B>,
    request: Request,
) -> (FloatTensor<B>, Option<FloatTensor<B>>) {
    let (u, shape, device) = values::<B>(log_rate);
    match u {
        Values::F32(u) => {
            let (z, slope) = sample_f32(&u, request);
            let slope = request
                .slope
                .then(|| tensor::<B>(slope, shape.clone(), &device));
            (tensor::<B>(z, shape, &device), slope)
        }
        Values::F64(u) => {
            let (z, slope) = sample_f64(&u, request);
            let slope = request
                .slope
                .then(|| tensor::<B>(slope, shape.clone(), &device));
            (tensor::<B>(z, shape, &device), slope)
        }
    }
}

macro_rules! on_processor {
    ($backend:ty) => {
        impl RelaxedPoisson for $backend {
            fn relaxed_poisson(
                log_rate: FloatTensor<Self>,
                relaxation: Relaxation,
                seed: u64,
                stream: u32,
                step: u32,
                first: u32,
            ) -> FloatTensor<Self> {
                let key = NoiseKey::new(seed).stream(stream).step(step);
                sample::<Self>(log_rate, Request::new(key, first, relaxation, false)).0
            }

            fn relaxed_poisson_with_slope(
                log_rate: FloatTensor<Self>,
                relaxation: Relaxation,
                seed: u64,
                stream: u32,
                step: u32,
                first: u32,
            ) -> (FloatTensor<Self>, FloatTensor<Self>) {
                let key = NoiseKey::new(seed).stream(stream).step(step);
                match sample::<Self>(log_rate, Request::new(key, first, relaxation, true)) {
                    (z, Some(slope)) => (z, slope),
                    (z, None) => (z.clone(), z), // not reached: a slope was asked for
                }
            }
        }
    };
}

#[cfg(feature = "flex")]
on_processor!(burn::backend::Flex);
#[cfg(feature = "ndarray")]
#[allow(deprecated)]
mod ndarray {
    use super::*;
    on_processor!(burn::backend::NdArray);
}
