//! Whether neurons that are trained on colour separate brightness from opponent colours.

use anyhow::{Result, ensure};
use scotopic_datasets::ImageShape;
use scotopic_train::analysis::Dictionary;
use scotopic_train::analysis::filters::Active;
use serde_json::json;

use super::training::{Recipe, data, iterations, trained};
use crate::experiments::protocol::{
    Interval, Page, Protocol, Results, Settings, Size, Task, Values, Verdict,
};
use crate::experiments::series::common::{above, with_error, with_interval};
use crate::table::Table;

/// The experiment.
pub const PROTOCOL: Protocol = Protocol {
    name: "colour",
    about: "neurons trained on colour patches: brightness and opponent colours",
    unit: "seed",
    seeds: 3,
    all_threads: true,
    arms: |_| vec![ARM.to_owned()],
    settings,
    run,
    page,
};

const ARM: &str = "iP-VAE";
const ITERATIONS: [usize; 2] = [40, 3000];
/// A filter is active if its norm exceeds this part of the largest.
const ACTIVE: f64 = 0.1;
/// A filter is achromatic below the first of these shares of its energy in colour, and opponent above the second.
const SHARES: [f64; 2] = [0.1, 0.5];

fn images(size: Size) -> usize {
    size.of(100, 1000, 1000)
}

fn settings(size: Size) -> Settings {
    Settings::from([
        ("iterations".into(), iterations(size, ITERATIONS)),
        ("validation images".into(), json!(images(size))),
        (
            "active filters: part of the largest norm".into(),
            json!(ACTIVE),
        ),
        ("achromatic below, opponent above".into(), json!(SHARES)),
    ])
}

/// Energy along grey, blue–yellow and red–green of planes of red, green and blue: an orthonormal turn of the three.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Energy {
    grey: f64,
    blue_yellow: f64,
    red_green: f64,
}

impl Energy {
    fn of(planes: &[f32]) -> Self {
        let plane = planes.len() / 3;
        let mut energy = Self::default();
        for i in 0..plane {
            let [r, g, b] = [0, 1, 2].map(|channel| f64::from(planes[channel * plane + i]));
            energy.grey += (r + g + b).powi(2) / 3.0;
            energy.blue_yellow += (2.0 * b - r - g).powi(2) / 6.0;
            energy.red_green += (r - g).powi(2) / 2.0;
        }
        energy
    }

    /// The share that is not grey; `None` of nothing.
    fn chromatic(&self) -> Option<f64> {
        let colour = self.blue_yellow + self.red_green;
        let whole = self.grey + colour;
        (whole > 0.0).then(|| colour / whole)
    }
}

fn run(task: &Task) -> Result<Values> {
    ensure!(task.arm == ARM, "there is no arm {}", task.arm);
    let preset = "natural-patches/colour";
    let model = trained(
        task,
        &Recipe::new("natural-patches-colour", preset, preset, ITERATIONS),
    )?;
    let ImageShape { channels, .. } = model.checkpoint.image.shape;
    ensure!(channels == 3, "colour has three channels, found {channels}");
    let splits = data(task, &model.config.data)?;
    let m = model.validated(&splits, images(task.size))?;
    let dictionary = Dictionary::of(&model.analysed(), "colour")?;
    let active = Active::Norm(ACTIVE).flags(&dictionary.norms())?;
    let energies: Vec<Energy> = (0..dictionary.latents)
        .filter(|k| active[*k])
        .map(|k| Energy::of(dictionary.atom(k)))
        .collect();
    let shares: Vec<f64> = energies.iter().filter_map(Energy::chromatic).collect();
    let fraction = |of: &dyn Fn(f64) -> bool| {
        shares.iter().filter(|share| of(**share)).count() as f64 / shares.len() as f64
    };
    let opponent = energies
        .iter()
        .filter(|e| e.chromatic().is_some_and(|share| share > SHARES[1]));
    let blue_yellow = opponent.clone().filter(|e| e.blue_yellow > e.red_green);
    let pixels = splits.validation.shape().pixels();
    let seen = splits
        .validation
        .pixels()
        .chunks_exact(pixels)
        .take(images(task.size));
    let of_images: Vec<f64> = seen
        .filter_map(|image| Energy::of(image).chromatic())
        .collect();
    let mut values = Values::default();
    for (measure, value) in [
        ("active", energies.len() as f64),
        ("achromatic", fraction(&|share| share < SHARES[0])),
        ("opponent", fraction(&|share| share > SHARES[1])),
        (
            "blue-yellow",
            blue_yellow.count() as f64 / opponent.count() as f64,
        ),
        (
            "share of the images",
            of_images.iter().sum::<f64>() / of_images.len() as f64,
        ),
        ("R2", m.r2_pooled),
        ("R2 of means", m.r2_rates_pooled),
        ("zeros", m.zeros),
    ] {
        values.push("network", measure, value);
    }
    values.push("training", "seconds", model.seconds);
    Ok(values)
}

