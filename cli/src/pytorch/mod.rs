//! Checkpoints of PyTorch (1.6 and later), read without PyTorch; every declared size is validated.
//!
//! ```text
//! NAME.pt            a zip file
//! NAME/data.pkl      dictionaries, and tensors as views of storages           [`pickle`]
//! NAME/data/0 …      the storages                                             [`archive`]
//! NAME/byteorder     "little"
//! ```
//!
//! The pickle is a program for a stack machine that, in Python, may call anything. Here it calls nothing: what it
//! constructs is recorded in an arena, tensors and dictionaries are understood and the rest is opaque. Every length
//! is compared with what is there before memory is reserved.
//!
//! Source: `torch/serialization.py`, `torch/_utils.py`; PEP 307 and PEP 3154 for the opcodes.

mod archive;
mod dictionary;
mod pickle;
pub mod published;
mod view;

pub use archive::Archive;
pub use dictionary::Dictionary;
pub use view::View;
