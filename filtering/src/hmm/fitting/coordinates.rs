//! All parameters of a model as one vector without bounds.

use crate::Result;
use crate::hmm::roots;
use crate::hmm::{Expectations, Hmm, Learnable};

/// Coordinates z about a model, `[K + K² + K·Q']`: roots of π and of A, and those of
/// [`Learnable::displaced`]. z = 0 is the model. Probabilities that are 0 stay 0.
pub(in crate::hmm) struct Coordinates<'a, E: Learnable> {
    base: &'a Hmm<E>,
}

impl<'a, E: Learnable> Coordinates<'a, E> {
    pub(in crate::hmm) fn about(base: &'a Hmm<E>) -> Self {
        Self { base }
    }

    pub(in crate::hmm) fn len(&self) -> usize {
        let k = self.base.states();
        k + k * k + k * self.base.emission().coordinates_len()
    }

    /// θ(z).
    ///
    /// # Errors
    /// As [`Learnable::displaced`]; where z leaves the range of numbers.
    pub(in crate::hmm) fn model(&self, z: &[f64]) -> Result<Hmm<E>> {
        let k = self.base.states();
        let (initial, rest) = z.split_at(k);
        let (transition, emission) = rest.split_at(k * k);
        Hmm::from_flat(
            roots::displaced(self.base.initial(), initial, k),
            roots::displaced(self.base.transition(), transition, k),
            self.base.emission().displaced(emission)?,
        )
    }

    /// ∇_z ln p(o) at `model` by Fisher's identity, from the expectations under it.
    pub(super) fn gradient(&self, z: &[f64], model: &Hmm<E>, expected: &Expectations) -> Vec<f64> {
        let mut slopes = Vec::with_capacity(self.len());
        let k = model.states();
        of_logits(model.transition(), &expected.transitions, k, &mut slopes);
        self.gradient_of_slopes(z, model, expected, &slopes)
    }

    /// The same where ∇ ln p with respect to the logits of A is `transition` `[K·K]`.
    pub(in crate::hmm) fn gradient_of_slopes(
        &self,
        z: &[f64],
        model: &Hmm<E>,
        expected: &Expectations,
        transition: &[f64],
    ) -> Vec<f64> {
        let k = model.states();
        let (chain, emission) = z.split_at(k + k * k);
        let mut gradient = Vec::with_capacity(self.len());
        of_logits(model.initial(), &expected.initial, k, &mut gradient);
        gradient.extend_from_slice(transition);
        let (initial, transition) = gradient.split_at_mut(k);
        roots::from_logits(self.base.initial(), &chain[..k], initial);
        roots::from_logits(self.base.transition(), &chain[k..], transition);
        let from = gradient.len();
        gradient.resize(self.len(), 0.0);
        let (base, into) = (self.base.emission(), &mut gradient[from..]);
        model
            .emission()
            .score_about(base, emission, &expected.emission, into);
        gradient
    }
}

/// The diagonal of the Fisher information that the data would have if the states were seen, in the coordinates about
/// `model`: what a step of EM is measured by.
pub(in crate::hmm) fn information<E: Learnable>(
    model: &Hmm<E>,
    expected: &Expectations,
) -> Vec<f64> {
    /// Of a parameter that no observation says anything of. Coordinates have no units, and neither has their information.
    const LEAST: f64 = 1e-12;
    let k = model.states();
    let q = model.emission().coordinates_len();
    let sequences: f64 = expected.initial.iter().sum();
    let mut information = vec![4.0 * sequences; k];
    for counts in expected.transitions.chunks_exact(k) {
        let left: f64 = counts.iter().sum();
        information.resize(information.len() + k, 4.0 * left);
    }
    let from = information.len();
    information.resize(from + k * q, 0.0);
    model.emission().information(&mut information[from..]);
    let visits = visits(expected);
    for (row, visits) in information[from..].chunks_exact_mut(q).zip(visits) {
        row.iter_mut().for_each(|i| *i *= visits);
    }
    let least = LEAST * sequences.max(1.0);
    information.iter_mut().for_each(|i| *i = i.max(least));
    information
}

