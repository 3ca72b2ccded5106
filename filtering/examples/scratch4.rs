use scotopic_filtering::generalised::causal::*;
use scotopic_filtering::generalised::model::*;
use scotopic_filtering::generalised::scheme::{Embedding, Scheme};
use scotopic_filtering::nalgebra::{DMatrix, DVector};
use scotopic_filtering::rand::{SeedableRng, rngs::Xoshiro256PlusPlus};
fn go<E: Equations + Clone>(name: &str, eq: E, theta: &[f64], z: f64, w: f64, v: f64, start: &[f64], s: f64) {
    let bins = 20000;
    let model = GenerativeModel::single(eq, theta, z, w, v, start).unwrap();
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(5);
    let data = match (Generation { smoothness: s, ..Generation::default() }).run(model.clone(), bins, None, &mut rng) { Ok(d) => d, Err(e) => { println!("{name} {e}"); return; } };
    let set = CausalSettings::from(Embedding { states: 6, causes: 2, smoothness: s });
    let n = start.len();
    let mut f = CausalGeneralisedFilter::new(model, set, Some(&DMatrix::identity(n, n))).unwrap();
    let (mut sq, mut nees, mut tail, mut tr) = (0.0, 0.0, 0.0, 0.0);
    for t in 0..bins {
        if let Err(e) = f.update(Some(data.outputs.column(t).as_slice())) { println!("{name} {e}"); return; }
        let e = DVector::from_column_slice(f.states()) - data.states.column(t);
        let c = DMatrix::from_row_slice(n, n, f.state_covariance());
        sq += e.norm_squared(); tr += c.trace();
        let v = c.cholesky().map_or(0.0, |c| e.dot(&c.solve(&e)) / n as f64);
        nees += v; if v > 5.0 { tail += v; }
    }
    let b = bins as f64;
    println!("{name} s {s}: RMSE {:.4} P {:.4} NEES {:.3} (>5 {:.3}) ev {:.4}", (sq / b / n as f64).sqrt(), (tr / b / n as f64).sqrt(), nees / b, tail / b, f.log_evidence().unwrap() / b);
}
fn main() {
    for s in [0.0, 0.5] {
        let e16 = f64::exp(16.0);
        for d in [16.0, 32.0, 64.0, 128.0] {
            let l = Lorenz { bin: 1.0 / d, ..Lorenz::demonstration() };
            go(&format!("lorenz 1/{d}"), l, &l.defaults(), 1.0, e16, 1.0, &[0.9, 0.8, 30.0], s);
        }
        let l = Lorenz::demonstration();
        go("lorenz sum, loud", l, &l.defaults(), 0.1, e16, 1.0, &[0.9, 0.8, 30.0], s);
        go("lorenz sum, w 1e2", l, &l.defaults(), 1.0, 1e2, 1.0, &[0.9, 0.8, 30.0], s);
        let l = Lorenz { bin: 0.05, ..Lorenz::default() };
        go("lorenz each .05", l, &l.defaults(), 0.25, e16, 1.0, &[0.9, 0.8, 30.0], s);
        let l = LotkaVolterra { bin: 0.5 };
        go("lotka", l, &l.defaults(), 4.0, 1e4, 1.0, &[2.0, 1.0], s);
        go("double well", DoubleWell {}, &[], 7.4, 1e2, 0.125, &[1.0], s);
        let l = FitzHughNagumo::default();
        go("fhn", l, &l.defaults(), 4.0, 1e3, 1.0, &[0.0, 0.0], s);
    }
}
