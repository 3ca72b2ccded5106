//! Linear-Gaussian models against dense Gaussian integrals, finite differences and one another, on random models.

use proptest::prelude::*;
use scotopic_filtering::gaussian::{
    Gaussian, GaussianFactorisation, GaussianFilter, GaussianFit, GaussianKernel, Kalman, Learned,
    LinearGaussian, Value, ValueRecursion,
};
use scotopic_filtering::nalgebra::{DMatrix, DVector, RowDVector};
use scotopic_filtering::rand::SeedableRng;
use scotopic_filtering::rand::rngs::Xoshiro256PlusPlus;
use scotopic_filtering::{Error, Sequence};

/// A matrix by its rows: `dmatrix![1.0, 2.0; 3.0, 4.0]`.
macro_rules! dmatrix {
    ($($($x:expr),+);+) => {
        DMatrix::from_rows(&[$(RowDVector::from_vec(vec![$($x),+])),+])
    };
}

/// A vector by its entries.
macro_rules! dvector {
    ($($x:expr),+) => {
        DVector::from_vec(vec![$($x),+])
    };
}

/// Both sides are sums of some tens of terms of a size below 10³.
const ROUNDING: f64 = 1e-9;

/// Rounding allowed where one bound has to stay below another.
const BELOW: f64 = 1e-9;

/// Numbers between −1 and 1 that are no pattern (SplitMix64).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    }

    fn matrix(&mut self, rows: usize, columns: usize) -> DMatrix<f64> {
        DMatrix::from_fn(rows, columns, |_, _| self.next())
    }

    fn vector(&mut self, size: usize) -> DVector<f64> {
        DVector::from_fn(size, |_, _| self.next())
    }

    fn covariance(&mut self, n: usize) -> DMatrix<f64> {
        let a = self.matrix(n, n);
        let c = &a * a.transpose() + DMatrix::identity(n, n) * 0.1;
        (&c + c.transpose()) * 0.5
    }

    fn model(&mut self, n: usize, m: usize) -> LinearGaussian {
        let (f, h) = (self.matrix(n, n), self.matrix(m, n));
        let (q, r) = (self.covariance(n), self.covariance(m));
        LinearGaussian::new(f, q, h, r)
            .and_then(|model| model.with_bias(self.vector(n), self.vector(m)))
            .and_then(|model| model.with_initial(self.vector(n), self.covariance(n)))
            .unwrap()
    }

    fn diagonal_model(&mut self, n: usize) -> LinearGaussian {
        let mut noise = || DMatrix::from_diagonal(&self.vector(n).map(|v| v.abs() + 0.05));
        let (q, r, p0) = (noise(), noise(), noise());
        let f = DMatrix::from_diagonal(&self.vector(n));
        let h = DMatrix::from_diagonal(&self.vector(n));
        LinearGaussian::new(f, q, h, r)
            .and_then(|model| model.with_bias(self.vector(n), self.vector(n)))
            .and_then(|model| model.with_initial(self.vector(n), p0))
            .unwrap()
    }

    fn kernel(&mut self, n: usize) -> GaussianKernel {
        GaussianKernel::new(self.matrix(n, n), self.vector(n), self.covariance(n)).unwrap()
    }

    /// `len` observations, about one in four missing.
    fn data(&mut self, len: usize, m: usize) -> Sequence {
        let mut data = Sequence::new(m).unwrap();
        for _ in 0..len {
            let row = self.vector(m) * 2.0;
            let seen = self.next() > -0.5;
            data.push(seen.then_some(row.as_slice())).unwrap();
        }
        data
    }
}

/// ln p(x, y) = −½(z − a)ᵀJ(z − a) + constant of all states z = (x_1 … x_T), by its blocks.
struct Dense {
    j: DMatrix<f64>,
    linear: DVector<f64>,
    constant: f64,
}

fn log_norm(covariance: &DMatrix<f64>) -> f64 {
    0.5 * (covariance * std::f64::consts::TAU).determinant().ln()
}

