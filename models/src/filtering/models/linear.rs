//! Linear models with independent Gaussian noise.

use burn::tensor::Tensor;
use scotopic::filtering::Result;

use super::{check, coordinates, entries, half, size};
use crate::filtering::model::{DiagonalNormal, TensorStateSpace};
use crate::filtering::theta::{Theta, apply, constant};

/// A linear-Gaussian model with diagonal noise,
///
/// ```text
/// x_1 ~ N(m0, diag p0),   x_t = F x_{t−1} + N(0, diag q),   y_t = H x_t + N(0, diag r),   θ = (F, ln q, H, ln r);
/// ```
///
/// F and H row by row, m0 and p0 fixed. With diagonal F and H the factors of the filter are exact.
///
/// ```
/// use scotopic_models::filtering::{Linear, TensorStateSpace};
/// let model = Linear::new([0.9], [0.1], [1.0], [0.5])?;
/// assert_eq!(model.parameter_names(), ["F[0][0]", "ln q[0]", "H[0][0]", "ln r[0]"]);
/// # Ok::<(), scotopic::filtering::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Linear {
    theta: Vec<f64>,
    n: usize,
    m: usize,
    m0: Vec<f64>,
    log_p0: Vec<f64>,
}

impl Linear {
    /// F `[n · n]` row by row, q `[n]` variances, H `[m · n]` row by row, r `[m]` variances; x_1 ~ N(0, I).
    ///
    /// # Errors
    /// [`Error::Size`](scotopic::filtering::Error::Size) for sizes that do not go together,
    /// [`Error::Entry`](scotopic::filtering::Error::Entry) for an entry that is not finite or a variance that is not
    /// positive.
    pub fn new(
        f: impl AsRef<[f64]>,
        q: impl AsRef<[f64]>,
        h: impl AsRef<[f64]>,
        r: impl AsRef<[f64]>,
    ) -> Result<Self> {
        let (f, q, h, r) = (f.as_ref(), q.as_ref(), h.as_ref(), r.as_ref());
        let (n, m) = (q.len(), r.len());
        size("F", f.len(), n * n)?;
        size("H", h.len(), m * n)?;
        check("F", f, false)?;
        check("q", q, true)?;
        check("H", h, false)?;
        check("r", r, true)?;
        let logs = |v: &[f64]| v.iter().map(|x| x.ln()).collect::<Vec<_>>();
        Ok(Self {
            theta: [f, &logs(q), h, &logs(r)].concat(),
            n,
            m,
            m0: vec![0.0; n],
            log_p0: vec![0.0; n],
        })
    }

    /// The same with x_1 ~ N(m0, diag p0), `[n]` each.
    ///
    /// # Errors
    /// As [`Linear::new`].
    pub fn with_initial(mut self, m0: &[f64], p0: &[f64]) -> Result<Self> {
        size("m0", m0.len(), self.n)?;
        size("p0", p0.len(), self.n)?;
        check("m0", m0, false)?;
        check("p0", p0, true)?;
        self.m0 = m0.to_vec();
        self.log_p0 = p0.iter().map(|p| p.ln()).collect();
        Ok(self)
    }
}

impl TensorStateSpace for Linear {
    fn dim(&self) -> usize {
        self.n
    }

    fn observed(&self) -> usize {
        self.m
    }

    fn parameters(&self) -> Vec<f64> {
        self.theta.clone()
    }

    fn parameter_names(&self) -> Vec<String> {
        let (n, m) = (self.n, self.m);
        let moves = entries("F", [n, n]).chain(coordinates("ln q", n));
        let sees = entries("H", [m, n]).chain(coordinates("ln r", m));
        moves.chain(sees).collect()
    }

    fn initial(&self, theta: &Theta) -> DiagonalNormal {
        let row = |v: &[f64]| constant(v, [1, self.n], &theta.0.device());
        DiagonalNormal {
            mean: row(&self.m0),
            log_deviation: half(row(&self.log_p0)),
        }
    }

    fn transition(&self, theta: &Theta, previous: Tensor<2>) -> DiagonalNormal {
        let n = self.n;
        DiagonalNormal {
            mean: apply(theta.matrix(0, [n, n]), previous),
            log_deviation: half(theta.vector(n * n..n * n + n)),
        }
    }

    fn log_likelihood(&self, theta: &Theta, y: Tensor<2>, x: Tensor<2>) -> Tensor<1> {
        let (n, m) = (self.n, self.m);
        let from = n * n + n;
        let seen = DiagonalNormal {
            mean: apply(theta.matrix(from, [m, n]), x),
            log_deviation: half(theta.vector(from + m * n..from + m * n + m)),
        };
        seen.log_density(y)
    }
}
