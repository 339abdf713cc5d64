//! Highwater's engine.
mod error;
pub mod codec;
pub mod env;
pub mod event;
pub mod ids;
#[cfg(feature = "os")]
pub mod os;
pub use error::{Error, GraphError, Result};
