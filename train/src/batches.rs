//! The batches of training.

use anyhow::{Result, ensure};
use scotopic_datasets::{ImageSet, epoch_order};

use crate::config::RunConfig;

/// Batches in an order that is a function of seed and epoch; an incomplete last batch is left out.
pub(crate) struct Batches<'a> {
    set: &'a ImageSet,
    batch: usize,
    per_epoch: usize,
    seed: u64,
    order: Option<(usize, Vec<usize>)>,
}

impl<'a> Batches<'a> {
    pub(crate) fn new(set: &'a ImageSet, config: &RunConfig) -> Result<Self> {
        let batch = config.train.batch_size;
        let data = match set.frames() {
            1 => "images",
            _ => "films",
        };
        ensure!(
            batch <= set.films(),
            "train.batch_size = {batch}: the training set has only {} {data}",
            set.films()
        );
        let shown = config.steps_per_image();
        ensure!(
            set.frames() == 1 || shown <= set.frames(),
            "inference.steps × train.bptt_windows = {shown}: a step is a frame, and the training films have {} \
             (data.frames)",
            set.frames()
        );
        Ok(Self {
            set,
            batch,
            per_epoch: set.films() / batch,
            seed: config.seed,
            order: None,
        })
    }

    pub(crate) fn pixels(&self) -> usize {
        self.set.shape().pixels()
    }

    /// Epochs after `iterations`, with their fraction.
    pub(crate) fn epoch(&self, iterations: usize) -> f64 {
        iterations as f64 / self.per_epoch as f64
    }

    pub(crate) fn at(&mut self, iteration: usize) -> Vec<f32> {
        let (epoch, number) = (iteration / self.per_epoch, iteration % self.per_epoch);
        let order = match self.order.take() {
            Some((of, order)) if of == epoch => order,
            _ => epoch_order(self.set.films(), self.seed, epoch as u64),
        };
        let pixels = self
            .set
            .gather(&order[number * self.batch..(number + 1) * self.batch]);
        self.order = Some((epoch, order));
        pixels
    }
}
