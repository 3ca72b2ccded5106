//! The analysis of context: masks, surround, adaptation.

use anyhow::Result;
use scotopic_figures::{Mark, Panel, Series, chart};
use scotopic_train::analysis::context::{
    ContextConfig, ContextEffects, UnitContext, context as measured,
};

use super::analysis::{Analysis, Request};
use super::report::{AnalysisReport, Table, said};

pub(super) const CONTEXT: Analysis = Analysis {
    name: "context",
    about: "Masks and divisive normalisation, surround, adaptation",
    needs_data: false,
    excluded: |traits| traits.spikes.or(traits.image).or(traits.linear),
    missing: |_| false,
    run: context,
};

fn context(request: &Request<'_>) -> Result<AnalysisReport> {
    let settings = ContextConfig::default();
    let found = measured(&request.model, request.shape(), &settings)?;
    let mut report = AnalysisReport::new(CONTEXT.name, &found)?;
    report.table = Table::with(
        "unit,peak,r0,rmax,exponent,c50,mask_weight,masking_r2,masking_r2_unmasked,surround_suppression,best_radius,\
         adaptation,cross_adaptation",
    );
    for unit in &found.units {
        let mut cells = vec![unit.unit.into()];
        cells.extend(numbers(unit).map(Into::into));
        report.table.push(cells);
    }
    report.summary = vec![
        format!(
            "the {} most responsive neurons, each with its preferred grating",
            found.units.len()
        ),
        format!(
            "masks: weight in the normalisation pool {}, R² {}, without the mask {} (medians)",
            said(found.mask, 3),
            said(found.r2, 3),
            said(found.r2_unmasked, 3)
        ),
        format!(
            "surround: suppression {}, best radius {} pixels",
            said(found.surround, 3),
            said(found.radius, 1)
        ),
        format!(
            "adaptation, the part of the response that is lost: {} after the same grating, {} after the orthogonal one (medians)",
            said(found.adaptation, 3),
            said(found.cross_adaptation, 3)
        ),
    ];
    report.headline = serde_json::json!({
        "units": found.units.len(), "mask": found.mask, "r2": found.r2, "r2_unmasked": found.r2_unmasked,
        "surround": found.surround, "radius": found.radius, "adaptation": found.adaptation,
        "cross_adaptation": found.cross_adaptation,
    });
    // Without responsive neurons there is nothing to summarise or to draw.
    if found.units.is_empty() {
        report.summary.truncate(1);
        return Ok(report);
    }
    report.draw(chart::lines(&panels(&found)))
}

fn numbers(unit: &UnitContext) -> [Option<f64>; 12] {
    let m = unit.masking;
    [
        Some(unit.peak),
        m.map(|m| m.r0),
        m.map(|m| m.rmax),
        m.map(|m| m.n),
        m.map(|m| m.c50),
        m.map(|m| m.mask),
        m.map(|m| m.r2),
        m.map(|m| m.r2_unmasked),
        unit.surround,
        unit.radius,
        unit.adaptation,
        unit.cross_adaptation,
    ]
}

/// Means over neurons, each relative to its highest response.
fn panels(found: &ContextEffects) -> Vec<Panel> {
    let settings = &found.settings;
    let share = |of: &dyn Fn(&UnitContext) -> &[f64], i: usize| {
        let relative = found.units.iter().map(|unit| {
            let values = of(unit);
            let most = values.iter().copied().fold(0.0, f64::max);
            if most > 0.0 { values[i] / most } else { 0.0 }
        });
        relative.sum::<f64>() / found.units.len() as f64
    };
    let masks = settings.masks.len();
    let masked = settings.masks.iter().enumerate().map(|(j, mask)| {
        let shown = settings.contrasts.iter().enumerate();
        let points = shown.filter(|(_, c)| **c > 0.0).map(|(i, &c)| {
            let response = share(&|unit| &unit.by_contrast, i * masks + j);
            (c, response)
        });
        let (x, y) = points.unzip();
        Series::line(format!("mask {mask}"), x, y)
    });
    let discs = settings.radii.len();
    let areas = (0..discs).map(|i| share(&|unit| &unit.by_radius, i));
    let whole = share(&|unit| &unit.by_radius, discs);
    let response = "response (normalised to peak)";
    vec![
        Panel::new(
            "Contrast under a mask",
            "contrast (standardised units)",
            response,
            masked.collect(),
        )
        .logarithmic(true, false),
        Panel::new(
            "Surround",
            "radius of the disc (pixels)",
            response,
            vec![
                Series::line("disc", settings.radii.clone(), areas.collect()),
                Series::line("whole image", settings.radii.clone(), vec![whole; discs]),
            ],
        ),
        adaptation(found),
    ]
}

/// The responses of each neuron after the same and after the orthogonal grating, against that after a blank.
fn adaptation(found: &ContextEffects) -> Panel {
    let after = |i: usize| found.units.iter().map(move |unit| unit.after[i]);
    let most = (0..3).flat_map(after).fold(0.0, f64::max);
    let dots = |label: &str, i: usize| {
        Series::line(label, after(0).collect(), after(i).collect()).marked(Mark::Dots)
    };
    let equal = Series::line("no change", vec![0.0, most], vec![0.0, most]).marked(Mark::Curve);
    Panel::new(
        "Adaptation",
        "response after a blank (spikes per step)",
        "response after a grating",
        vec![dots("the same", 1), dots("the orthogonal", 2), equal],
    )
}
