//! What waits to be sent to one client: bounded, so that a client that reads slowly costs itself frames and nobody else
//! anything.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use tungstenite::Message;

/// The most frames that wait; older ones are dropped.
const FRAMES: usize = 4;
/// The most bytes of messages that must arrive; a client that leaves more waiting is sent away.
const SURE: usize = 64 << 20;
/// The most bytes of answers to pings.
const RAW: usize = 64 << 10;

/// A queue with one reader, the thread that writes to the client.
#[derive(Debug, Default)]
pub struct Outbox {
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Waiting {
    sure: VecDeque<Message>,
    sure_bytes: usize,
    frames: VecDeque<Message>,
    raw: Vec<u8>,
    closed: bool,
}

/// The next thing to write.
#[derive(Debug, PartialEq)]
pub enum Next {
    /// A message.
    Message(Message),
    /// Whole frames, as they are.
    Raw(Vec<u8>),
    /// Nothing ever again.
    End,
}

impl Outbox {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a message that must arrive, before all frames.
    pub fn sure(&self, message: Message) {
        let mut waiting = self.lock();
        waiting.sure_bytes += message.len();
        waiting.sure.push_back(message);
        if waiting.sure_bytes > SURE {
            waiting.closed = true;
        }
        drop(waiting);
        self.changed.notify_one();
    }

    /// Adds a frame, in place of the oldest one where too many wait.
    pub fn frame(&self, message: Message) {
        let mut waiting = self.lock();
        if waiting.frames.len() >= FRAMES {
            waiting.frames.pop_front();
        }
        waiting.frames.push_back(message);
        drop(waiting);
        self.changed.notify_one();
    }

    /// Adds bytes of whole frames.
    pub fn raw(&self, bytes: &[u8]) {
        let mut waiting = self.lock();
        waiting.raw.extend_from_slice(bytes);
        if waiting.raw.len() > RAW {
            waiting.closed = true;
        }
        drop(waiting);
        self.changed.notify_one();
    }

    /// Nothing more is written.
    pub fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    /// Whether it is closed.
    pub fn is_closed(&self) -> bool {
        self.lock().closed
    }

    /// Waits for the next thing to write.
    pub fn next(&self) -> Next {
        let mut waiting = self.lock();
        loop {
            if !waiting.raw.is_empty() {
                return Next::Raw(std::mem::take(&mut waiting.raw));
            }
            if waiting.closed {
                return Next::End;
            }
            if let Some(message) = waiting.sure.pop_front() {
                waiting.sure_bytes -= message.len();
                return Next::Message(message);
            }
            if let Some(message) = waiting.frames.pop_front() {
                return Next::Message(message);
            }
            waiting = self
                .changed
                .wait(waiting)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(next: Next) -> String {
        match next {
            Next::Message(message) => message.to_text().unwrap().to_owned(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn frames_are_dropped_and_messages_are_not() {
        let outbox = Outbox::default();
        for frame in 0..10 {
            outbox.frame(Message::text(format!("frame {frame}")));
            outbox.sure(Message::text(format!("message {frame}")));
        }
        for message in 0..10 {
            assert_eq!(text(outbox.next()), format!("message {message}"));
        }
        for frame in 6..10 {
            assert_eq!(text(outbox.next()), format!("frame {frame}"));
        }
        outbox.close();
        assert_eq!(outbox.next(), Next::End);
    }

    #[test]
    fn one_who_never_reads_is_sent_away() {
        let outbox = Outbox::default();
        for _ in 0..65 {
            assert!(!outbox.is_closed());
            outbox.sure(Message::binary(vec![0; 1 << 20]));
        }
        assert!(outbox.is_closed());
        assert_eq!(outbox.next(), Next::End);
    }
}