impl Dense {
    fn new(model: &LinearGaussian, data: &Sequence) -> Self {
        let (n, t) = (model.states(), data.len());
        let mut dense = Self {
            j: DMatrix::zeros(n * t, n * t),
            linear: DVector::zeros(n * t),
            constant: 0.0,
        };
        // Each factor is N(c; A z, S): A picks states.
        let mut add = |a: DMatrix<f64>, c: DVector<f64>, s: &DMatrix<f64>| {
            let inverse = s.clone().try_inverse().unwrap();
            dense.j += a.transpose() * &inverse * &a;
            dense.linear += a.transpose() * &inverse * &c;
            dense.constant -= 0.5 * c.dot(&(inverse * &c)) + log_norm(s);
        };
        let pick = |k: usize, m: &DMatrix<f64>| {
            let mut a = DMatrix::zeros(m.nrows(), n * t);
            a.view_mut((0, k * n), m.shape()).copy_from(m);
            a
        };
        let one = DMatrix::identity(n, n);
        for k in 0..t {
            match k {
                0 => add(
                    pick(0, &one),
                    model.initial_mean().clone(),
                    model.initial_covariance(),
                ),
                _ => add(
                    pick(k, &one) - pick(k - 1, model.transition()),
                    model.bias().clone(),
                    model.process_noise(),
                ),
            }
            if let Some(y) = data.get(k) {
                let y = DVector::from_column_slice(y) - model.offset();
                add(pick(k, model.observation()), y, model.observation_noise());
            }
        }
        dense
    }

    fn log_evidence(&self) -> f64 {
        let inverse = self.j.clone().try_inverse().unwrap();
        self.constant + 0.5 * self.linear.dot(&(&inverse * &self.linear)) + log_norm(&inverse)
    }

    /// E_q[ln p(x, y)] + H[q] for a Gaussian over all states.
    fn elbo(&self, mean: &DVector<f64>, covariance: &DMatrix<f64>) -> f64 {
        let size = mean.len() as f64;
        self.constant + self.linear.dot(mean)
            - 0.5 * (mean.dot(&(&self.j * mean)) + (&self.j * covariance).trace())
            + log_norm(covariance)
            + 0.5 * size
    }
}

/// Mean and covariance of all states under the reversed factorisation.
fn joint(kernels: &[GaussianKernel], last: &Gaussian) -> (DVector<f64>, DMatrix<f64>) {
    let (n, t) = (last.states(), kernels.len() + 1);
    let mut mean = DVector::zeros(n * t);
    let mut covariance = DMatrix::zeros(n * t, n * t);
    let mut belief = last.clone();
    for k in (0..t).rev() {
        mean.rows_mut(k * n, n).copy_from(belief.mean());
        covariance
            .view_mut((k * n, k * n), (n, n))
            .copy_from(belief.covariance());
        // Cov(x_k, x_l) = E_{k+1} Cov(x_{k+1}, x_l).
        for l in k + 1..t {
            let later = covariance.view(((k + 1) * n, l * n), (n, n)).into_owned();
            let cross = kernels[k].gain() * later;
            covariance
                .view_mut((l * n, k * n), (n, n))
                .copy_from(&cross.transpose());
            covariance
                .view_mut((k * n, l * n), (n, n))
                .copy_from(&cross);
        }
        if k > 0 {
            belief = kernels[k - 1].push(&belief);
        }
    }
    (mean, covariance)
}

/// `value` of given kernels along the data.
fn values(model: &LinearGaussian, kernels: &[GaussianKernel], data: &Sequence) -> Value {
    let recursion = ValueRecursion::new(model).unwrap();
    let start = recursion.start(data.get(0)).unwrap();
    kernels
        .iter()
        .enumerate()
        .fold(start, |value, (t, kernel)| {
            recursion.advance(&value, kernel, data.get(t + 1)).unwrap()
        })
}

