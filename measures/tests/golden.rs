//! The measures of the published trainer of the iterative Poisson VAE, number by number.
//!
//! The recording `metrics.f32.safetensors` lies below `$SCOTOPIC_REFERENCE/ipvae/golden`; without that
//! variable below the reference folder next to this workspace, or else the fixtures that come with it.

use std::path::{Path, PathBuf};

use safetensors::{Dtype, SafeTensors};
use scotopic_measures::reconstruction_score::ReconstructionScore;
use scotopic_measures::sparsity::Sparsity;
use scotopic_measures::{Rows, sparsity};

/// The recording was computed in f32: sums of up to 50 numbers.
const F32: f64 = 2e-6;

fn recording() -> Vec<u8> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let reference = match std::env::var_os("SCOTOPIC_REFERENCE") {
        // A relative path is one from the workspace.
        Some(path) => root.join(path),
        None => {
            let beside = root.join("../shared/reference");
            if beside.join("ipvae/golden").is_dir() {
                beside
            } else {
                root.join("tests/fixtures")
            }
        }
    };
    let path: PathBuf = reference.join("ipvae/golden/metrics.f32.safetensors");
    std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn numbers(file: &SafeTensors<'_>, name: &str) -> (Vec<usize>, Vec<f64>) {
    let tensor = file.tensor(name).unwrap();
    let values = match tensor.dtype() {
        Dtype::F32 => {
            let words = tensor.data().as_chunks::<4>().0.iter();
            words.map(|&w| f64::from(f32::from_le_bytes(w))).collect()
        }
        Dtype::F64 => {
            let words = tensor.data().as_chunks::<8>().0.iter();
            words.map(|&w| f64::from_le_bytes(w)).collect()
        }
        other => panic!("{name} is {other:?}"),
    };
    (tensor.shape().to_vec(), values)
}

fn floats(values: &[f64]) -> Vec<f32> {
    values.iter().map(|&v| v as f32).collect()
}

fn assert_close(found: &[f64], expected: &[f64], tolerance: f64, what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (i, (a, b)) in found.iter().zip(expected).enumerate() {
        assert!(
            (a - b).abs() <= tolerance * b.abs().max(1.0),
            "{what}[{i}]: {a} is not {b}"
        );
    }
}

#[test]
fn sparsity_is_that_of_the_published_code() {
    let bytes = recording();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let (shape, z) = numbers(&file, "z"); // [samples, time, units]
    let [samples, times, units] = shape[..] else {
        panic!("z is {shape:?}")
    };
    let expected = |name| numbers(&file, name).1;
    let (lifetime, population) = (
        expected("lifetime_per_time_neuron"),
        expected("population_per_sample_time"),
    );
    for t in 0..times {
        let at = |n: usize| &z[(n * times + t) * units..][..units];
        let counts: Vec<f64> = (0..samples).flat_map(at).copied().collect();
        let counts = floats(&counts);
        let counts = Rows::new("z", &counts, [samples, units]).unwrap();
        let found = Sparsity::of(counts).unwrap();
        assert_close(
            &found.lifetime,
            &lifetime[t * units..][..units],
            F32,
            "lifetime",
        );
        let of_time: Vec<f64> = (0..samples).map(|n| population[n * times + t]).collect();
        assert_close(&found.population, &of_time, F32, "population");
        let means = [found.lifetime_mean(), found.population_mean()];
        let published = [
            expected("lifetime_per_time")[t],
            expected("population_per_time")[t],
        ];
        assert_close(&means, &published, F32, "means");
        let zeros = expected("fraction_zeros_per_time")[t];
        assert!((sparsity::fraction_zeros(counts) - zeros).abs() < 1e-15);
    }
}

#[test]
fn reconstruction_is_that_of_the_published_code() {
    let bytes = recording();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let (shape, x) = numbers(&file, "x");
    let (x, y) = (floats(&x), floats(&numbers(&file, "recon").1));
    let shape = [shape[0], shape[1]];
    let images = Rows::new("x", &x, shape).unwrap();
    let fit = ReconstructionScore::of(images, Rows::new("recon", &y, shape).unwrap()).unwrap();
    assert_close(&fit.r2(), &numbers(&file, "r2_per_image").1, F32, "R²");
    // The published "mse" is the sum over the pixels.
    assert_close(
        &fit.squared_error,
        &numbers(&file, "mse_per_image").1,
        F32,
        "SSE",
    );
}
