//! Linear models x' = A x + B v, y = C x.

use nalgebra::DMatrix;
use serde::{Deserialize, Serialize};

use super::{Argument, Equations, Number, Point, Sizes};
use crate::{Error, Result};

/// x' = A x + B v, y = C x with θ = (A, C, B), each column by column.
///
/// The matrices given here are the defaults of θ; the equations read them from θ, so that any entry can be
/// a free parameter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Parts")]
pub struct Linear {
    a: DMatrix<f64>,
    b: DMatrix<f64>,
    c: DMatrix<f64>,
}

/// What is read of a linear model before it is known to fit together.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Parts {
    a: DMatrix<f64>,
    b: DMatrix<f64>,
    c: DMatrix<f64>,
}

impl TryFrom<Parts> for Linear {
    type Error = Error;

    fn try_from(Parts { a, b, c }: Parts) -> Result<Self> {
        Self::new(a, b, c)
    }
}

impl Linear {
    /// From A `[states, states]`, B `[states, causes]` and C `[outputs, states]`.
    ///
    /// # Errors
    /// [`Error::Size`] if they do not fit; [`Error::Entry`] for an entry that is not finite.
    pub fn new(a: DMatrix<f64>, b: DMatrix<f64>, c: DMatrix<f64>) -> Result<Self> {
        let n = a.nrows();
        for (name, found, expected) in [
            ("a: columns", a.ncols(), n),
            ("b: rows", b.nrows(), n),
            ("c: columns", c.ncols(), n),
        ] {
            if found != expected {
                return Err(Error::size(name, found, expected));
            }
        }
        for (name, matrix) in [("a", &a), ("b", &b), ("c", &c)] {
            if let Some(v) = matrix.iter().find(|v| !v.is_finite()) {
                return Err(Error::entry(name, &[], v, "finite numbers"));
            }
        }
        Ok(Self { a, b, c })
    }

    /// The linear convolution model of the demonstrations of DEM: a damped oscillation of two states, driven
    /// by one cause, seen through four outputs (eq. G40).
    pub fn convolution() -> Self {
        let half = std::f64::consts::FRAC_1_SQRT_2;
        let pi = std::f64::consts::PI;
        Self {
            a: DMatrix::from_row_slice(2, 2, &[-0.25, 1.0, -0.5, -0.25]),
            b: DMatrix::from_row_slice(2, 1, &[1.0, 0.0]),
            c: DMatrix::from_fn(4, 2, |i, j| match j {
                0 => 0.125,
                _ => 0.25 * half * libm::cos(pi * (2 * i + 1) as f64 / 8.0),
            }),
        }
    }

    /// A leaky integrator x' = −`rate` x + v, y = x: an Ornstein–Uhlenbeck process driven by a cause.
    pub fn ornstein_uhlenbeck(rate: f64) -> Self {
        let one = DMatrix::from_element(1, 1, 1.0);
        Self {
            a: DMatrix::from_element(1, 1, -rate),
            b: one.clone(),
            c: one,
        }
    }

    /// θ of the matrices given.
    pub fn defaults(&self) -> Vec<f64> {
        let all = self.a.iter().chain(self.c.iter()).chain(self.b.iter());
        all.copied().collect()
    }
}

impl Equations for Linear {
    fn sizes(&self) -> Sizes {
        Sizes {
            states: self.a.nrows(),
            causes: self.b.ncols(),
            outputs: self.c.nrows(),
            parameters: self.a.len() + self.b.len() + self.c.len(),
        }
    }

    fn f<T: Number>(&self, at: Point<'_, T>, out: &mut [T]) {
        let n = self.a.nrows();
        let (a, rest) = at.theta.split_at(n * n);
        let b = &rest[self.c.len()..];
        for (i, o) in out.iter_mut().enumerate() {
            *o = T::constant(0.0);
            for (j, &x) in at.x.iter().enumerate() {
                *o += a[j * n + i] * x;
            }
            for (j, &v) in at.v.iter().enumerate() {
                *o += b[j * n + i] * v;
            }
        }
    }

    fn g<T: Number>(&self, at: Point<'_, T>, out: &mut [T]) {
        let (n, rows) = (self.a.nrows(), self.c.nrows());
        let c = &at.theta[n * n..];
        for (i, o) in out.iter_mut().enumerate() {
            *o = T::constant(0.0);
            for (j, &x) in at.x.iter().enumerate() {
                *o += c[j * rows + i] * x;
            }
        }
    }

    fn is_linear(&self) -> bool {
        true
    }

    fn output_sees_causes(&self) -> bool {
        false
    }

    fn f_by(&self, by: Argument, at: Point<'_>, out: &mut DMatrix<f64>) {
        let n = self.a.nrows();
        let b = n * n + self.c.len();
        match by {
            Argument::State => out.copy_from_slice(&at.theta[..n * n]),
            Argument::Cause => out.copy_from_slice(&at.theta[b..]),
            Argument::Parameter => {
                out.fill(0.0);
                for i in 0..n {
                    for (j, &x) in at.x.iter().enumerate() {
                        out[(i, j * n + i)] = x;
                    }
                    for (j, &v) in at.v.iter().enumerate() {
                        out[(i, b + j * n + i)] = v;
                    }
                }
            }
        }
    }

    fn g_by(&self, by: Argument, at: Point<'_>, out: &mut DMatrix<f64>) {
        let (n, rows) = (self.a.nrows(), self.c.nrows());
        out.fill(0.0);
        match by {
            Argument::State => {
                out.copy_from_slice(&at.theta[n * n..n * n + self.c.len()]);
            }
            Argument::Cause => {}
            Argument::Parameter => {
                for i in 0..rows {
                    for (j, &x) in at.x.iter().enumerate() {
                        out[(i, n * n + j * rows + i)] = x;
                    }
                }
            }
        }
    }
}