fn close(what: &str, a: f64, b: f64) {
    assert!(
        (a - b).abs() <= ROUNDING * (1.0 + b.abs()),
        "{what}: {a} and {b}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn evidence_and_bounds_are_the_dense_integrals(seed: u64, n in 1usize..4, m in 1usize..4, t in 1usize..6) {
        let mut numbers = Numbers(seed);
        let (model, data) = (numbers.model(n, m), numbers.data(t, m));
        let dense = Dense::new(&model, &data);
        let evidence = model.log_evidence(&data).unwrap();
        close("evidence", evidence, dense.log_evidence());
        // Any kernels, any belief.
        let kernels: Vec<_> = (1..t).map(|_| numbers.kernel(n)).collect();
        let last = Gaussian::new(numbers.vector(n), numbers.covariance(n)).unwrap();
        let (mean, covariance) = joint(&kernels, &last);
        let value = values(&model, &kernels, &data);
        let bound = value.elbo(&last).unwrap();
        let direct = dense.elbo(&mean, &covariance);
        close("bound", bound, direct);
        prop_assert!(bound <= evidence + BELOW * (1.0 + bound.abs()));
        // The best belief for these kernels is no worse.
        if let Ok(best) = value.optimum() {
            prop_assert!(value.elbo(&best).unwrap() >= bound - BELOW * (1.0 + bound.abs()));
        }
        // Optimal kernels are the posterior.
        let smoothed = model.smooth(&data).unwrap();
        let (mean, covariance) = joint(smoothed.kernels(), smoothed.filtered().last().unwrap());
        close("optimum", dense.elbo(&mean, &covariance), evidence);
    }

    #[test]
    fn the_mean_field_over_time_is_the_best_product(seed: u64, n in 1usize..4, t in 1usize..6) {
        let mut numbers = Numbers(seed);
        let (model, data) = (numbers.model(n, n), numbers.data(t, n));
        let q = model.posterior(&data, GaussianFactorisation::TemporalMeanField).unwrap();
        prop_assert!(q.gap() >= -BELOW);
        let dense = Dense::new(&model, &data);
        let product = |scale: f64, shift: f64| {
            let mut mean = DVector::zeros(n * t);
            let mut covariance = DMatrix::zeros(n * t, n * t);
            for (k, belief) in q.marginals().iter().enumerate() {
                mean.rows_mut(k * n, n).copy_from(&belief.mean().add_scalar(shift));
                covariance.view_mut((k * n, k * n), (n, n)).copy_from(&(belief.covariance() * scale));
            }
            dense.elbo(&mean, &covariance)
        };
        close("bound", q.elbo(), product(1.0, 0.0));
        for (scale, shift) in [(1.05, 0.0), (0.95, 0.0), (1.0, 0.05), (1.0, -0.05)] {
            prop_assert!(product(scale, shift) < q.elbo());
        }
    }

    #[test]
    fn restricted_bounds_are_true_and_their_newest_factors_best(seed: u64, n in 1usize..4, t in 2usize..7) {
        let mut numbers = Numbers(seed);
        let (model, data) = (numbers.model(n, n), numbers.data(t, n));
        let dense = Dense::new(&model, &data);
        for kind in [
            GaussianFactorisation::Diagonal,
            GaussianFactorisation::Decoupled,
            GaussianFactorisation::FrozenMeanField,
        ] {
            let q = model.posterior(&data, kind).unwrap();
            prop_assert!(q.gap() >= -BELOW * (1.0 + q.elbo().abs()), "{:?} {}", kind, q.gap());
            let mut filter = model.clone().online(kind).unwrap();
            for y in data.iter() {
                filter.update(y).unwrap();
            }
            prop_assert_eq!(filter.elbo(), q.elbo());
            let last = filter.belief();
            let (mean, covariance) = joint(q.kernels(), &last);
            close("bound", q.elbo(), dense.elbo(&mean, &covariance));
            // No small change of the newest factors, within the family, is better.
            let (newest, past) = q.kernels().split_last().unwrap();
            let diagonal = kind == GaussianFactorisation::Diagonal;
            let frozen = kind == GaussianFactorisation::FrozenMeanField;
            for _ in 0..8 {
                let mut change = |rows: usize, columns: usize| {
                    let full = numbers.matrix(rows, columns) * 0.1;
                    if diagonal && columns > 1 { DMatrix::from_diagonal(&full.diagonal()) } else { full }
                };
                let stretched = |c: &DMatrix<f64>, change: DMatrix<f64>| {
                    let s = DMatrix::identity(n, n) + change;
                    let c = &s * c * s.transpose();
                    (&c + c.transpose()) * 0.5
                };
                let spread = stretched(newest.covariance(), change(n, n));
                let belief = Gaussian::new(last.mean() + change(n, 1).column(0), stretched(last.covariance(), change(n, n))).unwrap();
                let kernel = if frozen {
                    newest.clone()
                } else {
                    let gain = if diagonal { newest.gain() + change(n, n) } else { newest.gain().clone() };
                    GaussianKernel::new(gain, newest.offset() + change(n, 1).column(0), spread).unwrap()
                };
                let kernels = [past, &[kernel]].concat();
                let other = values(&model, &kernels, &data).elbo(&belief).unwrap();
                prop_assert!(other <= q.elbo() + BELOW, "{:?}: {} above {}", kind, other, q.elbo());
            }
        }
    }

    #[test]
    fn diagonal_kernels_lose_nothing_of_a_diagonal_model(seed: u64, n in 1usize..11) {
        let mut numbers = Numbers(seed);
        let (model, data) = (numbers.diagonal_model(n), numbers.data(20, n));
        prop_assert!(model.is_diagonal());
        let q = model.posterior(&data, GaussianFactorisation::Diagonal).unwrap();
        prop_assert!(q.gap().abs() < 1e-9 * (1.0 + q.elbo().abs()), "{}", q.gap());
        // As many scalar models side by side (rows all seen or all missing).
        let one = |m: &DMatrix<f64>, i: usize| DMatrix::from_element(1, 1, m[(i, i)]);
        let entry = |v: &DVector<f64>, i: usize| DVector::from_element(1, v[i]);
        let total: f64 = (0..n).map(|i| {
            let alone = LinearGaussian::new(
                one(model.transition(), i), one(model.process_noise(), i),
                one(model.observation(), i), one(model.observation_noise(), i),
            ).unwrap()
            .with_bias(entry(model.bias(), i), entry(model.offset(), i)).unwrap()
            .with_initial(entry(model.initial_mean(), i), one(model.initial_covariance(), i)).unwrap();
            let mut filter = Kalman::new(alone).unwrap();
            for y in data.iter() {
                filter.update(y.map(|y| &y[i..=i])).unwrap();
            }
            filter.elbo()
        }).sum();
        close("sum", total, q.log_evidence());
    }

    #[test]
    fn the_gradient_is_the_finite_difference(seed: u64, n in 1usize..4, m in 1usize..4) {
        let mut numbers = Numbers(seed);
        let (model, data) = (numbers.model(n, m), numbers.data(12, m));
        let g = model.gradient(&data).unwrap();
        close("evidence", g.log_evidence, model.log_evidence(&data).unwrap());
        // One direction through all parameters; covariances move symmetrically.
        let (df, dh) = (numbers.matrix(n, n), numbers.matrix(m, n));
        let (db, dd, dm) = (numbers.vector(n), numbers.vector(m), numbers.vector(n));
        let mut symmetric = |n: usize| { let a = numbers.matrix(n, n); (&a + a.transpose()) * 0.05 };
        let (dq, dr, dp) = (symmetric(n), symmetric(m), symmetric(n));
        let at = |e: f64| {
            LinearGaussian::new(
                model.transition() + &df * e,
                model.process_noise() + &dq * e,
                model.observation() + &dh * e,
                model.observation_noise() + &dr * e,
            ).unwrap()
            .with_bias(model.bias() + &db * e, model.offset() + &dd * e).unwrap()
            .with_initial(model.initial_mean() + &dm * e, model.initial_covariance() + &dp * e).unwrap()
            .log_evidence(&data).unwrap()
        };
        let step = 1e-4;
        // Two central differences, extrapolated: the error is of fourth order.
        let central = |e: f64| (at(e) - at(-e)) / (2.0 * e);
        let difference = (4.0 * central(step) - central(2.0 * step)) / 3.0;
        let slope = g.transition.dot(&df) + g.bias.dot(&db) + g.process_noise.dot(&dq)
            + g.observation.dot(&dh) + g.offset.dot(&dd) + g.observation_noise.dot(&dr)
            + g.initial_mean.dot(&dm) + g.initial_covariance.dot(&dp);
        prop_assert!((slope - difference).abs() < 1e-6 * (10.0 + slope.abs()), "{} {}", slope, difference);
    }

    #[test]
    fn steps_of_em_never_lose(seed: u64, n in 1usize..4, m in 1usize..4) {
        let mut numbers = Numbers(seed);
        let model = numbers.model(n, m);
        let data = [numbers.data(30, m), numbers.data(45, m)];
        let all = Learned::default();
        for learned in [
            all,
            Learned { transition: false, offset: false, ..all },
            Learned { observation: false, observation_noise: false, initial: false, ..all },
            Learned { bias: false, process_noise: false, ..all },
        ] {
            let fit = GaussianFit { max_iterations: 6, learned, ..GaussianFit::default() };
            let fitted = model.fit(&data, &fit).unwrap();
            for w in fitted.log_evidence.windows(2) {
                prop_assert!(w[1] >= w[0] - 1e-8 * (1.0 + w[0].abs()), "{:?}", fitted.log_evidence);
            }
            let sum: f64 = data.iter().map(|d| fitted.model.log_evidence(d).unwrap()).sum();
            close("trace", *fitted.log_evidence.last().unwrap(), sum);
            if !learned.transition {
                prop_assert_eq!(fitted.model.transition(), model.transition());
                prop_assert_eq!(fitted.model.offset(), model.offset());
            }
            if !learned.initial {
                prop_assert_eq!(fitted.model.initial_covariance(), model.initial_covariance());
            }
        }
        let model = numbers.diagonal_model(n);
        let data = [numbers.data(60, n)];
        let fit = GaussianFit { max_iterations: 6, learned: Learned { diagonal: true, ..all }, ..GaussianFit::default() };
        let fitted = model.fit(&data, &fit).unwrap();
        prop_assert!(fitted.model.is_diagonal());
        for w in fitted.log_evidence.windows(2) {
            prop_assert!(w[1] >= w[0] - 1e-8 * (1.0 + w[0].abs()), "{:?}", fitted.log_evidence);
        }
    }

    #[test]
    fn streaming_is_batch_and_goes_on_from_a_snapshot(seed: u64, n in 1usize..6, m in 1usize..4, lag in 1usize..5) {
        let mut numbers = Numbers(seed);
        let (model, data) = (numbers.model(n, m), numbers.data(14, m));
        let smoothed = model.smooth(&data).unwrap();
        let mut filter = Kalman::new(model.clone()).unwrap().with_lag(lag).unwrap();
        for (t, y) in data.iter().enumerate() {
            let predicted = filter.predicted();
            let step = filter.update(y).unwrap();
            prop_assert_eq!(step.elbo, smoothed.cumulative()[t]);
            prop_assert_eq!(&filter.belief(), &smoothed.filtered()[t]);
            if y.is_none() {
                close("variance", filter.covariance()[0], predicted.covariance()[(0, 0)]);
                prop_assert_eq!(step.increment, 0.0);
            }
            match filter.kernel().unwrap() {
                Some(kernel) => prop_assert_eq!(&kernel, &smoothed.kernels()[t - 1]),
                None => prop_assert_eq!(t, 0),
            }
            if t == 6 {
                let saved = serde_json::to_value(&filter).unwrap();
                filter = serde_json::from_value(saved).unwrap();
            }
        }
        // What the lag has kept is the smoother's.
        for back in 0..=lag {
            let kept = filter.lagged(back).unwrap();
            let exact = &smoothed.smoothed()[13 - back];
            prop_assert!((kept.mean() - exact.mean()).amax() < ROUNDING);
            prop_assert!((kept.covariance() - exact.covariance()).amax() < ROUNDING);
        }
        let refused = matches!(filter.lagged(lag + 1), Err(Error::Setting { field: "back", .. }));
        prop_assert!(refused);
        // A larger ring keeps the beliefs it is given.
        let wider = filter.clone().with_lag(lag + 3).unwrap();
        prop_assert_eq!(wider.lagged(lag).unwrap(), filter.lagged(lag).unwrap());
    }
}

