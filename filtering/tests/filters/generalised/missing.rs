//! Missing observations in the schemes that embed samples: a sample that was not seen has no precision.

use scotopic_filtering::Filter as _;
use scotopic_filtering::generalised::causal::Generation;
use scotopic_filtering::generalised::dem::{Dem, DemConfig, Deviation, Published};
use scotopic_filtering::generalised::lap::GeneralisedFiltering;
use scotopic_filtering::generalised::model::{GenerativeModel, Linear, NoisePrecision};
use scotopic_filtering::generalised::predictive_coding::{
    PredictiveCoding, PredictiveCodingConfig, Pullback,
};
use scotopic_filtering::generalised::scheme::Embedding;
use scotopic_filtering::generalised::{
    CovarianceMode, Edge, KalmanBucy, Local, SampleEmbedding, TopOrder, WhiteNoiseSystem, Window,
    error_jacobian, generalised_precision, shift_matrix, temporal_covariance,
};
use scotopic_filtering::nalgebra::{DMatrix, DVector};
use scotopic_filtering::rand::{SeedableRng, rngs::Xoshiro256PlusPlus};
use scotopic_filtering::{Result, Sequence};

/// Rounding of inverses of matrices with condition numbers up to 1e5.
const ROUNDING: f64 = 1e-9;

fn settings(states: usize, smoothness: f64) -> DemConfig {
    DemConfig {
        embedding: Embedding {
            states,
            causes: states.min(2),
            smoothness,
        },
        ..DemConfig::default()
    }
}

/// x' = a x, y = c x.
fn scalar(a: f64, c: f64) -> Result<Linear> {
    let number = |value| DMatrix::from_element(1, 1, value);
    Linear::new(number(a), DMatrix::zeros(1, 0), number(c))
}

/// A model, rows of observations, and the states that made them `[states, bins]`.
type Drawn = (GenerativeModel<Linear>, Vec<Vec<f64>>, DMatrix<f64>);

/// Rows of the convolution model, and the states that made them.
fn convolution(bins: usize, seed: u64) -> Result<Drawn> {
    let linear = Linear::convolution();
    let theta = linear.defaults();
    let precision = 8f64.exp();
    let model = GenerativeModel::single(linear, &theta, precision, precision, 1.0, &[0.0, 0.0])?;
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
    let drawn = Generation::default().run(model.clone(), bins, None, &mut rng)?;
    let rows = drawn.outputs.column_iter();
    let rows = rows.map(|y| y.iter().copied().collect()).collect();
    Ok((model, rows, drawn.states))
}

fn series(rows: &[Vec<f64>], seen: impl Fn(usize) -> bool) -> Result<Sequence> {
    let mut series = Sequence::new(rows[0].len())?;
    for (t, row) in rows.iter().enumerate() {
        series.push(seen(t).then_some(&row[..]))?;
    }
    Ok(series)
}

/// With order 0 and a ridge P of the states, a missing bin leaves u̇ = −P u: u falls by e^−P and has the prior's variance.
#[test]
fn without_derivatives_a_missing_bin_is_the_prior() -> Result<()> {
    let ridge = 0.7;
    let linear = scalar(0.0, 2.0)?;
    let theta = linear.defaults();
    let model = GenerativeModel::single(linear, &theta, 3.0, 1.0, 1.0, &[0.5])?;
    let settings = DemConfig {
        state_ridge: ridge,
        ..settings(0, 0.5)
    };
    let mut dem = Dem::new(model, settings)?;
    dem.update(Some(&[1.0]))?;
    for _ in 0..3 {
        let before = dem.generalised_states()[0];
        dem.update(None)?;
        let expected = before * (-ridge).exp();
        assert!((dem.generalised_states()[0] - expected).abs() < 1e-13);
        assert!((dem.record().state_covariance[0] * ridge - 1.0).abs() < 1e-12);
        assert!(dem.record().free_energy.is_finite());
    }
    assert_eq!(dem.observations(), 4);
    Ok(())
}

