//! Prediction over a bin; what beliefs say of observations: the signal at the lag, and the next observation.

use nalgebra::DMatrix;

use super::CausalGeneralisedFilter;
use crate::Result;
use crate::filter::{Moments, PredictedObservation};
use crate::generalised::causal::config::Linearisation;
use crate::generalised::model::{Argument, Equations, Point};
use crate::math::in_place::add_scaled;

impl<E: Equations> CausalGeneralisedFilter<E> {
    /// `next` ← the belief one bin later.
    pub(super) fn predict(&mut self) -> Result<()> {
        let (x, rest) = self.belief.mean.split_at(self.layout.states);
        let n = &rest[..self.layout.noises];
        match &self.linear {
            Some(offset) => {
                let step = &mut self.transition;
                step.x.copy_from_slice(offset);
                for (j, &u) in x.iter().chain(n).enumerate() {
                    add_scaled(&mut step.x, u, step.head.column(j).as_slice());
                }
                // v = V (x, c) + η
                if self.layout.kept_causes > 0 {
                    self.channels.read(n, &mut self.update.c);
                    self.stack
                        .motion(x, &self.update.c, &mut self.update.theta, &mut step.local);
                }
            }
            None => {
                let steps = self.config.steps;
                if !self
                    .transition
                    .compute(&self.stack, &self.channels, x, n, steps)
                {
                    return Err(self.not_finite("f (or its Jacobian; raise `steps` if f is stiff)"));
                }
                if self.config.linearisation != Linearisation::Tangent {
                    // Where the spread reaches points from which the flow is not finite the tangent is used.
                    let second = matches!(
                        self.config.linearisation,
                        Linearisation::SecondOrder | Linearisation::ThirdOrder
                    );
                    self.transition.spread_out(
                        &self.stack,
                        &self.channels,
                        (x, n),
                        &self.belief.covariance,
                        steps,
                        second,
                    );
                }
            }
        }
        self.layout.move_mean(
            &mut self.next.mean,
            &self.belief.mean,
            &self.channels,
            &self.transition,
        );
        self.layout.move_covariance(
            &mut self.next.covariance,
            &mut self.scratch,
            &self.belief.covariance,
            &self.channels,
            &self.transition,
        );
        for (k, walk) in self.walk.iter().enumerate() {
            let i = self.layout.moving + k;
            self.next.covariance[(i, i)] += walk;
        }
        if let Some(third) = &mut self.third {
            let (before, after) = (&self.belief, &mut self.next);
            let (layout, channels, step) = (&self.layout, &self.channels, &self.transition);
            third.take_in(&before.third, &before.covariance, step);
            third.add_to_covariance(&mut after.covariance, layout, channels, step);
            third.predict(&after.mean, &after.covariance, step);
            third.moments(&mut after.third);
        }
        Ok(())
    }

    /// g at the mean, and its variance by ∂g/∂x, unknown where g depends on causes; `free` are the parameters that
    /// the model leaves open.
    pub(in crate::generalised) fn signal_with(&self, free: &[f64]) -> Moments {
        // The data are the outputs of the first level.
        let Some(level) = self.model().levels.first() else {
            return Moments::default();
        };
        let (equations, prior) = (&level.equations, &level.parameters);
        let sizes = equations.sizes();
        let mut theta: Vec<f64> = prior.mean.iter().copied().collect();
        for (place, value) in prior.free().into_iter().zip(free) {
            theta[place] = *value;
        }
        let at = Point {
            x: &self.states()[..sizes.states],
            v: &self.causes()[..sizes.causes],
            theta: &theta,
        };
        let mut g = vec![0.0; sizes.outputs];
        equations.g(at, &mut g);
        if equations.output_sees_causes() && sizes.causes > 0 {
            return Moments {
                mean: g,
                ..Moments::unknown(sizes.outputs)
            };
        }
        let mut slope = DMatrix::zeros(sizes.outputs, sizes.states);
        equations.g_by(Argument::State, at, &mut slope);
        // The states of the data's level come first among those of all levels.
        let all = self.states().len().max(1);
        let rows = self.state_covariance().chunks_exact(all).take(sizes.states);
        let covariance: Vec<f64> = rows.flat_map(|row| &row[..sizes.states]).copied().collect();
        let slope = slope.transpose();
        let rows = slope.as_slice().chunks_exact(sizes.states.max(1));
        let Moments { variance, .. } =
            Moments::linear(rows.map(|row| (row, 0.0)), at.x, &covariance);
        Moments { mean: g, variance }
    }

    /// The moments of y_{t+1} with g linearised at the predicted mean: y = g − U⁻¹(what the past of z predicts of its
    /// whitened innovation), Cov y = U⁻¹ (H P Hᵀ + σ² I) U⁻ᵀ.
    pub(super) fn predict_observation(&mut self) -> Result<PredictedObservation> {
        let (y, size) = (self.stack.outputs, self.layout.size());
        // As for a missing observation, which moves `next` one bin on.
        self.prepare(None)?;
        self.expect_observation()?;
        self.linearise_observation(&vec![0.0; y]);
        let innovation = self.innovation.variance;
        let rows = DMatrix::from_row_slice(y, size, &self.update.rows);
        let mut spread = &rows * &self.next.covariance * rows.transpose();
        (0..y).for_each(|k| spread[(k, k)] += innovation);
        let unwhitened = |of: &DMatrix<f64>| self.whitening.solve_upper_triangular(of);
        let residual = DMatrix::from_column_slice(y, 1, &self.update.residual);
        let half = unwhitened(&spread).map(|half| half.transpose());
        let both = unwhitened(&residual).zip(half.and_then(|half| unwhitened(&half)));
        let Some((mean, covariance)) = both else {
            return Err(self.not_finite("the whitening of z"));
        };
        Ok(PredictedObservation::Numbers(Moments {
            mean: mean.iter().map(|m| -m).collect(),
            variance: covariance.diagonal().iter().copied().collect(),
        }))
    }
}