#[test]
fn an_update_that_fails_changes_nothing() {
    let model = Numbers(5).model(3, 2);
    for kind in [
        GaussianFactorisation::Reversed,
        GaussianFactorisation::Diagonal,
    ] {
        let mut filter = model.clone().online(kind).unwrap();
        filter.update(Some(&[0.1, 0.2])).unwrap();
        filter.update(None).unwrap();
        let before = filter.clone();
        for bad in [
            &[0.1][..],
            &[0.1, f64::NEG_INFINITY],
            &[f64::INFINITY, f64::NAN],
            &[1e300, 1e300],
        ] {
            let error = filter.update(Some(bad)).unwrap_err();
            assert!(
                matches!(
                    error,
                    Error::Observation { index: 2, .. } | Error::NotFinite { index: 2, .. }
                ),
                "{error}"
            );
            assert_eq!(filter, before);
        }
        let mut other = before.clone();
        assert_eq!(
            filter.update(Some(&[0.3, 0.4])),
            other.update(Some(&[0.3, 0.4]))
        );
    }
}

#[test]
fn lagged_beliefs_survive_an_update_that_fails() {
    let mut filter = Kalman::new(Numbers(6).model(2, 1))
        .unwrap()
        .with_lag(3)
        .unwrap();
    for t in 0..9 {
        filter.update(Some(&[f64::from(t)])).unwrap();
    }
    let before = filter.lagged(3).unwrap();
    filter.update(Some(&[1e300])).unwrap_err();
    assert_eq!(filter.lagged(3).unwrap(), before);
}

