//! E_q[−ln p(x|z)] in closed form against averages over samples, and over all states where they can be counted.

use scotopic::inference::{Expectation, Generative};
use scotopic::noise::{Noise, NoiseKey};
use scotopic::posterior::{ActivationKind, KlForm, Posterior, Sampling};
use scotopic_models::{DecoderNet, MlpDecoder};

use super::{ALL, Kind};
use crate::devices::Place;
use crate::dressing::{dressed, undress};
use crate::numbers::{deviation, moments, read};
use crate::sampler::STANDARD_ERRORS;
use crate::toy::{self, LATENTS, PIXELS, Parameters};

const DRAWS: usize = 1 << 15;

/// Sums of a few dozen products in f64.
const ROUNDING: f64 = 1e-12;

/// Whether E_q over a linear decoder has a closed form here.
fn is_closed(kind: Kind) -> bool {
    kind == Kind::Gaussian(ActivationKind::None) || !matches!(kind, Kind::Gaussian(_))
}

#[test]
fn is_the_average_over_samples() {
    let place = Place::reference();
    let model = Parameters::drawn(8).model(&place);
    let generative = Generative::new(&model.decoder, KlForm::Exact, Expectation::Exact);
    let x = toy::images(&place, 801, 1, PIXELS);
    for (i, kind) in ALL.into_iter().enumerate() {
        if !is_closed(kind) || kind.is_point() {
            continue;
        }
        let parts = kind.drawn(802, LATENTS, 1.2);
        let one = kind.belief(&place, &parts, [1, LATENTS]);
        let exact = read(generative.expected(&x, &one).expect("a closed form"))[0];

        let repeated: Vec<Vec<f64>> = parts.iter().map(|part| part.repeat(DRAWS)).collect();
        let many = kind.belief(&place, &repeated, [DRAWS, LATENTS]);
        let key = NoiseKey::new(803).stream(i as u32);
        let z = many.sample(Sampling::EXACT, Noise::Keyed(key));
        let drawn = generative.decoder_likelihood(&x, z);
        let (mean, variance) = moments(&drawn);
        let error = (variance / DRAWS as f64).sqrt();
        let off = (mean - exact).abs() / error;
        println!("{kind:?}: {exact} and {mean} ± {error}");
        assert!(
            off < STANDARD_ERRORS,
            "{kind:?}: {exact}, drawn {mean} ± {error}"
        );
        // The value at the mean is not the mean of the values: what the spread adds must be felt.
        let at_mean = generative.decoder_likelihood(&x, one.mean())[0];
        assert!(
            (exact - at_mean) > STANDARD_ERRORS * error,
            "{kind:?}: at the mean {at_mean}"
        );
    }
}

/// −ln p(x|z) of every row.
trait Likelihood {
    fn decoder_likelihood(
        &self,
        x: &burn::tensor::Tensor<2>,
        z: burn::tensor::Tensor<2>,
    ) -> Vec<f64>;
}

impl Likelihood for Generative<'_, DecoderNet> {
    fn decoder_likelihood(
        &self,
        x: &burn::tensor::Tensor<2>,
        z: burn::tensor::Tensor<2>,
    ) -> Vec<f64> {
        use scotopic::decoder::Decoder;
        read(
            self.noise
                .negative_log_likelihood(x.clone(), self.decoder.decode(z)),
        )
    }
}

#[test]
fn of_one_of_many_is_a_sum_over_all_of_them() {
    let place = Place::reference();
    let model = Parameters::drawn(8).model(&place);
    let generative = Generative::new(&model.decoder, KlForm::Exact, Expectation::Exact);
    let x = toy::images(&place, 801, 1, PIXELS);
    let parts = Kind::Categorical.drawn(804, LATENTS, 2.0);
    let q = Kind::Categorical.belief(&place, &parts, [1, LATENTS]);
    let exact = read(generative.expected(&x, &q).expect("a closed form"));
    let total: f64 = parts[0].iter().map(|l| l.exp()).sum();
    let term = |k: usize| {
        let mut on = [0.0; LATENTS];
        on[k] = 1.0;
        let value = generative.decoder_likelihood(&x, place.tensor(&on, [1, LATENTS]))[0];
        parts[0][k].exp() / total * value
    };
    let sum: f64 = (0..LATENTS).map(term).sum();
    assert!(deviation(&exact, &[sum]) < ROUNDING, "{exact:?} and {sum}");
}

#[test]
fn of_a_point_is_its_value() {
    let place = Place::reference();
    let model = Parameters::drawn(8).model(&place);
    let generative = Generative::new(&model.decoder, KlForm::Exact, Expectation::Exact);
    let x = toy::images(&place, 801, 2, PIXELS);
    for kind in ALL.into_iter().filter(|kind| kind.is_point()) {
        let q = kind.belief(&place, &kind.drawn(805, 2 * LATENTS, 2.0), [2, LATENTS]);
        let exact = read(generative.expected(&x, &q).expect("a closed form"));
        let value = generative.decoder_likelihood(&x, q.mean());
        assert!(deviation(&exact, &value) < ROUNDING, "{kind:?}");
    }
}

/// Where there is no closed form the sample is scored, whatever was asked for.
#[test]
fn without_a_closed_form_the_sample_is_scored() {
    let place = Place::reference();
    let linear = Parameters::drawn(8).model(&place);
    let mlp = MlpDecoder::init(
        LATENTS,
        &[6],
        PIXELS,
        ActivationKind::Tanh,
        &place.device,
        1,
    );
    let values = undress(&mlp);
    let mlp = DecoderNet::Mlp(dressed(mlp, &values, &place));
    let x = toy::images(&place, 801, 2, PIXELS);
    for kind in ALL {
        for decoder in [&linear.decoder, &mlp] {
            let [sampled, exact] = [Expectation::Sample, Expectation::Exact].map(|expectation| {
                let generative = Generative::new(decoder, KlForm::Exact, expectation);
                let q = kind.belief(&place, &kind.drawn(806, 2 * LATENTS, 1.5), [2, LATENTS]);
                let z = place.tensor(&toy::numbers(808, 2 * LATENTS, 0.0, 2.0), [2, LATENTS]);
                read(generative.score(&x, &q, &q, z).free_energy.reconstruction)
            });
            let closed = is_closed(kind) && matches!(decoder, DecoderNet::Linear(_));
            assert_eq!(sampled != exact, closed, "{kind:?}");
        }
    }
}
