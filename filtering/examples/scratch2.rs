use scotopic_filtering::generalised::causal::*;
use scotopic_filtering::generalised::model::*;
use scotopic_filtering::generalised::scheme::{Embedding, Scheme};
use scotopic_filtering::nalgebra::{DMatrix, DVector};
use scotopic_filtering::rand::{SeedableRng, rngs::Xoshiro256PlusPlus};
fn main() {
    let bins: usize = std::env::args().nth(1).unwrap().parse().unwrap();
    let show = std::env::args().nth(2);
    let lorenz = Lorenz::demonstration();
    let theta = lorenz.defaults();
    let model = GenerativeModel::single(lorenz, &theta, 1.0, f64::exp(16.0), 1.0, &[0.9, 0.8, 30.0]).unwrap();
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
    let data = Generation::default().run(model.clone(), bins, None, &mut rng).unwrap();
    for (name, lin, surprise) in [
        
        
        ("third", Linearisation::ThirdOrder, Some(4.0)),("third, never", Linearisation::ThirdOrder, None),("second", Linearisation::SecondOrder, Some(4.0)),
        ("second, never", Linearisation::SecondOrder, None),
        ("second, 3", Linearisation::SecondOrder, Some(3.0)),
        
    ] {
        let base = CausalSettings::from(Embedding { states: 2, causes: 2, smoothness: 0.5 });
        let set = CausalSettings { linearisation: lin, surprise, ..base };
        let mut f = CausalGeneralisedFilter::new(model.clone(), set, Some(&DMatrix::identity(3, 3))).unwrap();
        let mut all = Vec::new();
        let mut sq = 0.0;
        for t in 0..bins {
            if let Err(e) = f.update(Some(data.outputs.column(t).as_slice())) { println!("{name} {e}"); break; }
            let e = DVector::from_column_slice(f.states()) - data.states.column(t);
            let p = DMatrix::from_row_slice(3, 3, f.state_covariance());
            let tr = p.trace();
            let v = p.cholesky().map_or(f64::NAN, |c| e.dot(&c.solve(&e)) / 3.0);
            sq += e.norm_squared() / 3.0;
            all.push((v, t, tr, e.norm_squared()));
            if show.is_some() && name == "third" { println!("{t} {v:.3} {:.4} {:.4} {:.2} {:.2} {:.2}", tr, e.norm_squared(), data.states[(0,t)], data.states[(1,t)],data.states[(2,t)]); }
        }
        let mean = all.iter().map(|a| a.0).sum::<f64>() / bins as f64;
        let trace = all.iter().map(|a| a.2).sum::<f64>() / bins as f64;
        let mut v: Vec<f64> = all.iter().map(|a| a.0).collect();
        v.sort_by(f64::total_cmp);
        let q = |p: f64| v[(p * (v.len() - 1) as f64) as usize];
        let tail = |c: f64| v.iter().filter(|&&x| x > c).sum::<f64>() / bins as f64;
        println!("{name}: RMSE {:.4}, root mean P {:.4}, NEES {mean:.3}; quantiles .5 {:.2} .9 {:.2} .99 {:.2} .999 {:.2} max {:.1}; part of NEES from >5 {:.2}, >20 {:.2}, >100 {:.2}; ev {:.4}",
            (sq / bins as f64).sqrt(), (trace / 3.0).sqrt(), q(0.5), q(0.9), q(0.99), q(0.999), q(1.0), tail(5.0), tail(20.0), tail(100.0), f.log_evidence().unwrap() / bins as f64);
    }
}
