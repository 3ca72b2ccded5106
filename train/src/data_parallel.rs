//! Data parallelism: every device has its rows of each batch; the gradients are summed on the first.
//!
//! ```text
//! parameters  ──fork──▶  every further device, one thread each
//! rows        forward and backward on their device, microbatch by microbatch
//! gradients   ──▶  summed on each device, then on the first, in the order of the devices
//! ```
//!
//! One optimiser step follows on the first device, so state and checkpoints are those of a run on it alone. Sums
//! have a fixed order: the same devices reproduce the same bits.

use std::ops::Range;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{JoinHandle, spawn};

use anyhow::{Context, Result, anyhow, ensure};
use burn::module::Module;
use burn::tensor::Device;
use scotopic_models::Network;

use crate::microbatch::{BpttWindow, Microbatch, PartialGradient, cut};

/// The devices of a run.
pub(crate) struct DataParallel {
    first: Device,
    others: Vec<Worker>,
    /// The rows of every microbatch, by device.
    shares: Vec<Vec<Range<usize>>>,
}

/// A batch, distributed over the devices.
pub(crate) struct Shards(Vec<Vec<Microbatch>>);

/// One window for the microbatches of one device.
struct Job {
    model: Network,
    parts: Vec<Microbatch>,
    window: BpttWindow,
}

type WorkerResult = Result<(PartialGradient, Vec<Microbatch>)>;

/// A device with its own thread, so that devices work concurrently. The thread lives as long as the
/// run, because a GPU keeps a stream and its memory for every thread that ever used it.
struct Worker {
    device: Device,
    /// `None` after the end of the run.
    jobs: Option<Sender<Job>>,
    answers: Receiver<WorkerResult>,
    thread: Option<JoinHandle<()>>,
}

impl DataParallel {
    /// Distributes `batch` rows, of which at most `batch / parts` are processed at a time on one device.
    ///
    /// # Errors
    /// If there are fewer rows than devices or microbatches.
    pub fn new(first: &Device, others: &[Device], batch: usize, parts: usize) -> Result<Self> {
        let devices = 1 + others.len();
        ensure!(
            devices <= batch,
            "there are {devices} devices to train on; train.batch_size = {batch} has fewer rows than devices"
        );
        ensure!(
            (1..=batch).contains(&parts),
            "train.micro_batches = {parts}: must be between 1 and train.batch_size = {batch}, a row for each"
        );
        let share = |rows: Range<usize>| {
            // Microbatches in proportion to the rows, rounded up: of two devices each has half as many.
            let of_it = (rows.len() * parts).div_ceil(batch);
            cut(rows, of_it).collect()
        };
        Ok(Self {
            first: first.clone(),
            others: others.iter().map(Worker::start).collect(),
            shares: cut(0..batch, devices).map(share).collect(),
        })
    }

    /// Copies the rows of a batch, `width` numbers each frame, to their devices.
    pub fn batch(&self, pixels: &[f32], width: usize) -> Shards {
        let rows = self.shares.iter().flatten().map(|rows| rows.end).max();
        let each = pixels.len() / rows.unwrap_or(1).max(1);
        let devices = [&self.first]
            .into_iter()
            .chain(self.others.iter().map(|o| &o.device));
        let on = |(device, shares): (&Device, &Vec<Range<usize>>)| {
            let part = |rows: &Range<usize>| {
                let theirs = pixels[rows.start * each..rows.end * each].to_vec();
                Microbatch::new(rows.clone(), theirs, width, device)
            };
            shares.iter().map(part).collect()
        };
        Shards(devices.zip(&self.shares).map(on).collect())
    }

