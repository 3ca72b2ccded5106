//! The Gabor function and its derivatives.

use std::f64::consts::{PI, TAU};

use serde::{Deserialize, Serialize};

/// A sinusoidal wave under a Gaussian envelope,
///
/// ```text
/// g(x, y) = A exp(−½[(x'/σx)² + (y'/σy)²]) cos(2πf x' + φ)
/// x' =  (x − x₀) cos θ + (y − y₀) sin θ          along the wave
/// y' = −(x − x₀) sin θ + (y − y₀) cos θ          along the stripes
/// ```
///
/// x counts columns and y rows, both from the middle of the top left pixel. The wave is unchanged by
/// (A, φ) → (−A, φ + π) and (θ, φ) → (θ + π, −φ); here A ≥ 0, f ≥ 0, 0 ≤ θ < π and −π < φ ≤ π.
///
/// ```
/// use scotopic_measures::gabor::Gabor;
/// let gabor = Gabor {
///     amplitude: 2.0, x0: 3.0, y0: 4.0, sigma_x: 1.5, sigma_y: 3.0,
///     theta: 0.0, frequency: 0.25, phase: 0.0,
/// };
/// assert_eq!(gabor.value(3.0, 4.0), 2.0);
/// assert!(gabor.value(4.0, 4.0).abs() < 1e-12); // a quarter of a cycle away
/// assert_eq!(gabor.render(8, 8)[4 * 8 + 3], 2.0);
/// assert_eq!(gabor.shape(), [0.375, 0.75]);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Gabor {
    /// A, in units of the filter.
    pub amplitude: f64,
    /// x₀, in pixels.
    pub x0: f64,
    /// y₀, in pixels.
    pub y0: f64,
    /// σx, the width along the wave, in pixels.
    pub sigma_x: f64,
    /// σy, the width along the stripes, in pixels.
    pub sigma_y: f64,
    /// θ, the direction of the wave, in radians; the stripes run at θ + π/2.
    pub theta: f64,
    /// f, in cycles per pixel.
    pub frequency: f64,
    /// φ, in radians: 0 for an even filter, ±π/2 for an odd one.
    pub phase: f64,
}

impl Gabor {
    /// g at column `x` and row `y`.
    pub fn value(&self, x: f64, y: f64) -> f64 {
        Wave::of(self).value(x, y)
    }

    /// g on the pixels of a picture `[height, width]`, row after row.
    pub fn render(&self, height: usize, width: usize) -> Vec<f64> {
        let wave = Wave::of(self);
        let pixel = |i: usize| wave.value((i % width) as f64, (i / width) as f64);
        (0..height * width).map(pixel).collect()
    }

    /// `[nx, ny] = [σx f, σy f]`: widths in cycles, the plane in which receptive fields of simple cells
    /// are compared (Ringach 2002, *J. Neurophysiol.* 88:455). Blobs lie near the origin.
    pub fn shape(&self) -> [f64; 2] {
        [self.sigma_x * self.frequency, self.sigma_y * self.frequency]
    }
}

/// How many parameters.
pub const P: usize = 8;

/// The parameters that are fitted: a = A cos φ and b = A sin φ, which enter linearly, and ln σ,
///
/// ```text
/// g = E · w,   E = exp(−½[(x'/σx)² + (y'/σy)²]),   w = a cos(2πf x') − b sin(2πf x')
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Wave {
    a: f64,
    b: f64,
    x0: f64,
    y0: f64,
    /// 1/σ²
    narrow: [f64; 2],
    cos: f64,
    sin: f64,
    /// 2πf
    omega: f64,
}

/// Positions in the vector of parameters.
pub mod index {
    pub const A: usize = 0;
    pub const B: usize = 1;
    pub const X0: usize = 2;
    pub const Y0: usize = 3;
    pub const LN_SIGMA_X: usize = 4;
    pub const LN_SIGMA_Y: usize = 5;
    pub const THETA: usize = 6;
    pub const F: usize = 7;
}

impl Wave {
    fn of(gabor: &Gabor) -> Self {
        let (sin, cos) = gabor.theta.sin_cos();
        Self {
            a: gabor.amplitude * gabor.phase.cos(),
            b: gabor.amplitude * gabor.phase.sin(),
            x0: gabor.x0,
            y0: gabor.y0,
            narrow: [gabor.sigma_x.powi(-2), gabor.sigma_y.powi(-2)],
            cos,
            sin,
            omega: TAU * gabor.frequency,
        }
    }

    /// From the vector of parameters.
    pub fn new(p: &[f64; P]) -> Self {
        let (sin, cos) = p[index::THETA].sin_cos();
        Self {
            a: p[index::A],
            b: p[index::B],
            x0: p[index::X0],
            y0: p[index::Y0],
            narrow: [
                (-2.0 * p[index::LN_SIGMA_X]).exp(),
                (-2.0 * p[index::LN_SIGMA_Y]).exp(),
            ],
            cos,
            sin,
            omega: TAU * p[index::F],
        }
    }

