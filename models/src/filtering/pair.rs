//! The newest factors, q_t and b_t, in coordinates in which a unit step is a natural step.
//!
//! ```text
//! x_t     = c_t + s_t ∘ u,              u = α + e^β ∘ ε              the prediction is N(c_t, diag s_t²)
//! x_{t−1} = μ_{t−1} + σ_{t−1} ∘ v,      v = uA + a [+ MLP(u)] + e^λ ∘ ε'
//! ```

use burn::tensor::Tensor;
use scotopic::noise::NoiseKey;
use scotopic::ops::{Law, unit_noise};

use super::model::{HALF_LN_2_PI, TensorStateSpace, sum_rows};
use super::network::{StateNetwork, bend};
use super::theta::Theta;

/// A correlation that is no nearer to one than this: then L_t is a ten-thousandth of σ²_{t−1}.
const MOST_CORRELATED: f64 = 0.99995;

/// Standard normal numbers in pairs ±: ε and ε', each `[samples, n]`.
pub(super) fn noise(like: &Tensor<2>, samples: usize, key: NoiseKey) -> [Tensor<2>; 2] {
    let [_, n] = like.dims();
    let half = unit_noise(
        &Tensor::<2>::zeros([samples / 2, 2 * n], &like.device()),
        Law::Normal,
        key,
    );
    let both = Tensor::cat(vec![half.clone(), half.neg()], 0);
    let part = |from: usize| both.clone().slice([0..samples, from..from + n]);
    [part(0), part(n)]
}

/// φ_t: parameters of q_t and b_t, and the coordinates that they are in.
#[derive(Debug, Clone)]
pub(super) struct Pair {
    /// c_t `[1, n]`.
    pub centre: Tensor<2>,
    /// s_t `[1, n]`.
    pub scale: Tensor<2>,
    /// α, β `[1, n]`; then, if there is a past, A `[n, n]` (inputs, outputs), a, λ `[1, n]`, and the layers of the MLP.
    pub parameters: Vec<Tensor<2>>,
}

/// A sample of the pair in its coordinates.
#[derive(Debug, Clone)]
pub(super) struct Draw {
    /// u `[samples, n]`.
    pub now: Tensor<2>,
    /// v `[samples, n]`, if there is a past.
    pub before: Option<Tensor<2>>,
}

impl Pair {
    /// q_1 = p(x_1).
    pub fn first(model: &impl TensorStateSpace, theta: &Theta) -> Self {
        let prior = model.initial(theta);
        let zero = prior.mean.zeros_like();
        Self {
            centre: prior.mean,
            scale: prior.log_deviation.exp(),
            parameters: vec![zero.clone(), zero],
        }
    }

    /// What x_{t−1} ~ q_{t−1} predicts, and the kernel that inverts the prediction entry by entry: v_i is ρ_i u_i with
    /// 1 − ρ_i² left over, ρ_i the correlation of (x_{t−1})_i and (x_t)_i.
    pub fn predicted(
        model: &impl TensorStateSpace,
        theta: &Theta,
        past: &Past,
        layers: &[Tensor<2>],
        key: NoiseKey,
        samples: usize,
    ) -> Self {
        let [v, _] = noise(&past.mean, samples, key);
        let [_, n] = v.dims();
        let step = model.transition(theta, past.state(v.clone()));
        let centre = step.mean.clone().mean_dim(0);
        let moved = step.mean - centre.clone();
        let noise = (step.log_deviation * 2.0).exp().mean_dim(0);
        let scale = (moved.clone().square().mean_dim(0) + noise).sqrt();
        let correlation = (moved * v).mean_dim(0) / scale.clone();
        let correlation = correlation.clamp(-MOST_CORRELATED, MOST_CORRELATED);
        let zero = centre.zeros_like();
        let diagonal = Tensor::<2>::eye(n, &centre.device()) * correlation.clone();
        let left = (correlation.square().neg() + 1.0).log() * 0.5;
        let mut parameters = vec![zero.clone(), zero.clone(), diagonal, zero, left];
        parameters.extend_from_slice(layers);
        Self {
            centre,
            scale,
            parameters,
        }
    }

    /// The same pair with other numbers, or the same numbers as leaves of a graph.
    pub fn with(&self, parameters: Vec<Tensor<2>>) -> Self {
        Self {
            parameters,
            ..self.clone()
        }
    }

    /// (u, v) from (ε, ε').
    pub fn draw(&self, [now, before]: [Tensor<2>; 2]) -> Draw {
        let [alpha, beta, ..] = self.parameters.as_slice() else {
            return Draw { now, before: None };
        };
        let u = now * beta.clone().exp() + alpha.clone();
        let before = self
            .kernel(u.clone())
            .map(|(mean, log_deviation)| mean + before * log_deviation.exp());
        Draw { now: u, before }
    }

    /// Mean `[samples, n]` and ln of the deviation `[1, n]` of v given u.
    pub fn kernel(&self, u: Tensor<2>) -> Option<(Tensor<2>, Tensor<2>)> {
        let [_, _, matrix, offset, log_deviation, layers @ ..] = self.parameters.as_slice() else {
            return None;
        };
        let linear = u.clone().matmul(matrix.clone()) + offset.clone();
        let mean = match bend(layers, u) {
            None => linear,
            Some(bend) => linear + bend,
        };
        Some((mean, log_deviation.clone()))
    }