/// The local model of the convolution, whose θ is A, C, B column by column.
fn local() -> Local {
    let theta = Linear::convolution().defaults();
    Local {
        f: DVector::zeros(2),
        g: DVector::zeros(4),
        f_x: DMatrix::from_column_slice(2, 2, &theta[..4]),
        f_v: DMatrix::from_column_slice(2, 1, &theta[12..]),
        g_x: DMatrix::from_column_slice(4, 2, &theta[4..12]),
        g_v: DMatrix::zeros(4, 1),
    }
}

/// Where no sample of a window was seen the flow is that of the model alone: ũ ← exp(D − JᵀΠ̃J) ũ, Π̃ without the data.
#[test]
fn a_long_gap_is_the_motion_alone() -> Result<()> {
    let (model, rows, _) = convolution(40, 1)?;
    for (order, published) in [
        (2, Published::spm()),
        (4, Published::spm()),
        (4, Published::default()),
    ] {
        let settings = DemConfig {
            published,
            ..settings(order, 0.5)
        };
        let mut dem = Dem::new(model.clone(), settings)?;
        let layout = dem.layout();
        let top = match published.has(Deviation::TopOrder) {
            true => TopOrder::Published,
            false => TopOrder::Marginal,
        };
        let precision = 8f64.exp();
        let mut causes = DMatrix::zeros(5, 5);
        causes[(4, 4)] = 1.0;
        let motion = DMatrix::identity(2, 2) * precision;
        let weight = generalised_precision(&layout, 0.5, top, &causes, &motion)?;
        let mut j = DMatrix::zeros(layout.errors(), layout.unknowns());
        error_jacobian(&layout, &local(), top, &mut j);
        // The published error of the highest order is 0 while its row stays in J: the flow is affine only without it.
        let mut zeroed = j.clone();
        if published.has(Deviation::TopOrder) {
            zeroed
                .rows_mut(layout.motion_error(order).start, 2)
                .fill(0.0);
        }
        let mut d = DMatrix::zeros(layout.unknowns(), layout.unknowns());
        let (x, v) = (layout.v(0).start, layout.unknowns() - layout.v(0).start);
        d.view_mut((0, 0), (x, x))
            .copy_from(&shift_matrix(layout.orders, 2));
        d.view_mut((x, x), (v, v))
            .copy_from(&shift_matrix(layout.cause_orders, 1));
        let a = &d - j.tr_mul(&(&weight * &j));
        let f = &d - j.tr_mul(&(&weight * zeroed));
        // Δũ = (e^{hA} − I) A⁻¹ F ũ as one exponential, in the eight parts that a bin has where samples are missing.
        let n = layout.unknowns();
        let mut whole = DMatrix::zeros(2 * n, 2 * n);
        whole.view_mut((0, 0), (n, n)).copy_from(&a);
        whole.view_mut((0, n), (n, n)).copy_from(&f);
        let part = (whole / 8.0).exp().view((0, n), (n, n)).into_owned();
        let step = (part + DMatrix::identity(n, n)).pow(8);
        for row in &rows[..25] {
            dem.update(Some(row))?;
        }
        let mut alone = 0;
        for t in 25..40 {
            let before = DVector::from_column_slice(dem.generalised_states());
            dem.update(None)?;
            // The newest window begins `order` bins before the newest sample.
            if t - order >= 25 {
                let expected = &step * &before;
                let found = DVector::from_column_slice(dem.generalised_states());
                let off = (found - &expected).amax() / before.amax();
                assert!(off < 1e-6, "order {order}, bin {t}: {off:e}");
                alone += 1;
            }
            let variances = dem.record().state_covariance.iter().step_by(3);
            assert!(variances.into_iter().all(|v| *v > 0.0 && v.is_finite()));
        }
        assert!(alone > 5);
    }
    Ok(())
}

