use super::*;
use crate::filtering::model;

/// A noisy random walk; the belief is compared with the true path.
#[test]
fn coverage_and_extremes_survive_a_long_series() {
    let model = "kind = \"linear-gaussian\"\ntransition = [[0.9]]\nprocess_noise = [[1.0]]\nobservation = [[1.0]]\n\
                 observation_noise = [[1.0]]\noffset = [0.0]\nbias = [0.0]\ninitial_mean = [0.0]\n\
                 initial_covariance = [[1.0]]\n";
    let mut filter = AnyFilter::new(model::parse(model).unwrap(), "reversed").unwrap();
    let names = ["level".to_owned()];
    let mut portrayal =
        BeliefRecorder::new(&filter, &names, Some(&[]), FigureOptions::default()).unwrap();
    // Noise of about unit variance from a fixed sequence: three uniform numbers of variance 1/12 each, times 2.
    let mut seed = 1u64;
    let mut uniform = move || {
        seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (seed >> 11) as f64 / (1u64 << 53) as f64 - 0.5
    };
    let mut noise = move || 2.0 * (uniform() + uniform() + uniform());
    let (mut x, mut most, mut inside) = (0.0f64, f64::NEG_INFINITY, 0u32);
    let z = Band::default().deviations();
    let bins = 20_000u32;
    for t in 0..bins {
        x = 0.9 * x + noise();
        let y = [x + noise()];
        let row = (t % 10 != 3).then_some(&y[..]);
        filter.update(row).unwrap();
        portrayal.see(&filter, row, Some(&[x]));
        let belief = filter.belief().gaussian().unwrap();
        let (mean, variance) = (belief.mean[0], belief.covariance[0]);
        most = most.max(mean);
        inside += u32::from((mean - x).abs() <= z * variance.sqrt());
    }
    let columns = portrayal.timeline.columns();
    assert!(columns.len() <= COLUMNS && portrayal.timeline.each() == 16);
    let drawn = columns.iter().map(|c| c.spans[0].mean.high);
    assert_eq!(drawn.fold(f64::NEG_INFINITY, f64::max), most);
    let missing: u64 = columns.iter().map(|c| c.missing).sum();
    assert_eq!(missing, 2000);
    assert!(columns.iter().all(|c| {
        let s = &c.spans[0];
        s.low < s.mean.low && s.mean.high < s.high
    }));
    let coverage = portrayal.scores().coverage().unwrap();
    assert_eq!(coverage, f64::from(inside) / f64::from(bins));
    // A right model: 90 % within, up to four standard deviations of so many correlated draws.
    assert!((coverage - 0.9).abs() < 0.02, "{coverage}");
    assert!((portrayal.scores().nees().unwrap() - 1.0).abs() < 0.06);
    assert!(portrayal.judged().unwrap().contains("90 % credible band"));
    assert!(portrayal.note().contains("16 observations in a column"));
}

#[test]
fn a_late_belief_is_noted_at_the_bin_it_is_about() {
    let model = "kind = \"generalised\"\noutput_precision = 100.0\nmotion_precision = 10.0\nstart_variance = 1.0\n\
                 output_log_variance = 1.0\n[equations]\nkind = \"ornstein_uhlenbeck\"\nrate = 0.1\n\
                 [embedding]\nstates = 1\nsmoothness = 0.0\n";
    let rule = crate::filtering::names::LearnSpec::Settings(
        "rule = \"odem\"\n[filter]\ndelay = 2\n".to_owned(),
    );
    let model = model::parse(model).unwrap();
    let how = rule.of(&model).unwrap();
    let mut filter = AnyFilter::learning(model, &how, "reversed").unwrap();
    assert_eq!(filter.lag(), 2);
    let mut portrayal = BeliefRecorder::new(
        &filter,
        &[],
        Some(&["x".to_owned()]),
        FigureOptions::default(),
    )
    .unwrap();
    for t in 1..=5 {
        let row = [f64::from(t)];
        filter.update(Some(&row)).unwrap();
        portrayal.see(&filter, Some(&row), Some(&[10.0 * f64::from(t)]));
    }
    assert_eq!(portrayal.timeline.bins(), Some((1, 3)));
    // The state, its cause, what is seen, the error of the state.
    let at = |k: usize| portrayal.timeline.columns()[k].spans.clone();
    assert_eq!((at(0)[0].truth.low, at(0)[2].seen.low), (10.0, 1.0));
    assert_eq!((at(2)[0].truth.low, at(2)[2].seen.low), (30.0, 3.0));
    let last = at(2);
    assert_eq!(last[3].truth.low, 30.0 - last[0].mean.low);
}

#[test]
fn many_states_and_columns_are_shown_in_part_and_said() {
    let eye = |n: usize, v: f64| {
        let row = |i: usize| {
            let entry = |j: usize| if i == j { v } else { 0.0 };
            format!("{:?}", (0..n).map(entry).collect::<Vec<f64>>())
        };
        format!("[{}]", (0..n).map(row).collect::<Vec<_>>().join(", "))
    };
    let zeros = format!("{:?}", vec![0.0; 10]);
    let model = format!(
        "kind = \"linear-gaussian\"\ntransition = {}\nprocess_noise = {e}\nobservation = {e}\n\
         observation_noise = {e}\noffset = {zeros}\nbias = {zeros}\ninitial_mean = {zeros}\n\
         initial_covariance = {e}\n",
        eye(10, 0.5),
        e = eye(10, 1.0)
    );
    let mut filter = AnyFilter::new(model::parse(&model).unwrap(), "reversed").unwrap();
    let wanted = FigureOptions {
        portrait: Some([9, 10]),
        ..FigureOptions::default()
    };
    let names: Vec<String> = (1..=10).map(|i| format!("{i}")).collect();
    let mut portrayal = BeliefRecorder::new(&filter, &names, None, wanted).unwrap();
    let row = [1.0; 10];
    filter.update(Some(&row)).unwrap();
    portrayal.see(&filter, Some(&row), None);
    assert_eq!(portrayal.panels.len(), STATES + CHANNELS);
    assert!(portrayal.note().contains("the first 8 of 10 states"));
    assert!(portrayal.note().contains("the first 6 of 10 columns"));
    let label = |k: usize| match &portrayal.panels[k] {
        Panel::Span { label, .. } => label.clone(),
        _ => String::new(),
    };
    assert_eq!(
        (label(0), label(8)),
        ("state 1".into(), "observed 1".into())
    );
    let nowhere = FigureOptions {
        portrait: Some([1, 11]),
        ..wanted
    };
    let error = BeliefRecorder::new(&filter, &names, None, nowhere).unwrap_err();
    assert!(error.to_string().contains("states 1 to 10"), "{error}");
    assert_eq!(portrayal.judged(), None);
}