    /// The layers of the MLP; none for a linear kernel.
    pub fn layers(&self) -> &[Tensor<2>] {
        self.parameters.get(5..).unwrap_or_default()
    }

    /// x_t of u.
    pub fn state(&self, u: Tensor<2>) -> Tensor<2> {
        self.centre.clone() + self.scale.clone() * u
    }

    /// ln q_{t−1}(x_{t−1}) − ln b_t(x_{t−1}|x_t) − ln q_t(x_t), `[samples]`: what r_t has beside the model. The
    /// volume of σ_{t−1} cancels between the first two.
    pub fn log_weight(&self, draw: &Draw) -> Tensor<1> {
        let [alpha, beta, ..] = self.parameters.as_slice() else {
            return sum_rows(draw.now.zeros_like());
        };
        let z = (draw.now.clone() - alpha.clone()) * beta.clone().neg().exp();
        let volume = beta.clone() + self.scale.clone().log() + HALF_LN_2_PI;
        let mut weight = sum_rows(z.square() * 0.5 + volume);
        if let (Some(v), Some((mean, log_deviation))) =
            (&draw.before, self.kernel(draw.now.clone()))
        {
            let z = (v.clone() - mean) * log_deviation.clone().neg().exp();
            let ratio = (z.square() - v.clone().square()) * 0.5 + log_deviation;
            weight = weight + sum_rows(ratio);
        }
        weight
    }

    /// μ_t and σ_t, `[1, n]`.
    pub fn marginal(&self) -> [Tensor<2>; 2] {
        match self.parameters.as_slice() {
            [alpha, beta, ..] => [
                self.state(alpha.clone()),
                self.scale.clone() * beta.clone().exp(),
            ],
            _ => [self.centre.clone(), self.scale.clone()],
        }
    }

    /// ṽ ~ N(0, I) that is near v: a rotation of (ε, ε') by as much as each has to do with v.
    pub fn coupled(&self, [now, before]: [Tensor<2>; 2]) -> Tensor<2> {
        let [_, beta, matrix, _, log_deviation, ..] = self.parameters.as_slice() else {
            return before;
        };
        let [n, _] = matrix.dims();
        let felt = matrix.clone() * beta.clone().exp().transpose();
        let own = (log_deviation.clone() * 2.0).exp().sum_dim(1);
        let shared = felt.clone().square().sum_dim(1).sum_dim(0);
        let trace = (felt * Tensor::<2>::eye(n, &matrix.device()))
            .sum_dim(1)
            .sum_dim(0);
        let all = shared.clone() + own.clone();
        let along = (shared / all.clone()).sqrt() * trace.sign();
        // A trace of exactly 0 leaves ε out, and ε' then has to be the whole of it.
        let across = (along.clone().square().neg() + 1.0).clamp_min(0.0).sqrt();
        now * along + before * across
    }
}

/// q_t with the networks that are read in its coordinates, x = μ + σ∘v, and the pair that it is the half of.
#[derive(Debug, Clone)]
pub(super) struct Past {
    /// μ_t `[1, n]`.
    pub mean: Tensor<2>,
    /// σ_t `[1, n]`.
    pub deviation: Tensor<2>,
    /// σ_t ∘ T̂_t.
    pub value: StateNetwork,
    /// `Ŝ_t − E_{q_t}[Ŝ_t]`.
    pub score: Option<StateNetwork>,
    /// b_t, if there was a past.
    pub kernel: Option<BackwardKernel>,
}

impl Past {
    /// x of v.
    pub fn state(&self, v: Tensor<2>) -> Tensor<2> {
        self.mean.clone() + self.deviation.clone() * v
    }

    /// v of x.
    pub fn standardised(&self, x: Tensor<2>) -> Tensor<2> {
        (x - self.mean.clone()) / self.deviation.clone()
    }
}

/// b_t(x_{t−1}|x_t) = N(E x_t + f + σ_{t−1}∘MLP(x_t), diag L), the MLP only where one was asked for.
#[derive(Debug, Clone)]
pub struct BackwardKernel {
    pub(super) pair: Pair,
    pub(super) mean: Tensor<2>,
    pub(super) deviation: Tensor<2>,
}

impl BackwardKernel {
    /// E `[n, n]`.
    pub fn slope(&self) -> Tensor<2> {
        let matrix = self.pair.parameters[2].clone();
        let by_input = matrix / self.pair.scale.clone().transpose();
        (by_input * self.deviation.clone()).transpose()
    }

    /// f `[1, n]`.
    pub fn offset(&self) -> Tensor<2> {
        let inner = self.pair.parameters[3].clone() * self.deviation.clone() + self.mean.clone();
        inner - self.pair.centre.clone().matmul(self.slope().transpose())
    }

    /// The diagonal of L, `[1, n]`.
    pub fn variance(&self) -> Tensor<2> {
        (self.pair.parameters[4].clone() * 2.0).exp() * self.deviation.clone().square()
    }

    /// `E[x_{t−1}|x_t]`: `[batch, n]` → `[batch, n]`.
    pub fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        let u = (x - self.pair.centre.clone()) / self.pair.scale.clone();
        match self.pair.kernel(u.clone()) {
            Some((v, _)) => self.mean.clone() + self.deviation.clone() * v,
            None => u.zeros_like() + self.mean.clone(),
        }
    }
}