/// Σ_t γ_t `[K]`, missing observations included.
pub(in crate::hmm) fn visits(expected: &Expectations) -> Vec<f64> {
    let k = expected.initial.len();
    let mut visits = expected.initial.clone();
    for row in expected.transitions.chunks_exact(k) {
        visits.iter_mut().zip(row).for_each(|(v, n)| *v += n);
    }
    visits
}

/// n − p Σn of each row.
fn of_logits(probabilities: &[f64], counts: &[f64], columns: usize, into: &mut Vec<f64>) {
    let rows = probabilities.chunks_exact(columns);
    for (p, n) in rows.zip(counts.chunks_exact(columns)) {
        let total: f64 = n.iter().sum();
        into.extend(p.iter().zip(n).map(|(p, n)| n - p * total));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Sequence;
    use crate::hmm::{
        AnyEmission, Autoregression, Bernoulli, Categorical, DiagonalGaussian, FullGaussian,
        LinearRegression, LogisticRegression, NegativeBinomial, Poisson, PoissonRegression,
        StudentT,
    };

    fn models() -> Vec<(AnyEmission, Vec<Vec<f64>>)> {
        let symbols = vec![vec![0.2, 0.5, 0.3], vec![0.6, 0.1, 0.3]];
        let whole = |t: usize| (t * t % 7 % 3) as f64;
        let number = |t: usize| (3.7 * t as f64).sin() + 0.1 * t as f64;
        let full = vec![
            vec![vec![2.0, 0.5], vec![0.5, 1.0]],
            vec![vec![1.0, -0.3], vec![-0.3, 0.7]],
        ];
        let means = vec![vec![0.3, -0.5], vec![1.0, 2.0]];
        let pairs: Vec<Vec<f64>> = (0..12)
            .map(|t| vec![number(t), number(5 * t + 1)])
            .collect();
        let variances = vec![vec![1.5, 0.4], vec![0.8, 2.0]];
        let counts = (0..12).map(|t| vec![whole(t), whole(t + 3)]).collect();
        vec![
            (
                Categorical::new(symbols).unwrap().into(),
                (0..12).map(|t| vec![whole(t)]).collect(),
            ),
            (
                Poisson::new(vec![vec![0.5, 2.0], vec![1.5, 0.7]])
                    .unwrap()
                    .into(),
                counts,
            ),
            (
                DiagonalGaussian::new(means.clone(), variances)
                    .unwrap()
                    .into(),
                pairs.clone(),
            ),
            (FullGaussian::new(means, full).unwrap().into(), pairs),
        ]
    }

    /// Emissions whose statistics are expectations, or given inputs.
    fn others() -> Vec<(AnyEmission, Vec<Vec<f64>>)> {
        let whole = |t: usize, most: usize| (t * t % 7 % most) as f64;
        let number = |t: usize| (3.7 * t as f64).sin() + 0.1 * t as f64;
        let two = |a: f64, b: f64| vec![vec![a, b], vec![b, 0.5 * a]];
        // One entry is missing of every fifth row.
        let rows = |of: &dyn Fn(usize) -> [f64; 2]| -> Vec<Vec<f64>> {
            let row = |t: usize| {
                let [a, b] = of(t);
                vec![if t % 5 == 3 { f64::NAN } else { a }, b]
            };
            (0..14).map(row).collect()
        };
        let counts = rows(&|t| [whole(t, 5), whole(t + 3, 4)]);
        let binary = rows(&|t| [whole(t, 2), whole(t + 2, 2)]);
        let pairs = rows(&|t| [number(t), number(5 * t + 1)]);
        let exposed = rows(&|t| [whole(t, 5), 0.5 + whole(t + 1, 3)]);
        let names = vec!["x".to_owned()];
        let weights = vec![vec![0.2, -0.4], vec![-0.3, 0.8]];
        let poisson = Poisson::new(vec![vec![0.7], vec![2.0]]).unwrap();
        let log_linear = PoissonRegression::new(names.clone(), weights.clone()).unwrap();
        let linear = LinearRegression::new(names.clone(), weights.clone()).unwrap();
        let square = |a: f64, b: f64| vec![vec![a, 0.3 * b], vec![-0.2, b]];
        let scalar = Autoregression::diagonal(
            vec![vec![0.2], vec![-0.3]],
            vec![vec![vec![vec![0.5]]], vec![vec![vec![-0.4]]]],
            vec![vec![0.6], vec![1.7]],
        );
        let vector = Autoregression::new(
            vec![vec![0.2, 0.5], vec![-0.3, 0.1]],
            vec![vec![square(0.5, 0.4)], vec![square(-0.3, 0.7)]],
            vec![
                vec![vec![1.5, 0.4], vec![0.4, 0.8]],
                vec![vec![0.7, -0.2], vec![-0.2, 1.1]],
            ],
        );
        // One entry of x is missing of every fifth row, and a lag of every ninth.
        let lagged = |t: usize| {
            let (x, lag) = (number(t), number(11 * t));
            let x = if t % 5 == 3 { f64::NAN } else { x };
            vec![
                x,
                number(5 * t + 1),
                number(7 * t + 2),
                if t % 9 == 4 { f64::NAN } else { lag },
            ]
        };
        let lagged: Vec<Vec<f64>> = (0..24).map(lagged).collect();
        vec![
            (
                Bernoulli::new(two(0.3, 0.6)).unwrap().into(),
                binary.clone(),
            ),
            (poisson.with_exposure("e").unwrap().into(), exposed),
            (
                NegativeBinomial::new(two(1.5, 0.8), two(0.9, 3.0))
                    .unwrap()
                    .into(),
                counts.clone(),
            ),
            (
                StudentT::new(two(0.3, -0.5), two(0.8, 1.4), two(3.0, 1.5))
                    .unwrap()
                    .into(),
                pairs.clone(),
            ),
            (
                LogisticRegression::new(names, weights).unwrap().into(),
                binary,
            ),
            (log_linear.into(), counts),
            (
                linear.with_variances(vec![0.6, 1.7]).unwrap().into(),
                pairs.clone(),
            ),
            (scalar.unwrap().into(), pairs),
            (vector.unwrap().into(), lagged),
        ]
    }

    /// Central differences of ln p, away from the base as well as at it: error of order h² ≈ 1e-10, rounding 1e-16/h.
    #[test]
    fn the_gradient_is_that_of_the_evidence() {
        for (emission, rows) in models().into_iter().chain(others()) {
            let transition = vec![vec![0.7, 0.3], vec![0.2, 0.8]];
            let base = Hmm::new(vec![0.4, 0.6], transition, emission).unwrap();
            let data = [Sequence::of_rows(rows).unwrap()];
            let base = base.measured(&base.expectations(&data).unwrap()).unwrap();
            let about = Coordinates::about(&base);
            for size in [0.0, 0.15] {
                let z: Vec<f64> = (0..about.len())
                    .map(|n| size * (2.0 * n as f64).cos())
                    .collect();
                let model = about.model(&z).unwrap();
                let expected = model.expectations(&data).unwrap();
                let gradient = about.gradient(&z, &model, &expected);
                for n in 0..z.len() {
                    let h = 1e-5;
                    let at = |d: f64| {
                        let mut z = z.clone();
                        z[n] += d;
                        let model = about.model(&z).unwrap();
                        model.log_evidence(&data[0]).unwrap()
                    };
                    let difference = (at(h) - at(-h)) / (2.0 * h);
                    assert!(
                        (gradient[n] - difference).abs() < 1e-7 * (1.0 + difference.abs()),
                        "{:?}, coordinate {n}: {} and {difference}",
                        base.emission().kind(),
                        gradient[n]
                    );
                }
            }
        }
    }
}
