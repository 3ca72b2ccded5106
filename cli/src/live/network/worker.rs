//! The thread of the network: takes commands, steps, and tells all clients.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use scotopic::spiking::Stream;
use scotopic_datasets::rng::CounterRng;
use serde_json::json;
use tungstenite::Message;

use super::Asked;
use super::catalogue::Catalogue;
use super::frame::{self, Gathered, STEPS, frame};
use super::model::{LiveModel, Reconstructed};
use super::scene::{Dials, Scene};
use crate::live::commands::NetworkCommand;
use crate::live::hub::{Hub, trouble};
use crate::live::outbox::Outbox;
use crate::signals::Stop;
use crate::usage::with_causes;

/// Between two frames.
const FRAME: Duration = Duration::from_millis(33);
/// Between two looks whether somebody asks, at rest.
const REST: Duration = Duration::from_millis(100);
/// Steps a second at first, and the bounds of the slider.
const RATE: f32 = 60.0;
const RATES: std::ops::RangeInclusive<f32> = 1.0..=1000.0;

/// The most neurons, whose numbers have 16 bits in a frame, and the most numbers of a dictionary that is sent.
const NEURONS: usize = 1 << 16;
const NUMBERS: usize = 1 << 23;

/// The network and its scene, the controls and who watches.
pub struct Worker {
    catalogue: Catalogue,
    hub: Arc<Hub>,
    stop: Stop,
    dials: Dials,
    rate: f32,
    running: bool,
    /// The checkpoint that is shown, or is to be.
    shown: Option<String>,
    /// Counts models, so that frames of an earlier one are told apart.
    serial: u32,
}

/// A model at work.
struct Looking<'m> {
    model: &'m LiveModel,
    scene: Scene,
    stream: Stream,
    gathered: Gathered,
    x: Vec<f32>,
    seen: Reconstructed,
    /// Of pixel noise.
    noise: CounterRng,
    /// Seeds of streams and noise: one after each reset.
    seed: u64,
}

impl Worker {
    /// Nothing loaded yet.
    pub fn new(catalogue: Catalogue, hub: Arc<Hub>, stop: Stop) -> Self {
        Self {
            shown: catalogue.ids().into_iter().next(),
            catalogue,
            hub,
            stop,
            dials: Dials::default(),
            rate: RATE,
            running: true,
            serial: 0,
        }
    }

    /// Works until a signal comes.
    pub fn run(mut self, asked: &Receiver<Asked>) {
        let mut current: Option<(LiveModel, Scene)> = None;
        let mut wanted = self.shown.clone();
        while !self.stop.is_asked() {
            if let Some(id) = wanted.take() {
                match self.load(&id) {
                    Ok(loaded) => {
                        current = Some(loaded);
                        self.shown = Some(id);
                        self.serial += 1;
                    }
                    // What was there goes on.
                    Err(error) => self.hub.sure(&trouble("network", &with_causes(&error))),
                }
            }
            let Some((model, scene)) = current.take() else {
                wanted = self.idle(asked);
                continue;
            };
            // The stream borrows the model, so it lives in there.
            let (next, scene) = self.look(&model, scene, asked);
            wanted = next;
            current = Some((model, scene));
        }
    }

    fn load(&self, id: &str) -> Result<(LiveModel, Scene)> {
        let Some(path) = self.catalogue.path(id) else {
            bail!("{id} is no checkpoint of the list: look for them again");
        };
        let (model, scene) = LiveModel::open(path)?;
        let (latents, pixels) = (model.engine.latents(), model.engine.pixels());
        ensure!(
            latents <= NEURONS && latents * pixels <= NUMBERS,
            "{id} has {latents} neurons for {pixels} pixels, and the page shows at most {NEURONS} neurons and {NUMBERS} \
             numbers of a dictionary: `scotopic show` draws it"
        );
        Ok((model, scene))
    }

    /// Without a model: waits for one to be picked.
    fn idle(&mut self, asked: &Receiver<Asked>) -> Option<String> {
        match asked.recv_timeout(REST) {
            Ok(Asked::Joined(outbox)) => self.welcome(&outbox, None),
            Ok(Asked::Command(NetworkCommand::Load { id })) => return Some(id),
            Ok(Asked::Command(NetworkCommand::List)) => {
                self.catalogue.look();
                self.hub.sure(&self.state(None));
            }
            Ok(Asked::Command(_)) => self.hub.sure(&trouble(
                "network",
                "no network is loaded: pick a checkpoint, or make one with `scotopic train`",
            )),
            Err(_) => {}
        }
        None
    }

