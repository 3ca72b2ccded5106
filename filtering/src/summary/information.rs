//! The observed information of a log-likelihood, by central differences.

use nalgebra::{DMatrix, DVector, SymmetricEigen};

use crate::{Error, Result};

/// How much ln p is to fall, both ways together, at the steps of the differences: a hundredth of a standard error to either
/// side. Of a sum of 10⁶ terms rounding is 1e-6 of that, and what the third and fourth derivatives add is below 1e-4.
const FALL: f64 = 1e-4;
/// The steps are found within this factor of FALL.
const NEAR: f64 = 4.0;
/// Directions in which the information, scaled to a diagonal of 1, is below this part of its largest are not identified:
/// a few times the error of the differences.
const FLAT: f64 = 1e-5;
/// Where the information is below minus this part of its largest, ln p curves up: far beyond the error of the differences.
const UPWARD: f64 = 1e-3;
/// A parameter is identified if less than this part of its direction is flat.
const PART: f64 = 1e-4;

/// The most parameters: of more, the information alone takes more than 128 MB, and its differences 32 million evaluations of ln p.
const MOST: usize = 4000;

/// I = −∂² ln p/∂θ² at θ, in its own scale and inverted as far as it can be.
pub(super) struct Information {
    /// ln p(θ).
    pub value: f64,
    gradient: DVector<f64>,
    /// 1/√I_ii.
    scale: Vec<f64>,
    vectors: DMatrix<f64>,
    /// How ln p curves along each of them.
    curvatures: Vec<Curvature>,
}

/// How ln p curves in a direction of the scaled information.
enum Curvature {
    /// Down, by this eigenvalue.
    Down(f64),
    /// Not beyond the error of the differences.
    Flat,
    /// Up: θ is no maximum.
    Up,
}

impl Information {
    /// sᵀI⁻¹s; `None` if s has a part in a direction where ln p does not curve down.
    pub fn variance(&self, slope: &[f64]) -> Option<f64> {
        let scaled = DVector::from_iterator(
            slope.len(),
            slope.iter().zip(&self.scale).map(|(s, c)| s * c),
        );
        let parts = self.vectors.transpose() * &scaled;
        let whole = scaled.norm_squared();
        let (mut variance, mut flat) = (0.0, 0.0);
        for (part, curvature) in parts.iter().zip(&self.curvatures) {
            match curvature {
                Curvature::Down(value) => variance += part * part / value,
                Curvature::Flat | Curvature::Up => flat += part * part,
            }
        }
        (flat <= PART * whole).then_some(variance)
    }

    /// ½ gᵀI⁻¹g over the directions that are identified; not a number where ln p curves up.
    pub fn shortfall(&self) -> f64 {
        if self.curvatures.iter().any(|c| matches!(c, Curvature::Up)) {
            return f64::NAN;
        }
        let scaled = self.gradient.iter().zip(&self.scale).map(|(g, c)| g * c);
        let scaled = DVector::from_iterator(self.scale.len(), scaled);
        let parts = self.vectors.transpose() * scaled;
        let each = parts.iter().zip(&self.curvatures);
        let each = each.filter_map(|(p, curvature)| match curvature {
            Curvature::Down(value) => Some(p * p / value),
            _ => None,
        });
        // Not `sum`, which is −0 of nothing.
        0.5 * each.fold(0.0, |sum, nats| sum + nats)
    }
}

/// The information of `f` at `theta`; `units` say what is small beside each coordinate, to begin with.
pub(super) fn observed_information(
    theta: &[f64],
    units: &[f64],
    f: impl Fn(&[f64]) -> Result<f64>,
) -> Result<Information> {
    let n = theta.len();
    if n > MOST {
        let expected = format!(
            "at most {MOST}: name those that are to be taken as known to `hold` (--hold transition, for example)"
        );
        return Err(Error::size("parameters", n, expected));
    }
    let at = |moves: &[(usize, f64)]| -> Result<f64> {
        let mut moved = theta.to_vec();
        moves.iter().for_each(|(i, h)| moved[*i] += h);
        let value = f(&moved)?;
        match value.is_finite() {
            true => Ok(value),
            false => Err(Error::not_finite(
                0,
                "the evidence near the estimate",
                value,
            )),
        }
    };
    let value = at(&[])?;
    let mut steps = vec![0.0; n];
    let mut gradient = DVector::zeros(n);
    let mut information = DMatrix::zeros(n, n);
    for i in 0..n {
        let mut h = 1e-3 * units[i];
        // A curvature that is not seen at all after so many tries is flat.
        for _ in 0..40 {
            let (up, down) = (at(&[(i, h)]), at(&[(i, -h)]));
            let (Ok(up), Ok(down)) = (up, down) else {
                // Beyond where the model can be: closer.
                h *= 0.25;
                continue;
            };
            let fall = 2.0 * value - up - down;
            gradient[i] = (up - down) / (2.0 * h);
            information[(i, i)] = fall / (h * h);
            steps[i] = h;
            if (FALL / NEAR..=FALL * NEAR).contains(&fall.abs()) {
                break;
            }
            let wanted = (FALL / fall.abs().max(1e-300)).sqrt();
            h *= wanted.clamp(0.1, 10.0);
            if h > 1e6 * units[i] {
                break;
            }
        }
        if steps[i] == 0.0 {
            let what = "the evidence on either side of the estimate";
            return Err(Error::not_finite(0, what, f64::NAN));
        }
    }
    for i in 0..n {
        for j in 0..i {
            let (a, b) = (steps[i], steps[j]);
            let mixed = at(&[(i, a), (j, b)])? - at(&[(i, a), (j, -b)])? - at(&[(i, -a), (j, b)])?
                + at(&[(i, -a), (j, -b)])?;
            information[(i, j)] = -mixed / (4.0 * a * b);
            information[(j, i)] = information[(i, j)];
        }
    }
    // A coordinate without curvature is scaled by its step, and comes out flat.
    let scale: Vec<f64> = (0..n)
        .map(|i| match information[(i, i)] > 0.0 {
            true => 1.0 / information[(i, i)].sqrt(),
            false => steps[i] / FALL.sqrt(),
        })
        .collect();
    let scaled = DMatrix::from_fn(n, n, |i, j| information[(i, j)] * scale[i] * scale[j]);
    let SymmetricEigen {
        eigenvectors,
        eigenvalues,
    } = SymmetricEigen::new(scaled);
    let largest = eigenvalues.iter().copied().fold(0.0, f64::max);
    Ok(Information {
        value,
        gradient,
        scale,
        vectors: eigenvectors,
        curvatures: eigenvalues
            .iter()
            .map(|v| match *v {
                v if v > FLAT * largest => Curvature::Down(v),
                v if v < -UPWARD * largest => Curvature::Up,
                _ => Curvature::Flat,
            })
            .collect(),
    })
}
