//! The certified step (eqs. I32–I36): the free energy in rates never rises, where that of the others does.

use burn::tensor::Tensor;
use scotopic::inference::{Dynamics, Iterative, Leak, NaturalGradient, StepForm};
use scotopic::noise::{Draw, NoiseKey, NoiseSource};
use scotopic::posterior::{Clamps, KlForm, PoissonPosterior, Posterior, Sampling};
use scotopic_models::LinearDictionary;

use crate::devices::Place;
use crate::numbers::{deviation, read};
use crate::toy::{self, numbers};

/// A sum of some hundred terms in f64 is known to about this part of itself.
const ROUNDING: f64 = 1e-12;

/// Bounds that the other steps do not feel: c − softplus(c − x) differs from x by e^(x − c).
const FAR: f64 = 64.0;

/// Distinct atoms, and how often each is in the dictionary. Copies inhibit each other as much as themselves, so that
/// the diagonal of H is only a COPIES-th of its largest eigenvalue.
const DISTINCT: usize = 4;
const COPIES: usize = 6;
const LATENTS: usize = DISTINCT * COPIES;
const PIXELS: usize = 8;

/// Images of each contrast.
const IMAGES: usize = 10;
const CONTRASTS: [f64; 6] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0];
const DATA: usize = IMAGES * CONTRASTS.len();

/// A prior holds for so many steps; then the belief becomes the next one, as online inference does.
const PRIOR_HOLDS: usize = 16;

/// A dictionary with repeated atoms, and images of growing contrast.
struct Scene {
    /// Φᵀ, `[LATENTS, PIXELS]`.
    atoms: Vec<f64>,
    /// ℓ, `[PIXELS]`, and the σ⁻² that it stands for.
    unbounded: Vec<f64>,
    precision: Vec<f64>,
    /// e^b, `[LATENTS]`.
    cost: Vec<f64>,
    /// `[DATA, PIXELS]`, images of one contrast after those of another.
    images: Vec<f64>,
    /// u at rest, `[LATENTS]`.
    rest: Vec<f64>,
}

impl Scene {
    fn drawn(seed: u64) -> Self {
        let draw = |i: u64, n, low, high| numbers(seed * 10 + i, n, low, high);
        let mut distinct = draw(0, DISTINCT * PIXELS, -1.0, 1.0);
        for atom in distinct.chunks_mut(PIXELS) {
            let length = atom.iter().map(|a| a * a).sum::<f64>().sqrt();
            atom.iter_mut().for_each(|a| *a /= length);
        }
        let unbounded = draw(1, PIXELS, -0.3, 0.3);
        let bound = scotopic::decoder::LOG_SIGMA_BOUND;
        let precision = |l: &f64| (-2.0 * bound * (l / bound).tanh()).exp();
        let picture = draw(2, IMAGES * PIXELS, -1.0, 1.0);
        let at = |contrast: &f64| -> Vec<f64> { picture.iter().map(|x| x * contrast).collect() };
        Self {
            atoms: distinct.repeat(COPIES),
            precision: unbounded.iter().map(precision).collect(),
            unbounded,
            cost: draw(3, LATENTS, 0.01, 0.1),
            images: CONTRASTS.iter().flat_map(at).collect(),
            rest: draw(4, LATENTS, -3.0, -1.0),
        }
    }

    /// H, `[LATENTS, LATENTS]`.
    fn interactions(&self) -> Vec<f64> {
        let atom = |k: usize| &self.atoms[k * PIXELS..(k + 1) * PIXELS];
        let entry = |k: usize, j: usize| -> f64 {
            (0..PIXELS)
                .map(|d| atom(k)[d] * atom(j)[d] * self.precision[d])
                .sum()
        };
        (0..LATENTS * LATENTS)
            .map(|i| entry(i / LATENTS, i % LATENTS))
            .collect()
    }

    fn diagonal(&self) -> Vec<f64> {
        let h = self.interactions();
        (0..LATENTS).map(|k| h[k * LATENTS + k]).collect()
    }

