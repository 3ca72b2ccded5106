//! The recursive statistics against the smoother, finite differences and one another.

use super::*;
use crate::Sequence;
use rand::SeedableRng;
use rand::rngs::Xoshiro256PlusPlus;

fn random_model(
    n: usize,
    m: usize,
    diagonal: bool,
    rng: &mut Xoshiro256PlusPlus,
) -> LinearGaussian {
    use rand_distr::{Distribution, StandardNormal};
    let mut draw = |rows: usize, columns: usize| {
        let full = DMatrix::from_fn(rows, columns, |_, _| {
            let z: f64 = StandardNormal.sample(rng);
            0.4 * z
        });
        if diagonal {
            DMatrix::from_diagonal(&full.diagonal())
        } else {
            full
        }
    };
    let mut covariance = |n: usize| {
        let a = draw(n, n);
        symmetric(&a * a.transpose() + DMatrix::identity(n, n) * 0.2)
    };
    let (q, r, p0) = (covariance(n), covariance(m), covariance(n));
    LinearGaussian::new(draw(n, n), q, draw(m, n), r)
        .unwrap()
        .with_bias(draw(n, n).column_sum(), draw(m, m).column_sum())
        .unwrap()
        .with_initial(draw(n, n).column_sum(), p0)
        .unwrap()
}

use crate::math::cholesky::symmetric;

/// The recursion forward in time is the smoother's sum over the whole sequence (Fisher), gaps and all.
#[test]
fn forward_statistics_are_the_smoothed_ones() {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(4);
    for (n, m, diagonal) in [(1, 1, false), (2, 3, false), (3, 2, false), (3, 3, true)] {
        let model = random_model(n, m, diagonal, &mut rng);
        let (_, full) = model.sample(15, &mut rng).unwrap();
        let mut data = Sequence::new(m).unwrap();
        for (t, y) in full.iter().enumerate() {
            data.push(y.filter(|_| t % 4 != 2)).unwrap();
        }
        let smoothed = model.smooth(&data).unwrap();
        let mut forward = RecursiveStatistics::new(&model, diagonal);
        let mut increments = forward.clone();
        let mut sum = Statistics::new(&model);
        for (t, y) in data.iter().enumerate() {
            let kernel = t.checked_sub(1).map(|t| &smoothed.kernels()[t]);
            let belief = &smoothed.filtered()[t];
            let y = y.map(|y| seen(&model, y).unwrap());
            forward.advance(kernel, y.as_ref(), 1.0, 1.0);
            increments.advance(kernel, y.as_ref(), 1.0, 1.0);
            sum.add(1.0, &increments.expected(belief));
            increments.forget_expected(belief);
        }
        let last = smoothed.filtered().last().unwrap();
        let (exact, _) = model.statistics(&data).unwrap();
        for found in [forward.expected(last), sum] {
            for (found, exact) in [
                (&found.transition, &exact.transition),
                (&found.observation, &exact.observation),
            ] {
                assert!((found.weight - exact.weight).abs() < 1e-9);
                let only = |m: &DMatrix<f64>| {
                    // Of a diagonal model only an entry's own moments are kept.
                    let p = m.ncols();
                    DMatrix::from_fn(m.nrows(), p, |i, j| {
                        let own = !diagonal || i == j || i == n || j == n;
                        if own { m[(i, j)] } else { 0.0 }
                    })
                };
                for (found, exact) in [
                    (&found.inputs, &exact.inputs),
                    (&found.cross, &exact.cross),
                    (&found.residual, &exact.residual),
                ] {
                    let scale = 1.0 + exact.amax();
                    let off = (only(found) - only(exact)).amax();
                    assert!(off < 1e-11 * scale, "{n} {m}: {off:e}");
                }
            }
        }
    }
}
