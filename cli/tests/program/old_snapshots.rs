//! Filters saved by an earlier version continue bit for bit: fixtures/earlier/snapshots has one of each kind, the rows that
//! came next, and what that version wrote for them.

use std::fs;
use std::path::Path;

use super::support::scotopic;

const COUNTS: &[&str] = &[
    "ar1",
    "ar1-jelbo",
    "ar1-learn",
    "ar1-vjf",
    "hmm-decoupled",
    "hmm-frozen",
    "hmm-learn-block-online-em",
    "hmm-learn-dirichlet",
    "hmm-learn-fixed-lag",
    "hmm-learn-online-em",
    "hmm-learn-rmle",
    "hmm-reversed-poisson",
    "hmm-tied",
];
const PAIRS: &[&str] = &[
    "dl",
    "dl-learn",
    "hmm-learn-diagonal",
    "hmm-learn-full",
    "hmm-reversed-diagonal",
    "hmm-reversed-full",
    "linear-decoupled",
    "linear-diagonal",
    "linear-frozen-mean-field",
    "linear-jelbo",
    "linear-learn-block-online-em",
    "linear-learn-online-em",
    "linear-learn-rmle",
    "linear-reversed",
    "neural",
];
const NUMBERS: &[&str] = &["sin", "sv", "sv-learn"];
const SYMBOLS: &[&str] = &["hmm-learn-categorical", "hmm-reversed-categorical"];
const LORENZ: &[&str] = &["lorenz", "odem"];

#[test]
fn filters_of_an_earlier_version_go_on_bit_for_bit() {
    let saved = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/earlier/snapshots");
    let all = [
        ("counts", COUNTS),
        ("pairs", PAIRS),
        ("numbers", NUMBERS),
        ("symbols", SYMBOLS),
        ("lorenz", LORENZ),
    ];
    let mut count = 0;
    for (data, filters) in all {
        for name in filters {
            let (filter, rows) = (format!("{name}.filter"), format!("{data}_2.csv"));
            let found = scotopic(&saved, &["filter", "--resume", &filter, &rows, "--quiet"]).good();
            let expected = fs::read_to_string(saved.join(format!("{name}.jsonl"))).unwrap();
            assert!(found == expected, "{name} went another way");
            count += 1;
        }
    }
    let files = fs::read_dir(&saved).unwrap().map(Result::unwrap);
    let files = files.filter(|f| f.path().extension().is_some_and(|e| e == "filter"));
    assert_eq!(files.count(), count, "a saved filter is not tested");
}
