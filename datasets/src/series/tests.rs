use super::*;

fn read(text: &str, format: SeriesFormat, columns: &[&str]) -> Result<Vec<Option<Vec<f64>>>> {
    let options = SeriesOptions {
        columns: columns.iter().map(|c| c.to_string()).collect(),
    };
    let mut series =
        Series::from_reader("s", std::io::Cursor::new(text.to_owned()), format, &options)?;
    let mut rows = Vec::new();
    while let Some(row) = series.next_row()? {
        rows.push(row.map(<[f64]>::to_vec));
    }
    Ok(rows)
}

fn numbers(rows: &[&[f64]]) -> Vec<Option<Vec<f64>>> {
    rows.iter()
        .map(|row| (!row.is_empty()).then(|| row.to_vec()))
        .collect()
}

#[test]
fn cells_with_and_without_a_header() {
    let expected = numbers(&[&[1.0, -2.5], &[], &[3e2, 4.0]]);
    assert_eq!(
        read("1,-2.5\n,2\n3e2, 4 \n", SeriesFormat::Csv, &[]).unwrap(),
        expected
    );
    let text = "# made by hand\na\tb\n1\t-2.5\nNA\t2\n3e2\t4\n";
    assert_eq!(read(text, SeriesFormat::Tsv, &[]).unwrap(), expected);
    let swapped = numbers(&[&[-2.5, 1.0], &[], &[4.0, 300.0]]);
    assert_eq!(read(text, SeriesFormat::Tsv, &["b", "1"]).unwrap(), swapped);
    // A missing cell in a column that is not taken does not matter.
    assert_eq!(
        read(text, SeriesFormat::Tsv, &["b"]).unwrap(),
        numbers(&[&[-2.5], &[2.0], &[4.0]])
    );
}

#[test]
fn json_of_every_form() {
    let expected = numbers(&[&[1.0], &[], &[2.5]]);
    assert_eq!(
        read("1\n\nnull\n2.5\n", SeriesFormat::JsonLines, &[]).unwrap(),
        expected
    );
    assert_eq!(
        read("[1]\n[null]\n[2.5]\n", SeriesFormat::JsonLines, &[]).unwrap(),
        expected
    );
    let objects = "{\"x\":1,\"y\":7}\n{\"y\":1,\"x\":null}\n{\"y\":2,\"x\":2.5}\n";
    assert_eq!(
        read(objects, SeriesFormat::JsonLines, &["x"]).unwrap(),
        expected
    );
}

#[test]
fn arrays_of_several_types() {
    let mut bytes = Vec::new();
    crate::npy::write::header(&mut bytes, &[2, 3]).unwrap();
    let values = [1.0f32, 2.0, 3.0, 4.0, f32::NAN, 6.0];
    bytes.extend(values.iter().flat_map(|v| v.to_le_bytes()));
    let options = SeriesOptions {
        columns: vec!["3".into(), "1".into()],
    };
    let mut series = Series::from_reader(
        "a",
        std::io::Cursor::new(bytes.clone()),
        SeriesFormat::Npy,
        &options,
    )
    .unwrap();
    assert_eq!(series.total(), Some(2));
    assert_eq!(series.next_row().unwrap(), Some(Some(&[3.0, 1.0][..])));
    assert_eq!(series.next_row().unwrap(), Some(Some(&[6.0, 4.0][..])));
    assert_eq!(series.next_row().unwrap(), None);
    bytes.truncate(bytes.len() - 2);
    let mut cut = Series::from_reader(
        "a",
        std::io::Cursor::new(bytes),
        SeriesFormat::Npy,
        &SeriesOptions::default(),
    )
    .unwrap();
    assert!(cut.next_row().is_ok());
    assert!(
        cut.next_row()
            .unwrap_err()
            .to_string()
            .contains("line 2, column 3")
    );
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    use SeriesFormat::{Csv, JsonLines};
    for (text, format, columns, place) in [
        ("", Csv, &[][..], "found no row"),
        ("\n\n", JsonLines, &[], "found no line"),
        (
            "a,b\n1,2\n3\n",
            Csv,
            &[],
            "s, line 3, column 2: found a row of 1, expected 2 cells",
        ),
        ("1,2\n3,x\n", Csv, &[], "s, line 2, column 2: found `x`"),
        ("1\ninf\n", Csv, &[], "s, line 2, column 1: found `inf`"),
        (
            "a,b\n1,2\n",
            Csv,
            &["c"],
            "no column `c`, expected one of a, b",
        ),
        (
            "[1,2]\n[3]\n",
            JsonLines,
            &[],
            "s, line 2, column 1: found a row of 1",
        ),
        ("1\n{\n", JsonLines, &[], "s, line 2"),
        (
            "{\"x\":1}\n{\"y\":1}\n",
            JsonLines,
            &[],
            "line 2, column x: found nothing",
        ),
        ("1\n\"two\"\n", JsonLines, &[], "found \"two\""),
    ] {
        let error = read(text, format, columns).unwrap_err().to_string();
        assert!(error.contains(place), "{text:?}: {error}");
    }
}
