//! From samples to derivatives: the generalised observation ỹ(t) = (y, y', y'', …) of a sampled series.
//!
//! A polynomial goes through (or, with more samples than orders, near) the samples at positions p_i, and ỹ
//! is its value and derivatives at t:
//!
//! ```text
//! T_ij = (p_i − t)ʲ / j!,     ỹ = T⁺ [y(p_i)]          j = 0 … n − 1, one bin apart
//! ```
//!
//! | window | samples |
//! |---|---|
//! | [`Window::Centred`] | n samples around t: looks ahead by half a window, so it lags live data by as much |
//! | [`Window::Causal`] | the newest samples up to t, least squares: for live data, at a price in noise |

use nalgebra::DMatrix;
use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// What a window does at the ends of the series.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Edge {
    /// The first or last sample is held beyond the end: the series is taken to rest there. Derivatives at the
    /// ends are wrong by what it did not rest, but they stay as small as the data.
    #[default]
    Held,
    /// The window moves inwards: the same number of true samples, off centre. Exact for polynomials; of noisy
    /// data the high derivatives at the ends are mostly noise, many times larger than inside.
    Inwards,
    /// As published: held, and the window's first position is rounded towards zero, not down.
    Published,
}

/// Which samples give the derivatives at a time.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum Window {
    /// As many samples as orders, around the time.
    Centred(Edge),
    /// The newest `samples` up to the time and none after. At least as many as orders; the more there are,
    /// the less the noise in the derivatives, and the more a changing series is smoothed. One-sided derivatives
    /// amplify noise so much that more than one order costs accuracy (on recorded convolution data, states are
    /// four times worse at N = 2 than centred, and worse still above): to filter live data without a lag, use
    /// the [causal](crate::generalised::causal) scheme, which takes no derivatives of data.
    Causal {
        /// How many.
        samples: usize,
    },
}

impl Default for Window {
    fn default() -> Self {
        Window::Centred(Edge::default())
    }
}

/// The embedding of a series of `length` samples into `orders` orders.
#[derive(Debug, Clone, PartialEq)]
pub struct SampleEmbedding {
    orders: usize,
    window: Window,
    /// Of the newest time, in the causal window: always the same.
    causal: Option<DMatrix<f64>>,
}

/// Weights of one time: ỹ⁽ʲ⁾ = Σ_i weight[j, i] y(first + i), indices kept within the series.
#[derive(Debug, Clone, PartialEq)]
pub struct Weights {
    /// The first position, from 0; it may lie before the series in the published form.
    pub first: isize,
    /// `[orders, samples]`.
    pub weights: DMatrix<f64>,
}

impl SampleEmbedding {
    /// An embedding of `orders` orders (value included).
    ///
    /// # Errors
    /// [`Error::Setting`] for no order, or a causal window of fewer samples than orders.
    pub fn new(orders: usize, window: Window) -> Result<Self> {
        if orders == 0 {
            return Err(Error::setting("orders", orders, "at least one: the value"));
        }
        let causal = match window {
            Window::Centred(_) => None,
            Window::Causal { samples } => {
                if samples < orders {
                    let expected = format!("at least {orders}, the orders");
                    return Err(Error::setting("samples", samples, expected));
                }
                let offsets: Vec<f64> = (0..samples)
                    .map(|i| i as f64 - (samples - 1) as f64)
                    .collect();
                Some(least_squares(&offsets, orders)?)
            }
        };
        Ok(Self {
            orders,
            window,
            causal,
        })
    }

    /// n, the value included.
    pub fn orders(&self) -> usize {
        self.orders
    }

    /// The samples that one time asks for.
    pub fn samples(&self) -> usize {
        match self.window {
            Window::Centred(_) => self.orders,
            Window::Causal { samples } => samples,
        }
    }

    /// The bins after a whole time that its window asks for: how far a live scheme lags behind.
    pub fn look_ahead(&self) -> usize {
        match self.window {
            // n odd: (n − 1)/2 to both sides; n even: one fewer after than before.
            Window::Centred(_) => (self.orders - 1) / 2,
            Window::Causal { .. } => 0,
        }
    }

    /// The weights at time `t` without the samples of `window` that were not seen, by least squares of the others; none
    /// for as many samples as orders, or fewer left.
    pub(super) fn without(
        &self,
        window: &Weights,
        t: f64,
        seen: impl Fn(usize) -> bool,
    ) -> Result<Option<Weights>> {
        let samples = window.weights.ncols();
        let places: Vec<usize> = (0..samples).filter(|&i| seen(i)).collect();
        if samples == self.orders || places.len() < self.orders {
            return Ok(None);
        }
        let offsets: Vec<f64> = places
            .iter()
            .map(|&i| (window.first + i as isize) as f64 - t)
            .collect();
        let part = least_squares(&offsets, self.orders)?;
        let mut weights = DMatrix::zeros(self.orders, samples);
        for (column, &place) in part.column_iter().zip(&places) {
            weights.set_column(place, &column);
        }
        let first = window.first;
        Ok(Some(Weights { first, weights }))
    }

