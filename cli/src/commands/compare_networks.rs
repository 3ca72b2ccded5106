//! `scotopic compare` without a model file: trained networks on the same held-out images.

use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, Result, anyhow, ensure};
use scotopic_datasets::replace::replace;
use scotopic_datasets::{DataConfig, ImageSet, Splits};
use scotopic_figures::{Panel, Series, chart};
use scotopic_models::{Method, Network};
use scotopic_train::analysis::AnalysedModel;
use scotopic_train::analysis::convergence::{Convergence, ConvergenceConfig};
use scotopic_train::analysis::ood::{ood, views};
use scotopic_train::analysis::rates::rates;
use scotopic_train::analysis::representation::RepresentationConfig;
use scotopic_train::checkpoint::Checkpoint;
use scotopic_train::device::{self, Opened};
use scotopic_train::evaluate::{EvaluationConfig, Metrics, evaluate, validation};
use serde::Serialize;

use super::analyse::ModelTraits;
use super::compare_args::CompareArgs;
use super::compare_network_args::NetworkArgs;
use super::evaluate::Split;
use super::{model, print};
use crate::args::load;
use crate::table::{Cell, Table};
use crate::usage::UsageError;

/// Images per batch.
const BATCH: usize = 500;

/// Images of each view of `--ood`, unless asked otherwise.
const VIEWED: usize = 500;

/// A network that is compared.
struct Compared {
    name: String,
    checkpoint: Checkpoint,
    network: Network,
}

/// What a network came to.
#[derive(Debug, Serialize)]
struct Row {
    network: String,
    family: &'static str,
    method: Method,
    latents: usize,
    iterations: usize,
    beta: f64,
    #[serde(flatten)]
    metrics: Metrics,
    /// −ln p(x|z) + KL, mean over steps and images; none of a point estimate, whose energy bounds nothing.
    free_energy: Option<f64>,
    /// Expected spikes per image in the last step; none where latents are no counts.
    spikes: Option<f64>,
    /// Inference, scores included.
    milliseconds_per_image: f64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    views: Vec<Convergence>,
}

/// Compares trained networks.
///
/// # Errors
/// If a network, the data or the device cannot be used, or the networks saw different images.
pub fn run(args: &CompareArgs) -> Result<ExitCode> {
    check(args).map_err(UsageError)?;
    let asked = &args.networks;
    let opened = device::open(asked.runtime.device).map_err(UsageError)?;
    let networks: Vec<Compared> = args
        .inputs
        .iter()
        .map(|path| compared(path, &opened))
        .collect::<Result<_>>()?;
    if asked.ood {
        for network in &networks {
            if let Some(why) = ModelTraits::of(&network.checkpoint).small_grey {
                return Err(UsageError(anyhow!("--ood: {}: {why}", network.name)).into());
            }
        }
    }
    let set = same_images(&networks, asked)?;
    let rows: Vec<Row> = networks
        .iter()
        .map(|network| row(network, &set, asked, &opened))
        .collect::<Result<_>>()?;
    let table = table(&rows);
    let views = of_views(&rows);
    if let Some(folder) = &args.out {
        std::fs::create_dir_all(folder)
            .with_context(|| format!("could not make {}", folder.display()))?;
        replace(&folder.join("networks.csv"), table.csv().as_bytes())?;
        if let Some(views) = &views {
            replace(&folder.join("views.csv"), views.csv().as_bytes())?;
        }
        chart::lines(&panels(&rows))?.write(folder.join("networks.png"))?;
    }
    if args.json {
        print::line(serde_json::to_string_pretty(
            &serde_json::json!({ "set": set.name(), "rows": rows }),
        )?)?;
        return Ok(ExitCode::SUCCESS);
    }
    print::line(format!(
        "{} networks, {} {} of {}",
        rows.len(),
        rows[0].metrics.images,
        if set.frames() > 1 { "films" } else { "images" },
        set.name()
    ))?;
    print::line(table.text())?;
    if let Some(views) = views {
        print::line("squared error per image, one sample decoded / its mean decoded:")?;
        print::line(views.text())?;
    }
    Ok(ExitCode::SUCCESS)
}