const MEASURES: [(&str, &str, usize); 8] = [
    ("active", "active filters, of 256", 1),
    ("achromatic", "fraction that is achromatic", 3),
    ("opponent", "fraction that is opponent", 3),
    (
        "blue-yellow",
        "fraction of these along blue–yellow rather than red–green",
        3,
    ),
    (
        "share of the images",
        "share of an image's energy in colour, mean",
        3,
    ),
    ("R2", "R², one sample", 3),
    ("R2 of means", "R² of means", 3),
    ("zeros", "fraction of zeros", 3),
];

fn page(results: &Results) -> Result<Page> {
    let mut page = Page::new("Colour");
    let values = |measure: &str| results.values(ARM, "network", measure);
    // Achromatic and opponent filters together, less one half.
    let separated: Vec<f64> = values("achromatic")
        .into_iter()
        .zip(values("opponent"))
        .filter_map(|(a, b)| Some(a? + b? - 0.5))
        .collect();
    let separated = Interval::of(&separated);
    page.answer(
        "Neurons separate brightness from colour: most filters are achromatic or opponent, few are of both (as of sparse codes of colour \
         images, Hoyer and Hyvärinen 2000, and in V1).",
        format!(
            "Fraction of filters that are achromatic or opponent, less one half: {}.",
            with_interval(separated, 3)
        ),
        Verdict::of([above(separated)]),
    );
    let opponent: Vec<f64> = values("opponent").into_iter().flatten().collect();
    let opponent = Interval::of(&opponent);
    page.answer(
        "Some neurons are for colour.",
        format!(
            "Fraction of opponent filters: {}.",
            with_interval(opponent, 3)
        ),
        Verdict::of([above(opponent)]),
    );
    page.heading("Filters");
    page.text(format!(
        "256 neurons trained on the middle 16×16 pixels of CIFAR-10's pictures in colour, standardised and not whitened. The energy of a filter \
         is that along grey, blue–yellow (2B − R − G) and red–green (R − G), an orthonormal turn of red, green and blue; a filter is achromatic if \
         less than {} of it is in colour, and opponent if more than {} is. Mean ± standard error over {} seeds.",
        SHARES[0],
        SHARES[1],
        results.seeds().len()
    ));
    let mut table = Table::new(&["quantity", ARM]);
    for (measure, what, decimals) in MEASURES {
        let mean = results.mean(ARM, "network", measure);
        table.push(vec![what.into(), with_error(mean, decimals).into()]);
    }
    page.table(table);
    Ok(page)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn energies_are_those_of_an_orthonormal_turn() {
        let planes = [1.0f32, 0.5, -2.0, 0.25, 3.0, 1.5];
        let energy = Energy::of(&planes);
        let whole: f64 = planes.iter().map(|p| f64::from(*p).powi(2)).sum();
        let found = energy.grey + energy.blue_yellow + energy.red_green;
        assert!((found - whole).abs() < 1e-12, "{energy:?}");
        assert_eq!(Energy::of(&[0.5; 6]).chromatic(), Some(0.0));
        assert_eq!(Energy::of(&[1.0, -1.0, 0.0]).chromatic(), Some(1.0));
        assert_eq!(Energy::of(&[0.0; 3]).chromatic(), None);
    }
}
