//! What a program of its own needs, in one line: `use highwater_core::prelude::*;`.

#[cfg(feature = "os")]
pub use crate::os;
pub use crate::{
    BatchTime, DStream, Error, Interval, Options, Rdd, Result, State, StateSpec, StreamingContext, Text,
    Word,
    env::Env,
    sink::{Batch, Sink},
};
