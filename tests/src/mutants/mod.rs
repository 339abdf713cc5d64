//! Planted bugs: what the testbed is worth, measured.
//!
//! Each file of `tests/mutants/` is a small patch of the engine that repeats a mistake which people have made, under a header that was
//! written before its first run. [`patch`] reads them and applies them; [`workshop`] builds a copy of the repository with one
//! of them; [`hunt`] sweeps it until a judge objects; [`baseline`] is what came of it the last time, and committed; [`listing`] is that
//! for readers.
//!
//! The command is `cargo run --release -p highwater-tests --bin mutants`.

pub mod baseline;
pub mod hunt;
pub mod listing;
pub mod patch;
pub mod workshop;

use std::path::PathBuf;

/// The root of this repository, as it was when this was built.
pub fn repository() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Where the patches and the baseline are.
pub fn directory() -> PathBuf {
    repository().join("tests/mutants")
}
