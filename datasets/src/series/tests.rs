use super::*;

fn read(text: &str, format: SeriesFormat, columns: &[&str]) -> Result<Vec<Option<Vec<f64>>>> {
    let options = SeriesOptions {
        columns: columns.iter().map(|c| c.to_string()).collect(),
        ..SeriesOptions::default()
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
    crate::npy::write::header(&mut bytes, "<f4", &[2, 3]).unwrap();
    let values = [1.0f32, 2.0, 3.0, 4.0, f32::NAN, 6.0];
    bytes.extend(values.iter().flat_map(|v| v.to_le_bytes()));
    let options = SeriesOptions {
        columns: vec!["3".into(), "1".into()],
        ..SeriesOptions::default()
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

/// Rows of `text` under `options`; a missing one is empty.
fn rows_of(text: &[u8], format: SeriesFormat, options: &SeriesOptions) -> Result<Vec<Vec<f64>>> {
    let mut series =
        Series::from_reader("s", std::io::Cursor::new(text.to_vec()), format, options)?;
    let mut rows = Vec::new();
    while let Some(row) = series.next_row()? {
        rows.push(row.map_or_else(Vec::new, <[f64]>::to_vec));
    }
    Ok(rows)
}

#[test]
fn a_header_is_decided_by_the_columns_that_are_taken() {
    use SeriesFormat::Csv;
    let column = |name: &str| SeriesOptions {
        columns: vec![name.into()],
        ..SeriesOptions::default()
    };
    let all = SeriesOptions::default();
    for (text, options, rows) in [
        // Texts in columns that are not taken.
        (
            "2024-01-01,pier,0.1\n2024-01-02,pier,-0.2\n",
            column("3"),
            vec![vec![0.1], vec![-0.2]],
        ),
        (
            "day,place,y\n2024-01-02,pier,-0.2\n",
            column("y"),
            vec![vec![-0.2]],
        ),
        // As pandas writes a column without a name.
        (
            ",0\n0,0.126\n1,-0.132\n",
            column("2"),
            vec![vec![0.126], vec![-0.132]],
        ),
        // A first row that is missing is no header.
        (
            "N/A\n1.0\n2.0\n",
            all.clone(),
            vec![vec![], vec![1.0], vec![2.0]],
        ),
        // What a spreadsheet writes for an error begins a row and no comment, wherever the bytes are cut.
        (
            "# c\ny\n1.5\n#N/A\n# c, \"x\n\n #n/a\n2.5",
            all.clone(),
            vec![vec![1.5], vec![], vec![], vec![2.5]],
        ),
        (
            "#DIV/0!\n3\n#NUM!\n",
            SeriesOptions {
                missing: vec!["#DIV/0!".into(), "#NUM!".into()],
                ..all.clone()
            },
            vec![vec![], vec![3.0], vec![]],
        ),
        ("\u{feff}a,b\n1,2\n", all.clone(), vec![vec![1.0, 2.0]]),
        ("\"a,b\",c\n1,2\n", column("a,b"), vec![vec![1.0]]),
        // Years as names have to be said.
        (
            "1990,1991\n1,2\n",
            SeriesOptions {
                header: Header::Yes,
                ..all.clone()
            },
            vec![vec![1.0, 2.0]],
        ),
    ] {
        assert_eq!(
            rows_of(text.as_bytes(), Csv, &options).unwrap(),
            rows,
            "{text:?}"
        );
    }
    for text in ["a,b\n", "a,b", "time\n\n"] {
        let error = rows_of(text.as_bytes(), Csv, &all).unwrap_err().to_string();
        assert!(error.contains("a header and no row under it"), "{error}");
    }
}

#[test]
fn lines_are_counted_whatever_ends_them() {
    for (text, line) in [
        ("y\r\n1\r\nx\r\n2\r\n", 3),
        ("y\n1\n\n\nx\n", 5),
        ("y\r1\rx\r2", 3),
        ("y\n1\nx", 3),
        ("# c\ny\n1\n\"x\n\"\n", 4),
        ("\"y\n\"\n1\nx\n", 4),
        // A quote that is never closed is where it was opened.
        ("y\n1\n\"2\n3\n", 3),
    ] {
        let error = rows_of(
            text.as_bytes(),
            SeriesFormat::Csv,
            &SeriesOptions::default(),
        )
        .unwrap_err();
        assert!(
            matches!(error, Error::Row { line: l, .. } if l == line),
            "{text:?}: {error}"
        );
    }
}

/// What a row cannot be is said with what would help.
#[test]
fn what_is_no_row_is_named() {
    let column = |name: &str| SeriesOptions {
        columns: vec![name.into()],
        ..SeriesOptions::default()
    };
    for (text, options, told) in [
        ("a,a,b\n1,2,3\n", column("a"), "their numbers: 1, 2"),
        ("y;z\n1;2\n", SeriesOptions::default(), "--delimiter"),
        ("y;z\n1,5;2,5\n", SeriesOptions::default(), "--delimiter"),
        ("1.5\n\"2\n", SeriesOptions::default(), "never closed"),
        ("1\n+inf\n", SeriesOptions::default(), "a finite number"),
    ] {
        let error = rows_of(text.as_bytes(), SeriesFormat::Csv, &options).unwrap_err();
        assert!(error.to_string().contains(told), "{text:?}: {error}");
    }
    let packed = [0x1f, 0x8b, 8, 0, 0, 0, 0xff, 0x00];
    let error = rows_of(&packed, SeriesFormat::Csv, &SeriesOptions::default()).unwrap_err();
    assert!(error.to_string().contains("gzip"), "{error}");
}

#[test]
fn cells_as_they_are_written_elsewhere() {
    use SeriesFormat::Csv;
    let all = SeriesOptions::default();
    let comma = SeriesOptions {
        decimal_comma: true,
        ..all.clone()
    };
    assert_eq!(rows_of(b"a;b\n1,5;2\n", Csv, &comma).unwrap(), [[1.5, 2.0]]);
    let semicolon = SeriesOptions {
        delimiter: Some(b';'),
        ..all.clone()
    };
    assert_eq!(rows_of(b"1.5;2\n", Csv, &semicolon).unwrap(), [[1.5, 2.0]]);
    let missing = SeriesOptions {
        missing: vec![".".into(), "-999".into()],
        ..all.clone()
    };
    assert_eq!(
        rows_of(b"1\n.\n-999.0\n-9\n", Csv, &missing).unwrap(),
        [vec![1.0], vec![], vec![], vec![-9.0]]
    );
    let words = SeriesOptions {
        alphabet: vec!["left".into(), "right".into()],
        ..all.clone()
    };
    assert_eq!(
        rows_of(b"choice\nright\nleft\n", Csv, &words).unwrap(),
        [[1.0], [0.0]]
    );
    let error = rows_of(b"choice\nleft\nup\n", Csv, &words)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("line 3") && error.contains("left, right"),
        "{error}"
    );
    let error = rows_of(b"y\n1,5\n", Csv, &all).unwrap_err().to_string();
    assert!(error.contains("a row of 2"), "{error}");
    let error = rows_of(b"y\n2024-01-01\n", Csv, &all)
        .unwrap_err()
        .to_string();
    assert!(error.contains("--time"), "{error}");
}

#[test]
fn a_column_of_times_is_no_data() {
    let options = SeriesOptions {
        time: Some("day".into()),
        ..SeriesOptions::default()
    };
    let text = b"day,y\n2024-01-01,1\n2024-01-02,2\n2024-01-05,3\n";
    let mut series = Series::from_reader("s", &text[..], SeriesFormat::Csv, &options).unwrap();
    assert_eq!(series.names(), ["y"]);
    let mut days = Vec::new();
    while series.next_row().unwrap().is_some() {
        days.push((
            series.time_text().unwrap().to_owned(),
            series.time().unwrap().axis() / 86_400.0,
        ));
    }
    assert_eq!(days[0], ("2024-01-01".into(), 19_723.0));
    assert_eq!(days[2].1 - days[1].1, 3.0);
    assert_eq!(series.gaps(), 1);
    let back = b"day,y\n2024-01-02,1\n2024-01-01,2\n";
    let error = rows_of(back, SeriesFormat::Csv, &options)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("line 3") && error.contains("after the one before"),
        "{error}"
    );
}

#[test]
fn json_of_other_programs() {
    use SeriesFormat::JsonLines;
    let all = SeriesOptions::default();
    let read = |text: &str| rows_of(text.as_bytes(), JsonLines, &all);
    // Keys in the order of the first line, not of the alphabet.
    assert_eq!(
        read("{\"y\":1,\"x\":5}\n{\"x\":6,\"y\":2}\n").unwrap(),
        [[1.0, 5.0], [2.0, 6.0]]
    );
    assert_eq!(
        read("null\n[1.0, 2.0]\n[2.0, NaN]\n").unwrap(),
        [vec![], vec![1.0, 2.0], vec![]]
    );
    assert_eq!(read("[[1,2],[3,4]]\n").unwrap(), [[1.0, 2.0], [3.0, 4.0]]);
    assert_eq!(read("\u{feff}1\n-nan\n").unwrap(), [vec![1.0], vec![]]);
    assert_eq!(read("94.90308541619743\n").unwrap(), [[94.90308541619743]]);
    for (text, said) in [
        ("[1]\n[Infinity]\n", "line 2, column 1: found inf"),
        ("{\"x\":1}\n[1]\n", "line 2"),
        ("null\n", "null in every line"),
        ("[1,2\n", "line 1, column 5"),
    ] {
        let error = read(text).unwrap_err().to_string();
        assert!(error.contains(said), "{error}");
    }
}

#[test]
fn arrays_of_every_number_and_order() {
    for (descr, bytes, rows) in [
        ("|b1", vec![0u8, 1], vec![vec![0.0], vec![1.0]]),
        ("|i1", vec![255, 2], vec![vec![-1.0], vec![2.0]]),
        (">u2", vec![1, 0, 0, 7], vec![vec![256.0], vec![7.0]]),
        ("<f2", vec![0, 0x3c, 0, 0xc0], vec![vec![1.0], vec![-2.0]]),
    ] {
        let header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': (2,), }}");
        let text = npy_of(&header, &bytes);
        assert_eq!(
            rows_of(&text, SeriesFormat::Npy, &SeriesOptions::default()).unwrap(),
            rows,
            "{descr}"
        );
    }
    let text = npy_of(
        "{'descr': '|u1', 'fortran_order': True, 'shape': (2, 3), }",
        &[1, 4, 2, 5, 3, 6],
    );
    let rows = rows_of(&text, SeriesFormat::Npy, &SeriesOptions::default()).unwrap();
    assert_eq!(rows, [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
}

fn npy_of(header: &str, values: &[u8]) -> Vec<u8> {
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(values);
    bytes
}

#[test]
fn dates_are_days_where_they_may_be() {
    use SeriesFormat::Csv;
    let dates = SeriesOptions {
        dates: true,
        ..SeriesOptions::default()
    };
    let days = [[1.0, 1.0], [2.25, 2.0], [59.0, 3.0]];
    let text = b"when,y\n1970-01-02,1\n1970-01-03T06:00:00,2\n1970-03,3\n";
    assert_eq!(rows_of(text, Csv, &dates).unwrap(), days);
    let lines = b"[\"1970-01-02\",1]\n[\"1970-01-03T06:00:00\",2]\n[\"1970-03\",3]\n";
    assert_eq!(
        rows_of(lines, SeriesFormat::JsonLines, &dates).unwrap(),
        days
    );
    // A number among them is of another scale.
    for mixed in [
        &b"when,y\n1970-01-02,1\n\n7.5,4\n"[..],
        b"when,y\n7.5,1\n,2\n1970-01-02,4\n",
    ] {
        let error = rows_of(mixed, Csv, &dates).unwrap_err().to_string();
        assert!(
            error.contains("line 4, column when") && error.contains("as in line 2"),
            "{error}"
        );
    }
    let numbers = b"when,y\n7.5,1\n8,2\n";
    assert_eq!(
        rows_of(numbers, Csv, &dates).unwrap(),
        [[7.5, 1.0], [8.0, 2.0]]
    );
    assert!(rows_of(text, Csv, &SeriesOptions::default()).is_err());
    assert!(rows_of(b"when,y\n1970-02-30,1\n", Csv, &dates).is_err());
}
