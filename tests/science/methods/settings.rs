//! Settings that make no sense are named, and sizes are what they are said to be.

use burn::module::Module;
use scotopic::Error;
use scotopic::posterior::{ActivationKind, Sampling};
use scotopic_models::{
    DecoderKind, EncoderKind, Family, ImageDims, LeakConfig, Learned, Method, NetworkConfig,
    NoiseConfig, RuleConfig,
};

use super::subjects;
use crate::devices::Place;

#[test]
fn the_number_of_parameters_is_that_of_the_model() {
    let device = Place::processor().device;
    let mut all = subjects();
    // Colour, larger pictures, more layers, no hidden activation: where a formula could go wrong.
    let larger = all.clone().into_iter().map(|mut subject| {
        subject.config.picture = ImageDims {
            channels: 3,
            height: 8,
            width: 16,
        };
        subject.config.decoder.hidden = vec![5, 9];
        subject.config.decoder.channels = vec![4, 3, 2];
        subject.config.encoder.hidden = vec![7, 5];
        if subject.method != Method::IterativeAmortized {
            subject.config.encoder.kind = EncoderKind::Conv;
        }
        subject
    });
    let larger: Vec<_> = larger.collect();
    let linear = all.clone().into_iter().map(|mut subject| {
        subject.config.encoder.kind = EncoderKind::Linear;
        subject.config.decoder.noise = NoiseConfig::Fixed(0.5);
        subject
    });
    let linear: Vec<_> = linear.collect();
    all.extend(larger);
    all.extend(linear);
    for subject in all {
        let model = subject.config.init(subject.method, &device, 0);
        let model = model.unwrap_or_else(|e| panic!("{}: {e}", subject.name));
        let stated = subject.config.parameters(subject.method);
        assert_eq!(stated, model.num_params(), "{}", subject.name);
    }
}

/// The error names the setting, shows the value and says what would be accepted.
fn names(result: scotopic::Result<()>, key: &str, value: &str, rule: &str) {
    let Err(error) = result else {
        panic!("{key} = {value} was accepted");
    };
    let text = error.to_string();
    assert!(
        matches!(error, Error::Setting { key: found, .. } if found == key),
        "{text}"
    );
    for part in [key, value, rule] {
        assert!(text.contains(part), "{text}: nothing of {part}");
    }
}

#[test]
fn networks() {
    type Edit = fn(&mut NetworkConfig);
    const HALF: &str = "NaN";
    let iterative: [(Edit, &str, &str, &str); 17] = [
        (|c| c.latents = 0, "model.latents", "0", "between 1 and"),
        (
            |c| c.latents = 1 << 21,
            "model.latents",
            "2097152",
            "between 1 and",
        ),
        (
            |c| c.resting_low = 3.0,
            "model.resting_low",
            "3",
            "at most model.resting_high",
        ),
        (
            |c| c.resting_low = f64::NAN,
            "model.resting_low",
            HALF,
            "finite",
        ),
        (
            |c| c.log_homeostasis = 21.0,
            "model.log_homeostasis",
            "21",
            "between -20 and 20",
        ),
        (
            |c| c.log_step = f64::NAN,
            "model.log_step",
            HALF,
            "between -20 and 20",
        ),
        (
            |c| c.threshold = -0.5,
            "model.threshold",
            "-0.5",
            "at least 0",
        ),
        (
            |c| c.activation = ActivationKind::Relu,
            "model.activation",
            "relu",
            "gaussian",
        ),
        (
            |c| c.family = Family::Point,
            "model.family",
            "point",
            "descent",
        ),
        (
            |c| c.decoder.init_std = 0.0,
            "model.decoder.init_std",
            "0",
            "above 0",
        ),
        (
            |c| c.decoder.noise = NoiseConfig::Fixed(40.0),
            "model.decoder.noise",
            "40",
            "between 0.032 and 31",
        ),
        (
            |c| c.decoder.noise = NoiseConfig::Fixed(f64::NAN),
            "model.decoder.noise",
            HALF,
            "learned",
        ),
        (
            |c| {
                c.decoder.kind = DecoderKind::Mlp;
                c.decoder.unit_norm = true;
            },
            "model.decoder.unit_norm",
            "true",
            "linear",
        ),
        (
            |c| {
                c.decoder.kind = DecoderKind::Mlp;
                c.decoder.hidden = vec![];
            },
            "model.decoder.hidden",
            "[]",
            "1 to 16 sizes",
        ),
        (
            |c| {
                c.decoder.kind = DecoderKind::Mlp;
                c.decoder.hidden = vec![4, 0];
            },
            "model.decoder.hidden",
            "[4, 0]",
            "between 1 and 65536",
        ),
        (
            |c| {
                c.decoder.kind = DecoderKind::Conv;
                c.decoder.channels = vec![1; 9];
            },
            "model.decoder.channels",
            "[1, 1",
            "1 to 8",
        ),
        (
            |c| {
                c.decoder.kind = DecoderKind::Conv;
                c.decoder.channels = vec![];
            },
            "model.decoder.channels",
            "[]",
            "1 to 8",
        ),
    ];
    for (edit, key, value, rule) in iterative {
        let mut config = NetworkConfig::default();
        edit(&mut config);
        names(config.validate(Method::NaturalGradient), key, value, rule);
    }
    let good = NetworkConfig::default();
    assert_eq!(good.validate(Method::NaturalGradient), Ok(()));
    assert_eq!(good.decoder.noise, NoiseConfig::Learned(Learned::Learned));
    names(
        good.validate(Method::Descent),
        "model.family",
        "poisson",
        "belong together",
    );

    let encoder: [(Edit, Method, &str, &str, &str); 3] = [
        (
            |c| c.encoder.hidden = vec![0],
            Method::Amortized,
            "model.encoder.hidden",
            "[0]",
            "sizes",
        ),
        (
            |c| {
                c.encoder.kind = EncoderKind::Conv;
                c.encoder.channels = vec![];
            },
            Method::SemiAmortized,
            "model.encoder.channels",
            "[]",
            "channels",
        ),
        (
            |c| c.encoder.kind = EncoderKind::Conv,
            Method::IterativeAmortized,
            "model.encoder.kind",
            "conv",
            "mlp",
        ),
    ];
    for (edit, method, key, value, rule) in encoder {
        let mut config = NetworkConfig::default();
        edit(&mut config);
        names(config.validate(method), key, value, rule);
        // A method without an encoder does not look at it.
        assert_eq!(config.validate(Method::NaturalGradient), Ok(()));
    }
}

