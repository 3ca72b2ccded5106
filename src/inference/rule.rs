//! One step of inference.
//!
//! ```text
//! u_p ← u                                            the last posterior is the prior of this step
//! repeat N times:
//!   z ~ q(·; u)                                      spikes
//!   g = −J(z)ᵀ Σ⁻¹ (x − f(z))                        pulled-back prediction error
//!   ∇ = natural gradient of F: g + eᵇ [+ β_in(u − u_p)]
//!   u ← clamp(u + clamp(−η∇))
//! z' ~ q(·; u),  F = −ln p(x|z') + KL[q(u) ‖ q(u_p)]
//! ```
//!
//! For a linear decoder this is a spiking recurrent network,
//! `u ← u + ΦᵀΣ⁻¹x − ΦᵀΣ⁻¹Φz − eᵇ`: feed-forward drive, lateral competition, spikes.
//! (Vafaii, Galor, Yates, arXiv 2410.19315, sections 3 and 4; eqs. I9–I18.)

use burn::tensor::Tensor;

use super::certified_step::{Majoriser, certified_step_size};
use super::window::Window;
use super::{
    Expectation, Generative, Objective, Perception, RecordOptions, Refined, ScoredSample, Stimulus,
    composed_objective,
};
use crate::decoder::Decoder;
use crate::error::{Error, Result};
use crate::noise::{Draw, NoiseSource};
use crate::posterior::{Clamps, KlForm, Posterior, Sampling};

/// Whether the divergence from the prior pulls on the state while it is being inferred.
///
/// At the first inner iteration the state *is* its prior and the pull is zero, so a leak shows only
/// with two inner iterations or more.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Leak {
    /// No pull: a perfect integrator of prediction errors.
    None,
    /// The KL's natural gradient with this weight β_in.
    Kl(f64),
}

impl Leak {
    /// β_in; 0 without a leak.
    pub fn beta(self) -> f64 {
        match self {
            Self::None => 0.0,
            Self::Kl(beta) => beta,
        }
    }
}

/// How far a step follows its gradient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StepForm {
    /// u ← u − η∇: the published step.
    ///
    /// A log-rate's gain grows with its rate: a change du of a potential changes the drive on it by
    /// λ_k H_kk du, H = ΦᵀΣ⁻¹Φ, so where ηλ_kH_kk > 2 the step overshoots, and no small η is small enough
    /// for every input.
    Explicit,
    /// The step of proximal mirror descent with a diagonal Gauss–Newton model of F.
    ///
    /// ```text
    /// λ' = argmin Σ_k ∇_k λ'_k + ½H_kk(λ'_k − λ_k)² + KL[λ'_k ‖ λ_k]/η
    ///  ⇔  u' − u = −η(∇ + H_kk(e^{u'} − e^u))
    /// ```
    ///
    /// The explicit step is the same with H = 0: natural-gradient descent is mirror descent with the KL
    /// as its distance. With the curvature in it a neuron's inhibition of itself is taken at the end of
    /// the step. The equation has one solution ([`implicit_step`](crate::ops::implicit_step())), whose
    /// sign is that of −∇ and whose size is bounded by ln(1 + |∇|/(H_kkλ_k)) upwards: a single neuron
    /// stays bounded at any contrast, and where ηλH is small nothing changes. It costs one scalar
    /// equation per neuron and step, and diag H once per unroll. For Gaussian and Laplace latents the
    /// equation is linear: the step is divided by 1 + ησ²H_kk. Where latents pass through an activation, H is the
    /// curvature by a(z): an upper bound of that by z for relu and softplus of unit gain, and only a guess beyond.
    #[default]
    Proximal,
    /// A step after which the free energy in rates is never higher, for Poisson latents and a linear decoder.
    ///
    /// ```text
    /// F(λ) = ½(x − Φλ)ᵀΣ⁻¹(x − Φλ) + Σ_k (½H_kk + e^{b_k})λ_k + β_in KL[λ ‖ e^{u_p}],   H = ΦᵀΣ⁻¹Φ
    /// u' − u + ηD_k(e^{u'} − e^u) = −η(∇_k + β_in(u − u_p)),   D_k = Σ_j |H_kj|,   η ≤ 1/max(β_in, 1)
    /// ```
    ///
    /// With η = β_in = 1 it reads D_k(e^{u'} − e^u) + ∇_k + u' − u_p = 0. It is the proximal step with the row sums of |H|
    /// in place of its diagonal, so that inhibition between neurons is bounded too; with the ½H_kk that the variance
    /// of the spikes adds to the drive; and without soft clamps, which would move u even at the minimum. The proof is
    /// eq. I36. It holds for a step driven by the rates themselves; one sample of the spikes in their place makes the
    /// step noisy, and F may rise. Other families, and decoders that are not linear, have no such step: there it is
    /// that of [`StepForm::Proximal`].
    Certified,
    /// The longest of a few steps along the natural gradient after which F is not higher under the same noise, for any
    /// family and decoder.
    ///
    /// ```text
    /// d = clamp(−η∇),   G(α) = −ln p(x|a(z_α)) + Σ_k e^{b_k} λ_k + β_in KL[q(u + αd) ‖ q(u_p)],   z_α ~ q(·; u + αd)
    /// u' = u + αd,      α = max{α ∈ {1, ¼, …, 4⁻⁴}: G(α) ≤ G(0)},  0 where there is none                (I38)
    /// ```
    ///
    /// The term of homeostasis is that of Poisson latents; a point estimate has its cost in place of the KL. Every datum
    /// has its own α. All z_α are drawn with the noise of the spikes that made ∇, so that differences of G are not those
    /// of two samples. The gradient that learns takes α as a constant. The bound of the step is a hard one, and the state
    /// has none: a soft clamp would move a state for which no step is better. The decoder is evaluated six times more
    /// than by the explicit step; over a linear one the proximal or the certified step does the same for less.
    Backtracking,
}