/// The covariance reported next to a gap is that of a generalised least squares of the samples that were seen, whose
/// noise has the covariance T V Tᵀ ⊗ Π⁻¹: computed here from V and T, where the scheme uses R and T⁻¹.
#[test]
fn samples_seen_give_the_exact_precision() -> Result<()> {
    let (model, rows, _) = convolution(30, 2)?;
    let (order, s, gap) = (4, 0.6, [14, 15]);
    let settings = settings(order, s);
    let mut dem = Dem::new(model, settings)?;
    let beliefs = dem.run(&series(&rows, |t| !gap.contains(&t))?, None)?;
    let layout = dem.layout();
    let precision = 8f64.exp();
    let mut others = DMatrix::zeros(5, 5);
    others[(4, 4)] = 1.0;
    let motion = DMatrix::identity(2, 2) * precision;
    let top = TopOrder::Marginal;
    let without = generalised_precision(&layout, s, top, &others, &motion)?;
    let mut j = DMatrix::zeros(layout.errors(), layout.unknowns());
    error_jacobian(&layout, &local(), top, &mut j);
    let v = temporal_covariance(order + 1, s)?;
    let mut changed = 0;
    for (t, belief) in beliefs.iter().enumerate().take(25).skip(5) {
        let embedding = SampleEmbedding::new(order + 1, Window::Centred(Edge::Held))?;
        let weights = embedding.weights(t as f64, 30)?;
        let taylor = weights.weights.clone().try_inverse().unwrap();
        let places = (0..=order).filter(|i| !gap.contains(&(weights.first as usize + i)));
        let places: Vec<usize> = places.collect();
        changed += usize::from(places.len() <= order);
        let part = taylor.select_rows(&places);
        let samples = (&part * &v * part.transpose()).try_inverse().unwrap();
        let temporal = part.tr_mul(&(samples * &part));
        let mut whole = without.clone();
        for a in 0..=order {
            for b in 0..=order {
                for k in 0..4 {
                    let at = (
                        layout.cause_error(a).start + k,
                        layout.cause_error(b).start + k,
                    );
                    whole[at] = temporal[(a, b)] * precision;
                }
            }
        }
        let expected = j.tr_mul(&(whole * &j)).try_inverse().unwrap();
        for a in 0..2 {
            for b in 0..2 {
                let found = belief.state_covariance[a * 2 + b];
                let off = (found - expected[(a, b)]).abs() / expected[(a, a)];
                assert!(off < ROUNDING, "bin {t}: off by {off:e}");
            }
        }
    }
    assert_eq!(changed, order + 2);
    Ok(())
}

/// y = z: the log-precision of most likelihood is that of the samples seen in all windows,
/// h = ln(Σ_t samples / Σ_t y_oᵀ (T V Tᵀ)_oo⁻¹ y_o), with V and T here.
#[test]
fn a_precision_is_learnt_from_what_was_seen() -> Result<()> {
    let s = 0.5;
    let linear = scalar(-0.5, 0.0)?;
    let theta = linear.defaults();
    let mut model = GenerativeModel::single(linear, &theta, 1.0, 1.0, 1.0, &[0.0])?;
    let wide = 1e8;
    model.levels[0].output = NoisePrecision::unknown(1, 0.5, wide);
    let rows: Vec<Vec<f64>> = (0..40)
        .map(|t| vec![(t as f64 * 1.7).sin() + 0.3 * (t * t % 7) as f64])
        .collect();
    let seen = |t: usize| t % 9 != 4 && !(20..24).contains(&t);
    for order in [0, 1, 2, 4] {
        let settings = DemConfig {
            state_ridge: 1.0,
            ..settings(order, s)
        };
        let learned = Dem::new(model.clone(), settings)?.learn(&series(&rows, seen)?, None)?;
        let n = order + 1;
        let embedding = SampleEmbedding::new(n, Window::default())?;
        let v = temporal_covariance(n, s)?;
        let (mut samples, mut energy) = (0.0, 0.0);
        for t in 0..rows.len() {
            let weights = embedding.weights(t as f64, rows.len())?;
            let place = |i: &usize| (weights.first + *i as isize).clamp(0, 39) as usize;
            let places: Vec<usize> = (0..n).filter(|i| seen(place(i))).collect();
            if places.is_empty() {
                continue;
            }
            let taylor = weights
                .weights
                .clone()
                .try_inverse()
                .unwrap()
                .select_rows(&places);
            let y = DVector::from_iterator(places.len(), places.iter().map(|i| rows[place(i)][0]));
            let inverse = (&taylor * &v * taylor.transpose()).try_inverse().unwrap();
            samples += places.len() as f64;
            energy += y.dot(&(inverse * &y));
        }
        let expected = (samples / energy).ln();
        let off = (learned.log_precisions[0] - expected).abs();
        // A step below e^−4 is not taken.
        assert!(
            off < (-4f64).exp(),
            "order {order}: {} for {expected}",
            learned.log_precisions[0]
        );
    }
    Ok(())
}

