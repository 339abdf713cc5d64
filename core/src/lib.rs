//! Highwater's engine: micro-batches with Spark Streaming's semantics, and a recovery that can be proved.
//!
//! From the outside in:
//!
//! - [`StreamingContext`] is a program: sources make [`DStream`]s, operators turn them into others, outputs use them.
//!   [`StreamingContext::get_or_create`] starts it for the first time or recovers it.
//! - `driver` puts the parts together and waits for whichever ends first.
//! - [`source`] receives records and forms blocks; [`journal`] makes a block durable before its source is told.
//! - `batch` fixes at each tick which blocks are in the batch, computes it through the `dstream` graph, has the [`sink`]s
//!   emit it, and records that it is complete.
//! - [`checkpoint`] publishes what a later driver must know; `recovery` reads it back.
//! - [`inspect`](mod@inspect) tells what a checkpoint directory holds, without touching it.
//! - [`env`](mod@env) is all that any of these know of the world; `os` is the real one.
//! - [`event`] is what happens, for whoever wants to know.
//!
//! What a crash may leave behind, and why nothing is lost by it, is told in the headers of [`journal`], [`checkpoint`] and
//! `recovery`.

mod batch;
pub mod checkpoint;
pub mod codec;
mod context;
mod driver;
mod dstream;
pub mod env;
mod error;
pub mod event;
mod flag;
pub mod ids;
pub mod inspect;
pub mod journal;
mod listeners;
mod options;
#[cfg(feature = "os")]
pub mod os;
pub mod prelude;
mod recovery;
pub mod sink;
pub mod source;
pub mod state;
mod text;
mod window;

pub use context::{Stopper, StreamingContext};
pub use dstream::{
    DStream, Data, Key, MapWithState, OperatorDescription, OperatorKind, Rdd, Remembered, SliceError, State,
    StateSpec, Stored,
};
pub use error::{Error, GraphError, Result};
pub use ids::{BatchTime, Interval};
pub use options::Options;
pub use text::{Text, TextBlock, Word, Words};
