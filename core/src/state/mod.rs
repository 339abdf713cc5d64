//! Keyed data: the stable hash, key groups, the table that brings a batch's equal keys together, and the one that keeps state.
//!
//! Keys live in [`KEY_GROUPS`] groups, fixed for ever, by a hash whose seed is drawn at the first start and kept in the
//! checkpoint. What order keyed results have follows from this alone: by key group, inside a group by first appearance.

mod hash;
mod slots;
mod table;

pub use hash::{KEY_GROUPS, KeyGroup, KeyHasher};
#[cfg(test)]
pub(crate) use slots::looks;
pub(crate) use slots::{Run, Slots};
pub(crate) use table::{Entry, Table};