    /// F of every image by eq. I32 for potentials `u` and `prior`, `[DATA, LATENTS]`.
    fn free_energies(&self, u: &[f64], prior: &[f64], leak: f64) -> Vec<f64> {
        let diagonal = self.diagonal();
        let of = |row: usize| -> f64 {
            let at = row * LATENTS..(row + 1) * LATENTS;
            let (u, prior) = (&u[at.clone()], &prior[at]);
            let mut f = 0.0;
            for d in 0..PIXELS {
                let mean: f64 = (0..LATENTS)
                    .map(|k| self.atoms[k * PIXELS + d] * u[k].exp())
                    .sum();
                f += 0.5 * self.precision[d] * (self.images[row * PIXELS + d] - mean).powi(2);
            }
            for k in 0..LATENTS {
                let (rate, was) = (u[k].exp(), prior[k].exp());
                f += (0.5 * diagonal[k] + self.cost[k]) * rate;
                f += leak * (rate * (u[k] - prior[k]) - rate + was);
            }
            f
        };
        (0..DATA).map(of).collect()
    }

    /// ∇ of eq. I33 and the pull of the prior, `[DATA, LATENTS]`.
    fn gradients(&self, u: &[f64], prior: &[f64], leak: f64) -> Vec<f64> {
        let (h, mut all) = (self.interactions(), Vec::new());
        for (row, x) in self.images.chunks(PIXELS).enumerate() {
            let u = &u[row * LATENTS..(row + 1) * LATENTS];
            let prior = &prior[row * LATENTS..(row + 1) * LATENTS];
            for k in 0..LATENTS {
                let atom = &self.atoms[k * PIXELS..(k + 1) * PIXELS];
                let drive: f64 = (0..PIXELS)
                    .map(|d| atom[d] * x[d] * self.precision[d])
                    .sum();
                let lateral: f64 = (0..LATENTS).map(|j| h[k * LATENTS + j] * u[j].exp()).sum();
                let own = 0.5 * h[k * LATENTS + k] + self.cost[k];
                all.push(lateral - drive + own + leak * (u[k] - prior[k]));
            }
        }
        all
    }

    fn decoder(&self, place: &Place) -> LinearDictionary {
        use burn::module::Param;
        LinearDictionary {
            atoms: Param::from_tensor(place.tensor(&self.atoms, [LATENTS, PIXELS])),
            log_sigma: Param::from_tensor(place.tensor(&self.unbounded, [PIXELS])),
        }
    }

    /// A rule of this form that follows the gradient of the same F.
    fn rule<'a>(
        &self,
        place: &Place,
        decoder: &'a LinearDictionary,
        form: StepForm,
        [leak, step_size]: [f64; 2],
    ) -> Iterative<'a, PoissonPosterior, LinearDictionary> {
        // The certified step knows ½H_kk; the others have it as a cost.
        let own: Vec<f64> = self.diagonal().iter().map(|h| 0.5 * h).collect();
        let cost = self.cost.iter().zip(&own).map(|(cost, own)| match form {
            StepForm::Certified => *cost,
            _ => cost + own,
        });
        let cost: Vec<f64> = cost.collect();
        let dynamics = Dynamics {
            step_size: vec![place.tensor(&[step_size], [1, 1])],
            homeostasis: place.tensor(&cost, [1, LATENTS]),
        };
        let rule = NaturalGradient {
            form,
            clamps: Clamps {
                state: vec![FAR],
                step: vec![FAR],
            },
            ..toy::rule(0.0, KlForm::Exact, Leak::Kl(leak), 1)
        };
        let rest = PoissonPosterior::new(place.tensor(&self.rest, [1, LATENTS]));
        Iterative::new(decoder, rest, dynamics, rule)
    }

    fn images(&self, place: &Place) -> Tensor<2> {
        place.tensor(&self.images, [DATA, PIXELS])
    }
}

