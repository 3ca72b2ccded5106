//! The results of a recursive bound.

use burn::tensor::Tensor;

/// What lies below is −∞: shaders do not promise to know infinity when they are asked for it by name.
const IMPOSSIBLE: f64 = -1e30;

/// A recursive evidence lower bound: its increments, and what is known of the newest state at every step.
#[derive(Debug, Clone)]
pub struct RecursiveElbo {
    /// c_t = L_t − L_{t−1}, L_0 = 0, `[batch, time]`, in nats; with optimal kernels ln p(o_t|o_<t).
    pub increments: Tensor<2>,
    /// ln q_t(s), `[batch, time, K]`; with optimal kernels the filter's.
    pub log_belief: Tensor<3>,
    /// λ_t(s) = W_t(s) − L_t, `[batch, time, K]`; with optimal kernels ln q_t(s).
    pub relative_value: Tensor<3>,
}

impl RecursiveElbo {
    /// L_t, the bound on ln p(o_1…o_t), `[batch, time]`.
    pub fn bound(&self) -> Tensor<2> {
        self.increments.clone().cumsum(1)
    }

    /// L_T, the bound on the evidence of all that was seen, `[batch]`: what learning maximises.
    pub fn evidence(&self) -> Tensor<1> {
        let [batch, _] = self.increments.dims();
        self.increments.clone().sum_dim(1).reshape([batch])
    }

    /// q_t(s), `[batch, time, K]`; with optimal kernels the filter p(s_t|o_1…o_t).
    pub fn belief(&self) -> Tensor<3> {
        self.log_belief.clone().exp()
    }

    /// W_t(s), `[batch, time, K]`; with optimal kernels ln p(s_t, o_1…o_t).
    pub fn w(&self) -> Tensor<3> {
        self.relative_value.clone() + self.bound_of_steps()
    }

    /// V_t(s) = W_t(s) − ln q_t(s), `[batch, time, K]`; flat, L_t for every s, where q is optimal. −∞ where
    /// q_t(s) = 0.
    pub fn v(&self) -> Tensor<3> {
        let nowhere = self.log_belief.clone().lower_elem(IMPOSSIBLE);
        let log_belief = self.log_belief.clone().mask_fill(nowhere.clone(), 0.0);
        let value = self.relative_value.clone() - log_belief + self.bound_of_steps();
        value.mask_fill(nowhere, f64::NEG_INFINITY)
    }

    /// The kernels that are optimal for this past, b_t(s'|s) ∝ e^{W_{t−1}(s')} p(s|s') at `[.., t, s, s']`,
    /// `[batch, time, K, K]`. Nothing comes before the first step: b_1 = 0; nor before a state that cannot be
    /// reached: such rows are 0 too.
    ///
    /// # Shapes
    /// - `log_transition`: as it was given, `[K, K]`.
    pub fn kernels(&self, log_transition: Tensor<2>) -> Tensor<4> {
        let [batch, time, k] = self.relative_value.dims();
        let device = self.relative_value.device();
        let dtype = self.relative_value.dtype();
        let first = Tensor::<4>::zeros([batch, 1, k, k], (&device, dtype));
        if time == 1 {
            return first;
        }
        let before = self
            .relative_value
            .clone()
            .slice([0..batch, 0..time - 1, 0..k]);
        let paths = before.reshape([batch, time - 1, 1, k])
            + log_transition.transpose().reshape([1, 1, k, k]);
        let (weights, _) = weights_and_most(paths, 3);
        let total = weights.clone().sum_dim(3);
        let nothing = total.clone().equal_elem(0.0);
        let later = weights / total.mask_fill(nothing, 1.0);
        Tensor::cat(vec![first, later], 1)
    }

    /// ln Σ_{s'} e^{W_T(s') − L_T} p(s|s'), `[batch, K]`: the `log_initial` of the observations that follow, whose
    /// increments then go on where these end. With optimal kernels the prediction ln p(s_{T+1}|o_1…o_T).
    ///
    /// # Shapes
    /// - `log_transition`: as it was given, `[K, K]`.
    pub fn carried(&self, log_transition: Tensor<2>) -> Tensor<2> {
        let [batch, time, k] = self.relative_value.dims();
        let last = self
            .relative_value
            .clone()
            .slice([0..batch, time - 1..time, 0..k]);
        let paths = last.reshape([batch, k, 1]) + log_transition.reshape([1, k, k]);
        let (weights, most) = weights_and_most(paths, 1);
        let total = weights.sum_dim(1);
        let nothing = total.clone().equal_elem(0.0);
        let log_total = total.mask_fill(nothing.clone(), 1.0).log();
        let carried = (log_total + most).mask_fill(nothing, f64::NEG_INFINITY);
        carried.reshape([batch, k])
    }

    /// L_t for every state, `[batch, time, 1]`.
    fn bound_of_steps(&self) -> Tensor<3> {
        let [batch, time] = self.increments.dims();
        self.bound().reshape([batch, time, 1])
    }
}

/// e^{x − m} and m = max x along `dim`; m = 0 where all are −∞, so that no −∞ is taken off another.
fn weights_and_most<const D: usize>(x: Tensor<D>, dim: usize) -> (Tensor<D>, Tensor<D>) {
    let most = x.clone().detach().max_dim(dim);
    let nothing = most.clone().lower_elem(IMPOSSIBLE);
    let most = most.mask_fill(nothing, 0.0);
    ((x - most.clone()).exp(), most)
}
