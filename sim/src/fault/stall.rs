//! A connection delivers nothing for a while.
//!
//! What it does: the driver reads exactly the given number of bytes of it and then nothing until the time is over, its end
//! or a reset neither. Then everything arrives. The source notices only when its send buffer is full. Missed when the
//! driver never makes that connection or never reads so far.

use super::Bounds;
use crate::rng::Draws;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A silence on a connection, towards the driver.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stall {
    /// Which connection: the n-th that the driver makes in the whole run, from 1.
    pub connection: u32,
    /// After so many bytes of it were delivered to the driver.
    pub after_bytes: u64,
    /// Silent for so many milliseconds.
    pub for_ms: u64,
}

impl Stall {
    /// Draws one.
    pub(crate) fn draw(rng: &mut ChaCha8Rng, bounds: &Bounds) -> Self {
        Self {
            connection: rng.magnitude(1..=8) as u32,
            after_bytes: rng.magnitude(0..=bounds.source_bytes),
            for_ms: rng.magnitude(1..=bounds.horizon_ms.max(2) / 2),
        }
    }
}

impl fmt::Display for Stall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "stall connection {} after {} bytes for {} ms",
            self.connection, self.after_bytes, self.for_ms
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Domain, stream};

    #[test]
    fn a_stall_reads_as_one_line_and_is_drawn_within_the_bounds() {
        assert_eq!(
            Stall { connection: 1, after_bytes: 0, for_ms: 900 }.to_string(),
            "stall connection 1 after 0 bytes for 900 ms"
        );
        let (bounds, mut rng) = (Bounds::default(), stream(1, Domain::Plan));
        let drawn: Vec<Stall> = (0..500).map(|_| Stall::draw(&mut rng, &bounds)).collect();
        assert!(drawn.iter().all(|fault| (1..=8).contains(&fault.connection)));
        assert!(drawn.iter().all(|fault| fault.after_bytes <= bounds.source_bytes));
        assert!(drawn.iter().any(|fault| fault.after_bytes == 0), "before the first byte");
    }
}
