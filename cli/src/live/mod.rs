//! The live window: one page, served by the program, in which a network or a filter is seen at work.
//!
//! One thread infers, one filters; every client has two threads and a bounded queue, so that none of them can hold the
//! others up. All clients see the same network and the same filter, and each may move the controls.
//!
//! | concept | file |
//! |---|---|
//! | the server: connections, their number, its end | `server.rs` |
//! | a request, and answers without WebSocket | `request.rs` |
//! | who may ask: Host, Origin, token | `access.rs` |
//! | the files of the page | `assets.rs`, `page/` |
//! | one WebSocket client | `client.rs`; its queue: `outbox.rs` |
//! | all clients | `hub.rs` |
//! | what clients send | `commands.rs` |
//! | the network tab | `network/` |
//! | the filter tab | `series/` |

mod access;
mod assets;
mod client;
mod commands;
mod hub;
#[cfg(feature = "vision")]
mod network;
mod outbox;
mod request;
mod series;
mod server;

pub use access::{Access, new_token};
pub use hub::Hub;
#[cfg(feature = "vision")]
pub use network::{Catalogue, NetworkDesk};
pub use series::{Origin, SeriesDesk, SeriesStart};
pub use server::{Desks, Server};