fn check(args: &CompareArgs) -> Result<()> {
    let first = &args.inputs[0];
    ensure!(
        args.inputs.len() > 1,
        "{} alone is nothing to compare: name another network, or the model of these observations by --model",
        first.display()
    );
    let series = [
        ("--factorisations", !args.factorisations.is_empty()),
        ("--init", args.init.is_some()),
        ("--smoothness", !args.smoothness.is_empty()),
        ("--schemes", !args.schemes.is_empty()),
        ("--true-states", args.true_states.is_some()),
    ];
    for (option, given) in series {
        ensure!(
            !given,
            "{option} is for series of observations, and no --model is named"
        );
    }
    Ok(())
}

fn compared(path: &Path, opened: &Opened) -> Result<Compared> {
    let (checkpoint, network) = model::open(path, &opened.device).map_err(|error| {
        UsageError(anyhow!("{error:#}; without --model, networks are compared"))
    })?;
    Ok(Compared {
        name: path.display().to_string(),
        checkpoint,
        network,
    })
}

/// The split that all networks are judged on: none may have seen other images.
fn same_images(networks: &[Compared], asked: &NetworkArgs) -> Result<ImageSet> {
    let folder = &asked.runtime.folder.data;
    let read = |data: &DataConfig| -> Result<Splits> { load(data, folder, &mut |_| {}) };
    let mut splits = read(&networks[0].checkpoint.config.data)?;
    let digest = splits.digest();
    let mut known = networks[0].checkpoint.config.data.clone();
    for other in &networks[1..] {
        let data = &other.checkpoint.config.data;
        if *data == known {
            continue;
        }
        let found = read(data)?;
        ensure!(
            found.digest() == digest,
            "{} and {} were trained on different images: they are not compared",
            networks[0].name,
            other.name
        );
        (splits, known) = (found, data.clone());
    }
    asked.split.unwrap_or(Split::Test).of(splits)
}

fn row(one: &Compared, set: &ImageSet, asked: &NetworkArgs, opened: &Opened) -> Result<Row> {
    let config = &one.checkpoint.config;
    let standard = validation(config);
    let how = EvaluationConfig {
        steps: asked.steps.map_or(standard.steps, |t| t as usize),
        count: asked.max_images.map_or(usize::MAX, |n| n as usize),
        ..standard
    };
    // The first batch of a process makes room and starts threads, which is no part of the time per image.
    let first = EvaluationConfig {
        count: 1,
        ..how.clone()
    };
    evaluate(&one.network, set, &first, &opened.device)
        .with_context(|| format!("the network {}", one.name))?;
    let start = Instant::now();
    let metrics = evaluate(&one.network, set, &how, &opened.device)
        .with_context(|| format!("the network {}", one.name))?;
    let seconds = start.elapsed().as_secs_f64();
    let analysed = AnalysedModel {
        model: &one.network,
        config,
        device: &opened.device,
    };
    let family = config.model.family.info();
    let spikes = match family.spikes {
        true => {
            let settings = RepresentationConfig {
                steps: vec![how.steps],
                count: how.count,
                batch: BATCH,
            };
            Some(rates(&analysed, set, &settings)?.mean * config.model.latents as f64)
        }
        false => None,
    };
    let views = match asked.ood {
        true => out_of_distribution(&analysed, one, how.steps, asked)?,
        false => Vec::new(),
    };
    Ok(Row {
        network: one.name.clone(),
        family: family.name,
        method: config.inference.method,
        latents: config.model.latents,
        iterations: one.checkpoint.progress.iteration,
        beta: how.beta,
        free_energy: (!family.is_point).then_some(metrics.reconstruction + metrics.kl),
        metrics,
        spikes,
        milliseconds_per_image: 1e3 * seconds / metrics.images as f64,
        views,
    })
}

