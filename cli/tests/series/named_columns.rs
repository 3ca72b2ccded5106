//! Columns by their names: which are matched, and which cannot be.

use super::refusals::{folder, of};

/// Files are matched by the places of their columns: a name that stands elsewhere would be another column.
#[test]
fn a_column_at_another_place_is_refused() {
    let folder = folder(&[
        ("a.csv", "temp,press\n10,1000\n12,1010\n11,990\n"),
        ("b.csv", "press,hum\n1000,40\n1010,50\n990,45\n"),
        ("c.csv", "temp,hum\n10,40\n12,50\n11,45\n"),
        ("bare.csv", "10,1000\n12,1010\n11,990\n"),
    ]);
    let fit = |data: &[&'static str]| {
        let kind = ["--kind", "diagonal-gaussian", "--n-states", "1"];
        let out = ["--out", "m.toml", "--force"];
        [&["fit"][..], data, &kind, &out].concat()
    };
    folder.refused(
        &fit(&["a.csv", "b.csv"]),
        &["a.csv has the columns temp, press", "b.csv", "press, hum"],
    );
    folder.good(&fit(&["a.csv", "bare.csv"]));
    folder.good(&fit(&["a.csv"]));
    folder.refused(&of("score", "m.toml", &["b.csv"]), &["b.csv", "--columns"]);
    folder.good(&of("score", "m.toml", &["b.csv", "--columns", "press,hum"]));
    folder.good(&of("score", "m.toml", &["c.csv"]));
}

#[test]
fn names_of_inputs_with_commas() {
    let folder = folder(&[("u.csv", "\"u, v\",y\n0.5,3\n-0.5,4\n1,5\n0,2\n")]);
    let fit = |inputs| {
        let kind = ["--kind", "poisson-regression", "--n-states", "1"];
        let rest = ["--inputs", inputs, "--out", "m.toml", "--force"];
        [&["fit", "u.csv", "--columns", "y"][..], &kind, &rest].concat()
    };
    folder.good(&fit("\"u, v\""));
    folder.refused(&fit("\"u, v"), &["--inputs", "quote"]);
    folder.refused(&fit("u,"), &["--inputs", "empty name"]);
}

/// Nothing can be learned of a column that was never seen, whether there is a variance to learn or not.
#[test]
fn a_column_without_an_observation() {
    let folder = folder(&[("n.csv", "y,z\n3,NA\n4,NA\n5,NA\n")]);
    for kind in ["poisson", "negative-binomial", "diagonal-gaussian"] {
        let fit = ["fit", "n.csv", "--kind", kind, "--n-states", "1"];
        folder.refused(
            &[&fit[..], &["--out", "m.toml"]].concat(),
            &["the column z has no observation"],
        );
    }
}
