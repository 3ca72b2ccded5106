use super::*;
use crate::colour::PALETTE;

fn panel(x: Vec<f64>, y: Vec<f64>) -> Panel {
    Panel::new("", "", "", vec![Series::line("loss", x, y)])
}

fn named(names: &[&str]) -> Panel {
    let series = |name: &&str| Series::line(*name, vec![0.0, 1.0], vec![0.0, 1.0]);
    Panel::new("", "", "", names.iter().map(series).collect())
}

fn colours(plot: &Plot) -> Vec<Rgb> {
    let colour = |layer: &Layer| match layer {
        Layer::Line { stroke, .. } => Some(stroke.colour),
        _ => None,
    };
    plot.layers.iter().filter_map(colour).collect()
}

#[test]
fn points_that_cannot_be_shown_leave_a_gap() {
    let series = Series::line("", vec![0.0, 1.0, 2.0], vec![1.0, f64::NAN, -1.0]);
    let shown = |log_x, log_y| -> Vec<bool> {
        let panel = Panel::default().logarithmic(log_x, log_y);
        panel.points(&series).map(|p| p.is_some()).collect()
    };
    assert_eq!(shown(false, false), [true, false, true]);
    assert_eq!(shown(true, false), [false, false, true]);
    assert_eq!(shown(false, true), [true, false, false]);
    let log = panel(vec![1.0, 2.0, 3.0], vec![1.0, 0.0, 100.0]).logarithmic(false, true);
    assert!((log.axes().unwrap().1.place(10.0) - 0.5).abs() < 1e-9);
}

#[test]
fn a_name_has_one_colour_in_all_panels_and_what_has_none_is_dark() {
    let figure = lines(&[named(&["a", "b"]), named(&["b", ""]), named(&["c"])]).unwrap();
    let [one, two, three] = [0, 1, 2].map(|i| colours(&figure.plots[i]));
    assert_eq!(one, PALETTE[..2]);
    assert_eq!(two, [PALETTE[1], INK]);
    assert_eq!(three, [PALETTE[2]]);
    let legend = |i: usize| -> Vec<&str> {
        figure.plots[i]
            .legend
            .iter()
            .map(|entry| entry.name.as_str())
            .collect()
    };
    assert_eq!((legend(0), legend(1)), (vec!["a", "b"], vec!["b"]));
    // Many faint ones of a name are grey, and named once.
    let mut many = named(&["mean", "one", "one"]);
    many.series[1..]
        .iter_mut()
        .for_each(|series| series.faint = true);
    let many = lines(&[many]).unwrap();
    assert_eq!(colours(&many.plots[0]), [PALETTE[0], OBSERVED, OBSERVED]);
    assert_eq!(many.plots[0].legend.len(), 2);
    // One legend where all are the same.
    let same = lines(&[named(&["a", "b"]), named(&["a", "b"])]).unwrap();
    assert_eq!((same.legend.len(), same.plots[0].legend.len()), (2, 0));
}

#[test]
fn panels_wrap_after_three_in_nine_hundred_pixels() {
    let one = Panel {
        y_label: "y".to_owned(),
        ..named(&[""])
    };
    let size = |count: usize| lines(&vec![one.clone(); count]).unwrap().size();
    let (width, height) = size(3);
    // Text of 12 pixels is at least 11 where the figure is shrunk to 900.
    assert!((860.0..=980.0).contains(&width), "{width}");
    assert_eq!(size(4).0, width);
    assert!(size(4).1 > 1.8 * height);
    assert!(size(1).0 < width && size(2).0 <= width);
}

#[test]
fn the_axis_holds_the_spread_and_bars_stand_on_zero() {
    let series = Series::line("", vec![0.0, 1.0], vec![5.0, 6.0]);
    let spread = series.clone().spread(vec![1.0, 5.0], vec![9.0, 7.0]);
    let (_, y) = Panel::new("", "", "", vec![spread]).axes().unwrap();
    assert!(y.place(1.0) > 0.0 && y.place(9.0) < 1.0);
    let (_, y) = Panel::new("", "", "", vec![series.marked(Mark::Bars)])
        .axes()
        .unwrap();
    assert_eq!(y.place(0.0), 0.0);
}

#[test]
fn what_cannot_be_drawn_is_said() {
    assert!(lines(&[]).unwrap_err().to_string().contains("no panels"));
    let error = lines(&[panel(vec![1.0], vec![])]).unwrap_err().to_string();
    assert!(
        error.contains("\"loss\"") && error.contains("has 0 values"),
        "{error}"
    );
    let short = Series::line("a", vec![1.0; 2], vec![1.0; 2]).spread(vec![0.0], vec![2.0]);
    let error = lines(&[Panel::new("", "", "", vec![short])])
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("the spread of the series \"a\" in the panel \"\" has 1"),
        "{error}"
    );
    // Panels without values say so.
    let empty = lines(&[Panel::default(), panel(vec![f64::NAN; 9], vec![1.0; 9])]).unwrap();
    assert_eq!(empty.svg().matches("no values to show").count(), 2);
    assert_eq!(lines_if_any([Panel::default()]).unwrap(), None);
}