/// The fixed choices of the inference rule; everything learned is in [`Dynamics`].
#[derive(Debug, Clone, PartialEq)]
pub struct NaturalGradient {
    /// Inner iterations N per inference step, at least 1.
    pub inner_iterations: usize,
    /// The pull of the prior.
    pub leak: Leak,
    /// How far a step follows its gradient.
    pub form: StepForm,
    /// How spikes are drawn.
    pub sampling: Sampling,
    /// Bounds of state and step.
    pub clamps: Clamps,
    /// The form of KL in the free energy that is reported (and learned from).
    pub kl: KlForm,
    /// How the expectation in it is taken.
    pub expectation: Expectation,
}

impl NaturalGradient {
    /// Checks every setting.
    ///
    /// # Errors
    /// Names the first setting that makes no sense.
    pub fn validate(&self) -> Result<()> {
        if !(1..=254).contains(&self.inner_iterations) {
            let rule = "must be between 1 and 254";
            return Err(Error::setting(
                "inference.inner_steps",
                self.inner_iterations,
                rule,
            ));
        }
        if let Leak::Kl(beta) = self.leak
            && !(beta.is_finite() && beta >= 0.0)
        {
            let rule = "must be \"none\" or a number of at least 0";
            return Err(Error::setting("inference.leak", beta, rule));
        }
        if !(self.sampling.temperature.is_finite() && self.sampling.temperature >= 0.0) {
            let rule = "must be at least 0 (0 draws exact counts)";
            return Err(Error::setting(
                "schedule.temperature",
                self.sampling.temperature,
                rule,
            ));
        }
        for c in self.clamps.state.iter().chain(&self.clamps.step) {
            if !(c.is_finite() && *c > 0.0) {
                return Err(Error::setting("ceiling", c, "every bound must be above 0"));
            }
        }
        Ok(())
    }
}

/// The learned constants of the rule, ready to use.
#[derive(Debug, Clone)]
pub struct Dynamics {
    /// η = exp(log η), one `[1, 1]` tensor per component of the state.
    pub step_size: Vec<Tensor<2>>,
    /// exp(b), `[1, latent]`: the cost of a spike that homeostasis has learned.
    pub homeostasis: Tensor<2>,
}

/// A generative model inverted by descending its free energy, online.
#[derive(Debug)]
pub struct Iterative<'a, P: Posterior, D: Decoder> {
    /// The generative direction.
    pub generative: Generative<'a, D>,
    /// The belief before anything is seen, one row.
    pub rest: P,
    /// Learned constants of the rule.
    pub dynamics: Dynamics,
    /// Fixed choices of the rule.
    pub rule: NaturalGradient,
    /// η·diag ΦᵀΣ⁻¹Φ, `[1, latent]`, for [`StepForm::Proximal`]; ηD for [`StepForm::Certified`].
    pub(super) curvature: Option<Tensor<2>>,
}

