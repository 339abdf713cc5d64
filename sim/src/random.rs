//! Numbers that need not repeat, which in a simulation do: from the run's own stream.

use crate::world::Seat;
use highwater_core::env::Random;

/// The source of randomness of one life of a node.
pub struct SimRandom {
    seat: Seat,
}

impl SimRandom {
    pub(crate) fn new(seat: Seat) -> Self {
        Self { seat }
    }
}

impl Random for SimRandom {
    fn next_u64(&self) -> u64 {
        self.seat.entropy()
    }
}