#[test]
fn nothing_seen_says_nothing() {
    let model = Numbers(7).model(3, 2);
    let mut data = Sequence::new(2).unwrap();
    for _ in 0..5 {
        data.push(None).unwrap();
    }
    for kind in [
        GaussianFactorisation::Reversed,
        GaussianFactorisation::Jelbo,
    ] {
        assert_eq!(model.posterior(&data, kind).unwrap().elbo(), 0.0);
    }
    let empty = Sequence::new(2).unwrap();
    for kind in [
        GaussianFactorisation::Reversed,
        GaussianFactorisation::Diagonal,
        GaussianFactorisation::TemporalMeanField,
    ] {
        let q = model.posterior(&empty, kind).unwrap();
        assert_eq!((q.elbo(), q.marginals().len()), (0.0, 0));
    }
}

#[test]
fn states_that_forget_are_independent_gaussians() {
    let mut numbers = Numbers(8);
    let some = numbers.model(2, 2);
    let model = LinearGaussian::new(
        DMatrix::zeros(2, 2),
        some.process_noise().clone(),
        some.observation().clone(),
        some.observation_noise().clone(),
    )
    .unwrap()
    .with_initial(dvector![0.0, 0.0], some.process_noise().clone())
    .unwrap();
    let data = numbers.data(10, 2);
    let s = model.observation() * model.process_noise() * model.observation().transpose()
        + model.observation_noise();
    let inverse = s.clone().try_inverse().unwrap();
    let direct: f64 = data
        .iter()
        .flatten()
        .map(|y| {
            let y = DVector::from_column_slice(y);
            -0.5 * y.dot(&(&inverse * &y)) - log_norm(&s)
        })
        .sum();
    close("evidence", model.log_evidence(&data).unwrap(), direct);
    // Every mean field over time is exact then.
    for kind in [
        GaussianFactorisation::TemporalMeanField,
        GaussianFactorisation::Decoupled,
        GaussianFactorisation::FrozenMeanField,
    ] {
        close(
            "mean field",
            model.posterior(&data, kind).unwrap().gap(),
            0.0,
        );
    }
}