impl<'a, P: Posterior, D: Decoder> Iterative<'a, P, D> {
    /// The model as it stands now: everything that does not change over an unroll is evaluated here.
    ///
    /// A proximal step needs a linear decoder; with any other the step is explicit, unless it is to backtrack. A certified step needs Poisson
    /// latents besides; it replaces the clamps of the rule by none and adds ½H_kk to the homeostatic term.
    pub fn new(decoder: &'a D, rest: P, mut dynamics: Dynamics, mut rule: NaturalGradient) -> Self {
        let generative = Generative::new(decoder, rule.kl, rule.expectation);
        let atoms = match rule.form {
            StepForm::Explicit | StepForm::Backtracking => None,
            StepForm::Proximal | StepForm::Certified => decoder.atoms(),
        };
        let certified = rule.form == StepForm::Certified && rest.log_rate().is_some();
        let curvature = atoms.map(|atoms| {
            if !certified {
                return generative.noise.curvature(atoms) * dynamics.step_size[0].clone();
            }
            let majoriser = Majoriser::of(&generative.noise, atoms);
            let step_size = certified_step_size(dynamics.step_size[0].clone(), rule.leak.beta());
            dynamics.homeostasis = dynamics.homeostasis.clone() + majoriser.variance_cost;
            dynamics.step_size = vec![step_size.clone()];
            rule.clamps = Clamps::none(1);
            majoriser.bound * step_size
        });
        Self {
            generative,
            rest,
            dynamics,
            rule,
            curvature,
        }
    }

    /// One inner iteration: the natural-gradient step for given spikes `z`, `[batch, latent]`.
    pub fn descend(&self, x: &Tensor<2>, belief: &P, prior: &P, z: &Tensor<2>) -> P {
        let drives = self
            .natural_gradient(x, belief, prior, z)
            .into_iter()
            .zip(&self.dynamics.step_size)
            .map(|(gradient, step_size)| gradient * step_size.clone().neg())
            .collect();
        belief.advance(drives, self.curvature.as_ref(), &self.rule.clamps)
    }

    /// The natural gradient of F at `belief` estimated with spikes `z`, one tensor per component.
    pub fn natural_gradient(
        &self,
        x: &Tensor<2>,
        belief: &P,
        prior: &P,
        z: &Tensor<2>,
    ) -> Vec<Tensor<2>> {
        let gradient = self.generative.pulled_back(x, belief.activate(z.clone()));
        let leak = match self.rule.leak {
            Leak::None => None,
            Leak::Kl(beta) => Some((beta, prior)),
        };
        belief.natural_gradient(z, gradient, leak, self.dynamics.homeostasis.clone())
    }
}

impl<P: Posterior, D: Decoder> Perception for Iterative<'_, P, D> {
    type Belief = P;

    fn rest(&self, batch: usize) -> P {
        self.rest.repeated(batch)
    }

    fn refine(&self, x: &Tensor<2>, state: &P, time: usize, noise: &dyn NoiseSource) -> Refined<P> {
        let mut belief = state.clone();
        let mut spikes = None;
        for inner in 0..self.rule.inner_iterations.max(1) {
            let drawn = noise.noise(time, Draw::Infer { inner });
            let z = belief.sample(self.rule.sampling, drawn.clone());
            belief = match self.rule.form {
                StepForm::Backtracking => self.backtrack(x, &belief, state, &z, &drawn),
                _ => self.descend(x, &belief, state, &z),
            };
            spikes = Some(z);
        }
        Refined {
            // At least one inner iteration has run.
            spikes: spikes.unwrap_or_else(|| belief.mean()),
            belief,
        }
    }

    /// Beliefs are updated online: the last posterior is the prior of this step.
    fn prior(&self, before: &P) -> P {
        before.clone()
    }

    fn decode(&self, a: Tensor<2>) -> Tensor<2> {
        self.generative.decoder.decode(a)
    }

    fn score(&self, x: &Tensor<2>, belief: &P, prior: &P, sample: Tensor<2>) -> ScoredSample {
        self.generative.score(x, belief, prior, sample)
    }

    fn sampling(&self) -> Sampling {
        self.rule.sampling
    }

    /// Poisson, Gaussian and Laplace posteriors over a linear decoder have a fused implementation on the CPU, Poisson ones of still
    /// images on GPUs too.
    fn objective(
        &self,
        stimulus: &Stimulus,
        start: P,
        times: std::ops::Range<usize>,
        noise: &dyn NoiseSource,
        record: RecordOptions,
        beta: f64,
    ) -> Option<Objective<P>> {
        let window = Window {
            stimulus,
            start: &start,
            times: times.clone(),
            noise,
            record,
            beta,
            prior: None,
        };
        self.fused_objective(window)
            .or_else(|| composed_objective(self, stimulus, start, times, noise, record, beta))
    }
}
