//! The GPU kernel, in CubeCL: one thread per element, the same arithmetic as the CPU's lanes.

use burn::backend::{cubecl::dtype_to_storage_type, tensor::FloatTensor};
use burn_cubecl::{
    CubeBackend, kernel::into_contiguous, ops::numeric::empty_device_contiguous_dtype,
    tensor::CubeTensor,
};
use cubecl::{calculate_cube_count_elemwise, prelude::*};

use super::{Indicator, LARGEST_LOG_RATE, Relaxation, RelaxedPoisson};
use crate::ops::cube_numbers::{exp_of, ln_of, philox4x32, uniform};

/// Groups of four words after which a loop gives up; [`super::GAUSSIAN_ABOVE`] keeps sums far below it.
const MOST_GROUPS: u32 = 1 << 14;

const PI: f32 = std::f32::consts::PI;
/// π/4.
const QUARTER: f32 = std::f32::consts::FRAC_PI_4;

/// Kinds of arrivals: counts, and the indicators.
const COUNT: u32 = 0;
const SIGMOID: u32 = 1;
const LINEAR: u32 = 2;
const CUBIC: u32 = 3;
const QUINTIC: u32 = 4;
const COSINE: u32 = 5;

/// The kind of arrivals of a relaxation, which a kernel is compiled for.
pub(crate) fn kind(relaxation: Relaxation) -> u32 {
    if relaxation.temperature <= 0.0 {
        return COUNT;
    }
    match relaxation.indicator {
        Indicator::Sigmoid => SIGMOID,
        Indicator::Linear => LINEAR,
        Indicator::Cubic => CUBIC,
        Indicator::Quintic => QUINTIC,
        Indicator::Cosine => COSINE,
    }
}

#[derive(CubeType)]
struct Sum {
    elapsed: f32,
    z: f32,
    slope: f32,
    running: bool,
}

#[cube]
fn arrival(
    sum: &mut Sum,
    word: u32,
    mean_wait: f32,
    inverse_temperature: f32,
    stop: f32,
    #[comptime] kind: u32,
) {
    sum.elapsed -= ln_of(uniform(word));
    let t = sum.elapsed * mean_wait;
    if sum.running && t <= stop {
        if comptime!(kind == COUNT) {
            sum.z += 1.0f32;
        } else if comptime!(kind == SIGMOID) {
            let p = 1.0f32 / (1.0f32 + exp_of((t - 1.0f32) * inverse_temperature));
            sum.z += p;
            sum.slope += p * (1.0f32 - p) * t * inverse_temperature;
        } else {
            let half = 0.5f32 * ((1.0f32 - t) * inverse_temperature) + 0.5f32;
            let u = max(min(half, 1.0f32), 0.0f32);
            let rest = 1.0f32 - u;
            let scale = t * inverse_temperature;
            if comptime!(kind == LINEAR) {
                sum.z += u;
                sum.slope += select(u * rest > 0.0f32, 0.5f32, 0.0f32) * scale;
            } else if comptime!(kind == CUBIC) {
                sum.z += u * u * (3.0f32 - 2.0f32 * u);
                sum.slope += 3.0f32 * u * rest * scale;
            } else if comptime!(kind == QUINTIC) {
                let both = u * rest;
                sum.z += u * u * u * (10.0f32 - u * (15.0f32 - 6.0f32 * u));
                sum.slope += 15.0f32 * both * both * scale;
            } else {
                // cos πu = −sin π(u − ½), whose argument stays where drivers are exact.
                let y = PI * (u - 0.5f32);
                sum.z += 0.5f32 + 0.5f32 * f32::sin(y);
                sum.slope += QUARTER * f32::cos(y) * scale;
            }
        }
    } else {
        sum.running = false;
    }
}

