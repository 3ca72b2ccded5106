//! Errors of learned parameters, up to permutation of the states.

use super::{Hmm, Learnable};

impl<E: Learnable> Hmm<E> {
    /// Mean |A − A*| and mean |θ − θ*| to a true model, with the states in the order that fits best and
    /// [`Learnable::state_parameters`] for θ; `None` for models of other sizes.
    pub fn parameter_error(&self, truth: &Self) -> Option<(f64, f64)> {
        if self.states() != truth.states() {
            return None;
        }
        let found = self.relabelled(&matching(self, truth)?).ok()?;
        let mean = |a: &[f64], b: &[f64]| {
            (a.len() == b.len())
                .then(|| a.iter().zip(b).map(|(a, b)| (a - b).abs()).sum::<f64>() / a.len() as f64)
        };
        let transition = mean(found.transition(), truth.transition())?;
        let (a, b) = (
            found.emission().state_parameters(),
            truth.emission().state_parameters(),
        );
        Some((transition, mean(&a, &b)?))
    }
}

/// For each true state the most similar learned state, greedily: the closest pair first.
fn matching<E: Learnable>(found: &Hmm<E>, truth: &Hmm<E>) -> Option<Vec<usize>> {
    let k = truth.states();
    let (a, b) = (
        found.emission().state_parameters(),
        truth.emission().state_parameters(),
    );
    if a.len() != b.len() || k == 0 {
        return None;
    }
    let width = a.len() / k;
    let distance = |i: usize, j: usize| -> f64 {
        let (x, y) = (
            &a[i * width..(i + 1) * width],
            &b[j * width..(j + 1) * width],
        );
        x.iter().zip(y).map(|(x, y)| (x - y).abs()).sum()
    };
    let mut pairs: Vec<(f64, usize, usize)> = (0..k)
        .flat_map(|i| (0..k).map(move |j| (i, j)))
        .map(|(i, j)| (distance(i, j), i, j))
        .collect();
    pairs.sort_by(|p, q| p.0.total_cmp(&q.0));
    let (mut order, mut used) = (vec![usize::MAX; k], vec![false; k]);
    for (_, i, j) in pairs {
        if order[j] == usize::MAX && !used[i] {
            order[j] = i;
            used[i] = true;
        }
    }
    Some(order)
}
