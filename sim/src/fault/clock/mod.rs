//! What can happen to the clocks.

mod drift;
mod late_ticks;
mod wall_step;

pub use drift::Drift;
pub use late_ticks::LateTicks;
pub use wall_step::WallStep;