#[cube]
fn log_pmf(k: f32, rate: f32, excess: f32) -> f32 {
    let x = excess / rate;
    let y = -x;
    let series = 0.5f32
        + y * (0.166_666_67f32
            + y * (0.083_333_336f32
                + y * (0.05f32 + y * (0.033_333_335f32 + y * 0.023_809_524f32))));
    // The closed form is evaluated at x > −1 only: k ≥ 2 where it is used.
    let closed = (1.0f32 + x) * ln_of(max(1.0f32 + x, 1.0e-30f32)) - x;
    let phi = select(f32::abs(x) < 0.1f32, x * x * series, closed);
    let inverse = 1.0f32 / max(k, 1.0f32);
    let square = inverse * inverse;
    let stirling =
        inverse * (0.083_333_336f32 - square * (0.002_777_777_8f32 - square * 7.936_508e-4f32));
    let saddle = -0.5f32 * ln_of(6.283_185_5f32 * max(k, 1.0f32)) - stirling - rate * phi;
    let one = ln_of(rate) - rate;
    select(k < 1.0f32, -rate, select(k < 2.0f32, one, saddle))
}

#[derive(CubeType)]
struct Trial {
    k: f32,
    done: bool,
}

#[cube]
fn try_once(trial: &mut Trial, word_u: u32, word_v: u32, rate: f32) {
    if !trial.done {
        let whole = f32::floor(rate);
        let fraction = rate - whole;
        let b = 0.931f32 + 2.53f32 * f32::sqrt(rate);
        let a = -0.059f32 + 0.024_83f32 * b;
        let inverse_alpha = 1.1239f32 + 1.1328f32 / (b - 3.4f32);
        let squeeze = 0.9277f32 - 3.6224f32 / (b - 2.0f32);
        let u = uniform(word_u) - 0.5f32;
        let v = uniform(word_v);
        let us = 0.5f32 - f32::abs(u);
        let offset = f32::floor((2.0f32 * a / us + b) * u + fraction + 0.43f32);
        let k = whole + offset;
        let easy = us >= 0.07f32 && v <= squeeze;
        let hopeless = k < 0.0f32 || (us < 0.013f32 && v > us);
        let fair =
            ln_of(v * inverse_alpha / (a / (us * us) + b)) <= log_pmf(k, rate, offset - fraction);
        if easy || (!hopeless && fair) {
            trial.k = k;
            trial.done = true;
        }
    }
}

/// What is drawn, as a kernel takes it.
#[derive(CubeType, CubeLaunch, Clone, Copy)]
pub(crate) struct Draws {
    inverse_temperature: f32,
    /// No arrival counts from here on.
    stop: f32,
    /// Mean and variance of a sample by those of a count.
    mean_factor: f32,
    variance_factor: f32,
    /// The largest log-rate that is summed arrival by arrival.
    most: f32,
    key0: u32,
    key1: u32,
    step: u32,
}

impl Draws {
    /// Of a relaxation, with the noise of this seed and step.
    pub(crate) fn launched(relaxation: Relaxation, seed: u64, step: u32) -> DrawsLaunch {
        let temperature = relaxation.temperature;
        let (inverse, [mean, variance]) = if temperature > 0.0 {
            let moments = relaxation.indicator.moments(f64::from(temperature));
            (1.0 / temperature, moments)
        } else {
            (0.0, [1.0; 2])
        };
        DrawsLaunch::new(
            inverse,
            relaxation.stop(),
            mean as f32,
            variance as f32,
            super::most_by_arrivals(relaxation),
            seed as u32,
            (seed >> 32) as u32,
            step,
        )
    }
}

/// A sample and dz/du.
#[derive(CubeType, Clone, Copy)]
pub(crate) struct Drawn {
    pub(crate) z: f32,
    pub(crate) slope: f32,
}

