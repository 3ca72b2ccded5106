//! Standard errors against the spread of estimates over replicates.

use rand::SeedableRng;
use rand::rngs::Xoshiro256PlusPlus;
use scotopic_filtering::hmm::{BatchEm, Hmm, Poisson};
use scotopic_filtering::{AnyModel, Sequence, SummarySettings};

const REPLICATES: usize = 500;

/// The model that 1000 counts say, from the true one on.
fn fitted(start: &Hmm, counts: &Sequence) -> Hmm {
    let em = BatchEm {
        max_iterations: 3000,
        tolerance: 1e-12,
        ..BatchEm::default()
    };
    start
        .clone()
        .fit(std::slice::from_ref(counts), &em)
        .unwrap()
        .model
}

/// Of 500 replicates the standard deviation is known to 3.2 %, and the mean of standard errors better: within 10 %.
#[test]
fn standard_errors_are_the_spread_of_replicates() {
    let rates = Poisson::new(vec![vec![3.0], vec![12.0]]).unwrap();
    let truth = Hmm::new(
        vec![0.5, 0.5],
        vec![vec![0.9, 0.1], vec![0.2, 0.8]],
        rates.into(),
    )
    .unwrap();
    let names = [
        "transition[1,2]",
        "transition[2,1]",
        "rates[1,1]",
        "rates[2,1]",
    ];
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(17);
    let (mut estimates, mut errors) = (vec![Vec::new(); 4], vec![0.0; 4]);
    for _ in 0..REPLICATES {
        let (_, counts) = truth.sample(1000, &mut rng).unwrap();
        let model = AnyModel::Hmm(fitted(&truth, &counts));
        let summary = model
            .summary(&[counts], &SummarySettings::default())
            .unwrap();
        for (i, name) in names.iter().enumerate() {
            let found = summary.estimates.iter().find(|e| e.name == *name).unwrap();
            estimates[i].push(found.value);
            errors[i] += found.standard_error.unwrap() / REPLICATES as f64;
        }
    }
    for (i, name) in names.iter().enumerate() {
        let mean = estimates[i].iter().sum::<f64>() / REPLICATES as f64;
        let square = estimates[i].iter().map(|e| (e - mean).powi(2)).sum::<f64>();
        let spread = (square / (REPLICATES - 1) as f64).sqrt();
        println!("{name}: {:.5} and {spread:.5}", errors[i]);
        assert!(
            (errors[i] / spread - 1.0).abs() < 0.1,
            "{name}: {} and {spread}",
            errors[i]
        );
    }
}
