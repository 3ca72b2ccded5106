//! The prior of a step, from the state before it (eq. T1), and its derivatives (eq. T20).
//!
//! ```text
//! carried   u_p = u
//! static    u_p = u₀
//! learned   u_p = min(c, A∘u + (1 − A)∘u₀ + W s + b),   s = λ/(1 + λ) = sigmoid(u)
//! ```
//!
//! Backwards, with G = ∂L/∂u_p where u_p < c and 0 elsewhere, sums over data and steps:
//!
//! ```text
//! ∂L/∂u = A∘G + s∘(1 − s)∘WᵀG       ∂L/∂A = ΣG∘(u − u₀),  ∂L/∂W = ΣG sᵀ,  ∂L/∂b = ΣG,  ∂L/∂u₀ = (1 − A)∘ΣG
//! ```

use super::gradient::Gradient;
use super::panels::{Panels, padded};
use super::products::product;
use super::rows::{Rows, RowsMut};
use crate::ops::scalar;
use scotopic_filtering::simd_dispatch;

/// How the prior of a step follows from the state before it.
#[derive(Debug, Clone)]
pub(crate) enum StepPrior {
    /// It is that state.
    Carried,
    /// The same at every step, `[component, latent]`, rows padded.
    Static(Vec<f32>),
    /// Predicted, for states of one component.
    Learned(Box<Transition>),
}

impl StepPrior {
    /// The same at every step, from `[component, latent]` without padding.
    pub(crate) fn fixed(rest: &[f32], latents: usize) -> Self {
        Self::Static(rest.chunks(latents).flat_map(wide).collect())
    }

    /// Whether it is a state of its own.
    pub(crate) fn is_another_state(&self) -> bool {
        !matches!(self, Self::Carried)
    }

    /// What a prediction takes.
    pub(super) fn transition(&self) -> Option<&Transition> {
        match self {
            Self::Learned(transition) => Some(transition),
            Self::Carried | Self::Static(_) => None,
        }
    }
}

/// Parameters of a [`Transition`], in row-major order without padding.
pub(crate) struct TransitionParameters {
    /// A, `[latent]`.
    pub(crate) keep: Vec<f32>,
    /// Wᵀ, `[latent, latent]`, from row to column.
    pub(crate) weights: Vec<f32>,
    /// b, `[latent]`.
    pub(crate) bias: Vec<f32>,
    /// u₀, `[latent]`.
    pub(crate) rest: Vec<f32>,
    /// c.
    pub(crate) ceiling: f32,
}

/// A learned transition; arrays over latents are padded.
#[derive(Debug, Clone)]
pub(crate) struct Transition {
    keep: Vec<f32>,
    rest: Vec<f32>,
    /// (1 − A)∘u₀ + b.
    constant: Vec<f32>,
    ceiling: f32,
    /// Wᵀ, for rows of s.
    weights: Panels,
    /// W, for rows of G.
    turned: Panels,
}

/// The state before a step and what is kept of its prediction, of some rows, `[row, latent]`.
pub(super) struct Prediction<'a> {
    /// u.
    pub(super) before: &'a [f32],
    /// s.
    pub(super) drive: &'a [f32],
    /// u_p.
    pub(super) prior: &'a [f32],
}

impl Transition {
    pub(crate) fn new(parameters: TransitionParameters) -> Self {
        let TransitionParameters {
            keep,
            weights,
            bias,
            rest,
            ceiling,
        } = parameters;
        let latents = keep.len();
        let constant = keep.iter().zip(&rest).zip(&bias);
        let constant: Vec<f32> = constant.map(|((a, u), b)| (1.0 - a) * u + b).collect();
        Self {
            keep: wide(&keep).collect(),
            rest: wide(&rest).collect(),
            constant: wide(&constant).collect(),
            ceiling,
            weights: Panels::of(&weights, latents),
            turned: Panels::of_transpose(&weights, latents),
        }
    }

    /// s and u_p of rows u, all `[row, latent]`.
    pub(crate) fn predict(
        &self,
        rows: usize,
        before: &[f32],
        drive: &mut [f32],
        prior: &mut [f32],
    ) {
        let pitch = self.keep.len();
        sigmoids(before, drive);
        let s = Rows {
            values: drive,
            pitch,
        };
        product(
            rows,
            s,
            &self.weights,
            RowsMut {
                values: prior,
                pitch,
            },
        );
        for (prior, u) in prior.chunks_exact_mut(pitch).zip(before.chunks(pitch)) {
            predicted(prior, u, &self.keep, &self.constant, self.ceiling);
        }
    }

