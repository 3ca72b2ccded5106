//! The block shift D: motion read off a state in generalised coordinates.
//!
//! ```text
//! (D ũ)⁽ⁱ⁾ = ũ⁽ⁱ⁺¹⁾,   (D ũ)⁽ᴺ⁾ = 0
//! ```
//!
//! Vectors hold order 0 first, then order 1, and so on, each of one width.

use nalgebra::DMatrix;

/// D ũ for `moving` `[n·width]`, order after order, into `motion` of the same length.
///
/// ```
/// let mut motion = [0.0; 4];
/// scotopic_filtering::generalised::shift(&[1.0, 2.0, 3.0, 4.0], 2, &mut motion);
/// assert_eq!(motion, [3.0, 4.0, 0.0, 0.0]);
/// ```
pub fn shift(moving: &[f64], width: usize, motion: &mut [f64]) {
    let kept = moving.len().min(motion.len()).saturating_sub(width);
    for (to, from) in motion.iter_mut().zip(moving.iter().skip(width)).take(kept) {
        *to = *from;
    }
    motion.iter_mut().skip(kept).for_each(|m| *m = 0.0);
}

/// Adds S_n ⊗ I_width, the matrix of D on `orders` blocks, at rows and columns `from` of `matrix`.
pub(crate) fn add_shift(matrix: &mut DMatrix<f64>, from: usize, orders: usize, width: usize) {
    for row in 0..orders.saturating_sub(1) * width {
        matrix[(from + row, from + row + width)] += 1.0;
    }
}

/// D `[n·width, n·width]` = S_n ⊗ I.
pub fn shift_matrix(orders: usize, width: usize) -> DMatrix<f64> {
    let mut matrix = DMatrix::zeros(orders * width, orders * width);
    add_shift(&mut matrix, 0, orders, width);
    matrix
}

#[cfg(test)]
mod tests {
    use super::*;
    use nalgebra::DVector;

    #[test]
    fn the_matrix_is_the_shift() {
        let u = DVector::from_fn(12, |i, _| (i + 1) as f64);
        for width in [1, 2, 3, 4, 6, 12] {
            let mut motion = DVector::from_element(12, 9.0);
            shift(u.as_slice(), width, motion.as_mut_slice());
            assert_eq!(motion, shift_matrix(12 / width, width) * &u);
        }
    }
}
