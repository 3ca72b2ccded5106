//! Every kind of figure, of made-up data.

use scotopic_figures::chart::{self, Mark, Panel, Series};
use scotopic_figures::phase_portrait::PhasePortrait;
use scotopic_figures::tiles::Row;
use scotopic_figures::timeline::{COLUMNS, MinMax, PhasePoint, Span, Timeline, TimelineColumn};
use scotopic_figures::trajectory::{self, Trajectory};
use scotopic_figures::{Figure, FigureError, Tile, animation, heat, raster, tiles};

/// The names of all kinds, and a figure of each.
pub fn all() -> Result<Vec<(&'static str, Figure)>, FigureError> {
    Ok(vec![
        ("chart-one", one_chart()?),
        ("chart-three", three_charts()?),
        ("chart-same-legend", same_legend()?),
        (
            "chart-empty",
            chart::lines(&[Panel::new("Nothing", "x (s)", "y (m)", Vec::new())])?,
        ),
        ("chart-distributions", distributions()?),
        ("heat", weights()?),
        ("raster", spikes()?),
        (
            "raster-silent",
            raster::spikes(&[0.0; 200], 20, 10, "Spikes of a silent network")?,
        ),
        ("dictionary", dictionary()?),
        ("reconstructions", reconstructions()?),
        ("unroll", unroll()?),
        ("trajectory", belief(90, false, 0)?),
        ("trajectory-phase-plot", belief(300, true, 300)?),
        ("trajectory-thousand", belief(1_000, false, 0)?),
        ("trajectory-long", belief(100_000, false, 0)?),
        ("shares", states(60, 3)?),
        ("shares-many", states(400, 12)?),
    ])
}

/// Numbers between −1 and 1 that look like noise.
fn noise(i: usize) -> f64 {
    let x = (i as f64 * 12.9898).sin() * 43_758.545_3;
    2.0 * (x - x.floor()) - 1.0
}

fn one_chart() -> Result<Figure, FigureError> {
    let x: Vec<f64> = (0..41).map(|i| f64::from(i) * 4.5 - 90.0).collect();
    let curve = |width: f64| x.iter().map(move |x| (-(x / width).powi(2)).exp());
    let series = |name: &str, width: f64, error: f64| {
        let low = curve(width).map(|y| y - error).collect();
        let high = curve(width).map(|y| y + error).collect();
        Series::line(name, x.clone(), curve(width).collect()).spread(low, high)
    };
    let neuron = |i: usize| {
        let y = curve(30.0 + 12.0 * noise(i)).map(|y| y * (1.0 + 0.15 * noise(i + 40)));
        Series::line("single neurons", x.clone(), y.collect()).faint()
    };
    let means = [
        series("high contrast ± SEM", 30.0, 0.04),
        series("low contrast ± SEM", 42.0, 0.08),
    ];
    let panel = Panel::new(
        "",
        "orientation from the preferred (°)",
        "response (normalised to peak)",
        (0..16).map(neuron).chain(means).collect(),
    );
    Ok(chart::lines(&[panel])?.titled(
        "Orientation tuning: poisson-64, gratings",
        "64 neurons, mean ± SEM",
    ))
}

fn three_charts() -> Result<Figure, FigureError> {
    let t: Vec<f64> = (1..=64).map(f64::from).collect();
    let of = |f: &dyn Fn(f64) -> f64| t.iter().map(|t| f(*t)).collect::<Vec<f64>>();
    let line = |name: &str, f: &dyn Fn(f64) -> f64| Series::line(name, t.clone(), of(f));
    let few = |name: &str| Series::line(name, vec![1.0, 4.0, 16.0, 64.0], vec![9.0, 3.0, 1.1, 0.2]);
    let panel = |title: &str, y: &str, series, log| {
        Panel::new(title, "inference step", y, series).logarithmic(true, log)
    };
    let panels = [
        panel(
            "Reconstruction",
            "R²",
            vec![
                line("spikes", &|t| 1.0 - 1.2 / t),
                line("rates", &|t| 1.0 - 1.0 / t),
            ],
            false,
        ),
        panel(
            "Sparsity",
            "fraction of zeros",
            vec![line("spikes", &|t| 0.5 + 0.4 * (1.0 - 1.0 / t))],
            false,
        ),
        panel(
            "Change of the state",
            "‖Δu‖ (nats)",
            vec![few("rates"), line("", &|t| 1e-3 * t.powf(1.5))],
            true,
        ),
        panel(
            "Evidence of the fourth row",
            "−ln p (nats)",
            vec![line(
                "a name that is long enough to need a line of its own",
                &|t| 4e5 / t,
            )],
            false,
        ),
    ];
    Ok(chart::lines(&panels)?.titled(
        "Convergence: poisson-512, whitened natural patches",
        "means over 200 images",
    ))
}