/// One sample in eight missing: states, parameters and precisions are nearly as good as with all.
#[test]
fn a_few_gaps_cost_little() -> Result<()> {
    let (model, rows, states) = convolution(128, 3)?;
    let gaps = |t: usize| t % 8 != 5;
    let (with, all) = (series(&rows, gaps)?, series(&rows, |_| true)?);
    let error = |beliefs: &[scotopic_filtering::generalised::Record]| {
        let bins = 8..120;
        let size = (2 * bins.len()) as f64;
        let squares = bins.flat_map(|t| (0..2).map(move |i| (t, i)));
        let sum: f64 = squares
            .map(|(t, i)| (beliefs[t].states[i] - states[(i, t)]).powi(2))
            .sum();
        (sum / size).sqrt()
    };
    let own = settings(6, 0.5);
    let mut unknown = model.clone();
    let level = &mut unknown.levels[0];
    for i in [1, 4] {
        level.parameters.mean[i] *= 0.5;
        level.parameters.covariance[(i, i)] = 1.0;
    }
    level.output = NoisePrecision::unknown(4, 6.0, 4.0);
    let run = |y: &Sequence| Dem::new(model.clone(), own.clone())?.run(y, None);
    let (found, full) = (error(&run(&with)?), error(&run(&all)?));
    assert!(found < 2.0 * full, "{found} for {full}");
    let truth = Linear::convolution().defaults();
    let distance = |at: &[f64]| (at[1] - truth[1]).hypot(at[4] - truth[4]);
    let start = distance(unknown.levels[0].parameters.mean.as_slice());
    let settings = DemConfig { sweeps: 16, ..own };
    let learn = |y: &Sequence| -> Result<_> {
        let dem = Dem::new(unknown.clone(), settings.clone())?.learn(y, None)?;
        let lap = GeneralisedFiltering::new(unknown.clone(), settings.clone())?.learn(y, None)?;
        Ok((dem, lap))
    };
    let ((learned, filtered), (dem, lap)) = (learn(&with)?, learn(&all)?);
    // Bins without a sample in their window contribute nothing to learning; the drift of the belief in them harms what follows.
    let long = series(&rows, |t| !(60..76).contains(&t))?;
    let (holed, hole_filtered) = learn(&long)?;
    for (found, h) in [
        (&holed.parameters, &holed.log_precisions),
        (&hole_filtered.parameters, &hole_filtered.log_precisions),
    ] {
        assert!(distance(found) < start, "{}", distance(found));
        assert!((4.0..10.0).contains(&h[0]), "{h:?}");
    }
    for (found, full, h, all) in [
        (
            &learned.parameters,
            &dem.parameters,
            &learned.log_precisions,
            &dem.log_precisions,
        ),
        (
            &filtered.parameters,
            &lap.parameters,
            &filtered.log_precisions,
            &lap.log_precisions,
        ),
    ] {
        let (found, full) = (distance(found), distance(full));
        assert!(
            found < start && found < full + 0.2 * start,
            "{found} for {full}"
        );
        assert!((h[0] - all[0]).abs() < 1.0, "{h:?} for {all:?}");
    }
    let kept: Vec<f64> = learned.sweeps.iter().filter(|s| s.1).map(|s| s.0).collect();
    assert!(
        kept.len() > 2 && kept.windows(2).all(|f| f[1] > f[0]),
        "{kept:?}"
    );
    assert!(filtered.passes.last() > filtered.passes.first());
    Ok(())
}

