//! Rows that are missing in part: the marginal of the entries that are there, and the expectation of the others.

use scotopic_filtering::hmm::{
    AnyEmission, Categorical, DiagonalGaussian, Dirichlet, Emission, Filter, FitSettings,
    FullGaussian, Hmm, Learn, OnlineEm, Poisson,
};
use scotopic_filtering::{Error, Sequence};

const GONE: f64 = f64::NAN;
/// What is asked for; the sums differ by rounding alone.
const EXACT: f64 = 1e-10;

fn means() -> Vec<Vec<f64>> {
    vec![vec![0.3, -1.0, 2.0], vec![1.5, 0.5, -0.5]]
}

fn covariances() -> Vec<Vec<Vec<f64>>> {
    vec![
        vec![
            vec![2.0, 0.6, -0.3],
            vec![0.6, 1.0, 0.2],
            vec![-0.3, 0.2, 0.8],
        ],
        vec![
            vec![1.0, -0.4, 0.1],
            vec![-0.4, 1.5, 0.3],
            vec![0.1, 0.3, 0.6],
        ],
    ]
}

/// An emission of these columns alone.
type Of = fn(&[usize]) -> AnyEmission;

/// The emission of these columns alone, made from its parameters: each kind with the rows that it is tried on.
fn kinds() -> Vec<(Of, Vec<Vec<f64>>)> {
    fn take(rows: Vec<Vec<f64>>, columns: &[usize]) -> Vec<Vec<f64>> {
        rows.iter()
            .map(|row| columns.iter().map(|&c| row[c]).collect())
            .collect()
    }
    fn diagonal(columns: &[usize]) -> AnyEmission {
        let variances = vec![vec![1.0, 0.5, 2.0], vec![0.7, 3.0, 1.2]];
        DiagonalGaussian::new(take(means(), columns), take(variances, columns))
            .unwrap()
            .into()
    }
    fn full(columns: &[usize]) -> AnyEmission {
        let of = |c: Vec<Vec<f64>>| {
            columns
                .iter()
                .map(|&i| columns.iter().map(|&j| c[i][j]).collect())
                .collect()
        };
        FullGaussian::new(
            take(means(), columns),
            covariances().into_iter().map(of).collect(),
        )
        .unwrap()
        .into()
    }
    fn poisson(columns: &[usize]) -> AnyEmission {
        let rates = vec![vec![0.5, 4.0, 11.0], vec![3.0, 1.0, 7.0]];
        Poisson::new(take(rates, columns)).unwrap().into()
    }
    let number = |t: usize, d: usize| (1.7 * t as f64 + 2.3 * d as f64).sin() + 0.5 * d as f64;
    let numbers: Vec<Vec<f64>> = (0..10)
        .map(|t| (0..3).map(|d| number(t, d)).collect())
        .collect();
    let counts = (0..10)
        .map(|t| (0..3).map(|d| ((t * 7 + d * 5) % 9) as f64).collect())
        .collect();
    vec![
        (diagonal as Of, numbers.clone()),
        (full, numbers),
        (poisson, counts),
    ]
}

/// Every pattern of what is there, in turn.
fn with_gaps(rows: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let gap = |(t, row): (usize, &Vec<f64>)| {
        let there = t % 8;
        row.iter()
            .enumerate()
            .map(|(d, y)| if there >> d & 1 == 1 { *y } else { GONE })
            .collect()
    };
    rows.iter().enumerate().map(gap).collect()
}

fn model(emission: AnyEmission) -> Hmm {
    Hmm::new(
        vec![0.4, 0.6],
        vec![vec![0.7, 0.3], vec![0.2, 0.8]],
        emission,
    )
    .unwrap()
}

fn sequence(rows: &[Vec<f64>]) -> Sequence {
    let mut sequence = Sequence::new(rows[0].len()).unwrap();
    rows.iter()
        .for_each(|row| sequence.push(Some(row)).unwrap());
    sequence
}

