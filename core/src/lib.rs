//! Highwater's engine.
mod error;
pub mod codec;
pub mod env;
pub mod event;
pub mod ids;
pub use error::{Error, GraphError, Result};