    /// One window of the whole batch: the gradient of its objective and its means, on the first device.
    ///
    /// # Errors
    /// If the window holds no step or a device fails; the batch can then not be used again.
    pub fn learn(
        &self,
        model: &Network,
        batch: &mut Shards,
        window: &BpttWindow,
    ) -> Result<PartialGradient> {
        let (own, theirs) = batch.0.split_first_mut().context("there is no device")?;
        for (worker, parts) in self.others.iter().zip(theirs.iter_mut()) {
            worker.ask(Job {
                model: model.clone(),
                parts: std::mem::take(parts),
                window: window.clone(),
            })?;
        }
        let mut sum = learn_from(model, own, window)?;
        let home = self.first.clone().inner();
        for (worker, parts) in self.others.iter().zip(theirs) {
            let (learned, back) = worker.answer()?;
            *parts = back;
            sum = sum.plus(learned.onto(&home));
        }
        Ok(sum)
    }
}

/// All microbatches of one device, one after the other: only one graph is held at a time.
fn learn_from(
    model: &Network,
    parts: &mut [Microbatch],
    window: &BpttWindow,
) -> Result<PartialGradient> {
    let mut sum: Option<PartialGradient> = None;
    for part in parts {
        let learned = part.learn(model, window)?;
        sum = Some(match sum {
            None => learned,
            Some(sum) => sum.plus(learned),
        });
    }
    sum.context("a device has no rows")
}

impl Worker {
    fn start(device: &Device) -> Self {
        let (jobs, inbox) = channel::<Job>();
        let (outbox, answers) = channel();
        let own = device.clone();
        let thread = spawn(move || {
            for Job {
                model,
                mut parts,
                window,
            } in inbox
            {
                // Leaves of a graph of its own, with the values as they are now.
                let model = model.fork(&own);
                let answer = learn_from(&model, &mut parts, &window).map(|sum| (sum, parts));
                if outbox.send(answer).is_err() {
                    return; // the run is over
                }
            }
        });
        Self {
            device: device.clone(),
            jobs: Some(jobs),
            answers,
            thread: Some(thread),
        }
    }

    fn ask(&self, job: Job) -> Result<()> {
        let sent = self.jobs.as_ref().map(|jobs| jobs.send(job).is_ok());
        ensure!(sent == Some(true), self.gone());
        Ok(())
    }

    fn answer(&self) -> WorkerResult {
        self.answers.recv().map_err(|_| self.gone())?
    }

    /// The error for a thread that panicked; its message is on stderr.
    fn gone(&self) -> anyhow::Error {
        anyhow!(
            "the device {:?} failed; the reason is above",
            self.device.clone().inner()
        )
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join(); // a panic has been reported by `gone`
        }
    }
}

#[cfg(test)]
#[allow(clippy::single_range_in_vec_init)] // lists of ranges of rows, and some have one
mod tests {
    use scotopic::noise::NoiseKey;
    use scotopic::posterior::Sampling;
    use scotopic_models::{ImageDims, NetworkConfig};

    use super::*;
    use crate::config::{LearningGradient, RunConfig, resolve};

    const WIDTH: usize = 16;

    fn model(config: &RunConfig, device: &Device) -> Network {
        let sizes = NetworkConfig {
            picture: ImageDims::row(WIDTH),
            latents: 4,
            ..config.model.clone()
        };
        let method = config.inference.method;
        sizes.init(method, device, 0).unwrap().train()
    }

    fn window(config: &RunConfig, batch: usize) -> BpttWindow {
        BpttWindow {
            settling: 0..0,
            rule: config.rule().at(1.0, Sampling::relaxed(0.5)),
            times: 0..2,
            noise: NoiseKey::new(3),
            record: config.inference.method.learns_from(),
            beta: 1.0,
            gradient: LearningGradient::ThroughInference,
            scale: 1.0,
            batch,
        }
    }

