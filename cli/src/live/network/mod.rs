//! The network tab: a spiking network that looks at a picture, step after step.
//!
//! | concept | file |
//! |---|---|
//! | what may be asked of it | this one; its thread: `worker.rs` |
//! | checkpoints that can be picked | `catalogue.rs` |
//! | the picture that it looks at | `scene.rs` |
//! | the network as it was trained, and what is measured at a step | `model.rs` |
//! | messages with numbers | `frame.rs` |

use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};

use super::commands::NetworkCommand;
use super::hub::Hub;
use super::outbox::Outbox;
use crate::signals::Stop;

mod catalogue;
mod frame;
mod model;
mod scene;
mod worker;

pub use catalogue::Catalogue;

/// The most commands that wait; who sends more waits.
const WAITING: usize = 16;

/// A command, or a client that has come.
#[derive(Debug)]
enum Asked {
    Command(NetworkCommand),
    Joined(Arc<Outbox>),
}

/// Where commands for the network are left.
#[derive(Debug, Clone)]
pub struct NetworkDesk {
    asked: SyncSender<Asked>,
}

impl NetworkDesk {
    /// Starts the thread of the network, with the first checkpoint of the catalogue.
    pub fn open(catalogue: Catalogue, hub: Arc<Hub>, stop: Stop) -> Self {
        let (asked, given) = sync_channel(WAITING);
        std::thread::spawn(move || worker::Worker::new(catalogue, hub, stop).run(&given));
        Self { asked }
    }

    /// Leaves a command; waits while many do.
    pub fn send(&self, command: NetworkCommand) {
        // After the thread has ended nobody is there to be told.
        let _ = self.asked.send(Asked::Command(command));
    }

    /// A client that wants to know all.
    pub fn join(&self, outbox: Arc<Outbox>) {
        let _ = self.asked.send(Asked::Joined(outbox));
    }
}
