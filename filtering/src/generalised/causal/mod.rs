//! The causal filter in generalised coordinates.
//!
//! # What is assumed
//!
//! ```text
//! x' = f(x, v, θ) + w      y_t = g(x(t), v(t), θ) + z_t,  t = 1, 2, … bins      v = η + noise
//! ```
//!
//! w, the noise of v and z are Gaussian, stationary, independent of each other, and smooth. The published
//! schemes embed the data: they fit a polynomial to the samples around t and read its derivatives. That
//! looks ahead by half a window, and the precision of the fit is that of one instant. Here nothing is
//! embedded. The *noise* is given generalised coordinates, and these are part of the state.
//!
//! # Derivation
//!
//! **Noise as a Markov process.** Write each noise as S c with unit-variance channels c and S S' its
//! covariance, and let n = (c, c', …, c^(k−1)) be a channel in generalised coordinates. Two forms
//! ([`NoiseShape`]):
//!
//! *Continuous.* c is the output of a linear filter of order k, dn = F n dt + dB with F in companion form:
//! Matérn of ν = k − ½, or the spectral density 2s√π e^{−s²ω²} of the autocorrelation e^{−h²/4s²} with
//! e^{s²ω²} replaced by its Taylor polynomial of degree k (Hartikainen and Särkkä 2010); the stable half
//! of the roots gives F, and Lyapunov's equation the scale that makes the variance 1.
//!
//! *Sampled.* The published data generator draws c at the bins, c = K·white with a sampled Gaussian kernel,
//! and moves between them along the polynomial of degree 6 through the seven samples nearest. The samples
//! c_{t−⌊N/2⌋} … c_{t+⌈N/2⌉} and a polynomial's derivatives determine each other, n = E (samples) with covariance
//! E R E', R_ij = ρ(i − j): for N ≥ 6 E is the inverse of the Taylor matrix T_ij = p_i^j/j!, below it gives the
//! polynomial of degree N nearest to the path that these samples lead to expect. Within the bin n moves by
//! the shift, n' = 𝒟 n; at its end the window moves on by one sample, of which the mean is the best linear
//! prediction from the N + 1 before and the variance what that prediction misses. The samples are thus
//! taken as Markov of order N + 1 with the right correlations up to lag N + 1: the process of greatest
//! entropy with these. For white samples nothing is lost, and for s = ½ the loss is below 1e−3 at N = 2.
//!
//! **The joint state.** (x, n) is Markov. Over one bin f is linearised and the bin's motion is exact: for
//! polynomial noise
//!
//! ```text
//! x(h) = x + h φ_1(hA) f + Σ_{k≥1} h^{k+1} φ_{k+1}(hA) f_c c^(k),     A = ∂f/∂x,  φ_k(Z) = Σ_j Z^j/(j+k)!
//! ```
//!
//! and for noise that diffuses e^{A₁h} and ∫ e^{A₁r} D e^{A₁'r} dr with A₁ that of (x, n). For a linear
//! model both are exact and computed once. For a nonlinear one mean and covariance are taken to second
//! order in the spread of x, with the third moments that a flow that bends gives the belief (`third_moments.rs`;
//! [`Linearisation`]). All orders have a consistent top row by construction: the
//! highest derivative moves as the noise process says, not as zero.
//!
//! **Observation noise.** z is seen only at the bins, so its correlation matters only there. From the last
//! p observations y_{t−i} − g_{t−i} = z_{t−i} the best prediction of z_t is Σ a_i z_{t−i} with error variance
//! σ² (Yule and Walker's equations, over those lags that were observed). The innovation
//!
//! ```text
//! e_t = U (y_t − g_t) − Σ_i a_i U (y_{t−i} − g_{t−i}),     U'U = Π_z,     cov = σ² I given the states
//! ```
//!
//! has white noise, and is a function of x_t and of x_{t−1} … x_{t−p}; these are kept in the joint state,
//! which costs no more than z would, keeps the noise covariance regular, and serves smoothing with a fixed
//! lag ([`CausalConfig::lag`]) for nothing. At the start, and after gaps, the set of lags is smaller, and
//! the first innovations are exact.
//!
//! **Correction.** Entries of the innovation are independent, so they are taken in one by one, each in
//! Joseph's form P ← (I − kh) P (I − kh)' + k σ² k'. A nonlinear g is linearised again at the corrected mean
//! until convergence (Gauss–Newton). ln p(y_t | y_1 … y_{t−1}) adds up to the evidence of the
//! *samples*, which can be compared over orders, smoothness and models ([`compare`]).
//!
//! **Generalised states** x, x' = f + w, x'' = f_x x' + f_c c', … are read off the joint state
//! ([`CausalGeneralisedFilter::generalised_states`]).
//!
//! # What follows
//!
//! - Order 0 with white noise in continuous time is the Kalman filter of the exactly discretised model, and
//!   tends to Kalman and Bucy's for short bins (eq. G36).
//! - Noise of order k is filtered exactly by order k (eq. G39).
//! - On linear models with the generator's noise the posterior is the exact one up to the Markov order.
//! - Nothing grows with time, nothing is allocated from bin to bin.
//!
//! | subject | file |
//! |---|---|
//! | settings | `config.rs` |
//! | noise processes | `noise_shape.rs`, `noise_process.rs`; drawn at the bins: `sampled_noise.rs` |
//! | prediction of observation noise | `innovation.rs` |
//! | all levels as one model | `stack.rs` |
//! | one bin of motion | `transition.rs`, `transition/` |
//! | third moments | `third_moments.rs` |
//! | layout and propagation of the joint state | `layout.rs` |
//! | prediction, correction, read-out | `filter.rs`, `filter/` |
//! | snapshots | `filter/snapshot.rs` |
//! | a table over orders and smoothness | `compare.rs` |
//! | correlations of bin averages of the noise | `bin_average.rs` |
//! | transitions for learning f and g | `smoothed_motion.rs`: [`SmoothingLag`], [`TransitionCollector`] |
//! | data generation | `generate.rs` |
//!
//! # References
//! - J. Hartikainen, S. Särkkä, "Kalman filtering and smoothing solutions to temporal Gaussian process
//!   regression models", MLSP 2010.
//! - M. Nørgaard, N. Poulsen, O. Ravn, "New developments in state estimation for nonlinear systems",
//!   Automatica 36, 2000.
//! - K. Friston, N. Trujillo-Barreto, J. Daunizeau, "DEM: a variational treatment of dynamic systems",
//!   NeuroImage 41, 2008.
mod bin_average;
mod compare;
mod config;
mod filter;
mod generate;
mod innovation;
mod layout;
mod noise_process;
mod noise_shape;
mod sampled_noise;
mod smoothed_motion;
mod stack;
mod third_moments;
mod transition;

pub use compare::{Comparison, compare};
pub use config::{CausalConfig, Linearisation};
pub use filter::{CausalGeneralisedFilter, CausalSnapshot};
pub use generate::{Generated, Generation};
pub use noise_process::GENERATED;
pub use noise_shape::NoiseShape;
pub use smoothed_motion::{SmoothingLag, TransitionCollector};
