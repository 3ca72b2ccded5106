//! Improving q_t and b_t together by natural gradients of the newest bound.

use std::mem::swap;

use super::NonlinearFilter;
use crate::math::square::dot;
use crate::nonlinear::StateSpace;
use crate::nonlinear::kernel::Tie;

/// A step is halved at most so often before it is given up.
pub(super) const HALVINGS: u32 = 12;
/// A bound may fall by this much, relative to its size, and still count as not fallen: rounding.
const ROUNDING: f64 = 1e-12;

/// A step of rate ρ that lowered the bound by ρ · slope. Slopes of points that are not exact for f do so near the best
/// q: they are no slopes of the sum over points, and then no ρ helps.
#[derive(Clone, Copy)]
struct Fall {
    rate: f64,
    slope: f64,
}

impl Fall {
    /// The most, in nats, that a step shorter than this one can win. The falls of two rates make the parabola aρ + bρ²
    /// of the bound along the step: −a²/4b at its lowest where a < 0, and else nothing.
    fn most(self, longer: Fall) -> f64 {
        let b = (longer.slope - self.slope) / (longer.rate - self.rate);
        let a = self.slope - b * self.rate;
        match (a < 0.0, b > 0.0) {
            (false, _) => 0.0 * a,
            (true, true) => a * a / (4.0 * b),
            (true, false) => f64::INFINITY,
        }
    }
}

impl<M: StateSpace> NonlinearFilter<M> {
    /// Natural-gradient steps of the newest bound: precision ← (1 − ρ) precision − ρ E[∇²T],
    /// mean ← mean + ρ precision⁻¹ E[∇T], ρ halved until the bound does not fall, or until two falls say that no
    /// shorter step is worth its while.
    pub(super) fn improve(&mut self, observation: Option<&[f64]>, mut bound: f64) -> f64 {
        let (mut rate, mut halvings, mut evaluations) = (1.0f64, 0, 1);
        let mut fallen: Option<Fall> = None;
        let mut settled = self.config.improvements == 0 || !bound.is_finite();
        while !settled && evaluations <= self.config.improvements && halvings < HALVINGS {
            let work = &mut self.work;
            let (joint, proposal, slopes) = (&work.joint, &mut work.proposal, &work.slopes);
            let towards = |into: &mut [f64], from: &[f64], hessian: &[f64]| {
                for ((into, from), h) in into.iter_mut().zip(from).zip(hessian) {
                    *into = (1.0 - rate) * from - rate * h;
                }
            };
            proposal.tie = joint.tie;
            towards(&mut proposal.d, &joint.d, &slopes.hessian);
            if joint.tie == Tie::Free {
                towards(&mut proposal.a, &joint.a, &slopes.previous_hessian);
                towards(&mut proposal.b, &joint.b, &slopes.mixed_hessian);
            } else {
                proposal.slope.copy_from_slice(&joint.slope);
                proposal.cross.copy_from_slice(&joint.cross);
                proposal.conditional.copy_from_slice(&joint.conditional);
                let from = &joint.previous_covariance;
                proposal.previous_covariance.copy_from_slice(from);
                proposal.log_conditional = joint.log_conditional;
            }
            if !(proposal.condition() && proposal.marginalise()) {
                (rate, halvings) = (0.5 * rate, halvings + 1);
                continue;
            }
            let (previous_step, step) = (&mut work.previous_step, &mut work.step);
            let (pg, g) = (&slopes.previous_gradient, &slopes.gradient);
            proposal.solve(pg, g, previous_step, step, &mut work.x);
            let mut decrement = dot(step, g);
            if joint.tie == Tie::Free {
                decrement += dot(previous_step, pg);
            }
            let moved = joint.divergence(proposal) + 0.5 * rate * decrement;
            if moved < self.config.tolerance * rate {
                settled = true;
                break;
            }
            for i in 0..joint.n {
                proposal.mean[i] = joint.mean[i] + rate * step[i];
                proposal.previous_mean[i] = joint.previous_mean[i];
                if joint.tie == Tie::Free {
                    proposal.previous_mean[i] += rate * previous_step[i];
                }
            }
            proposal.pair();
            let reached = self.evaluate(observation, true);
            evaluations += 1;
            if reached >= bound - ROUNDING * bound.abs().max(1.0) {
                bound = reached;
                swap(&mut self.work.joint, &mut self.work.proposal);
                swap(&mut self.work.slopes, &mut self.work.proposed);
                (rate, halvings) = ((2.0 * rate).min(1.0), 0);
                fallen = None;
            } else {
                let fall = Fall {
                    rate,
                    slope: (bound - reached) / rate,
                };
                if fallen.is_some_and(|longer| fall.most(longer) < self.config.tolerance) {
                    settled = true;
                    break;
                }
                fallen = Some(fall);
                (rate, halvings) = (0.5 * rate, halvings + 1);
            }
        }
        self.next.evaluations = evaluations;
        self.next.unsettled = self.state.unsettled + u64::from(!settled);
        bound
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Along a step the bound rises by sρ − cρ²: at most by s²/4c.
    #[test]
    fn two_falls_say_how_much_a_shorter_step_can_win() {
        let fall = |rate: f64, s: f64, c: f64| Fall {
            rate,
            slope: c * rate - s,
        };
        let most = |s, c| fall(0.25, s, c).most(fall(0.5, s, c));
        assert!((most(0.02, 0.5) - 0.02f64.powi(2) / 2.0).abs() < 1e-15);
        // It falls from the start on.
        assert_eq!(most(-0.02, 0.5), 0.0);
        // A fall that fits no parabola with a maximum says nothing.
        assert_eq!(most(0.2, -0.5), f64::INFINITY);
        assert!(most(f64::NAN, 0.5).is_nan());
    }
}