    /// The weights at time `t` (bins from 0, may lie between two) of a series of `length` samples.
    ///
    /// # Errors
    /// [`Error::Setting`] for a series shorter than the window.
    pub fn weights(&self, t: f64, length: usize) -> Result<Weights> {
        if length < self.samples() {
            let expected = format!("at least {} samples, one window", self.samples());
            return Err(Error::setting("series", length, expected));
        }
        let n = self.orders as isize;
        let first = match self.window {
            Window::Causal { samples } => {
                let newest = (libm::floor(t + 1e-9) as isize).min(length as isize - 1);
                let first = newest - (samples as isize - 1);
                if let (Some(weights), true) = (&self.causal, first >= 0 && t == newest as f64) {
                    let weights = weights.clone();
                    return Ok(Weights { first, weights });
                }
                first.max(0)
            }
            // Positions count from 1 in the published rule, so that rounding towards zero shows before bin 1.
            Window::Centred(Edge::Published) => {
                libm::trunc(t + 1.0 - (n + 1) as f64 / 2.0) as isize
            }
            Window::Centred(edge) => {
                let centred = libm::floor(t + 1.0 - (n + 1) as f64 / 2.0) as isize;
                match edge {
                    Edge::Inwards => centred.clamp(0, length as isize - n),
                    _ => centred,
                }
            }
        };
        let offsets: Vec<f64> = (0..self.samples())
            .map(|i| (first + i as isize) as f64 - t)
            .collect();
        let weights = if offsets.len() == self.orders {
            interpolation(&offsets)
        } else {
            least_squares(&offsets, self.orders)?
        };
        Ok(Weights { first, weights })
    }
}

impl Weights {
    /// ỹ `[orders·width]`, order after order, from the rows `row(i)` `[width]` of a series of `length`.
    pub fn apply<'a>(
        &self,
        length: usize,
        width: usize,
        row: impl Fn(usize) -> &'a [f64],
        embedded: &mut [f64],
    ) {
        self.apply_at(self.first, length, width, row, embedded);
    }

    pub(super) fn apply_at<'a>(
        &self,
        first: isize,
        length: usize,
        width: usize,
        row: impl Fn(usize) -> &'a [f64],
        embedded: &mut [f64],
    ) {
        embedded.iter_mut().for_each(|e| *e = 0.0);
        let last = length.saturating_sub(1) as isize;
        for i in 0..self.weights.ncols() {
            let sample = row((first + i as isize).clamp(0, last) as usize);
            for (order, block) in embedded.chunks_mut(width.max(1)).enumerate() {
                let weight = self.weights[(order, i)];
                for (e, y) in block.iter_mut().zip(sample) {
                    *e += weight * y;
                }
            }
        }
    }
}

/// T⁻¹ for as many samples as orders: row j holds the weights of the j-th derivative at 0 of the polynomial
/// through samples at `offsets`. Fornberg's recursion (Mathematics of Computation 51, 1988) adds one sample
/// at a time and inverts nothing.
fn interpolation(offsets: &[f64]) -> DMatrix<f64> {
    let n = offsets.len();
    let mut weights = DMatrix::zeros(n, n);
    weights[(0, 0)] = 1.0;
    let mut before = 1.0;
    for i in 1..n {
        let mut product = 1.0;
        for j in 0..i {
            let distance = offsets[i] - offsets[j];
            product *= distance;
            if j == i - 1 {
                for k in (0..=i).rev() {
                    let lower = if k > 0 { weights[(k - 1, i - 1)] } else { 0.0 };
                    weights[(k, i)] = before / product
                        * (k as f64 * lower - offsets[i - 1] * weights[(k, i - 1)]);
                }
            }
            for k in (0..=i).rev() {
                let lower = if k > 0 { weights[(k - 1, j)] } else { 0.0 };
                weights[(k, j)] = (offsets[i] * weights[(k, j)] - k as f64 * lower) / distance;
            }
        }
        before = product;
    }
    weights
}