/// Bin by bin and over a series: the same numbers, bit for bit.
#[test]
fn a_stream_with_gaps_is_a_series() -> Result<()> {
    let (model, rows, _) = convolution(60, 4)?;
    let seen = |t: usize| t != 0 && t % 7 != 3 && !(30..45).contains(&t);
    for window in [Window::default(), Window::Causal { samples: 9 }] {
        let settings = DemConfig {
            window,
            ..settings(3, 0.5)
        };
        let mut dem = Dem::new(model.clone(), settings.clone())?;
        let data = series(&rows, seen)?;
        let whole = dem.run(&data, None)?;
        let mut stream = Dem::new(model.clone(), settings)?;
        let lag = stream.lag();
        for (t, y) in data.iter().enumerate() {
            stream.update(y)?;
            if t >= 10 {
                assert!(stream.record() == &whole[t - lag], "bin {t}");
            }
        }
    }
    Ok(())
}

/// The Kalman–Bucy filter over a gap: the limit of observations with noise without bounds.
#[test]
fn the_kalman_bucy_filter_passes_over_a_gap() -> Result<()> {
    let system = |noise: f64| WhiteNoiseSystem {
        motion: DMatrix::from_row_slice(2, 2, &[0.0, 1.0, -2.0, -0.4]),
        output: DMatrix::from_row_slice(1, 2, &[1.0, 0.0]),
        motion_noise: DMatrix::from_row_slice(2, 2, &[0.0, 0.0, 0.0, 0.5]),
        output_noise: DMatrix::from_element(1, 1, noise),
    };
    let mut missing = KalmanBucy::new(system(0.05), 0.05, CovarianceMode::Riccati)?;
    let mut loud = KalmanBucy::new(system(1e12), 0.05, CovarianceMode::Riccati)?;
    for _ in 0..50 {
        missing.update_missing()?;
        loud.update(&[3.0])?;
    }
    assert!((missing.covariance() - loud.covariance()).amax() < ROUNDING);
    missing.update(&[1.0])?;
    let before = DVector::from_column_slice(missing.mean());
    missing.update_missing()?;
    let moved = (&missing.system().motion * 0.05).exp() * before;
    assert!((DVector::from_column_slice(missing.mean()) - moved).amax() < 1e-14);
    Ok(())
}

/// The network over a gap: the limit of observations without precision.
#[test]
fn the_network_passes_over_a_gap() -> Result<()> {
    let network = |precision: f64| {
        let start = [0.3, -0.8];
        let model =
            GenerativeModel::single(Pullback { states: 2 }, &[], precision, 2.0, 1.0, &start)?;
        PredictiveCoding::new(model, PredictiveCodingConfig::default())
    };
    let (mut missing, mut faint) = (network(5.0)?, network(1e-13)?);
    for _ in 0..4 {
        missing.update_missing()?;
        faint.update(&[1.0, 2.0])?;
        for (a, b) in [
            (missing.states(), faint.states()),
            (missing.motion(), faint.motion()),
        ] {
            assert!(a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-11));
        }
        assert!((missing.free_energy() - faint.free_energy()).abs() < 1e-11);
    }
    // The precision is there again for the next observation.
    let before = missing.states()[0];
    missing.update(&[50.0, 50.0])?;
    assert!(missing.states()[0] > before + 1.0);
    Ok(())
}
