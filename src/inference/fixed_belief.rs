//! Learning with every belief held fixed: no step of inference is differentiated.

use burn::tensor::Tensor;

use super::{Perception, Refined, ScoredSample};
use crate::noise::NoiseSource;
use crate::posterior::{Posterior, Sampling};

/// A model whose free energy is differentiated at beliefs held fixed (eq. T6).
///
/// ```text
/// ∂F_t/∂θ at u_t and u_{t−1} fixed:   −∂ ln p(x_t|z)/∂θ + ∂KL[q(u_t) ‖ q(u_{p,t}(θ, u_{t−1}))]/∂θ
/// ```
///
/// The gradient of a window is the mean of those of its frames, so that frames can be learned from one by one, in
/// memory that does not grow with them. What only inference uses, η and the homeostatic b, gets none. Backpropagation
/// through inference is another gradient, of the same F as a function of θ alone.
///
/// ```
/// use burn::{module::Module, tensor::{Device, Tensor}};
/// use scotopic::inference::{FixedBelief, Perception, RecordOptions, Stimulus};
/// use scotopic::{noise::NoiseKey, posterior::Sampling};
/// use scotopic_models::{ImageDims, Method, NetworkConfig, RuleConfig, TransitionKind};
/// let device = Device::flex().autodiff();
/// let picture = ImageDims::row(16);
/// let config = NetworkConfig { picture, latents: 8, transition: TransitionKind::Learned, ..Default::default() };
/// let model = config.init(Method::NaturalGradient, &device, 0)?;
/// let (rule, still) = (RuleConfig::default().at(1.0, Sampling::EXACT), model.clone().no_grad());
/// let (network, inferring) = (model.perception(rule.clone()), still.perception(rule));
/// let (film, noise) = (Stimulus::Static(Tensor::ones([3, 16], &device)), NoiseKey::new(0));
/// let learning = FixedBelief { learned: &*network, inferring: &*inferring };
/// let seen = learning.objective(&film, learning.rest(3), 0..5, &noise, RecordOptions::GENERATED, 1.0).unwrap();
/// let gradients = seen.value.backward();
/// assert!(model.transition.weights.as_ref().unwrap().weights.val().grad(&gradients).is_some());
/// assert!(model.log_step[0].val().grad(&gradients).is_none());
/// # Ok::<(), scotopic::Error>(())
/// ```
#[derive(Debug)]
pub struct FixedBelief<'a, M: Perception + ?Sized> {
    /// What is differentiated.
    pub learned: &'a M,
    /// The same model without gradients, which infers: no graph is made only to be dropped.
    pub inferring: &'a M,
}

impl<M: Perception + ?Sized> Perception for FixedBelief<'_, M> {
    type Belief = M::Belief;

    /// That of the model: the prior of the first step is learned.
    fn rest(&self, batch: usize) -> M::Belief {
        self.learned.rest(batch)
    }

    fn refine(
        &self,
        x: &Tensor<2>,
        belief: &M::Belief,
        time: usize,
        noise: &dyn NoiseSource,
    ) -> Refined<M::Belief> {
        let Refined { belief, spikes } = self.inferring.refine(x, &belief.detach(), time, noise);
        Refined {
            belief: belief.detach(),
            spikes: spikes.detach(),
        }
    }

    fn prior(&self, before: &M::Belief) -> M::Belief {
        self.learned.prior(before)
    }

    fn decode(&self, a: Tensor<2>) -> Tensor<2> {
        self.learned.decode(a)
    }

    fn score(
        &self,
        x: &Tensor<2>,
        belief: &M::Belief,
        prior: &M::Belief,
        sample: Tensor<2>,
    ) -> ScoredSample {
        self.learned.score(x, belief, prior, sample)
    }

    fn sampling(&self) -> Sampling {
        self.learned.sampling()
    }
}