fn same_legend() -> Result<Figure, FigureError> {
    let x: Vec<f64> = (0..=12).map(|i| f64::from(i) * 15.0).collect();
    let series = |steps: u32| {
        let y = x
            .iter()
            .map(|x| 1.0 - x / 400.0 - 1.0 / f64::from(steps))
            .collect();
        Series::line(format!("{steps} steps"), x.clone(), y)
    };
    let panel = |title: &str, y: &str| {
        Panel::new(
            title,
            "rotation (°)",
            y,
            vec![series(4), series(16), series(64)],
        )
    };
    let panels = [
        panel("Reconstruction by rates", "R²"),
        panel("Unexplained variance", "SSE/SST"),
    ];
    Ok(chart::lines(&panels)?.titled("Out of distribution: poisson-512, rotated MNIST", ""))
}

fn distributions() -> Result<Figure, FigureError> {
    let x: Vec<f64> = (-12..=4).map(|i| 10f64.powf(f64::from(i) / 4.0)).collect();
    let bell = |x: f64| 40.0 * (-(x.log10() + 1.0).powi(2)).exp();
    let counts = x
        .iter()
        .enumerate()
        .map(|(i, x)| (bell(*x) + 4.0 * noise(i)).max(0.0))
        .collect();
    let fit = x.iter().map(|x| bell(*x)).collect();
    let cloud = |i: usize| (90.0 + 90.0 * noise(i), 0.2 + 0.1 * noise(7 * i + 1));
    let (theta, frequency) = (0..300).map(cloud).unzip();
    let panels = [
        Panel::new(
            "Firing rates",
            "spikes per step",
            "neurons",
            vec![
                Series::line("neurons", x.clone(), counts).marked(Mark::Bars),
                Series::line("log-normal fit", x, fit),
            ],
        )
        .logarithmic(true, false),
        Panel::new(
            "Gabor fits",
            "orientation (°)",
            "frequency (cycles per pixel)",
            vec![Series::line("", theta, frequency).marked(Mark::Dots)],
        ),
    ];
    Ok(chart::lines(&panels)?.titled("Population: poisson-512, natural patches", "512 neurons"))
}

fn weights() -> Result<Figure, FigureError> {
    let side = 48;
    let values: Vec<f32> = (0..side * side)
        .map(|i| {
            let (row, column) = ((i / side) as f64, (i % side) as f64);
            ((-((row - column) / 6.0).powi(2)).exp() * 0.04 + 0.01 * noise(i)) as f32
        })
        .collect();
    let names = heat::Names {
        rows: "neuron (rank)",
        columns: "neuron (rank)",
        values: "inhibition (nats per spike)",
    };
    let figure = heat::map(&values, [side, side], heat::Scale::Signed(0.04), names)?;
    Ok(figure.titled(
        "Lateral weights: poisson-512",
        "Inhibition of the row neuron by the column neuron; strongest neurons first",
    ))
}

fn spikes() -> Result<Figure, FigureError> {
    let (steps, units) = (64, 120);
    let count = |i: usize| {
        let (step, unit) = (i / units, i % units);
        let rate = 3.0 * (-(unit as f64) / 25.0).exp() * (1.0 + (step as f64 / 9.0).sin());
        (rate * (1.0 + noise(i))).floor().max(0.0) as f32
    };
    let counts: Vec<f32> = (0..steps * units).map(count).collect();
    raster::spikes(
        &counts,
        steps,
        units,
        "Spikes in response to the first image: poisson-120, MNIST",
    )
}

const TILE: Tile = Tile {
    height: 16,
    width: 16,
    channels: 1,
};

/// A Gabor function, `[height * width]`.
fn gabor(i: usize) -> Vec<f32> {
    let (angle, phase) = (3.1 * noise(i), 3.0 * noise(i + 500));
    let (x0, y0) = (8.0 + 3.0 * noise(i + 50), 8.0 + 3.0 * noise(i + 90));
    let pixel = |p: usize| {
        let (x, y) = ((p % 16) as f64 - x0, (p / 16) as f64 - y0);
        let along = x * angle.cos() + y * angle.sin();
        ((-(x * x + y * y) / 18.0).exp() * (along + phase).cos()) as f32
    };
    (0..256).map(pixel).collect()
}

fn dictionary() -> Result<Figure, FigureError> {
    let atoms: Vec<f32> = (0..100).flat_map(gabor).collect();
    tiles::dictionary(
        &atoms,
        TILE,
        "Dictionary: poisson-100, natural patches, largest norm first",
    )
}

fn reconstructions() -> Result<Figure, FigureError> {
    let input: Vec<f32> = (0..12).flat_map(gabor).collect();
    let rates: Vec<f32> = input.iter().map(|v| 0.9 * v).collect();
    let samples: Vec<f32> = input
        .iter()
        .enumerate()
        .map(|(i, v)| v + 0.2 * noise(i) as f32)
        .collect();
    let rest: Vec<f32> = input.iter().zip(&samples).map(|(a, b)| a - b).collect();
    let rows = [
        Row::new("input", &input),
        Row::new("spikes, t = 64", &samples),
        Row::new("rates", &rates),
        Row::residual("input − spikes", &rest),
    ];
    tiles::reconstructions(
        &rows,
        TILE,
        true,
        "Validation images: poisson-512, natural patches",
    )
}

