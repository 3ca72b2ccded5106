//! C and d as the inner loops read them: neurons side by side, products of loadings precomputed.

use crate::simd_dispatch;

/// Cᵀ, d + ln ε, and c_a c_b of every pair of latents, each a row over the neurons.
///
/// An update of n latents and N neurons takes 2·½n(n + 1)·N multiplications and as many additions a Newton step: the variances
/// cᵀSc, and the precision Σ r c cᵀ.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Loadings {
    pub latents: usize,
    pub neurons: usize,
    /// Cᵀ `[n, N]`.
    columns: Vec<f64>,
    /// c_a c_b `[n(n + 1)/2, N]`, b ≤ a, row after row of the lower triangle.
    products: Vec<f64>,
    /// d + ln ε `[N]`.
    offset: Vec<f64>,
}

impl Loadings {
    /// Of C `[N, n]`, row by row, and d + ln ε `[N]`.
    pub fn new(rows: &[f64], offset: Vec<f64>) -> Self {
        let neurons = offset.len();
        let latents = rows.len() / neurons.max(1);
        let mut columns = vec![0.0; latents * neurons];
        for (i, row) in rows.chunks_exact(latents.max(1)).enumerate() {
            for (a, c) in row.iter().enumerate() {
                columns[a * neurons + i] = *c;
            }
        }
        let mut products = Vec::with_capacity(latents * (latents + 1) / 2 * neurons);
        for a in 0..latents {
            for b in 0..=a {
                let pairs = columns[a * neurons..(a + 1) * neurons].iter();
                let pairs = pairs.zip(&columns[b * neurons..(b + 1) * neurons]);
                products.extend(pairs.map(|(x, y)| x * y));
            }
        }
        Self {
            latents,
            neurons,
            columns,
            products,
            offset,
        }
    }

    /// Means C m + d + ln ε and variances cᵀSc, `[N]` each, under N(m, S).
    pub fn project(&self, mean: &[f64], covariance: &[f64], into: (&mut [f64], &mut [f64])) {
        let (means, variances) = into;
        means.copy_from_slice(&self.offset);
        variances.fill(0.0);
        project(self, mean, covariance, means, variances);
    }

    /// Adds Σ_i r_i c_i c_iᵀ to `precision` `[n, n]`, and Σ_i e_i c_i to `gradient` `[n]`.
    pub fn gather(
        &self,
        curvatures: &[f64],
        slopes: &[f64],
        precision: &mut [f64],
        gradient: &mut [f64],
    ) {
        gather(self, curvatures, slopes, precision, gradient);
    }
}

#[inline(always)]
fn add_row<const N: usize>(scale: f64, row: &[f64], into: &mut [f64; N]) {
    for (into, x) in into.iter_mut().zip(row) {
        *into += scale * x;
    }
}

/// Neurons `from` to `from + N`, whose sums stay in registers over all rows.
#[inline(always)]
fn project_block<const N: usize>(
    loadings: &Loadings,
    (mean, covariance): (&[f64], &[f64]),
    from: usize,
    means: &mut [f64],
    variances: &mut [f64],
) {
    let (n, width) = (loadings.latents, loadings.neurons);
    let (mut m, mut v) = ([0.0; N], [0.0; N]);
    m.copy_from_slice(&means[from..from + N]);
    v.copy_from_slice(&variances[from..from + N]);
    let mut products = loadings.products.chunks_exact(width);
    for (a, column) in loadings.columns.chunks_exact(width).enumerate() {
        add_row(mean[a], &column[from..from + N], &mut m);
        for b in 0..=a {
            let twice = if b < a { 2.0 } else { 1.0 };
            if let Some(row) = products.next() {
                let scale = twice * covariance[a * n + b];
                add_row(scale, &row[from..from + N], &mut v);
            }
        }
    }
    means[from..from + N].copy_from_slice(&m);
    variances[from..from + N].copy_from_slice(&v);
}

#[inline(always)]
fn project_body(
    loadings: &Loadings,
    mean: &[f64],
    covariance: &[f64],
    means: &mut [f64],
    variances: &mut [f64],
) {
    let width = loadings.neurons;
    let (wide, narrow) = (width - width % 32, width - width % 8);
    let given = (mean, covariance);
    for from in (0..wide).step_by(32) {
        project_block::<32>(loadings, given, from, means, variances);
    }
    for from in (wide..narrow).step_by(8) {
        project_block::<8>(loadings, given, from, means, variances);
    }
    for from in narrow..width {
        project_block::<1>(loadings, given, from, means, variances);
    }
}