/// ln p and the beliefs of a filter written out here, whose likelihoods are of emissions made for the columns that are there.
#[test]
fn the_filter_uses_the_marginal_of_what_is_there() {
    for (of, rows) in kinds() {
        let model = model(of(&[0, 1, 2]));
        let rows = with_gaps(&rows);
        let mut filter = Filter::new(model.clone());
        let (mut belief, mut evidence) = (model.initial().to_vec(), 0.0);
        for (t, row) in rows.iter().enumerate() {
            let there: Vec<usize> = (0..3).filter(|&d| !row[d].is_nan()).collect();
            let mut loglik = vec![0.0; 2];
            if !there.is_empty() {
                let seen: Vec<f64> = there.iter().map(|&d| row[d]).collect();
                of(&there).log_likelihood(&seen, &mut loglik).unwrap();
            }
            let predicted: Vec<f64> = match t {
                0 => belief.clone(),
                _ => (0..2)
                    .map(|j| {
                        (0..2)
                            .map(|i| belief[i] * model.transition()[2 * i + j])
                            .sum()
                    })
                    .collect(),
            };
            let joint: Vec<f64> = predicted
                .iter()
                .zip(&loglik)
                .map(|(p, l)| p * l.exp())
                .collect();
            let total: f64 = joint.iter().sum();
            belief = joint.iter().map(|p| p / total).collect();
            evidence += total.ln();
            let step = filter.update(Some(row)).unwrap();
            assert!(
                (step.elbo - evidence).abs() < EXACT,
                "{t}: {} and {evidence}",
                step.elbo
            );
            assert!((filter.belief()[0] - belief[0]).abs() < EXACT);
        }
        let data = sequence(&rows);
        assert!((model.log_evidence(&data).unwrap() - evidence).abs() < EXACT);
        // Smoothing and decoding by the same likelihoods.
        let smoothed = model.smooth(&data).unwrap();
        assert!((smoothed.log_evidence() - evidence).abs() < EXACT);
        assert_eq!(model.viterbi(&data).unwrap().0.len(), rows.len());
    }
}

/// Fisher's identity with the expectations of what is missing against differences of ln p: error h² and rounding 1e-14/h.
#[test]
fn the_gradient_counts_what_is_missing_by_its_expectation() {
    use scotopic_filtering::hmm::Learnable;
    for (of, rows) in kinds() {
        let emission = of(&[0, 1, 2]);
        let data = [sequence(&with_gaps(&rows))];
        let gradient = model(emission.clone()).gradient(&data).unwrap();
        let q = emission.parameters_len();
        let full = matches!(emission, AnyEmission::FullGaussian(_));
        for n in 0..2 * q {
            // Covariances do not move by `ascended`.
            if full && n % q >= 3 {
                continue;
            }
            let h = 1e-5;
            let at = |d: f64| {
                let mut step = vec![0.0; 2 * q];
                step[n] = d;
                model(emission.ascended(&step).unwrap())
                    .log_evidence(&data[0])
                    .unwrap()
            };
            let difference = (at(h) - at(-h)) / (2.0 * h);
            assert!(
                (gradient.emission[n] - difference).abs() < 1e-7 * (1.0 + difference.abs()),
                "{n}: {} and {difference}",
                gradient.emission[n]
            );
        }
    }
}

