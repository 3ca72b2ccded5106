//! Square matrices `[n, n]` in rows, on slices that the caller keeps: nothing here allocates.

/// The lower Cholesky factor of a symmetric matrix, in its place; zeros above the diagonal.
/// `Err((pivot, value))` names the first pivot that is not positive.
pub(crate) fn cholesky(a: &mut [f64], n: usize) -> std::result::Result<(), (usize, f64)> {
    for j in 0..n {
        let mut pivot = a[j * n + j];
        for k in 0..j {
            pivot -= a[j * n + k] * a[j * n + k];
        }
        if !(pivot > 0.0 && pivot.is_finite()) {
            return Err((j, pivot));
        }
        let root = pivot.sqrt();
        a[j * n + j] = root;
        for i in j + 1..n {
            let mut sum = a[i * n + j];
            for k in 0..j {
                sum -= a[i * n + k] * a[j * n + k];
            }
            a[i * n + j] = sum / root;
            a[j * n + i] = 0.0;
        }
    }
    Ok(())
}

/// ln|A| = 2 Σ ln l_ii of the factor.
pub(crate) fn log_determinant(factor: &[f64], n: usize) -> f64 {
    2.0 * (0..n).map(|i| factor[i * n + i].ln()).sum::<f64>()
}

/// The inverse of a lower triangle.
pub(crate) fn invert_lower(l: &[f64], into: &mut [f64], n: usize) {
    into.fill(0.0);
    for j in 0..n {
        into[j * n + j] = 1.0 / l[j * n + j];
        for i in j + 1..n {
            let mut sum = 0.0;
            for k in j..i {
                sum += l[i * n + k] * into[k * n + j];
            }
            into[i * n + j] = -sum / l[i * n + i];
        }
    }
}

/// `LᵀL` of a lower triangle: the inverse of a matrix from the inverse of its factor.
pub(crate) fn lower_gram(l: &[f64], into: &mut [f64], n: usize) {
    for i in 0..n {
        for j in 0..=i {
            let mut sum = 0.0;
            for k in i..n {
                sum += l[k * n + i] * l[k * n + j];
            }
            into[i * n + j] = sum;
            into[j * n + i] = sum;
        }
    }
}

/// `AB`.
pub(crate) fn product(a: &[f64], b: &[f64], into: &mut [f64], n: usize) {
    into.fill(0.0);
    for i in 0..n {
        for k in 0..n {
            let a = a[i * n + k];
            if a != 0.0 {
                for j in 0..n {
                    into[i * n + j] += a * b[k * n + j];
                }
            }
        }
    }
}

/// `AᵀB`.
pub(crate) fn transposed_product(a: &[f64], b: &[f64], into: &mut [f64], n: usize) {
    into.fill(0.0);
    for k in 0..n {
        for i in 0..n {
            let a = a[k * n + i];
            if a != 0.0 {
                for j in 0..n {
                    into[i * n + j] += a * b[k * n + j];
                }
            }
        }
    }
}

/// `ABᵀ`.
pub(crate) fn product_transposed(a: &[f64], b: &[f64], into: &mut [f64], n: usize) {
    for i in 0..n {
        for j in 0..n {
            into[i * n + j] = dot(&a[i * n..(i + 1) * n], &b[j * n..(j + 1) * n]);
        }
    }
}

/// `Ax`.
pub(crate) fn apply(a: &[f64], x: &[f64], into: &mut [f64]) {
    for (into, row) in into.iter_mut().zip(a.chunks_exact(x.len())) {
        *into = dot(row, x);
    }
}

/// `Az` of a z that is mostly nought, as the points of a rule are.
pub(crate) fn apply_sparse(a: &[f64], z: &[f64], into: &mut [f64]) {
    let n = z.len();
    into.fill(0.0);
    for (j, z) in z.iter().enumerate().filter(|(_, z)| **z != 0.0) {
        for (into, row) in into.iter_mut().zip(a.chunks_exact(n)) {
            *into += row[j] * z;
        }
    }
}

/// `into += Aᵀx`.
pub(crate) fn add_transposed(a: &[f64], x: &[f64], into: &mut [f64]) {
    for (row, x) in a.chunks_exact(into.len()).zip(x) {
        for (into, a) in into.iter_mut().zip(row) {
            *into += a * x;
        }
    }
}

/// Σ aᵢbᵢ; of two symmetric matrices, the trace of their product.
pub(crate) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// `xᵀAx`.
pub(crate) fn quadratic_form(a: &[f64], x: &[f64]) -> f64 {
    let rows = a.chunks_exact(x.len().max(1)).zip(x);
    rows.map(|(row, xi)| xi * dot(row, x)).sum()
}

/// `(A + Aᵀ)/2` in its place.
pub(crate) fn symmetrise(a: &mut [f64], n: usize) {
    for i in 0..n {
        for j in 0..i {
            let mean = 0.5 * (a[i * n + j] + a[j * n + i]);
            a[i * n + j] = mean;
            a[j * n + i] = mean;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_factor_and_its_inverse() {
        let a = [4.0, 1.0, 0.5, 1.0, 3.0, -0.2, 0.5, -0.2, 2.0];
        let mut l = a;
        cholesky(&mut l, 3).unwrap();
        let mut back = [0.0; 9];
        product_transposed(&l, &l, &mut back, 3);
        let (mut inverse, mut li) = ([0.0; 9], [0.0; 9]);
        invert_lower(&l, &mut li, 3);
        lower_gram(&li, &mut inverse, 3);
        let mut one = [0.0; 9];
        product(&a, &inverse, &mut one, 3);
        for i in 0..9 {
            assert!((back[i] - a[i]).abs() < 1e-14);
            assert!((one[i] - f64::from(u8::from(i % 4 == 0))).abs() < 1e-14);
        }
        let mut wrong = [1.0, 2.0, 2.0, 1.0];
        assert_eq!(cholesky(&mut wrong, 2).unwrap_err().0, 1);
    }
}
