//! Settings and records as JSON: what is written can be read, an unknown key is refused.

use scotopic_measures::gabor::{self, GaborFit};
use scotopic_measures::logistic::LogisticConfig;
use scotopic_measures::neighbours::{Metric, NeighboursConfig};
use scotopic_measures::sparsity::Sparsity;
use scotopic_measures::{Rows, tuning::OrientationTuning};

#[test]
fn settings_have_defaults_and_refuse_what_they_do_not_know() {
    let config: LogisticConfig = serde_json::from_str(r#"{"c": 0.1}"#).unwrap();
    assert_eq!((config.c, config.standardise), (0.1, true));
    let error = serde_json::from_str::<LogisticConfig>(r#"{"C": 0.1}"#).unwrap_err();
    assert!(error.to_string().contains("unknown field `C`"), "{error}");
    let config: NeighboursConfig = serde_json::from_str(r#"{"metric": "cosine"}"#).unwrap();
    assert_eq!((config.k, config.metric), (5, Metric::Cosine));
}

#[test]
fn records_come_back_as_they_were() {
    let counts = [1.0, 0.0, 3.0, 0.0, 0.0, 2.0];
    let sparsity = Sparsity::of(Rows::new("counts", &counts, [2, 3]).unwrap()).unwrap();
    let text = serde_json::to_string(&sparsity).unwrap();
    let back: Sparsity = serde_json::from_str(&text).unwrap();
    assert_eq!(back.lifetime.len(), sparsity.lifetime.len());
    // What is not defined is null.
    let flat = OrientationTuning::of(&[2.0; 8]).unwrap().unwrap();
    let text = serde_json::to_string(&flat).unwrap();
    assert!(text.contains(r#""half_width":null"#), "{text}");
    let mut filter = [0.0; 25];
    filter[12] = 1.0;
    let fit = gabor::fit(&filter, 5, 5).unwrap().unwrap();
    let back: GaborFit = serde_json::from_str(&serde_json::to_string(&fit).unwrap()).unwrap();
    assert!((back.r2 - fit.r2).abs() < 1e-12);
}
