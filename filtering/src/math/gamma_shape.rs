//! The shape of a Gamma distribution from its means.

use super::digamma::digamma;

/// The largest and the least shape: beyond, the distribution is a point, or has no digits left.
const MOST: f64 = 1e6;
const LEAST: f64 = 1e-3;

/// The x with ln x − ψ(x) = s: the shape of highest likelihood where ln E λ − E ln λ = s. The left side falls from ∞ to 0, so that
/// it exists for s > 0; where it is beyond 10⁻³ … 10⁶ that end is returned.
///
/// Newton's method in ln x from T. Minka's approximation (2002), within a bracket that halves where a step would leave it.
pub(crate) fn gamma_shape(s: f64) -> f64 {
    let left = |x: f64| x.ln() - digamma(x);
    if s.is_nan() {
        return f64::NAN;
    }
    if s <= left(MOST) {
        return MOST;
    }
    if s >= left(LEAST) {
        return LEAST;
    }
    let (mut low, mut high) = (LEAST.ln(), MOST.ln());
    let mut z = ((3.0 - s + ((s - 3.0).powi(2) + 24.0 * s).sqrt()) / (12.0 * s)).ln();
    for _ in 0..100 {
        z = match z > low && z < high {
            true => z,
            false => 0.5 * (low + high),
        };
        let over = left(z.exp()) - s;
        match over > 0.0 {
            true => low = z,
            false => high = z,
        }
        // The slope by a difference: a step along it need not be exact.
        let h = 1e-4;
        let slope = (left((z + h).exp()) - left((z - h).exp())) / (2.0 * h);
        let step = -over / slope;
        z += step;
        if step.abs() < 1e-13 {
            break;
        }
    }
    z.exp()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shape_solves_its_equation() {
        for shape in [2e-3, 0.1, 0.5, 1.0, 3.0, 50.0, 4000.0, 3e5] {
            let found = gamma_shape(f64::ln(shape) - digamma(shape));
            // ln x − ψ(x) ≈ 1/2x: its last digits are lost to the difference of numbers near ln x.
            let digits = 1e-12 + 1e-15 * shape;
            assert!(
                (found / shape - 1.0).abs() < digits * 20.0,
                "{shape}: {found}"
            );
        }
        assert_eq!(
            (gamma_shape(-1.0), gamma_shape(0.0), gamma_shape(1e9)),
            (MOST, MOST, LEAST)
        );
    }
}
