//! A custom emission: geometric counts, learned from whole sequences and while filtering, and compared under different
//! factorisations with the functions of `scotopic compare`.
//!
//! `cargo run --release -p scotopic-filtering --example custom_emission`

use scotopic_filtering::hmm::{
    BatchEm, Emission, Factorisation, Guess, Hmm, Learn, LearnUnder, Learnable, PseudoObservations,
    Sample, ScorePart,
};
use scotopic_filtering::rand::rngs::Xoshiro256PlusPlus;
use scotopic_filtering::rand::{Rng, RngExt, SeedableRng};
use scotopic_filtering::{Coordinate, Error, Result};

/// p(y|k) = (1 − θ_k)^y θ_k for y = 0, 1, 2, …: failures before the first success.
#[derive(Debug, Clone)]
struct Geometric {
    success: Vec<f64>,
}

impl Geometric {
    fn new(success: Vec<f64>) -> Result<Self> {
        match success.iter().position(|p| !(*p > 0.0 && *p < 1.0)) {
            None => Ok(Self { success }),
            Some(k) => Err(Error::Entry {
                name: "success".into(),
                at: vec![k],
                found: success[k].to_string(),
                expected: "a probability above 0 and below 1".into(),
            }),
        }
    }

    fn mean(success: f64) -> f64 {
        (1.0 - success) / success
    }
}

// What filtering needs.
impl Emission for Geometric {
    fn states(&self) -> usize {
        self.success.len()
    }
    fn width(&self) -> usize {
        1
    }
    fn log_likelihood(&self, observation: &[f64], into: &mut [f64]) -> Result<()> {
        let y = observation[0];
        if y < 0.0 || y.fract() != 0.0 {
            return Err(Error::Observation {
                index: 0,
                entry: 0,
                found: y.to_string(),
                expected: "a count".into(),
            });
        }
        for (l, p) in into.iter_mut().zip(&self.success) {
            *l = y * (-p).ln_1p() + p.ln();
        }
        Ok(())
    }
    fn relabelled(&self, order: &[usize]) -> Self {
        Self {
            success: order.iter().map(|&k| self.success[k]).collect(),
        }
    }
}

// What learning needs: an exponential family with the statistic (1, y) and the logit of θ as its parameter.
impl Learnable for Geometric {
    fn statistic_len(&self) -> usize {
        2
    }
    fn statistic(&self, observation: &[f64], into: &mut [f64]) {
        into.copy_from_slice(&[1.0, observation[0]]);
    }
    fn expected_statistic(&self, into: &mut [f64]) {
        for (row, p) in into.chunks_exact_mut(2).zip(&self.success) {
            row.copy_from_slice(&[1.0, Self::mean(*p)]);
        }
    }
    fn maximise(&self, statistics: &[f64], pseudo: PseudoObservations) -> Result<Self> {
        let rows = statistics.chunks_exact(2).zip(&self.success);
        let best = rows.map(|(row, p)| {
            // The pseudo-observations are what the model expects.
            let (n, y) = (
                row[0] + pseudo.count,
                row[1] + pseudo.count * Self::mean(*p),
            );
            if n > 0.0 { n / (n + y) } else { *p }
        });
        Self::new(best.collect())
    }
    fn parameters_len(&self) -> usize {
        1
    }
    fn score_parts(&self) -> Vec<ScorePart> {
        vec![ScorePart::new("success", Coordinate::Logit, &[])]
    }
    fn score(&self, statistics: &[f64], into: &mut [f64]) {
        let rows = statistics.chunks_exact(2).zip(&self.success);
        for (into, (row, p)) in into.iter_mut().zip(rows) {
            *into = row[0] * (1.0 - p) - row[1] * p;
        }
    }
    fn ascended(&self, step: &[f64]) -> Result<Self> {
        let logit = |p: f64| (p / (1.0 - p)).ln();
        let moved = self.success.iter().zip(step);
        Self::new(
            moved
                .map(|(p, d)| 1.0 / (1.0 + (-(logit(*p) + d)).exp()))
                .collect(),
        )
    }
    fn state_parameters(&self) -> Vec<f64> {
        self.success.clone()
    }
}

// What starting from data alone needs: means between the quantiles of the counts.
impl Guess for Geometric {
    fn guess<R: Rng + ?Sized>(states: usize, rows: &[&[f64]], rng: &mut R) -> Result<Self> {
        let mut counts: Vec<f64> = rows.iter().map(|row| row[0]).collect();
        counts.sort_by(f64::total_cmp);
        let quantile = |k: usize| counts[counts.len() * (2 * k + 1) / (2 * states)];
        let success = (0..states).map(|k| 1.0 / (1.2 + quantile(k) + rng.random::<f64>()));
        Self::new(success.collect())
    }
}

// What simulation needs.
impl Sample for Geometric {
    fn sample<R: Rng + ?Sized>(&self, state: usize, rng: &mut R, into: &mut [f64]) {
        let u = 1.0 - rng.random::<f64>();
        into[0] = (u.ln() / (-self.success[state]).ln_1p()).floor();
    }
}

fn main() -> Result<()> {
    let truth = Hmm::new(
        vec![0.5, 0.5],
        vec![vec![0.95, 0.05], vec![0.1, 0.9]],
        Geometric::new(vec![0.6, 0.1])?,
    )?;
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
    let (_, data) = truth.sample(4000, &mut rng)?;
    let sequences = std::slice::from_ref(&data);
    let start = Hmm::guess(2, sequences, &mut rng)?;

    let em = BatchEm {
        pseudo_count: 1e-3,
        ..BatchEm::default()
    };
    let fit = start.clone().fit(sequences, &em)?;
    report("EM", &fit.model, &truth);
    let mut online = start.clone().learn_online(&Learn::default())?;
    for _ in 0..5 {
        for observation in data.iter() {
            online.update(observation)?;
        }
    }
    report("online EM", online.model(), &truth);

    let learn = LearnUnder {
        start,
        truth: Some(truth.clone()),
        em,
    };
    println!("\nfactorisation      F (nats)   gap (nats)   |A - A*|   |θ - θ*|");
    for name in Factorisation::COMPARED {
        let Some(factorisation) = Factorisation::named(name) else {
            continue;
        };
        let row = truth
            .compare(&data, name, &factorisation, Some(&learn))?
            .row;
        let (a, theta) = row.parameter_error.unwrap_or((f64::NAN, f64::NAN));
        let gap = row.gap.unwrap_or(f64::NAN);
        println!(
            "{name:17} {:9.2} {gap:12.3} {a:10.4} {theta:10.4}",
            row.free_energy
        );
    }
    Ok(())
}

fn report(name: &str, found: &Hmm<Geometric>, truth: &Hmm<Geometric>) {
    let (a, theta) = found.parameter_error(truth).unwrap_or((f64::NAN, f64::NAN));
    let success = &found.emission().success;
    println!("{name:10} θ = {success:.4?}   |A − A*| = {a:.4}   |θ − θ*| = {theta:.4}");
}