#[test]
fn a_diffuse_start_costs_no_digits() {
    // A constant seen twice with unit noise, from a prior of variance v: the posterior variance is 1/(2 + 1/v).
    for v in [1e6, 1e12, 1e15] {
        let model = LinearGaussian::new(dmatrix![1.0], dmatrix![0.0], dmatrix![1.0], dmatrix![1.0])
            .unwrap()
            .with_initial(dvector![0.0], dmatrix![v])
            .unwrap();
        let mut filter = Kalman::new(model).unwrap();
        filter.update(Some(&[3.0])).unwrap();
        filter.update(Some(&[5.0])).unwrap();
        let exact = 1.0 / (2.0 + 1.0 / v);
        let off = filter.covariance()[0] / exact - 1.0;
        assert!(off.abs() < 4.0 * f64::EPSILON, "{v:e}: {off:e}");
    }
    // Two correlated entries, of which the sum is seen.
    let model = LinearGaussian::new(
        DMatrix::identity(2, 2),
        DMatrix::zeros(2, 2),
        dmatrix![1.0, 1.0],
        dmatrix![1.0],
    )
    .unwrap()
    .with_initial(dvector![0.0, 0.0], dmatrix![1e12, 1.0; 1.0, 2.0])
    .unwrap();
    let mut filter = Kalman::new(model).unwrap();
    for _ in 0..50 {
        filter.update(Some(&[1.0])).unwrap();
    }
    let p = filter.covariance();
    // The sum is known to 1/50; x_1 = sum − x_2 and x_2 keeps its variance of 2.
    let sum = p[0] + 2.0 * p[1] + p[3];
    assert!((sum * 50.0 - 1.0).abs() < 1e-9, "{sum}");
    assert!((p[3] - 2.0).abs() < 1e-9, "{}", p[3]);
}