/// One state, the second column missing in half of the rows: the maximum of the likelihood in closed form (T. Anderson, 1957).
/// μ_1, σ_11 are of all rows; μ_2, σ_12, σ_22 follow from the regression on the rows that are whole.
#[test]
fn a_covariance_is_learned_from_partial_rows() {
    let number = |t: usize| (1.7 * t as f64).sin() + 0.3 * (0.61 * t as f64).cos();
    let rows: Vec<Vec<f64>> = (0..60)
        .map(|t| {
            vec![
                number(t),
                if t % 2 == 0 {
                    0.8 * number(t) + 0.5 * number(3 * t + 1)
                } else {
                    GONE
                },
            ]
        })
        .collect();
    let start = FullGaussian::new(
        vec![vec![0.0, 0.0]],
        vec![vec![vec![1.0, 0.0], vec![0.0, 1.0]]],
    )
    .unwrap();
    let start = Hmm::new(vec![1.0], vec![vec![1.0]], start).unwrap();
    let settings = FitSettings {
        tolerance: 1e-16,
        ..FitSettings::default()
    };
    let fit = start.fit_from(&[sequence(&rows)], &settings).unwrap();
    let n = rows.len() as f64;
    let mean = |f: &dyn Fn(&Vec<f64>) -> f64, rows: &[Vec<f64>]| {
        rows.iter().map(f).sum::<f64>() / rows.len() as f64
    };
    let whole: Vec<Vec<f64>> = rows
        .iter()
        .filter(|row| !row[1].is_nan())
        .cloned()
        .collect();
    let (m1, w1, w2) = (
        mean(&|r| r[0], &rows),
        mean(&|r| r[0], &whole),
        mean(&|r| r[1], &whole),
    );
    let s11 = rows.iter().map(|r| (r[0] - m1).powi(2)).sum::<f64>() / n;
    let (c11, c12, c22) = (
        mean(&|r| (r[0] - w1).powi(2), &whole),
        mean(&|r| (r[0] - w1) * (r[1] - w2), &whole),
        mean(&|r| (r[1] - w2).powi(2), &whole),
    );
    let slope = c12 / c11;
    let expected = [
        m1,
        w2 + slope * (m1 - w1),
        s11,
        slope * s11,
        c22 - slope * c12 + slope * slope * s11,
    ];
    let (means, c) = (
        fit.model.emission().means(),
        fit.model.emission().covariances(),
    );
    // ln p is flat to the square root of its rounding.
    for (found, expected) in [means[0], means[1], c[0], c[1], c[3]].iter().zip(expected) {
        assert!((found - expected).abs() < 1e-6, "{found} and {expected}");
    }
}

#[test]
fn a_row_of_nan_alone_is_a_missing_one() {
    for (of, rows) in kinds() {
        let run = |gap: Option<&[f64]>| {
            let mut filter = Filter::new(model(of(&[0, 1, 2])));
            filter.update(Some(&rows[0])).unwrap();
            filter.update(gap).unwrap();
            filter.update(Some(&rows[1])).unwrap();
            serde_json::to_string(&filter).unwrap()
        };
        assert_eq!(run(None), run(Some(&[GONE; 3])));
    }
    let coin = Categorical::new(vec![vec![0.5, 0.5], vec![0.9, 0.1]]).unwrap();
    let mut filter = Filter::new(model(coin.into()));
    assert_eq!(filter.update(Some(&[GONE])).unwrap().increment, 0.0);
}

#[test]
fn what_cannot_be_used_is_refused_and_changes_nothing() {
    let (of, rows) = kinds().remove(0);
    let row = [rows[0][0], GONE, rows[0][2]];
    let mut filter = Filter::new(model(of(&[0, 1, 2])));
    let before = filter.clone();
    for bad in [[GONE, f64::INFINITY, 1.0], [1.0, 2.0, f64::NEG_INFINITY]] {
        assert!(matches!(
            filter.update(Some(&bad)),
            Err(Error::Observation { .. })
        ));
    }
    assert_eq!(filter, before);
    for rule in [
        Learn::OnlineEm(OnlineEm::default()),
        Learn::Dirichlet(Dirichlet::default()),
    ] {
        let mut learning = model(of(&[0, 1, 2])).learn_online(&rule).unwrap();
        let said = learning.update(Some(&row)).unwrap_err().to_string();
        assert!(said.contains("block-online-em"), "{said}");
        assert_eq!(learning.observations(), 0);
    }
    for rule in [Learn::default(), Learn::Rmle(Default::default())] {
        let mut learning = model(of(&[0, 1, 2])).learn_online(&rule).unwrap();
        for row in with_gaps(&rows) {
            learning.update(Some(&row)).unwrap();
        }
    }
    // An emission of one's own that says nothing of parts.
    #[derive(Clone)]
    struct Whole;
    impl Emission for Whole {
        fn states(&self) -> usize {
            1
        }
        fn width(&self) -> usize {
            2
        }
        fn log_likelihood(&self, _: &[f64], into: &mut [f64]) -> scotopic_filtering::Result<()> {
            into.fill(0.0);
            Ok(())
        }
        fn relabelled(&self, _: &[usize]) -> Self {
            Self
        }
    }
    let own = Hmm::new(vec![1.0], vec![vec![1.0]], Whole).unwrap();
    assert!(Filter::new(own.clone()).update(Some(&[1.0, GONE])).is_err());
    assert!(own.log_evidence(&sequence(&[vec![1.0, GONE]])).is_err());
}