    /// (x', y', E cos 2πf x', E sin 2πf x')
    #[inline]
    pub fn parts(&self, x: f64, y: f64) -> (f64, f64, f64, f64) {
        let (dx, dy) = (x - self.x0, y - self.y0);
        let across = dx * self.cos + dy * self.sin;
        let along = dy * self.cos - dx * self.sin;
        let exponent = across * across * self.narrow[0] + along * along * self.narrow[1];
        let envelope = (-0.5 * exponent).exp();
        let (sin, cos) = (self.omega * across).sin_cos();
        (across, along, envelope * cos, envelope * sin)
    }

    /// g
    #[inline]
    pub fn value(&self, x: f64, y: f64) -> f64 {
        let (_, _, cos, sin) = self.parts(x, y);
        self.a * cos - self.b * sin
    }

    /// g and its derivatives by the parameters, in the order of [`index`].
    #[inline]
    pub fn derivatives(&self, x: f64, y: f64) -> (f64, [f64; P]) {
        let (across, along, cos, sin) = self.parts(x, y);
        let value = self.a * cos - self.b * sin;
        let turned = -(self.a * sin + self.b * cos); // d(E w)/d(2πf x'), E held
        let by_across = self.omega * turned - across * self.narrow[0] * value;
        let by_along = -along * self.narrow[1] * value;
        let mut by = [0.0; P];
        by[index::A] = cos;
        by[index::B] = -sin;
        by[index::X0] = by_along * self.sin - by_across * self.cos;
        by[index::Y0] = -by_across * self.sin - by_along * self.cos;
        by[index::LN_SIGMA_X] = value * across * across * self.narrow[0];
        by[index::LN_SIGMA_Y] = value * along * along * self.narrow[1];
        by[index::THETA] = by_across * along - by_along * across;
        by[index::F] = TAU * across * turned;
        (value, by)
    }
}

/// The Gabor of a vector of parameters, in the one form out of four that has A, f ≥ 0 and 0 ≤ θ < π.
pub fn canonical(p: &[f64; P]) -> Gabor {
    let (a, mut b, mut theta) = (p[index::A], p[index::B], p[index::THETA]);
    let mut f = p[index::F];
    if f < 0.0 {
        (f, b) = (-f, -b);
    }
    // Half a turn of θ reverses x', which turns the sign of φ.
    let halves = (theta / PI).floor();
    theta -= halves * PI;
    if halves.rem_euclid(2.0) == 1.0 {
        b = -b;
    }
    if theta >= PI {
        (theta, b) = (0.0, -b); // rounding of a θ just below zero
    }
    Gabor {
        amplitude: a.hypot(b),
        x0: p[index::X0],
        y0: p[index::Y0],
        sigma_x: p[index::LN_SIGMA_X].exp(),
        sigma_y: p[index::LN_SIGMA_Y].exp(),
        theta,
        frequency: f,
        phase: b.atan2(a),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::CounterRng;

    fn random(draws: &mut CounterRng) -> [f64; P] {
        [
            draws.between(-2.0, 2.0),
            draws.between(-2.0, 2.0),
            draws.between(2.0, 10.0),
            draws.between(2.0, 10.0),
            draws.between(0.0, 1.5),
            draws.between(0.0, 1.5),
            draws.between(-7.0, 7.0),
            draws.between(-0.4, 0.4),
        ]
    }

    #[test]
    fn derivatives_are_those_of_finite_differences() {
        let mut draws = CounterRng(1);
        for _ in 0..50 {
            let p = random(&mut draws);
            let (x, y) = (draws.between(0.0, 12.0), draws.between(0.0, 12.0));
            let (value, by) = Wave::new(&p).derivatives(x, y);
            assert!((value - Wave::new(&p).value(x, y)).abs() < 1e-15);
            for i in 0..P {
                let h = 1e-5;
                let at = |step: f64| {
                    let mut p = p;
                    p[i] += step;
                    Wave::new(&p).value(x, y)
                };
                let difference = (at(h) - at(-h)) / (2.0 * h);
                // h² times the third derivative, at most (2π·12)³·4; rounding 1e-16/h.
                assert!(
                    (difference - by[i]).abs() < 2e-5 * (1.0 + by[i].abs()),
                    "{i}"
                );
            }
        }
    }

    #[test]
    fn the_canonical_form_is_the_same_function() {
        let mut draws = CounterRng(2);
        for _ in 0..200 {
            let p = random(&mut draws);
            let gabor = canonical(&p);
            assert!(gabor.amplitude >= 0.0 && gabor.frequency >= 0.0);
            assert!((0.0..PI).contains(&gabor.theta) && gabor.phase.abs() <= PI);
            let (x, y) = (draws.between(0.0, 12.0), draws.between(0.0, 12.0));
            assert!((gabor.value(x, y) - Wave::new(&p).value(x, y)).abs() < 1e-12);
        }
        let p = [1.0, 0.5, 0.0, 0.0, 0.0, 0.0, -1e-17, 0.1];
        assert!((0.0..PI).contains(&canonical(&p).theta));
    }
}
