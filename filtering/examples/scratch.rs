#[path = "../tests/generalised_reference/joint_gaussian.rs"]
#[allow(dead_code)]
mod joint_gaussian;
use joint_gaussian::*;
use scotopic_filtering::generalised::causal::*;
use scotopic_filtering::generalised::scheme::{Embedding, Scheme};
use scotopic_filtering::nalgebra::{DMatrix, DVector};
fn main() {
    let a: Vec<usize> = std::env::args().skip(1).map(|v| v.parse().unwrap()).collect();
    let (seeds, which) = (a[0] as u64, a[1]);
    for s in [0.0, 0.5, 1.0] {
        let joint = JointGaussian::new(s, 64);
        let data: Vec<_> = (0..seeds).map(|k| joint.draw(1000 + k)).collect();
        for ahead in [0, 1, 2, 3] {
            let exact = joint.posteriors(ahead);
            let mut bound = Errors::default();
            for d in &data {
                for (t, p) in exact.iter().enumerate() {
                    let y = DVector::from_column_slice(&d.outputs.as_slice()[..4 * (t + ahead + 1)]);
                    bound.add(&(&p.weights * y), &p.covariance, d.states.column(t).as_slice());
                }
            }
            print!("s {s} ahead {ahead} exact {:.4} ({:.3}):", bound.rmse(), bound.nees());
            for n in 0..=6 {
                let base = CausalSettings::from(Embedding { states: n, causes: n, smoothness: s });
                let mut set = CausalSettings { delay: ahead, ..base };
                if which == 1 { set.memory = if s > 0.0 { 7 } else { 0 }; }
                let mut found = Errors::default();
                for d in &data {
                    let mut f = CausalGeneralisedFilter::new(convolution(), set, None).unwrap();
                    for t in 0..joint.bins {
                        f.update(Some(d.outputs.column(t).as_slice())).unwrap();
                        if t >= ahead {
                            found.add(&DVector::from_column_slice(f.states()), &DMatrix::from_row_slice(2, 2, f.state_covariance()), d.states.column(t - ahead).as_slice());
                        }
                    }
                }
                print!(" N{n} {:.3} ({:.2})", found.rmse() / bound.rmse(), found.nees());
            }
            println!();
        }
    }
}
