//! What the observations do not determine of a start without a prior, as the commands say it.

use super::Folder;

/// Quarters of which the third is never seen, and the second not in the first year.
const QUARTERS: &str =
    "y\n5.1\nNA\nNA\n4.2\n5.6\n6.3\nNA\n4.9\n6.1\n6.8\nNA\n5.0\n6.4\n7.1\nNA\n5.5\n6.2\n7.5\n";
const MODEL: &str = "kind = \"structural\"\ncomponents = [\"level\", \"seasonal:4\"]\n\n[values]\nirregular = 0.5\nlevel = 0.3\n\
                     seasonal = 0.1\n";
/// The residuals of statsmodels at these variances, by their rows.
const RESIDUALS: [(usize, f64); 10] = [
    (5, 0.3227486121839514),
    (8, 0.41475753100312673),
    (9, 0.26389933145587413),
    (10, 0.15900388439205446),
    (12, 0.056301884512509996),
    (13, 0.22923972704442858),
    (14, 0.16569866637304698),
    (16, 0.258979577866717),
    (17, -0.2344496567192054),
    (18, 0.32180792265628955),
];

fn folder() -> Folder {
    Folder::with(&[("y.csv", QUARTERS), ("m.toml", MODEL)])
}

fn lines(text: &str) -> Vec<serde_json::Value> {
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// With what every command takes of this folder.
fn on<'a>(command: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let subject = ["y.csv", "--columns", "y", "--model", "m.toml"];
    [&[command][..], &subject[..], more].concat()
}

#[test]
fn what_is_not_determined_has_no_mean() {
    let folder = folder();
    let (out, _) = folder.good(&on("forecast", &["--ahead", "4"]));
    let ahead = lines(&out);
    for name in ["mean", "variance", "q0.1", "q0.5", "q0.9"] {
        assert!(ahead[0][name][0].is_null(), "{name}: {out}");
        assert!(ahead[1][name][0].is_f64(), "{name}: {out}");
    }
    // As by statsmodels.
    let variance = ahead[1]["variance"][0].as_f64().unwrap();
    assert!((variance - 1.905541085574471).abs() < 1e-9);
    let (out, said) = folder.good(&on("smooth", &[]));
    assert!(lines(&out).iter().all(|line| line["mean"][0].is_null()));
    assert!(
        said.contains("in 18 rows the observations do not determine level, "),
        "{said}"
    );
    let (out, _) = folder.good(&on("smooth", &["--out-format", "csv"]));
    assert!(
        out.lines().nth(1).unwrap().starts_with("1,1,,,,,inf,"),
        "{out}"
    );
    let (out, _) = folder.good(&on("filter", &[]));
    assert!(lines(&out).iter().all(|line| line["mean"][1].is_null()));
}

#[test]
fn what_was_not_predicted_is_no_residual_no_alarm_and_no_error() {
    let folder = folder();
    let rows: Vec<usize> = RESIDUALS.iter().map(|(t, _)| *t).collect();
    let said = folder.json(&on("residuals", &["--json"]));
    let count = &said["files"][0]["columns"][0]["tests"]["count"];
    assert_eq!(count, RESIDUALS.len(), "{said}");
    let (out, _) = folder.good(&on("filter", &["--alarm", "0.01"]));
    for line in lines(&out) {
        let t = line["t"].as_u64().unwrap() as usize;
        let tail = line["tail"].as_f64();
        assert_eq!(tail.is_some(), rows.contains(&t), "{line}");
        // Beyond |z| on both sides: at most 2(1 − Φ(0.41)) here, and 1 of none.
        assert!(
            tail.is_none_or(|tail| (0.67..0.96).contains(&tail)),
            "{line}"
        );
    }
    let (_, said) = folder.good(&on("forecast", &["--every", "1"]));
    let told = "10 forecasts of rows that came: RMSE 0.3757, 100.0 % between the quantiles 0.1 and 0.9; 2 numbers not counted";
    assert!(said.contains(told), "{said}");
}
