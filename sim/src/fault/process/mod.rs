//! What can happen to the driver's process.

mod crash;
mod crash_loop;
mod failing_job;
mod other_program;
mod pause;
mod power_loss;
mod slow_batch;
mod slow_start;
mod stop;
mod takeover;

pub use crash::Crash;
pub use crash_loop::CrashLoop;
pub use failing_job::FailingJob;
pub use other_program::OtherProgram;
pub use pause::Pause;
pub use power_loss::{Kept, KeptFile, PowerLoss};
pub use slow_batch::SlowBatch;
pub use slow_start::SlowStart;
pub use stop::Stop;
pub use takeover::Takeover;