fn out_of_distribution(
    analysed: &AnalysedModel<'_>,
    one: &Compared,
    steps: usize,
    asked: &NetworkArgs,
) -> Result<Vec<Convergence>> {
    let count = asked.max_images.map_or(VIEWED, |n| n as usize);
    let image = one.checkpoint.image;
    let suite =
        views(image.shape, count)?.load(&asked.runtime.folder.data, image.standardisation)?;
    let settings = ConvergenceConfig {
        steps: vec![steps],
        count,
        batch: BATCH,
    };
    Ok(ood(analysed, &suite, &settings)?.views)
}

fn table(rows: &[Row]) -> Table {
    let mut table = Table::new(&[
        "network",
        "family",
        "iterations",
        "steps",
        "R²",
        "R², mean",
        "squared error",
        "zeros",
        "spikes",
        "−ln p",
        "KL",
        "F",
        "ms/image",
    ]);
    for row in rows {
        let m = &row.metrics;
        table.push(vec![
            row.network.as_str().into(),
            row.family.into(),
            row.iterations.to_string().into(),
            m.steps.to_string().into(),
            Cell::Number(m.r2, 4),
            Cell::Number(m.r2_rates, 4),
            Cell::Number(m.squared_error, 3),
            Cell::Percent(m.zeros),
            row.spikes.map(|n| Cell::Number(n, 1)).into(),
            Cell::Number(m.reconstruction, 2),
            Cell::Number(m.kl, 2),
            row.free_energy.map(|f| Cell::Number(f, 2)).into(),
            Cell::Number(row.milliseconds_per_image, 3),
        ]);
    }
    table
}

/// Errors of every network on every view; none without views.
fn of_views(rows: &[Row]) -> Option<Table> {
    let first = rows.first().filter(|row| !row.views.is_empty())?;
    let names = rows.iter().map(|row| row.network.as_str());
    let columns: Vec<&str> = std::iter::once("view").chain(names).collect();
    let mut table = Table::new(&columns);
    for (at, view) in first.views.iter().enumerate() {
        let errors = rows.iter().map(|row| {
            let last = row.views.get(at).and_then(|view| view.at.last());
            last.map_or(Cell::Empty, |m| {
                Cell::Text(format!(
                    "{:.2} / {:.2}",
                    m.squared_error, m.squared_error_rates
                ))
            })
        });
        table.push(
            std::iter::once(view.set.as_str().into())
                .chain(errors)
                .collect(),
        );
    }
    Some(table)
}

/// R² against sparsity, the terms of F, and the errors on rotated digits.
fn panels(rows: &[Row]) -> Vec<Panel> {
    let points = |x: &dyn Fn(&Row) -> f64, y: &dyn Fn(&Row) -> f64| -> Vec<Series> {
        let point = |row: &Row| Series::line(row.network.clone(), vec![x(row)], vec![y(row)]);
        rows.iter().map(point).collect()
    };
    let mut panels = vec![
        Panel::new(
            "Reconstruction and sparsity",
            "zeros in one sample (%)",
            "R² of one sample",
            points(&|row| 100.0 * row.metrics.zeros, &|row| row.metrics.r2),
        ),
        Panel::new(
            "The two terms of free energy",
            "KL (nats per image)",
            "−ln p(x|z) (nats per image)",
            points(&|row| row.metrics.kl, &|row| row.metrics.reconstruction),
        ),
    ];
    let turned = |row: &Row| {
        let angled = row.views.iter().filter_map(|view| {
            let angle: f64 = view.set.strip_prefix("rotated-")?.parse().ok()?;
            Some((angle, view.at.last()?.squared_error))
        });
        let (x, y) = angled.unzip();
        Series::line(row.network.clone(), x, y)
    };
    let series: Vec<Series> = rows.iter().map(turned).collect();
    if series.iter().any(|series| !series.x.is_empty()) {
        panels.push(Panel::new(
            "Out of distribution: rotated digits",
            "rotation (°)",
            "squared error per image, one sample",
            series,
        ));
    }
    panels
}
