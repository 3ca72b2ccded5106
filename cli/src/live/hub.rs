//! All clients.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tungstenite::Message;

use super::outbox::Outbox;

/// The clients that are there.
#[derive(Debug, Default)]
pub struct Hub {
    clients: Mutex<Vec<Arc<Outbox>>>,
    count: AtomicUsize,
}

impl Hub {
    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Outbox>>> {
        self.clients.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A new client, unless there are `most` already.
    pub fn join(&self, most: usize) -> Option<Arc<Outbox>> {
        let mut clients = self.lock();
        clients.retain(|client| !client.is_closed());
        if clients.len() >= most {
            return None;
        }
        let outbox = Arc::new(Outbox::default());
        clients.push(Arc::clone(&outbox));
        self.count.store(clients.len(), Ordering::Relaxed);
        Some(outbox)
    }

    /// Takes a client out.
    pub fn leave(&self, outbox: &Arc<Outbox>) {
        outbox.close();
        let mut clients = self.lock();
        clients.retain(|client| !Arc::ptr_eq(client, outbox));
        self.count.store(clients.len(), Ordering::Relaxed);
    }

    /// How many clients there are.
    pub fn count(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    /// Sends what must arrive to all.
    pub fn sure(&self, message: &Message) {
        self.lock()
            .iter()
            .for_each(|client| client.sure(message.clone()));
    }

    /// Sends a frame to all.
    pub fn frame(&self, message: &Message) {
        self.lock()
            .iter()
            .for_each(|client| client.frame(message.clone()));
    }

    /// Ends all connections.
    pub fn close(&self) {
        self.lock().iter().for_each(|client| client.close());
    }
}

/// Tells clients what went wrong.
pub fn trouble(about: &str, what: &str) -> Message {
    let message = serde_json::json!({"kind": "error", "about": about, "message": what});
    Message::text(message.to_string())
}