    /// Takes ∂L/∂u_p of rows, `by_state`, to ∂L/∂u, leaves G in `gated`, and adds to the gradient all but ∂L/∂W. What is
    /// in `room` does not matter; all `[row, latent]`.
    pub(super) fn predict_backward(
        &self,
        rows: usize,
        prediction: Prediction<'_>,
        by_state: &mut [f32],
        gated: &mut [f32],
        room: &mut [f32],
        gradient: &mut Gradient,
    ) {
        let pitch = self.keep.len();
        below(by_state, prediction.prior, self.ceiling, gated);
        let g = Rows {
            values: gated,
            pitch,
        };
        product(
            rows,
            g,
            &self.turned,
            RowsMut {
                values: room,
                pitch,
            },
        );
        for row in 0..rows {
            let at = row * pitch..(row + 1) * pitch;
            let parameters = [&self.keep[..], &self.rest[..]];
            let kept = [
                &prediction.before[at.clone()],
                &prediction.drive[at.clone()],
            ];
            let back = [&gated[at.clone()], &room[at.clone()]];
            let sums = [
                &mut gradient.keep[..],
                &mut gradient.bias[..],
                &mut gradient.rest[..],
            ];
            through(parameters, kept, back, &mut by_state[at], sums);
        }
    }
}

/// Numbers over latents, padded by zeros.
fn wide(values: &[f32]) -> impl Iterator<Item = f32> {
    let zeros = padded(values.len()) - values.len();
    values
        .iter()
        .copied()
        .chain(std::iter::repeat_n(0.0, zeros))
}

simd_dispatch! {
    fn sigmoids(u: &[f32], s: &mut [f32]) = sigmoids_body;
}

simd_dispatch! {
    /// From W s to u_p, in place.
    fn predicted(prior: &mut [f32], u: &[f32], keep: &[f32], constant: &[f32], ceiling: f32) = predicted_body;
}

simd_dispatch! {
    /// G, of ∂L/∂u_p.
    fn below(by_prior: &[f32], prior: &[f32], ceiling: f32, gated: &mut [f32]) = below_body;
}

simd_dispatch! {
    /// ∂L/∂u of one row from A and u₀, u and s, G and WᵀG; adds to the sums for A, b and u₀.
    fn through(parameters: [&[f32]; 2], kept: [&[f32]; 2], back: [&[f32]; 2], by_state: &mut [f32], sums: [&mut [f32]; 3]) = through_body;
}

#[inline(always)]
fn sigmoids_body(u: &[f32], s: &mut [f32]) {
    for (s, u) in s.iter_mut().zip(u) {
        *s = scalar::sigmoid(*u);
    }
}

#[inline(always)]
fn predicted_body(prior: &mut [f32], u: &[f32], keep: &[f32], constant: &[f32], ceiling: f32) {
    let n = prior.len();
    let (u, keep, constant) = (&u[..n], &keep[..n], &constant[..n]);
    for k in 0..n {
        let free = u[k] * keep[k] + (prior[k] + constant[k]);
        prior[k] = if free > ceiling { ceiling } else { free };
    }
}

#[inline(always)]
fn below_body(by_prior: &[f32], prior: &[f32], ceiling: f32, gated: &mut [f32]) {
    let n = gated.len();
    let (by_prior, prior) = (&by_prior[..n], &prior[..n]);
    for k in 0..n {
        gated[k] = if prior[k] < ceiling { by_prior[k] } else { 0.0 };
    }
}

#[inline(always)]
fn through_body(
    [keep, rest]: [&[f32]; 2],
    [u, s]: [&[f32]; 2],
    [gated, by_drive]: [&[f32]; 2],
    by_state: &mut [f32],
    [by_keep, by_bias, by_rest]: [&mut [f32]; 3],
) {
    let n = by_state.len();
    let (keep, rest, u, s) = (&keep[..n], &rest[..n], &u[..n], &s[..n]);
    let (gated, by_drive) = (&gated[..n], &by_drive[..n]);
    let (by_keep, by_bias, by_rest) = (&mut by_keep[..n], &mut by_bias[..n], &mut by_rest[..n]);
    for k in 0..n {
        by_keep[k] += gated[k] * (u[k] - rest[k]);
        by_bias[k] += gated[k];
        by_rest[k] += gated[k] * (1.0 - keep[k]);
        by_state[k] = gated[k] * keep[k] + by_drive[k] * (s[k] * (1.0 - s[k]));
    }
}