#[test]
fn noise_may_be_missing_from_a_direction() {
    // Only the velocity is pushed, the start is known: Q and P0 have no inverse.
    let model = LinearGaussian::new(
        dmatrix![1.0, 1.0; 0.0, 1.0],
        dmatrix![0.0, 0.0; 0.0, 0.1],
        dmatrix![1.0, 0.0],
        dmatrix![0.5],
    )
    .unwrap()
    .with_initial(dvector![0.0, 0.0], DMatrix::zeros(2, 2))
    .unwrap();
    let (states, data) = model
        .sample(20, &mut Xoshiro256PlusPlus::seed_from_u64(1))
        .unwrap();
    assert_eq!(states[0], dvector![0.0, 0.0]);
    assert!((states[5][0] - states[4][0] - states[4][1]).abs() < 1e-15);
    let evidence = model.log_evidence(&data).unwrap();
    // The limit of models that have a little noise everywhere.
    let room = 1e-9;
    let near = LinearGaussian::new(
        model.transition().clone(),
        model.process_noise() + DMatrix::identity(2, 2) * room,
        model.observation().clone(),
        model.observation_noise().clone(),
    )
    .unwrap()
    .with_initial(dvector![0.0, 0.0], DMatrix::identity(2, 2) * room)
    .unwrap();
    assert!((near.log_evidence(&data).unwrap() - evidence).abs() < 1e-5);
    let refused = ValueRecursion::new(&model).unwrap_err();
    assert!(matches!(
        refused,
        Error::NotPositiveDefinite { pivot: 0, .. }
    ));
}

