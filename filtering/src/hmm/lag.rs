//! The newest kernels, for smoothing a fixed number of steps back.

use serde::{Deserialize, Serialize};

use super::products::product;

/// A ring of kernels `[K, K]`: the newest replaces the oldest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Lag {
    /// K².
    size: usize,
    /// The most kernels that are kept.
    most: usize,
    /// How many are kept.
    kept: usize,
    /// The slot of the next kernel.
    next: usize,
    /// `[kept · K²]`; in older files `[most · K²]`, with zeros where none is.
    kernels: Vec<f64>,
}

impl Lag {
    pub fn new(k: usize, most: usize) -> Self {
        Self {
            size: k * k,
            most,
            kept: 0,
            next: 0,
            kernels: room(most, k * k),
        }
    }

    /// Whether this can be the ring of a filter of K states.
    pub fn is_valid(&self, k: usize) -> bool {
        self.size == k * k
            && self.kept <= self.most
            && self
                .most
                .checked_mul(self.size)
                .is_none_or(|most| self.kernels.len() <= most)
            && self
                .kept
                .checked_mul(self.size)
                .is_some_and(|kept| self.kernels.len() >= kept)
            && (self.kept == self.most || self.next == self.kept)
            && (self.next < self.most || self.next == 0)
            && self.kernels.iter().all(|b| (0.0..=1.0 + 1e-6).contains(b))
    }

    /// How many kernels are kept.
    pub fn len(&self) -> usize {
        self.kept
    }

    /// Lets `fill` write the newest kernel; nothing where none is kept.
    pub fn push(&mut self, fill: impl FnOnce(&mut [f64])) {
        if self.most == 0 {
            return;
        }
        let end = (self.next + 1) * self.size;
        if self.kernels.len() < end {
            self.kernels.resize(end, 0.0);
        }
        fill(&mut self.kernels[self.next * self.size..(self.next + 1) * self.size]);
        self.next = (self.next + 1) % self.most;
        self.kept = (self.kept + 1).min(self.most);
    }

    /// The kernels from the newest to the oldest.
    pub fn newest(&self) -> impl Iterator<Item = &[f64]> {
        (1..=self.kept).map(|age| {
            // Not modulo: the sum of a place and a huge lag is no number.
            let place = match self.next >= age {
                true => self.next - age,
                false => self.next + (self.most - age),
            };
            &self.kernels[place * self.size..(place + 1) * self.size]
        })
    }
}

/// Memory for `most` kernels of `size` numbers, if the machine has as much; otherwise it is allocated as kernels
/// come, and a lag that is never reached costs nothing.
fn room(most: usize, size: usize) -> Vec<f64> {
    let mut kernels = Vec::new();
    if let Some(all) = most.checked_mul(size) {
        let _ = kernels.try_reserve_exact(all);
    }
    kernels
}

/// The states for which a row can be worked on without asking for memory.
const ON_STACK: usize = 64;

/// v M_1 M_2 … for v `[K]` and matrices `[K, K]`, into `[K]`.
pub(super) fn through<'a>(v: &[f64], matrices: impl Iterator<Item = &'a [f64]>, into: &mut [f64]) {
    let (mut stack, mut heap) = ([0.0; ON_STACK], Vec::new());
    let row = match stack.get_mut(..v.len()) {
        Some(row) => row,
        None => {
            heap.resize(v.len(), 0.0);
            &mut heap[..]
        }
    };
    into.copy_from_slice(v);
    for matrix in matrices {
        row.copy_from_slice(into);
        product(row, matrix, into);
    }
}
