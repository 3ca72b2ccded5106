//! The schemes, and their scores on a set.

use std::time::Instant;

use scotopic_filtering::generalised::causal::{
    CausalConfig, CausalGeneralisedFilter, Linearisation,
};
use scotopic_filtering::generalised::dem::{Dem, DemConfig, Deviation, Published};
use scotopic_filtering::generalised::scheme::Embedding;
use scotopic_filtering::nalgebra::{DMatrix, DVector};
use scotopic_filtering::{Filter as _, Result};

use super::data::Drawn;
use super::systems::System;

/// Bins before the first that is scored: the start is forgotten.
pub const BURN: usize = 8;
/// Bins after the last that is scored: the widest window of the published schemes reaches past the data there.
pub const END: usize = 3;
/// Orders of causes that the published scheme keeps.
const PUBLISHED_CAUSES: usize = 2;

/// A scheme with its order.
#[derive(Debug, Clone, Copy)]
pub struct Arm {
    /// Its name.
    pub name: &'static str,
    /// What it is.
    pub scheme: Scheme,
    /// N.
    pub order: usize,
}

/// The schemes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// The causal filter, without lag.
    Causal(Linearisation),
    /// The same, as many bins behind as the published schemes look ahead: N/2.
    Lagged,
    /// DEM with the defaults of this program.
    Dem,
    /// DEM as published.
    Published,
}

const fn arm(name: &'static str, scheme: Scheme, order: usize) -> Arm {
    Arm {
        name,
        scheme,
        order,
    }
}

const THIRD: Scheme = Scheme::Causal(Linearisation::ThirdOrder);

/// The arms.
pub const ARMS: [Arm; 16] = [
    arm("causal-n0", THIRD, 0),
    arm("causal-n1", THIRD, 1),
    arm("causal-n2", THIRD, 2),
    arm("causal-n4", THIRD, 4),
    arm("causal-n6", THIRD, 6),
    arm(
        "causal-n2-tangent",
        Scheme::Causal(Linearisation::Tangent),
        2,
    ),
    arm(
        "causal-n2-second-order",
        Scheme::Causal(Linearisation::SecondOrder),
        2,
    ),
    arm("lagged-n2", Scheme::Lagged, 2),
    arm("lagged-n4", Scheme::Lagged, 4),
    arm("lagged-n6", Scheme::Lagged, 6),
    arm("dem-n2", Scheme::Dem, 2),
    arm("dem-n4", Scheme::Dem, 4),
    arm("dem-n6", Scheme::Dem, 6),
    arm("dem-published-n2", Scheme::Published, 2),
    arm("dem-published-n4", Scheme::Published, 4),
    arm("dem-published-n6", Scheme::Published, 6),
];

/// What a scheme came to on a set; NaN where it has no such value or failed.
pub struct Score {
    /// Root mean squared error over states and bins.
    pub rmse: f64,
    /// Mean of eᵀP⁻¹e over the number of states.
    pub nees: f64,
    /// ln p of the samples, per bin.
    pub evidence: f64,
    /// µs per bin.
    pub micros: f64,
}

/// Mean and covariance `[n, n]` of the states, bin by bin.
type Beliefs = Vec<(Vec<f64>, Vec<f64>)>;

/// Runs a scheme that is told this smoothness.
pub fn score(arm: &Arm, system: &System, assumed: f64, drawn: &Drawn) -> Score {
    let clock = Instant::now();
    let run = run(arm, system, assumed, drawn);
    let micros = 1e6 * clock.elapsed().as_secs_f64() / drawn.observations.len() as f64;
    let Ok((beliefs, evidence)) = run else {
        return Score {
            rmse: f64::NAN,
            nees: f64::NAN,
            evidence: f64::NAN,
            micros,
        };
    };
    let n = drawn.states.nrows();
    let (mut squares, mut bins, mut normalised, mut ranked) = (0.0, 0.0, 0.0, 0.0);
    let scored = BURN..drawn.states.ncols() - END;
    for ((mean, covariance), at) in beliefs[scored.clone()].iter().zip(scored) {
        let error = DVector::from_column_slice(mean) - drawn.states.column(at);
        squares += error.norm_squared();
        bins += 1.0;
        // The published scheme reports variance 0 of what it holds for certain.
        if let Some(factor) = DMatrix::from_row_slice(n, n, covariance).cholesky() {
            normalised += error.dot(&factor.solve(&error));
            ranked += 1.0;
        }
    }
    Score {
        rmse: (squares / (bins * n as f64)).sqrt(),
        nees: normalised / (ranked * n as f64),
        evidence: evidence / drawn.observations.len() as f64,
        micros,
    }
}

fn run(arm: &Arm, system: &System, assumed: f64, drawn: &Drawn) -> Result<(Beliefs, f64)> {
    let embedding = Embedding {
        states: arm.order,
        causes: arm.order.min(PUBLISHED_CAUSES),
        smoothness: assumed,
    };
    match arm.scheme {
        Scheme::Causal(linearisation) => causal(system, embedding, linearisation, 0, drawn),
        Scheme::Lagged => {
            let third = Linearisation::ThirdOrder;
            causal(system, embedding, third, arm.order / 2, drawn)
        }
        // Without the floor white noise has no derivatives and no embedding.
        Scheme::Dem => dem(
            system,
            embedding,
            Published::of([Deviation::WhiteFloor]),
            drawn,
        ),
        Scheme::Published => dem(system, embedding, Published::spm(), drawn),
    }
}

fn causal(
    system: &System,
    embedding: Embedding,
    linearisation: Linearisation,
    lag: usize,
    drawn: &Drawn,
) -> Result<(Beliefs, f64)> {
    let config = CausalConfig {
        lag,
        linearisation,
        ..CausalConfig::from(embedding)
    };
    let start = system.start_covariance();
    let mut filter = CausalGeneralisedFilter::new(system.model(None)?, config, start.as_ref())?;
    let mut beliefs = Beliefs::new();
    for (t, y) in drawn.observations.iter().enumerate() {
        filter.update(y)?;
        if t >= lag {
            beliefs.push((filter.states().to_vec(), filter.state_covariance().to_vec()));
        }
    }
    Ok((beliefs, filter.elbo()))
}

fn dem(
    system: &System,
    embedding: Embedding,
    published: Published,
    drawn: &Drawn,
) -> Result<(Beliefs, f64)> {
    let config = DemConfig {
        embedding,
        published,
        ..DemConfig::default()
    };
    let records = Dem::new(system.model(None)?, config)?.run(&drawn.observations, None)?;
    let beliefs = records.into_iter().map(|r| (r.states, r.state_covariance));
    // Its free energy is of embedded data, which differ by order.
    Ok((beliefs.collect(), f64::NAN))
}
