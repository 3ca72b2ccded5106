use scotopic_filtering::generalised::causal::*;
use scotopic_filtering::generalised::model::*;
use scotopic_filtering::generalised::scheme::{Embedding, Scheme};
use scotopic_filtering::nalgebra::{DMatrix, DVector, Matrix3, Vector3};
use scotopic_filtering::rand::{Rng, RngExt, SeedableRng, rngs::Xoshiro256PlusPlus};
fn flow(x: Vector3<f64>) -> Vector3<f64> {
    let b = 1.0 / 32.0;
    let f = Vector3::new(18.0 * (x[1] - x[0]), x[0] * (46.92 - 2.0 * x[2]) - x[1], 2.0 * x[0] * x[1] - 4.0 * x[2]) * b;
    let a = Matrix3::new(-18.0, 18.0, 0.0, 46.92 - 2.0 * x[2], -1.0, -2.0 * x[0], 2.0 * x[1], 2.0 * x[0], -4.0) * b;
    let (mut out, mut y) = (x, f);
    for j in 1..22 { out += y; y = a * y / (j + 1) as f64; }
    out
}
fn gauss(rng: &mut impl Rng) -> f64 {
    let (u, v): (f64, f64) = (rng.random(), rng.random());
    (-2.0 * (1.0 - u).ln()).sqrt() * (std::f64::consts::TAU * v).cos()
}
fn main() {
    let bins: usize = std::env::args().nth(1).unwrap().parse().unwrap();
    let n: usize = std::env::args().nth(2).unwrap().parse().unwrap();
    let lorenz = Lorenz::demonstration();
    let theta = lorenz.defaults();
    let model = GenerativeModel::single(lorenz, &theta, 1.0, f64::exp(16.0), 1.0, &[0.9, 0.8, 30.0]).unwrap();
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
    let data = Generation { smoothness: 0.0, ..Generation::default() }.run(model.clone(), bins, None, &mut rng).unwrap();
    let set = CausalSettings::from(Embedding { states: 2, causes: 2, smoothness: 0.0 });
    let mut f = CausalGeneralisedFilter::new(model.clone(), set, Some(&DMatrix::identity(3, 3))).unwrap();
    let mut p: Vec<Vector3<f64>> = (0..n).map(|_| Vector3::new(0.9 + gauss(&mut rng), 0.8 + gauss(&mut rng), 30.0 + gauss(&mut rng))).collect();
    let mut lw = vec![0.0; n];
    let (mut r, mut ev) = ([[0.0; 3]; 2], 0.0);
    let mut tails = [0.0; 2];
    for t in 0..bins {
        let y = data.outputs[(0, t)];
        f.update(Some(&[y])).unwrap();
        let truth = Vector3::new(data.states[(0, t)], data.states[(1, t)], data.states[(2, t)]);
        let e = DVector::from_column_slice(f.states()) - data.states.column(t);
        let c = DMatrix::from_row_slice(3, 3, f.state_covariance());
        r[0][0] += e.norm_squared() / 3.0; r[0][2] += c.trace() / 3.0;
        let v = c.cholesky().map_or(0.0, |c| e.dot(&c.solve(&e)) / 3.0);
        r[0][1] += v; if v > 5.0 { tails[0] += v; }
        // particles
        if t > 0 { for x in &mut p { *x = flow(*x); for k in 0..3 { x[k] += 3.35e-4 * 0.8 * gauss(&mut rng); } } }
        let before: f64 = { let m = lw.iter().copied().fold(f64::MIN, f64::max); m + lw.iter().map(|w: &f64| (w - m).exp()).sum::<f64>().ln() };
        for (x, w) in p.iter().zip(&mut lw) { let d: f64 = y - x.sum(); *w -= 0.5 * d * d; }
        let m = lw.iter().copied().fold(f64::MIN, f64::max);
        let s: f64 = lw.iter().map(|w| (w - m).exp()).sum();
        ev += m + s.ln() - before - 0.5 * std::f64::consts::TAU.ln();
        let w: Vec<f64> = lw.iter().map(|w| (w - m).exp() / s).collect();
        let mut mean = Vector3::zeros();
        for (x, w) in p.iter().zip(&w) { mean += x * *w; }
        let mut cov = Matrix3::zeros();
        for (x, w) in p.iter().zip(&w) { let d = x - mean; cov += d * d.transpose() * *w; }
        let e = mean - truth;
        let v = cov.cholesky().map_or(0.0, |c| e.dot(&c.solve(&e)) / 3.0);
        r[1][0] += e.norm_squared() / 3.0; r[1][1] += v; r[1][2] += cov.trace() / 3.0; if v > 5.0 { tails[1] += v; }
        let ess = 1.0 / w.iter().map(|w| w * w).sum::<f64>();
        if ess < 0.5 * n as f64 {
            let h2: f64 = 0.003; let a = (1.0 - h2).sqrt();
            let root = cov.cholesky().map_or(Matrix3::zeros(), |c| c.l()) * h2.sqrt();
            let mut u: f64 = rng.random::<f64>() / n as f64; let (mut i, mut cum) = (0, w[0]);
            let old = p.clone();
            for x in &mut p {
                while cum < u && i + 1 < n { i += 1; cum += w[i]; }
                *x = mean + (old[i] - mean) * a + root * Vector3::new(gauss(&mut rng), gauss(&mut rng), gauss(&mut rng));
                u += 1.0 / n as f64;
            }
            lw.fill(0.0);
        } else { for l in &mut lw { *l -= m; } }
    }
    let b = bins as f64;
    for (k, name) in ["filter", "particles"].iter().enumerate() {
        println!("{name}: RMSE {:.4} sqrt mean P {:.4} NEES {:.3} of which >5 {:.3} ev {:.4}", (r[k][0] / b).sqrt(), (r[k][2] / b).sqrt(), r[k][1] / b, tails[k] / b, [f.log_evidence().unwrap(), ev][k] / b);
    }
}