    /// With a model, until another is picked or a signal comes.
    fn look(
        &mut self,
        model: &LiveModel,
        scene: Scene,
        asked: &Receiver<Asked>,
    ) -> (Option<String>, Scene) {
        let seed = u64::from(self.serial) << 32;
        let mut looking = Looking {
            model,
            scene,
            stream: model.stream(seed),
            gathered: Gathered::default(),
            x: Vec::new(),
            seen: Reconstructed::default(),
            noise: CounterRng::new(seed, &[]),
            seed,
        };
        self.hub.sure(&self.state(Some(&looking)));
        self.hub
            .sure(&Message::binary(frame::atoms(self.serial, model)));
        let (mut told, mut due) = (Instant::now(), Instant::now());
        while !self.stop.is_asked() {
            let moving = self.running && self.hub.count() > 0;
            let wait = match moving {
                true => due.saturating_duration_since(Instant::now()),
                false => REST,
            };
            let mut next = asked.recv_timeout(wait);
            loop {
                match next {
                    Ok(Asked::Joined(outbox)) => self.welcome(&outbox, Some(&looking)),
                    Ok(Asked::Command(command)) => match self.obey(command, &mut looking) {
                        Ok(ControlFlow::Continue(())) => {}
                        Ok(ControlFlow::Break(id)) => return (Some(id), looking.scene),
                        Err(error) => self.hub.sure(&trouble("network", &with_causes(&error))),
                    },
                    Err(RecvTimeoutError::Disconnected) => return (None, looking.scene),
                    Err(RecvTimeoutError::Timeout) => break,
                }
                next = asked.try_recv().map_err(|_| RecvTimeoutError::Timeout);
            }
            let now = Instant::now();
            if !moving {
                due = now;
                continue;
            }
            if now >= due {
                // What is late is left out: a slow machine steps as fast as it can.
                due = (due + Duration::from_secs_f32(1.0 / self.rate)).max(now - FRAME);
                if let Err(error) = looking.step(self.dials) {
                    self.running = false;
                    self.hub.sure(&trouble("network", &with_causes(&error)));
                    self.hub.sure(&self.state(Some(&looking)));
                }
            }
            if told.elapsed() >= FRAME || looking.gathered.steps() >= STEPS {
                told = Instant::now();
                self.tell(&mut looking);
            }
        }
        (None, looking.scene)
    }

    fn obey(
        &mut self,
        command: NetworkCommand,
        looking: &mut Looking<'_>,
    ) -> Result<ControlFlow<String>> {
        let within = |value: f32, range: std::ops::RangeInclusive<f32>, what: &str| {
            let known = range.contains(&value);
            ensure!(
                known,
                "{what} is {value}, expected {} to {}",
                range.start(),
                range.end()
            );
            Ok(value)
        };
        match command {
            NetworkCommand::Contrast { value } => {
                self.dials.contrast = within(value, 0.0..=4.0, "contrast")?
            }
            NetworkCommand::Noise { value } => {
                self.dials.noise = within(value, 0.0..=4.0, "noise")?
            }
            NetworkCommand::Occlusion { value } => {
                self.dials.occlusion = within(value, 0.0..=1.0, "occlusion")?
            }
            NetworkCommand::Rate { value } => {
                self.rate = within(value, RATES, "steps in a second")?
            }
            NetworkCommand::Freeze => self.running = false,
            NetworkCommand::Go => self.running = true,
            NetworkCommand::Step => {
                self.running = false;
                looking.step(self.dials)?;
                self.tell(looking);
            }
            NetworkCommand::Reset => {
                looking.reset();
                self.tell(looking);
            }
            NetworkCommand::Load { id } => return Ok(ControlFlow::Break(id)),
            NetworkCommand::List => self.catalogue.look(),
            NetworkCommand::Picture(pixels) => {
                // One that was drawn for the model before is out of date.
                if pixels.serial == self.serial {
                    looking.scene.show(&pixels)?;
                }
                return Ok(ControlFlow::Continue(()));
            }
        }
        self.hub.sure(&self.state(Some(looking)));
        Ok(ControlFlow::Continue(()))
    }

    fn tell(&self, looking: &mut Looking<'_>) {
        if let Some(frame) = self.frame(looking, &looking.gathered) {
            self.hub.frame(&frame);
        }
        looking.gathered.clear();
    }

    /// How things stand; none before the first step.
    fn frame(&self, looking: &Looking<'_>, gathered: &Gathered) -> Option<Message> {
        let at = (self.serial, looking.stream.time() as u32);
        let (x, potential) = (&looking.x, looking.stream.potential());
        let seen = !x.is_empty();
        seen.then(|| Message::binary(frame(at, gathered, x, &looking.seen, potential)))
    }

    fn welcome(&self, outbox: &Outbox, looking: Option<&Looking<'_>>) {
        outbox.sure(self.state(looking));
        let Some(looking) = looking else { return };
        outbox.sure(Message::binary(frame::atoms(self.serial, looking.model)));
        if let Some(frame) = self.frame(looking, &Gathered::default()) {
            outbox.frame(frame);
        }
    }

    fn state(&self, looking: Option<&Looking<'_>>) -> Message {
        let model = looking.map(|looking| {
            let shape = looking.model.shape;
            json!({
                "title": looking.model.title, "channels": shape.channels, "height": shape.height, "width": shape.width,
                "latents": looking.model.engine.latents(), "whitened": looking.scene.is_whitened(),
            })
        });
        let state = json!({
            "kind": "network", "serial": self.serial, "running": self.running, "rate": self.rate,
            "contrast": self.dials.contrast, "noise": self.dials.noise, "occlusion": self.dials.occlusion,
            "shown": self.shown, "checkpoints": self.catalogue.ids(), "model": model,
        });
        Message::text(state.to_string())
    }
}

impl Looking<'_> {
    fn step(&mut self, dials: Dials) -> Result<()> {
        let noise = &mut self.noise;
        self.scene
            .input(dials, || noise.normal() as f32, &mut self.x);
        // Copied, for the potential is read while they are counted; a step has few.
        let spikes = self
            .stream
            .step(&self.x)
            .context("the network could not look at the picture")?
            .to_vec();
        let potentials = (self.stream.prior(), self.stream.potential());
        let measured = self
            .model
            .measure(&self.x, &spikes, potentials, &mut self.seen);
        self.gathered.note(&measured, &spikes);
        Ok(())
    }

    /// Back to rest, with other noise.
    fn reset(&mut self) {
        self.seed += 1;
        self.stream = self.model.stream(self.seed);
        self.gathered.clear();
    }
}
