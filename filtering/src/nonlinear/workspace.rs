//! The memory that an update computes in.

use super::bound::{Bound, Slopes};
use super::kernel::Joint;
use super::root::Root;
use super::score::ScoreFit;
use super::sigma::Points;
use super::{NonlinearConfig, StateSpace};
use crate::Result;

/// Nothing here outlives an update.
#[derive(Debug, Clone)]
pub(super) struct Workspace {
    pub joint: Joint,
    pub proposal: Joint,
    pub slopes: Slopes,
    pub proposed: Slopes,
    pub bound: Bound,
    pub fit: Option<ScoreFit>,
    pub step: Vec<f64>,
    pub previous_step: Vec<f64>,
    pub x: Vec<f64>,
    pub y: Vec<f64>,
    pub gradient: Vec<f64>,
    pub predicted: Vec<f64>,
    pub hessian: Vec<f64>,
    pub factor: Vec<f64>,
    pub root: Root,
    pub inverse: Vec<f64>,
    pub slope: Vec<f64>,
    pub precision: Vec<f64>,
}

impl Workspace {
    /// # Errors
    /// [`Error::Setting`](crate::Error::Setting) for more points than a rule may have.
    pub fn new<M: StateSpace>(model: &M, config: &NonlinearConfig) -> Result<Self> {
        let n = model.dim();
        let fit = match config.score {
            None => None,
            Some(shape) => {
                let points = Points::new(shape.rule(n), 2 * n)?;
                Some(ScoreFit::new(points, model.parameters_len(), n))
            }
        };
        let points = Points::new(config.rule(n), n)?;
        let (vector, matrix) = (|| vec![0.0; n], || vec![0.0; n * n]);
        Ok(Self {
            joint: Joint::zero(n),
            proposal: Joint::zero(n),
            slopes: Slopes::zero(n),
            proposed: Slopes::zero(n),
            bound: Bound::new(points, n),
            fit,
            step: vector(),
            previous_step: vector(),
            x: vector(),
            y: vector(),
            gradient: vector(),
            predicted: vector(),
            hessian: matrix(),
            factor: matrix(),
            root: Root::zero(n),
            inverse: matrix(),
            slope: matrix(),
            precision: matrix(),
        })
    }
}
