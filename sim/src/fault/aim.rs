//! Where a drawn fault is aimed: within the bounds of the run without faults, and with an eye to what the rest of the plan does, so
//! that most of the drawn triggers are reached.

use super::{Bounds, DiskOperation, FaultKind, Moment, Place, Step, Trigger};
use crate::{rng::Draws, world::Life};
use rand_chacha::ChaCha8Rng;

/// What a drawing of a fault knows.
pub(crate) struct Aim<'a> {
    pub bounds: &'a Bounds,
    /// How many lives the driver has by the faults drawn so far.
    pub lives: u64,
    /// How many connections it makes by them.
    pub connections: u64,
}

impl Aim<'_> {
    /// Whether all of these kinds may be drawn.
    pub fn may(&self, kinds: &[FaultKind]) -> bool {
        kinds.iter().all(|kind| self.bounds.kinds.contains(kind))
    }

    /// A life, the first and the last more often.
    pub fn life(&self, rng: &mut ChaCha8Rng) -> Life {
        let life = match rng.below(3) {
            0 => 1,
            1 => self.lives,
            _ => rng.between(1..=self.lives.max(1)),
        };
        Life(u32::try_from(life.max(1)).unwrap_or(1))
    }

    /// A point of time of the run without faults, in milliseconds.
    pub fn time_ms(&self, rng: &mut ChaCha8Rng) -> u64 {
        rng.between(0..=self.bounds.horizon_ms)
    }

    pub fn horizon_ms(&self) -> u64 {
        self.bounds.horizon_ms.max(2)
    }

    /// A disk operation of a kind that is wanted.
    pub fn disk(&self, rng: &mut ChaCha8Rng, wanted: impl Fn(DiskOperation) -> bool) -> Trigger {
        let (life, moment) = (self.life(rng), *rng.pick(&Moment::ALL));
        let steps: Vec<&(Step, Vec<u64>)> =
            self.bounds.steps.iter().filter(|(step, _)| wanted(step.operation)).collect();
        if steps.is_empty() || rng.one_in(5) {
            let number = rng.magnitude(1..=(self.bounds.disk_operations / self.lives.max(1)).max(40));
            return Trigger::DiskOperation { life, number, moment };
        }
        let (step, made) = rng.pick(&steps);
        // A life's share of what the one life without faults made, and always more than none.
        let share = (made.len() as u64 / self.lives.max(1)).max(1);
        let nth = rng.magnitude(1..=share);
        Trigger::Step { life, operation: step.operation, place: step.place, nth, moment }
    }

    /// A disk operation or a point of time.
    pub fn disk_or_time(&self, rng: &mut ChaCha8Rng, wanted: impl Fn(DiskOperation) -> bool) -> Trigger {
        match rng.one_in(3) {
            true => Trigger::Time { at_ms: self.time_ms(rng) },
            false => self.disk(rng, wanted),
        }
    }

    /// An operation of the disk or the network, or a point of time.
    pub fn operation_or_time(&self, rng: &mut ChaCha8Rng) -> Trigger {
        match rng.below(4) {
            0 => {
                let number = rng.magnitude(1..=(self.bounds.network_operations / self.lives.max(1)).max(8));
                Trigger::NetworkOperation { life: self.life(rng), number, moment: *rng.pick(&Moment::ALL) }
            }
            1 => Trigger::Time { at_ms: self.time_ms(rng) },
            _ => self.disk(rng, |_| true),
        }
    }

    /// The start of a life, or a point of time.
    pub fn start_or_time(&self, rng: &mut ChaCha8Rng) -> Trigger {
        match rng.one_in(2) {
            true => Trigger::Start { life: Life(self.life(rng).0.max(2)) },
            false => Trigger::Time { at_ms: self.time_ms(rng) },
        }
    }

    /// A place of the checkpoint directory that holds data.
    pub fn place(&self, rng: &mut ChaCha8Rng) -> Place {
        *rng.pick(&[
            Place::Checkpoint,
            Place::State,
            Place::Journal,
            Place::Journal,
            Place::Marks,
            Place::Generation,
        ])
    }

    /// The number of a connection.
    pub fn connection(&self, rng: &mut ChaCha8Rng) -> u32 {
        u32::try_from(rng.between(1..=self.connections.max(1))).unwrap_or(1)
    }

    /// The number of a connection that is not the first, the second more often: the last may never be made.
    pub fn later_connection(&self, rng: &mut ChaCha8Rng) -> u32 {
        if rng.one_in(2) {
            return 2;
        }
        u32::try_from(rng.between(2..=self.connections.max(2))).unwrap_or(2)
    }

    /// The number of an attempt to connect.
    pub fn attempt(&self, rng: &mut ChaCha8Rng) -> u64 {
        u64::from(self.connection(rng))
    }

    /// The same for what ends a connection: mostly the one after those that the faults drawn before end, so that such faults come
    /// one after the other. Of the crashes among them many come elsewhere.
    pub fn byte_of_an_end(&self, rng: &mut ChaCha8Rng) -> (u32, u64) {
        let (connection, after_bytes) = self.byte(rng);
        let next = match rng.below(4) {
            0 => return (connection, after_bytes),
            1 => self.connections.max(1),
            _ => self.connections.saturating_sub(self.lives) + 1,
        };
        (u32::try_from(next).unwrap_or(1), after_bytes)
    }

    /// A point of time while the source has lines to send, in milliseconds.
    pub fn time_of_a_line_ms(&self, rng: &mut ChaCha8Rng) -> u64 {
        rng.between(0..=self.bounds.last_line_ms)
    }

    /// A connection, and a byte on it.
    pub fn byte(&self, rng: &mut ChaCha8Rng) -> (u32, u64) {
        let connection = self.connection(rng);
        let share = self.bounds.source_bytes / self.connections.max(1);
        (connection, rng.magnitude(0..=share))
    }
}