/// The sample of one element at log-rate u.
#[cube]
pub(crate) fn draw(
    u: f32,
    element: u32,
    stream: u32,
    draws: &Draws,
    #[comptime] kind: u32,
) -> Drawn {
    let rate = exp_of(u);
    let mut sum = Sum {
        elapsed: 0.0f32,
        z: 0.0f32,
        slope: 0.0f32,
        running: true,
    };
    if comptime!(kind == COUNT) {
        if u > draws.most {
            let mut trial = Trial {
                k: f32::floor(rate),
                done: false,
            };
            let mut group = 0u32;
            while !trial.done && group < MOST_GROUPS {
                let w = philox4x32(element, group, draws.step, stream, draws.key0, draws.key1);
                try_once(&mut trial, w.a, w.b, rate);
                try_once(&mut trial, w.c, w.d, rate);
                group += 1u32;
            }
            sum.z = trial.k;
            sum.running = false;
        }
    } else {
        if u > draws.most {
            let scale = exp_of(min(u, LARGEST_LOG_RATE));
            let mean = scale * draws.mean_factor;
            let deviation = f32::sqrt(scale * draws.variance_factor);
            let w = philox4x32(element, 0u32, draws.step, stream, draws.key0, draws.key1);
            let normal =
                f32::sqrt(-2.0f32 * ln_of(uniform(w.a))) * f32::cos(6.283_185_5f32 * uniform(w.b));
            sum.z = mean + deviation * normal;
            sum.slope = mean + 0.5f32 * deviation * normal;
            sum.running = false;
        }
    }
    let mean_wait = exp_of(-u);
    let mut group = 0u32;
    while sum.running && group < MOST_GROUPS {
        let w = philox4x32(element, group, draws.step, stream, draws.key0, draws.key1);
        let inverse = draws.inverse_temperature;
        let stop = draws.stop;
        arrival(&mut sum, w.a, mean_wait, inverse, stop, kind);
        arrival(&mut sum, w.b, mean_wait, inverse, stop, kind);
        arrival(&mut sum, w.c, mean_wait, inverse, stop, kind);
        arrival(&mut sum, w.d, mean_wait, inverse, stop, kind);
        group += 1u32;
    }
    // A NaN log-rate must not turn into a count. (u − u is folded to 0 by drivers; `is_nan` survives.)
    Drawn {
        z: select(u.is_nan(), u, sum.z),
        slope: select(u.is_nan(), u, sum.slope),
    }
}

#[cube(launch)]
fn relaxed_poisson_kernel<F: Float>(
    log_rate: &Tensor<F>,
    z: &mut Tensor<F>,
    slope: &mut Tensor<F>,
    draws: Draws,
    stream: u32,
    first: u32,
    #[comptime] kind: u32,
    #[comptime] with_slope: bool,
    #[define(F)] _dtype: ElemType,
) {
    let i = ABSOLUTE_POS;
    if i >= z.len() {
        terminate!();
    }
    let u = f32::cast_from(log_rate[i]);
    let drawn = draw(u, first + i as u32, stream, &draws, kind);
    z[i] = F::cast_from(drawn.z);
    if comptime!(with_slope) {
        slope[i] = F::cast_from(drawn.slope);
    }
}

fn launch(
    u: CubeTensor,
    relaxation: Relaxation,
    seed: u64,
    [stream, step, first]: [u32; 3],
    with_slope: bool,
) -> (CubeTensor, CubeTensor) {
    let u = into_contiguous(u);
    let (dtype, shape) = (u.dtype, u.meta.shape().clone());
    let n = shape.num_elements();
    let z = empty_device_contiguous_dtype(u.client.clone(), u.device.clone(), shape.clone(), dtype);
    let slope = if with_slope {
        empty_device_contiguous_dtype(u.client.clone(), u.device.clone(), shape, dtype)
    } else {
        z.clone() // an alias that the kernel does not write
    };
    if n == 0 {
        return (z, slope);
    }
    let client = u.client.clone();
    let cube_dim = CubeDim::new(&client, n);
    let cube_count = calculate_cube_count_elemwise(&client, n, cube_dim);
    let slope_arg = if with_slope {
        slope.clone().into_tensor_arg()
    } else {
        z.as_tensor_alias(1)
    };
    relaxed_poisson_kernel::launch(
        &client,
        cube_count,
        cube_dim,
        u.into_tensor_arg(),
        z.clone().into_tensor_arg(),
        slope_arg,
        Draws::launched(relaxation, seed, step),
        stream,
        first,
        kind(relaxation),
        with_slope,
        dtype_to_storage_type(dtype),
    );
    (z, slope)
}

impl RelaxedPoisson for CubeBackend {
    fn relaxed_poisson(
        log_rate: FloatTensor<Self>,
        relaxation: Relaxation,
        seed: u64,
        stream: u32,
        step: u32,
        first: u32,
    ) -> FloatTensor<Self> {
        launch(log_rate, relaxation, seed, [stream, step, first], false).0
    }

    fn relaxed_poisson_with_slope(
        log_rate: FloatTensor<Self>,
        relaxation: Relaxation,
        seed: u64,
        stream: u32,
        step: u32,
        first: u32,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        launch(log_rate, relaxation, seed, [stream, step, first], true)
    }
}
