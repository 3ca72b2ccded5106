//! First guesses of a normal emission, and observations drawn from it.

use rand::Rng;

use super::FullGaussian;
use crate::Result;
use crate::hmm::clusters::{Clusters, drawn_rows};
use crate::hmm::emission_rows::normal;
use crate::hmm::{Guess, Sample};

impl FullGaussian {
    /// μ_s + C_s z, for z in `into` `[D]`: C⁻¹ e = z, solved from the first row down.
    fn coloured(&self, state: usize, into: &mut [f64]) {
        let d = self.width;
        let whitening = &self.whitening[state * d * d..(state + 1) * d * d];
        for (i, row) in whitening.chunks_exact(d).enumerate() {
            let inner: f64 = row[..i].iter().zip(into.iter()).map(|(c, e)| c * e).sum();
            into[i] = (into[i] - inner) / row[i];
        }
        let mean = &self.means[state * d..(state + 1) * d];
        into.iter_mut().zip(mean).for_each(|(y, m)| *y += m);
    }
}

impl Guess for FullGaussian {
    fn guess<R: Rng + ?Sized>(states: usize, rows: &[&[f64]], rng: &mut R) -> Result<Self> {
        let clusters = Clusters::new(states, rows, rng);
        let d = clusters.width;
        let mut covariances = vec![0.0; states * d * d];
        for (at, v) in clusters.variances.iter().enumerate() {
            covariances[(at / d) * d * d + (at % d) * (d + 1)] = *v;
        }
        Self::from_flat(states, clusters.means, covariances)
    }

    fn scattered<R: Rng + ?Sized>(states: usize, rows: &[&[f64]], rng: &mut R) -> Result<Self> {
        let variances = Clusters::new(1, rows, rng).variances.repeat(states);
        let d = rows[0].len();
        let mut covariances = vec![0.0; states * d * d];
        for (at, v) in variances.iter().enumerate() {
            covariances[(at / d) * d * d + (at % d) * (d + 1)] = *v;
        }
        Self::from_flat(states, drawn_rows(states, rows, rng), covariances)
    }
}

impl Sample for FullGaussian {
    fn sample<R: Rng + ?Sized>(&self, state: usize, rng: &mut R, into: &mut [f64]) {
        into.iter_mut().for_each(|z| *z = normal(rng));
        self.coloured(state, into);
    }
}
