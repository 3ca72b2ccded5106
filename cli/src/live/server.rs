//! The server: takes connections until a signal comes.

use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context, Result};
use tungstenite::Message;
use tungstenite::handshake::derive_accept_key;

use super::access::{Access, Refusal};
use super::commands::Received;
use super::hub::{Hub, trouble};
use super::outbox::Outbox;
use super::request::{Request, answer};
use super::series::SeriesDesk;
use super::{assets, client};
use crate::signals::Stop;

/// The most clients at once; each has a page open.
const CLIENTS: usize = 16;
/// The most connections at once, clients among them.
const CONNECTIONS: usize = 64;
/// Between two looks at the listener.
const PAUSE: Duration = Duration::from_millis(10);
/// What clients have time for to be told that it ends.
const FAREWELL: Duration = Duration::from_millis(100);

/// Where what clients send is worked on.
#[derive(Debug, Clone)]
pub struct Desks {
    /// The network tab, in builds that have it.
    #[cfg(feature = "vision")]
    pub network: super::NetworkDesk,
    /// The filter tab.
    pub filter: SeriesDesk,
}

impl Desks {
    fn take(&self, received: Received, outbox: &Outbox) {
        match received {
            Received::Filter(command) => self.filter.send(command),
            #[cfg(feature = "vision")]
            Received::Network(command) => self.network.send(command),
            #[cfg(not(feature = "vision"))]
            Received::Network(_) => outbox.sure(trouble("network", "this build has no networks")),
            Received::Unknown(what) => outbox.sure(trouble("page", &what)),
        }
    }

    fn welcome(&self, outbox: &Arc<Outbox>) {
        let tabs: &[&str] = match cfg!(feature = "vision") {
            true => &["network", "filter"],
            false => &["filter"],
        };
        let version = env!("CARGO_PKG_VERSION");
        let hello = serde_json::json!({"kind": "hello", "tabs": tabs, "version": version});
        outbox.sure(Message::text(hello.to_string()));
        #[cfg(feature = "vision")]
        self.network.join(Arc::clone(outbox));
        self.filter.join(Arc::clone(outbox));
    }
}

/// The page, its files and its WebSocket, at one address.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    access: Access,
    hub: Arc<Hub>,
    desks: Desks,
    connections: AtomicUsize,
}

impl Server {
    /// A server for connections of `listener` that `access` lets in.
    pub fn new(listener: TcpListener, access: Access, hub: Arc<Hub>, desks: Desks) -> Self {
        let connections = AtomicUsize::new(0);
        let shared = Shared {
            access,
            hub,
            desks,
            connections,
        };
        Self {
            listener,
            shared: Arc::new(shared),
        }
    }

    /// Serves until a signal comes.
    ///
    /// # Errors
    /// If the system gives no connections.
    pub fn run(&self, stop: &Stop) -> Result<()> {
        let failed = "could not take connections";
        self.listener.set_nonblocking(true).context(failed)?;
        while !stop.is_asked() {
            match self.listener.accept() {
                Ok((stream, _)) => self.connect(stream),
                Err(error) if error.kind() == ErrorKind::WouldBlock => std::thread::sleep(PAUSE),
                // One that went away again, or too many files for now.
                Err(_) => std::thread::sleep(PAUSE),
            }
        }
        self.shared.hub.close();
        std::thread::sleep(FAREWELL);
        Ok(())
    }

    fn connect(&self, stream: TcpStream) {
        let shared = Arc::clone(&self.shared);
        if shared.connections.fetch_add(1, Ordering::Relaxed) >= CONNECTIONS {
            shared.connections.fetch_sub(1, Ordering::Relaxed);
            return;
        }
        std::thread::spawn(move || {
            // What goes wrong with one connection ends it, and nothing else.
            let _ = shared.serve(stream);
            shared.connections.fetch_sub(1, Ordering::Relaxed);
        });
    }
}

impl Shared {
    fn serve(&self, mut stream: TcpStream) -> io::Result<()> {
        stream.set_nonblocking(false)?;
        stream.set_write_timeout(Some(Duration::from_secs(10)))?;
        let (request, early) = match Request::read(&mut stream) {
            Ok(read) => read,
            Err(error) if error.kind() == ErrorKind::InvalidData => {
                return refuse(
                    &mut stream,
                    "400 Bad Request",
                    "not a request that a page makes\n",
                );
            }
            Err(error) => return Err(error),
        };
        let refused =
            |stream: &mut TcpStream, why: Refusal| refuse(stream, why.status(), why.text());
        let path = match self.access.path(&request) {
            Ok(path) => path,
            Err(why) => return refused(&mut stream, why),
        };
        if request.method != "GET" {
            return refuse(&mut stream, "405 Method Not Allowed", "only GET\n");
        }
        if path == "/socket" {
            return match self.access.socket(&request) {
                Ok(()) => self.upgrade(stream, &request, early),
                Err(why) => refused(&mut stream, why),
            };
        }
        match assets::find(path) {
            Some((kind, text)) => answer(&mut stream, "200 OK", kind, text.as_bytes())?,
            None => return refuse(&mut stream, "404 Not Found", "no such file\n"),
        }
        finish(&mut stream)
    }

    fn upgrade(&self, mut stream: TcpStream, request: &Request, early: Vec<u8>) -> io::Result<()> {
        let asked = request.says("connection", "upgrade")
            && request.says("upgrade", "websocket")
            && request.header("sec-websocket-version") == Some("13");
        let (true, Some(key)) = (asked, request.header("sec-websocket-key")) else {
            return refuse(
                &mut stream,
                "400 Bad Request",
                "a WebSocket of version 13 is expected\n",
            );
        };
        let Some(outbox) = self.hub.join(CLIENTS) else {
            let full = format!("{CLIENTS} pages are open already: close one of them\n");
            return refuse(&mut stream, "503 Service Unavailable", &full);
        };
        let accepted = format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: {}\r\n\r\n",
            derive_accept_key(key.as_bytes())
        );
        let served = stream.write_all(accepted.as_bytes()).and_then(|()| {
            self.desks.welcome(&outbox);
            client::serve(stream, early, &outbox, |received| {
                self.desks.take(received, &outbox)
            })
        });
        self.hub.leave(&outbox);
        served
    }
}

fn refuse(stream: &mut TcpStream, status: &str, why: &str) -> io::Result<()> {
    answer(stream, status, "text/plain", why.as_bytes())?;
    finish(stream)
}

/// Ends a connection so that the answer arrives: bytes that were never read would reset it.
fn finish(stream: &mut TcpStream) -> io::Result<()> {
    stream.shutdown(Shutdown::Write)?;
    stream.set_read_timeout(Some(FAREWELL))?;
    let mut rest = [0; 4096];
    for _ in 0..16 {
        if stream.read(&mut rest)? == 0 {
            break;
        }
    }
    Ok(())
}