#[test]
fn draws_have_the_moments_of_the_model() {
    let model = Numbers(11).model(2, 2);
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(3);
    let draws = 20_000;
    let mut mean = DVector::zeros(2);
    let mut second = DMatrix::zeros(2, 2);
    for _ in 0..draws {
        let (_, data) = model.sample(2, &mut rng).unwrap();
        let y = DVector::from_column_slice(data.get(1).unwrap());
        mean += &y;
        second += &y * y.transpose();
    }
    mean /= f64::from(draws);
    second = second / f64::from(draws) - &mean * mean.transpose();
    let exact = Kalman::new(model).unwrap().predict_observation(1);
    // Standard errors are about 0.01 of the variances, which are below 3.
    assert!((mean - exact.mean()).amax() < 0.1);
    assert!((second - exact.covariance()).amax() < 0.2);
}

#[test]
fn models_that_make_no_sense_are_refused() {
    let one = || dmatrix![1.0];
    let new = LinearGaussian::new;
    assert!(matches!(
        new(one(), dmatrix![-1.0], one(), one()),
        Err(Error::NotPositiveDefinite { pivot: 0, .. })
    ));
    assert!(matches!(
        new(one(), one(), one(), dmatrix![0.0]),
        Err(Error::NotPositiveDefinite { .. })
    ));
    assert!(matches!(
        new(dmatrix![1.0, 2.0], one(), one(), one()),
        Err(Error::Size { .. })
    ));
    assert!(matches!(
        new(one(), one(), dmatrix![1.0, 2.0], one()),
        Err(Error::Size { .. })
    ));
    assert!(matches!(
        new(dmatrix![f64::NAN], one(), one(), one()),
        Err(Error::Entry { .. })
    ));
    let lopsided = dmatrix![1.0, 0.5; 0.4, 1.0];
    assert!(matches!(
        new(DMatrix::identity(2, 2), lopsided, dmatrix![1.0, 0.0], one()),
        Err(Error::Entry { .. })
    ));
    let model = new(one(), one(), one(), one()).unwrap();
    assert!(
        model
            .clone()
            .with_bias(dvector![1.0, 2.0], dvector![0.0])
            .is_err()
    );
    assert!(matches!(
        model
            .clone()
            .online(GaussianFactorisation::TemporalMeanField),
        Err(Error::Unsupported { .. })
    ));
    assert!(model.log_evidence(&Sequence::new(2).unwrap()).is_err());
    let text = serde_json::to_string(&model).unwrap();
    assert_eq!(
        serde_json::from_str::<LinearGaussian>(&text).unwrap(),
        model
    );
    let broken = text.replace(
        "\"observation_noise\":[[1.0]]",
        "\"observation_noise\":[[-1.0]]",
    );
    assert_ne!(broken, text);
    let error = serde_json::from_str::<LinearGaussian>(&broken).unwrap_err();
    assert!(error.to_string().contains("positive definite"), "{error}");
}

#[test]
fn filters_of_every_family_go_on_from_a_snapshot() {
    let mut numbers = Numbers(12);
    let (model, data) = (numbers.model(3, 2), numbers.data(12, 2));
    for kind in [
        GaussianFactorisation::Reversed,
        GaussianFactorisation::Diagonal,
        GaussianFactorisation::Decoupled,
        GaussianFactorisation::FrozenMeanField,
    ] {
        let mut filter = model.clone().online(kind).unwrap();
        let mut other: Option<GaussianFilter> = None;
        for (t, y) in data.iter().enumerate() {
            if t == 5 {
                let saved = serde_json::to_value(&filter).unwrap();
                other = Some(serde_json::from_value(saved).unwrap());
            }
            let step = filter.update(y).unwrap();
            if let Some(other) = &mut other {
                assert_eq!(other.update(y).unwrap(), step);
            }
        }
        assert_eq!(other, Some(filter));
    }
}
