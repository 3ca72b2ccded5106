//! One client: a thread that reads its commands, and one that writes what waits in its queue.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use tungstenite::error::CapacityError;
use tungstenite::protocol::frame::coding::CloseCode;
use tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tungstenite::{Error, Message, WebSocket};

use super::commands::{MOST, Received};
use super::outbox::{Next, Outbox};

/// How long a client may take in nothing at all.
const PATIENCE: Duration = Duration::from_secs(10);

/// The side of a connection that reads; what the protocol answers by itself goes through the queue, so that it never falls
/// into the middle of a message.
struct Reading {
    stream: TcpStream,
    outbox: Arc<Outbox>,
}

impl Read for Reading {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.stream.read(into)
    }
}

impl Write for Reading {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.outbox.raw(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn config() -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(16 << 10)
        .write_buffer_size(0)
        .max_message_size(Some(MOST))
        .max_frame_size(Some(MOST))
}

/// Serves a client to its end; `take` gets what it sends.
///
/// # Errors
/// If the connection cannot be used.
pub fn serve(
    stream: TcpStream,
    early: Vec<u8>,
    outbox: &Arc<Outbox>,
    mut take: impl FnMut(Received),
) -> io::Result<()> {
    stream.set_read_timeout(None)?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.set_nodelay(true)?;
    let (reading, writing) = (stream.try_clone()?, stream.try_clone()?);
    let queue = Arc::clone(outbox);
    let writer = std::thread::spawn(move || write(writing, &queue));
    let reading = Reading {
        stream: reading,
        outbox: Arc::clone(outbox),
    };
    let mut socket = WebSocket::from_partially_read(reading, early, Role::Server, Some(config()));
    loop {
        match socket.read() {
            Ok(Message::Text(text)) => take(Received::of_text(&text)),
            Ok(Message::Binary(bytes)) => take(Received::of_bytes(&bytes)),
            Ok(_) => {}
            Err(error) => {
                if let Some(frame) = reason(&error) {
                    // A closed connection has nobody to tell.
                    let _ = socket.close(Some(frame));
                    let _ = socket.flush();
                }
                break;
            }
        }
    }
    outbox.close();
    let _ = writer.join();
    let _ = stream.shutdown(Shutdown::Both);
    Ok(())
}

/// What a client is told that broke the rules.
fn reason(error: &Error) -> Option<CloseFrame> {
    let (code, reason) = match error {
        Error::Capacity(CapacityError::MessageTooLong { .. }) => {
            (CloseCode::Size, format!("a message may have {MOST} bytes"))
        }
        Error::Utf8(_) => (CloseCode::Invalid, "text must be UTF-8".to_owned()),
        Error::Protocol(_) => (CloseCode::Protocol, "not the WebSocket protocol".to_owned()),
        _ => return None,
    };
    let reason = reason.into();
    Some(CloseFrame { code, reason })
}

/// Writes what waits until the queue ends or the client takes in nothing.
fn write(mut stream: TcpStream, outbox: &Outbox) {
    let Ok(clone) = stream.try_clone() else {
        return outbox.close();
    };
    let mut socket = WebSocket::from_raw_socket(clone, Role::Server, Some(config()));
    loop {
        let written = match outbox.next() {
            Next::Message(message) => socket.send(message),
            Next::Raw(bytes) => stream.write_all(&bytes).map_err(Error::Io),
            Next::End => break,
        };
        if written.is_err() {
            break;
        }
    }
    outbox.close();
    // A second close frame, after an answer to the client's, is one that it does not read.
    let _ = socket.close(Some(CloseFrame {
        code: CloseCode::Away,
        reason: "closed by scotopic live".into(),
    }));
    // The thread that reads ends as well.
    let _ = stream.shutdown(Shutdown::Both);
}
