//! Checkpoints: what a driver must know to go on, published once a batch; and the snapshots of state that they name.
//!
//! The directory:
//!
//! | path | what |
//! |---|---|
//! | `lock` | held by the live driver |
//! | `generation/GENERATION` | a claim: created by the driver of that generation, and by no other |
//! | `checkpoint/SEQUENCE-GENERATION` | a metadata checkpoint |
//! | `state/SEQUENCE-GENERATION` | a snapshot of all state, the data checkpoint, under the name of the checkpoint after which it was begun |
//! | `journal/..` | see [`crate::journal`] |
//!
//! Files are immutable once published. A name that ends in `.tmp` was never published. Names carry no wall time.

mod directory;
mod fence;
mod metadata;
mod outline;
mod retention;
mod snapshot;
mod store;

pub(crate) use directory::{CheckpointDirectory, Claim};
pub use metadata::{Checkpoint, SnapshotReference, SourceProgress};
pub(crate) use outline::{SnapshotOutline, outline_snapshot};
pub(crate) use retention::{Retained, Retention};
pub(crate) use snapshot::{Frozen, read_snapshot, restore, write_snapshot};
pub(crate) use store::{
    TEMPORARY, checkpoints_in, file_name, list_checkpoints, publish, read_checkpoint, remove,
    remove_temporaries,
};