/// Σ a b of R rows b, one after the other in `rows`, each in eight sums side by side. Several rows at a time hide how long a sum takes.
#[inline(always)]
fn dots<const R: usize>(a: &[f64], rows: &[f64]) -> [f64; R] {
    let width = a.len();
    let whole = width - width % 8;
    let mut sums = [[0.0; 8]; R];
    for from in (0..whole).step_by(8) {
        let left = &a[from..from + 8];
        for (r, sums) in sums.iter_mut().enumerate() {
            let right = &rows[r * width + from..r * width + from + 8];
            for k in 0..8 {
                sums[k] += left[k] * right[k];
            }
        }
    }
    std::array::from_fn(|r| {
        let rest = a[whole..]
            .iter()
            .zip(&rows[r * width + whole..(r + 1) * width]);
        let tail: f64 = rest.map(|(a, b)| a * b).sum();
        let [a, b, c, d, e, f, g, h] = sums[r];
        ((a + e) + (b + f)) + ((c + g) + (d + h)) + tail
    })
}

/// Rows whose sums are taken together.
const ROWS: usize = 4;

#[inline(always)]
fn gather_body(
    loadings: &Loadings,
    curvatures: &[f64],
    slopes: &[f64],
    precision: &mut [f64],
    gradient: &mut [f64],
) {
    let (n, width) = (loadings.latents, loadings.neurons);
    let columns = loadings.columns.chunks_exact(width);
    for (gradient, column) in gradient.iter_mut().zip(columns) {
        let [sum] = dots(slopes, column);
        *gradient += sum;
    }
    let (mut a, mut b) = (0, 0);
    let mut add = |sum: f64| {
        precision[a * n + b] += sum;
        if b < a {
            precision[b * n + a] += sum;
            b += 1;
        } else {
            (a, b) = (a + 1, 0);
        }
    };
    let several = loadings.products.chunks_exact(ROWS * width);
    let rest = several.remainder();
    for rows in several {
        dots::<ROWS>(curvatures, rows)
            .into_iter()
            .for_each(&mut add);
    }
    for row in rest.chunks_exact(width) {
        dots::<1>(curvatures, row).into_iter().for_each(&mut add);
    }
}

simd_dispatch! {
    fn project(loadings: &Loadings, mean: &[f64], covariance: &[f64], means: &mut [f64], variances: &mut [f64]) = project_body;
}

simd_dispatch! {
    fn gather(loadings: &Loadings, curvatures: &[f64], slopes: &[f64], precision: &mut [f64], gradient: &mut [f64]) = gather_body;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn projections_and_sums_are_those_of_the_matrices() {
        let (n, neurons) = (3, 11);
        let c: Vec<f64> = (0..n * neurons).map(|k| (k as f64 * 0.7).sin()).collect();
        let offset: Vec<f64> = (0..neurons).map(|i| 0.1 * i as f64).collect();
        let loadings = Loadings::new(&c, offset.clone());
        let (m, s) = (
            [0.3, -0.2, 1.1],
            [2.0, 0.3, 0.1, 0.3, 1.0, -0.4, 0.1, -0.4, 0.7],
        );
        let (mut means, mut variances) = (vec![0.0; neurons], vec![0.0; neurons]);
        loadings.project(&m, &s, (&mut means, &mut variances));
        let (mut precision, mut gradient) = (vec![0.0; n * n], vec![0.0; n]);
        loadings.gather(&offset, &means, &mut precision, &mut gradient);
        let (mut sum, mut slope) = ([0.0; 9], [0.0; 3]);
        for i in 0..neurons {
            let row = &c[i * n..(i + 1) * n];
            let mean: f64 = offset[i] + (0..n).map(|a| row[a] * m[a]).sum::<f64>();
            assert!((means[i] - mean).abs() < 1e-14);
            let mut variance = 0.0;
            for a in 0..n {
                slope[a] += means[i] * row[a];
                for b in 0..n {
                    variance += row[a] * s[a * n + b] * row[b];
                    sum[a * n + b] += offset[i] * row[a] * row[b];
                }
            }
            assert!((variances[i] - variance).abs() < 1e-13);
        }
        for (found, expected) in precision
            .iter()
            .zip(&sum)
            .chain(gradient.iter().zip(&slope))
        {
            assert!((found - expected).abs() < 1e-13);
        }
    }
}