    #[test]
    fn rows_are_shared_out_by_device_and_part() {
        let device = Device::flex().autodiff();
        let shares = |others: usize, batch, parts| {
            let others = vec![device.clone(); others];
            DataParallel::new(&device, &others, batch, parts).map(|crew| crew.shares.clone())
        };
        assert_eq!(shares(0, 10, 1).unwrap(), [vec![0..10]]);
        assert_eq!(shares(0, 10, 3).unwrap(), [vec![0..4, 4..7, 7..10]]);
        assert_eq!(shares(1, 9, 1).unwrap(), [vec![0..5], vec![5..9]]);
        let two_and_four = [vec![0..3, 3..5], vec![5..8, 8..10]];
        assert_eq!(shares(1, 10, 4).unwrap(), two_and_four);
        assert_eq!(
            shares(2, 3, 3).unwrap(),
            [vec![0..1], vec![1..2], vec![2..3]]
        );
        for (others, batch, parts) in [(2, 2, 1), (0, 5, 6), (0, 5, 0)] {
            let error = shares(others, batch, parts).unwrap_err().to_string();
            assert!(error.contains("train.batch_size = "), "{error}");
        }
    }

    /// A panic on one device is an error on the first, not a run that waits for ever.
    #[test]
    fn a_device_that_fails_is_an_error() {
        let config = resolve("smoke", None, &[]).unwrap();
        let device = Device::flex().autodiff();
        let worker = Worker::start(&device);
        let job = |width| Job {
            model: model(&config, &device),
            parts: vec![Microbatch::new(0..1, vec![0.5; width], width, &device)],
            window: window(&config, 1),
        };
        worker.ask(job(WIDTH)).unwrap();
        assert!(worker.answer().is_ok());
        worker.ask(job(WIDTH + 1)).unwrap(); // a shape that does not fit panics inside burn
        let error = worker.answer().unwrap_err().to_string();
        assert!(error.contains("failed; the reason is above"), "{error}");
    }

    #[test]
    fn a_window_without_steps_is_an_error() {
        let config = resolve("smoke", None, &[]).unwrap();
        let device = Device::flex().autodiff();
        let crew = DataParallel::new(&device, std::slice::from_ref(&device), 4, 2).unwrap();
        let mut batch = crew.batch(&[0.5; 4 * WIDTH], WIDTH);
        let window = BpttWindow {
            times: 0..0,
            ..window(&config, 4)
        };
        let error = crew.learn(&model(&config, &device), &mut batch, &window);
        assert!(error.unwrap_err().to_string().contains("inference.steps"));
    }

    /// A window after steps that nothing is learned from has the gradient of a second window, whose first was not learned from.
    #[test]
    fn beliefs_settle_before_what_is_learned_from() {
        let config = resolve("smoke", None, &[]).unwrap();
        let device = Device::flex().autodiff();
        let crew = DataParallel::new(&device, &[], 4, 2).unwrap();
        let model = model(&config, &device);
        let pixels: Vec<f32> = (0..4 * WIDTH).map(|i| (i as f32 * 0.7).sin()).collect();
        let early = window(&config, 4);
        let late = BpttWindow {
            times: 2..4,
            ..early.clone()
        };
        let after = BpttWindow {
            settling: 0..2,
            ..late.clone()
        };
        let mut batch = crew.batch(&pixels, WIDTH);
        let first = crew.learn(&model, &mut batch, &early).unwrap();
        let expected = crew.learn(&model, &mut batch, &late).unwrap();
        let found = crew
            .learn(&model, &mut crew.batch(&pixels, WIDTH), &after)
            .unwrap();
        let part = |learned: &PartialGradient, path: &str| -> Vec<f32> {
            let found = learned.gradients.get(path).unwrap().clone();
            found.try_into_vec_as().unwrap()
        };
        let atoms = "decoder.atoms";
        assert_ne!(
            part(&first, atoms),
            part(&expected, atoms),
            "no difference to see"
        );
        for path in [atoms, "decoder.log_sigma", "prior.rest.0"] {
            let (found, expected) = (part(&found, path), part(&expected, path));
            let size = expected.iter().fold(0.0f32, |most, g| most.max(g.abs()));
            for (found, expected) in found.iter().zip(expected) {
                // The fused window and the steps one by one round differently.
                let near = (found - expected).abs() <= 1e-4 * size;
                assert!(near, "{path}: {found} {expected}");
            }
        }
    }
}
