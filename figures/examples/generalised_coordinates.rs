//! Draws docs/images/generalised-coordinates.png: a smooth noise with two derivatives, and the same noise rebuilt from its
//! derivatives at one instant.
//!
//! ```sh
//! cargo run --release -p scotopic-figures --example generalised_coordinates -- docs/images/generalised-coordinates.png
//! ```

use std::error::Error;

use scotopic_figures::{Mark, Panel, Series, chart};

/// Waves of the noise.
const WAVES: u32 = 40;
/// The instant whose derivatives are known.
const INSTANT: f64 = 2.0;

/// d^n/dt^n of w(t) = Σ_k a_k cos(ω_k t + φ_k), whose correlation is near exp(−t²/4) (smoothness 1): a_k² falls as the
/// spectrum exp(−ω²), with scattered phases.
fn noise(n: u32, t: f64) -> f64 {
    let wave = |k: u32| {
        let omega = 3.0 * (f64::from(k) + 0.5) / f64::from(WAVES);
        let amplitude = 0.5 * (-0.5 * omega * omega).exp();
        let phase = std::f64::consts::TAU * (0.618_033_988_749_895 * f64::from(k * k)).fract();
        let quarter = std::f64::consts::FRAC_PI_2 * f64::from(n);
        amplitude * omega.powi(n as i32) * (omega * t + phase + quarter).cos()
    };
    (0..WAVES).map(wave).sum()
}

/// Σ_n w⁽ⁿ⁾ hⁿ/n! up to `order`.
fn rebuilt(order: u32, t: f64) -> f64 {
    let h = t - INSTANT;
    let mut power = 1.0;
    let mut sum = 0.0;
    for n in 0..=order {
        sum += noise(n, INSTANT) * power;
        power *= h / f64::from(n + 1);
    }
    sum
}

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args()
        .nth(1)
        .ok_or("name the file: PATH.png or PATH.svg")?;
    let times = || (0..=320).map(|i| -2.0 + 0.025 * f64::from(i));
    let curve = |label: &str, of: &dyn Fn(f64) -> f64| {
        let inside = times().map(|t| (t, of(t))).filter(|(_, w)| w.abs() < 3.2);
        let (x, y) = inside.unzip();
        Series::line(label, x, y)
    };
    let names = ["w", "w′", "w″"];
    let mut motion: Vec<Series> = (0..3u32)
        .map(|n| curve(names[n as usize], &|t| noise(n, t)))
        .collect();
    let known = (0..3).map(|n| noise(n, INSTANT)).collect();
    motion.push(Series::line("", vec![INSTANT; 3], known).marked(Mark::Dots));
    let mut orders = vec![curve("w", &|t| noise(0, t))];
    orders.extend([1, 3, 6].map(|n| curve(&format!("order {n}"), &|t| rebuilt(n, t))));
    chart::lines(&[
        Panel::new(
            "A smooth noise and its motion",
            "time (bins)",
            "value",
            motion,
        ),
        Panel::new(
            "Rebuilt from the coordinates at bin 2",
            "time (bins)",
            "w",
            orders,
        ),
    ])?
    .titled("Generalised coordinates", "noise of smoothness 1 bin")
    .write(path)?;
    Ok(())
}