/// How often F rose by more than rounding, for each contrast, and the largest rise as a part of |F|.
#[derive(Debug, Default, PartialEq)]
struct Rises {
    counts: [usize; CONTRASTS.len()],
    largest: f64,
}

impl Rises {
    fn total(&self) -> usize {
        self.counts.iter().sum()
    }
}

/// What drives a step.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Drive {
    /// λ, for which the theorem holds.
    Rates,
    /// A count z of each neuron.
    Spikes,
}

/// `steps` steps of every image.
fn rises(
    seed: u64,
    form: StepForm,
    drive: Drive,
    [leak, step_size]: [f64; 2],
    steps: usize,
) -> Rises {
    let (place, scene) = (Place::reference(), Scene::drawn(seed));
    let decoder = scene.decoder(&place);
    let rule = scene.rule(&place, &decoder, form, [leak, step_size]);
    let x = scene.images(&place);
    let mut belief = rule.rest.repeated(DATA);
    let (mut prior, mut found) = (belief.clone(), Rises::default());
    let mut before = Vec::new();
    for step in 0..steps {
        if step.is_multiple_of(PRIOR_HOLDS) {
            prior = belief.clone();
            let u = read(belief.potential());
            before = scene.free_energies(&u, &u, leak);
        }
        let z = match drive {
            Drive::Rates => belief.mean(),
            Drive::Spikes => {
                let noise = NoiseKey::new(seed).noise(step, Draw::Infer { inner: 0 });
                belief.sample(Sampling::EXACT, noise)
            }
        };
        belief = rule.descend(&x, &belief, &prior, &z);
        let after = scene.free_energies(&read(belief.potential()), &read(prior.potential()), leak);
        for (row, (after, before)) in after.iter().zip(&before).enumerate() {
            let rise = (after - before) / before.abs();
            // What is not a number counts as a rise.
            if rise > ROUNDING || rise.is_nan() {
                found.counts[row / IMAGES] += 1;
                found.largest = found.largest.max(rise);
            }
        }
        before = after;
    }
    found
}

/// β_in and η: as the derivation has them, without a pull, with half of it, and with more than 1.
const WEIGHTS: [[f64; 2]; 4] = [[1.0, 1.0], [0.0, 1.0], [0.5, 0.3], [2.0, 5.0]];

#[test]
fn free_energy_never_rises() {
    for (seed, weights) in (1..).zip(WEIGHTS) {
        let found = rises(seed, StepForm::Certified, Drive::Rates, weights, 100);
        assert_eq!(
            found.total(),
            0,
            "seed {seed}, β_in and η {weights:?}: {found:?}"
        );
    }
}

/// `cargo test --release --features ndarray,wgpu --test science -- --ignored --nocapture million`
#[test]
#[ignore = "a million steps: minutes"]
fn free_energy_never_rises_in_a_million_steps() {
    const STEPS: usize = 1_000_000 / (DATA * 16) + 1;
    let mut steps = 0;
    for seed in 100..116 {
        let weights = WEIGHTS[seed as usize % WEIGHTS.len()];
        let found = rises(seed, StepForm::Certified, Drive::Rates, weights, STEPS);
        assert_eq!(
            found.total(),
            0,
            "seed {seed}, β_in and η {weights:?}: {found:?}"
        );
        steps += STEPS * DATA;
    }
    assert!(steps >= 1_000_000);
    println!("{steps} steps, no rise above {ROUNDING:e} of F");
}

/// Copies of an atom overshoot together, whatever each does about itself.
#[test]
fn the_explicit_and_the_proximal_step_raise_it() {
    for form in [StepForm::Explicit, StepForm::Proximal] {
        let found = rises(1, form, Drive::Rates, [1.0, 1.0], 100);
        println!("{form:?}: {found:?}");
        for (contrast, count) in CONTRASTS.iter().zip(found.counts) {
            assert!(count > 0, "{form:?} at contrast {contrast}: {found:?}");
        }
    }
}