/// T⁺ for at least as many samples as orders, by the QR factorisation of T in units of the window's length.
fn least_squares(offsets: &[f64], orders: usize) -> Result<DMatrix<f64>> {
    let unit = offsets.iter().fold(1.0f64, |m, o| m.max(o.abs()));
    let taylor = DMatrix::from_fn(offsets.len(), orders, |i, j| {
        (offsets[i] / unit).powi(j as i32)
    });
    let qr = taylor.qr();
    let mut weights = qr.q().transpose();
    if !qr.r().solve_upper_triangular_mut(&mut weights) {
        let expected = "fewer orders: the window does not determine so many derivatives";
        return Err(Error::setting("orders", orders, expected));
    }
    let mut factor = 1.0;
    for j in 0..orders {
        if j > 0 {
            factor *= j as f64 / unit;
        }
        weights.row_mut(j).scale_mut(factor);
    }
    Ok(weights)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rounding of the highest of seven derivatives.
    const ROUNDING: f64 = 1e-9;

    /// Σ_k c_k t^k, its derivatives.
    fn polynomial(coefficients: &[f64], t: f64, order: usize) -> f64 {
        (order..coefficients.len())
            .map(|k| {
                let falling: f64 = (k - order + 1..=k).map(|i| i as f64).product();
                coefficients[k] * falling * t.powi((k - order) as i32)
            })
            .sum()
    }

    #[test]
    fn polynomials_are_embedded_exactly() {
        let c = [0.3, -1.0, 0.5, 0.2, -0.05, 0.01, 0.002];
        for n in 1..=7 {
            let series: Vec<[f64; 1]> = (0..12)
                .map(|t| [polynomial(&c[..n], t as f64 * 0.5, 0)])
                .collect();
            for window in [
                Window::Centred(Edge::Inwards),
                Window::Causal { samples: n },
                Window::Causal { samples: n + 3 },
            ] {
                let embedding = SampleEmbedding::new(n, window).unwrap();
                for t in [0.0, 1.25, 5.0, 7.5, 11.0] {
                    let mut y = vec![0.0; n];
                    let weights = embedding.weights(t, 12).unwrap();
                    weights.apply(12, 1, |i| &series[i], &mut y);
                    for (order, &found) in y.iter().enumerate() {
                        let expected =
                            polynomial(&c[..n], t * 0.5, order) * 0.5f64.powi(order as i32);
                        assert!(
                            (found - expected).abs() < ROUNDING * (1.0 + expected.abs()),
                            "{window:?} n {n} t {t} order {order}: {found} for {expected}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn the_published_window_is_where_it_was() {
        // Times and positions from 1 in the published rule, here from 0.
        let first = |n, t| {
            let e = SampleEmbedding::new(n, Window::Centred(Edge::Published)).unwrap();
            e.weights(t, 20).unwrap().first
        };
        assert_eq!(first(7, 9.0), 6); // t ± 3
        assert_eq!(first(2, 9.0), 8); // t − 1, t
        assert_eq!(first(7, 0.0), -3);
        assert_eq!(first(2, 0.0), 0); // 1 − 3/2 rounds to 0, not to −1
    }

    #[test]
    fn a_constant_rests_at_its_ends() {
        for edge in [Edge::Held, Edge::Inwards, Edge::Published] {
            let embedding = SampleEmbedding::new(5, Window::Centred(edge)).unwrap();
            for t in [0.0, 1.0, 8.0, 9.0] {
                let mut y = [9.0; 5];
                let weights = embedding.weights(t, 10).unwrap();
                weights.apply(10, 1, |_| &[2.0], &mut y);
                assert!((y[0] - 2.0).abs() < ROUNDING, "{edge:?} {t}: {y:?}");
                assert!(
                    y[1..].iter().all(|d| d.abs() < ROUNDING),
                    "{edge:?} {t}: {y:?}"
                );
            }
        }
        // At an even order of derivatives the two held forms are the same but for rounding before bin 1.
        let first = |edge, t| {
            let embedding = SampleEmbedding::new(2, Window::Centred(edge)).unwrap();
            embedding.weights(t, 20).unwrap().first
        };
        assert_eq!(
            (first(Edge::Held, 0.0), first(Edge::Published, 0.0)),
            (-1, 0)
        );
        assert_eq!(first(Edge::Held, 5.0), first(Edge::Published, 5.0));
    }

    #[test]
    fn causal_windows_do_not_look_ahead() {
        let embedding = SampleEmbedding::new(3, Window::Causal { samples: 5 }).unwrap();
        assert_eq!(embedding.look_ahead(), 0);
        let weights = embedding.weights(8.0, 20).unwrap();
        assert_eq!(weights.first + 4, 8);
        assert_eq!(
            SampleEmbedding::new(7, Window::default())
                .unwrap()
                .look_ahead(),
            3
        );
        assert!(SampleEmbedding::new(3, Window::Causal { samples: 2 }).is_err());
        assert!(embedding.weights(0.0, 4).is_err());
    }
}