fn unroll() -> Result<Figure, FigureError> {
    let input: Vec<f32> = (0..6).flat_map(gabor).collect();
    let steps = 60;
    let frames: Vec<f32> = (1..=steps)
        .flat_map(|t| {
            let input = &input;
            (0..input.len()).map(move |i| {
                input[i] * (1.0 - 1.0 / t as f32) + noise(i + 31 * t) as f32 / t as f32
            })
        })
        .collect();
    let labels: Vec<String> = (1..=steps).map(|t| format!("step {t}, rates")).collect();
    Ok(animation::unroll(&frames, &input, TILE, &labels)?
        .titled("Inference: poisson-512, natural patches", ""))
}

/// Beliefs about a point that runs on a slowly growing circle.
fn belief(bins: u64, portrait: bool, frames: usize) -> Result<Figure, FigureError> {
    let mut timeline = Timeline::new(COLUMNS);
    for t in 1..=bins {
        let i = t as usize;
        let angle = t as f64 * if bins > 10_000 { 0.0007 } else { 0.08 };
        let size = 1.0 + t as f64 / bins as f64;
        let truth = [size * angle.cos(), size * angle.sin()];
        let spread = 0.15 + if t < 4 { 3.0 } else { 0.0 };
        let mean = [truth[0] + 0.1 * noise(i), truth[1] + 0.1 * noise(2 * i + 9)];
        let missing = (bins * 2 / 5..bins / 2).contains(&t);
        let around = |k: usize| Span {
            truth: MinMax::of(truth[k]),
            ..Span::around(mean[k], 1.64 * spread)
        };
        let error = Span {
            truth: MinMax::of(truth[0] - mean[0]),
            ..Span::around(0.0, 1.64 * spread)
        };
        let seen = Span {
            seen: if missing {
                MinMax::NONE
            } else {
                MinMax::of(mean[0] + 0.9 * noise(5 * i + 3))
            },
            ..Span::around(mean[0], 1.64 * spread + 0.4)
        };
        let spot = PhasePoint {
            mean,
            covariance: [spread * spread, 0.3 * spread * spread, spread * spread],
            truth: Some(truth),
        };
        let column = TimelineColumn {
            bins: 1,
            missing: u64::from(missing),
            spans: vec![around(0), around(1), error, seen],
            spot: Some(spot),
            ..TimelineColumn::default()
        };
        timeline.push(t, column);
    }
    let span = |label: &str, index| trajectory::Panel::Span {
        label: label.to_owned(),
        index,
    };
    let residual = trajectory::Panel::Residual {
        label: "error".to_owned(),
        index: 2,
    };
    let panels = [
        span("position (m)", 0),
        residual,
        span("height (m)", 1),
        span("level (mV)", 3),
    ];
    let beside = PhasePortrait {
        labels: ["position (m)".to_owned(), "height (m)".to_owned()],
        radius: 1.64,
    };
    let figure = Trajectory {
        title: "Nonlinear state-space model, reversed: circle.csv",
        note: &format!(
            "bins 1 to {bins}; RMSE 0.0581, 91.2 % of the true states within the 90 % credible band"
        ),
        band: "90 % credible band",
        panels: &panels,
        portrait: portrait.then_some(&beside),
        timeline: &timeline,
        times: None,
    };
    match frames {
        0 => figure.picture(),
        most => figure.frames(most),
    }
}

fn states(bins: u64, count: usize) -> Result<Figure, FigureError> {
    let mut timeline = Timeline::new(COLUMNS);
    for t in 1..=bins {
        let here = (t as usize * count / 20) % count;
        let weight =
            |k: usize| if k == here { 4.0 } else { 0.4 } + 0.3 * noise(t as usize * count + k);
        let total: f64 = (0..count).map(weight).sum();
        let mut truths = vec![0.0; count];
        truths[here] = 1.0;
        let column = TimelineColumn {
            bins: 1,
            missing: u64::from(t % 17 == 0),
            shares: (0..count).map(|k| weight(k) / total).collect(),
            truths,
            ..TimelineColumn::default()
        };
        timeline.push(t, column);
    }
    let panels = [trajectory::Panel::Shares(
        (1..=count).map(|k| format!("state {k}")).collect(),
    )];
    Trajectory {
        title: "Hidden Markov model, Poisson emission: counts.csv",
        note: &format!("bins 1 to {bins}"),
        band: "",
        panels: &panels,
        portrait: None,
        timeline: &timeline,
        times: None,
    }
    .frames(60)
}