#[test]
fn solves_its_equation() {
    let (place, scene) = (Place::reference(), Scene::drawn(3));
    let decoder = scene.decoder(&place);
    let h = scene.interactions();
    let bound: Vec<f64> = h
        .chunks(LATENTS)
        .map(|row| row.iter().map(|h| h.abs()).sum())
        .collect();
    let u = numbers(31, DATA * LATENTS, -4.0, 1.0);
    let prior = numbers(32, DATA * LATENTS, -4.0, 1.0);
    let belief = |u: &[f64]| PoissonPosterior::new(place.tensor(u, [DATA, LATENTS]));
    for [leak, step_size] in WEIGHTS {
        let rule = scene.rule(&place, &decoder, StepForm::Certified, [leak, step_size]);
        let q = belief(&u);
        let after = rule.descend(&scene.images(&place), &q, &belief(&prior), &q.mean());
        let after = read(after.potential());
        let eta = step_size.min(1.0 / leak.max(1.0));
        let moved = |i: usize| {
            let inhibited = bound[i % LATENTS] * (after[i].exp() - u[i].exp());
            (after[i] - u[i]) / eta + inhibited
        };
        let ours: Vec<f64> = (0..u.len()).map(moved).collect();
        let gradients = scene.gradients(&u, &prior, leak);
        let expected: Vec<f64> = gradients.iter().map(|g| -g).collect();
        let off = deviation(&ours, &expected);
        assert!(off < ROUNDING, "β_in {leak}, η {step_size}: {off:e}");
    }
}

/// F is strictly convex in the rates where the prior pulls: its only stationary point is the minimum.
#[test]
fn arrives_at_the_minimum() {
    /// A geometric descent, the slowest image at ×32, after so many steps.
    const STEPS: usize = 3_000;
    const CONVERGED: f64 = 1e-9;
    let (place, scene) = (Place::reference(), Scene::drawn(5));
    let decoder = scene.decoder(&place);
    let rule = scene.rule(&place, &decoder, StepForm::Certified, [1.0, 1.0]);
    let x = scene.images(&place);
    let prior = rule.rest.repeated(DATA);
    let mut belief = prior.clone();
    for _ in 0..STEPS {
        belief = rule.descend(&x, &belief, &prior, &belief.mean());
    }
    let (u, prior) = (read(belief.potential()), read(prior.potential()));
    let left = scene.gradients(&u, &prior, 1.0);
    let start = scene.gradients(&prior, &prior, 1.0);
    let size = |g: &[f64]| g.iter().fold(0.0f64, |m, g| m.max(g.abs()));
    assert!(size(&left) < CONVERGED * size(&start), "{:e}", size(&left));
}

/// One sample in place of the rates is no descent: shares of the steps after which F is higher, for the table in
/// docs/family.md. `cargo test --release --features ndarray,wgpu --test science -- --nocapture spikes_may_raise`
#[test]
fn spikes_may_raise_it() {
    const STEPS: usize = 160;
    let mut all = Vec::new();
    for (form, step_size) in [
        (StepForm::Certified, 1.0),
        (StepForm::Certified, 0.3),
        (StepForm::Certified, 0.1),
        (StepForm::Proximal, 1.0),
        (StepForm::Proximal, 0.1),
        (StepForm::Explicit, 0.1),
    ] {
        let found = rises(7, form, Drive::Spikes, [1.0, step_size], STEPS);
        let of = |count: &usize| *count as f64 / (STEPS * IMAGES) as f64;
        let of: Vec<f64> = found.counts.iter().map(of).collect();
        println!(
            "{form:?}, η {step_size}: {of:.3?}, at most by {:.1e} of F",
            found.largest
        );
        all.push(found);
    }
    assert!(all[0].total() > 0, "a count is not its mean");
    assert!(
        all[2].total() < all[0].total(),
        "shorter steps raise F less often"
    );
    assert!(
        all[0].largest < all[3].largest,
        "the proximal step raises F by more"
    );
}