#[test]
fn networks_that_do_not_fit_the_picture() {
    let device = Place::processor().device;
    let picture = |height, width| ImageDims {
        channels: 1,
        height,
        width,
    };
    let init = |config: &NetworkConfig, method| config.init(method, &device, 0).map(|_| ());
    let mut config = NetworkConfig {
        latents: 4,
        picture: picture(6, 8),
        ..NetworkConfig::default()
    };
    config.decoder.kind = DecoderKind::Conv;
    config.decoder.channels = vec![2, 2];
    names(
        init(&config, Method::NaturalGradient),
        "pictures of the data",
        "6 × 8",
        "divisible by 2",
    );
    config.decoder.channels = vec![2];
    assert_eq!(init(&config, Method::NaturalGradient), Ok(()));
    config.encoder.kind = EncoderKind::Conv;
    names(
        init(&config, Method::Amortized),
        "pictures of the data",
        "6 × 8",
        "divisible by 2",
    );
    config.picture = picture(0, 8);
    names(
        init(&config, Method::NaturalGradient),
        "pixels of the data",
        "0",
        "between 1 and",
    );
}

#[test]
fn rules() {
    type Edit = fn(&mut RuleConfig);
    let cases: [(Edit, &str, &str, &str); 8] = [
        (|c| c.steps = 0, "inference.steps", "0", "between 1 and"),
        (
            |c| c.inner_steps = 0,
            "inference.inner_steps",
            "0",
            "between 1 and 254",
        ),
        (
            |c| c.inner_steps = 255,
            "inference.inner_steps",
            "255",
            "between 1 and 254",
        ),
        (
            |c| c.leak = LeakConfig::Beta(-1.0),
            "inference.leak",
            "-1",
            "at least 0",
        ),
        (
            |c| c.rate_floor = f64::NAN,
            "inference.rate_floor",
            "NaN",
            "at least 0",
        ),
        (
            |c| c.step_ceiling = 0.0,
            "inference.step_ceiling",
            "0",
            "above 0",
        ),
        (
            |c| c.scale_ceiling = -2.0,
            "inference.scale_ceiling",
            "-2",
            "above 0",
        ),
        (
            |c| c.initial_ceiling = f64::INFINITY,
            "inference.initial_ceiling",
            "",
            "above 0",
        ),
    ];
    for (edit, key, value, rule) in cases {
        let mut config = RuleConfig::default();
        edit(&mut config);
        names(config.validate(), key, value, rule);
    }
    assert_eq!(RuleConfig::default().validate(), Ok(()));
    for temperature in [-1.0, f64::NAN, f64::INFINITY] {
        let rule = RuleConfig::default().at(1.0, Sampling::relaxed(temperature));
        names(
            rule.validate(),
            "schedule.temperature",
            &temperature.to_string(),
            "at least 0",
        );
    }
}
