//! What can happen on the network, and at the source behind it.

mod close;
mod far_ahead;
mod half_open;
mod hang;
mod late_data;
mod latency;
mod partition;
mod refuse;
mod repeat;
mod reset;
mod small_buffer;
mod stall;
mod trickle;

pub use close::Close;
pub use far_ahead::FarAhead;
pub use half_open::HalfOpen;
pub use hang::Hang;
pub use late_data::LateData;
pub use latency::Latency;
pub use partition::{Direction, Partition};
pub use refuse::Refuse;
pub use repeat::Repeat;
pub use reset::Reset;
pub use small_buffer::SmallBuffer;
pub use stall::Stall;
pub use trickle::Trickle;
