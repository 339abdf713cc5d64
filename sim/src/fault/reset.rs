//! A connection is reset.
//!
//! What it does: the driver reads exactly the given number of bytes of it and then `ConnectionReset`; what was under way
//! is lost. The source finds the connection reset one latency later. Missed when the driver never makes that connection
//! or never reads so far. Left out: a reset that overtakes bytes which the driver could already read.

use super::Bounds;
use crate::rng::Draws;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A reset of a connection, seen by both ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reset {
    /// Which connection: the n-th that the driver makes in the whole run, from 1.
    pub connection: u32,
    /// After so many bytes of it were delivered to the driver.
    pub after_bytes: u64,
}

impl Reset {
    /// Draws one.
    pub(crate) fn draw(rng: &mut ChaCha8Rng, bounds: &Bounds) -> Self {
        Self { connection: rng.magnitude(1..=8) as u32, after_bytes: rng.magnitude(0..=bounds.source_bytes) }
    }
}

impl fmt::Display for Reset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "reset connection {} after {} bytes", self.connection, self.after_bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Domain, stream};

    #[test]
    fn a_reset_reads_as_one_line_and_is_drawn_within_the_bounds() {
        assert_eq!(
            Reset { connection: 1, after_bytes: 412 }.to_string(),
            "reset connection 1 after 412 bytes"
        );
        let (bounds, mut rng) = (Bounds::default(), stream(1, Domain::Plan));
        let drawn: Vec<Reset> = (0..500).map(|_| Reset::draw(&mut rng, &bounds)).collect();
        assert!(drawn.iter().all(|fault| (1..=8).contains(&fault.connection)));
        assert!(drawn.iter().all(|fault| fault.after_bytes <= bounds.source_bytes));
        assert!(drawn.iter().any(|fault| fault.after_bytes == 0), "before the first byte");
    }
}
