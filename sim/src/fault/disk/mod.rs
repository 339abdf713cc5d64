//! What can happen at the disk.

mod bit_rot;
mod disk_full;
mod failed_sync;
mod io_error;
mod lost_write;
mod lying_disk;
mod misdirected_write;
mod short_write;
mod slow_disk;
mod stale_read;

pub use bit_rot::BitRot;
pub use disk_full::DiskFull;
pub use failed_sync::{FailedSync, FileSystem};
pub use io_error::IoError;
pub use lost_write::LostWrite;
pub use lying_disk::LyingDisk;
pub use misdirected_write::MisdirectedWrite;
pub use short_write::ShortWrite;
pub use slow_disk::SlowDisk;
pub use stale_read::StaleRead;
