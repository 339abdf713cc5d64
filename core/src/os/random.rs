//! The operating system's entropy.

use crate::env::Random;
use std::hash::{BuildHasher, Hasher, RandomState};

/// Numbers from the standard library's hash keys.
pub(super) struct Entropy;

impl Random for Entropy {
    fn next_u64(&self) -> u64 {
        // The keys of a `RandomState` are the system's entropy, drawn once per thread and stepped for each new one; SipHash
        // turns each pair of keys into a number that looks independent. That is enough for a hash seed and for jitter, it
        // is no cryptography, and it saves a dependency.
        RandomState::new().build_hasher().finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn numbers_do_not_repeat_in_one_thread_or_across_threads() {
        let draw = || (0..100).map(|_| Entropy.next_u64()).collect::<Vec<_>>();
        let mut numbers = draw();
        numbers.extend(std::thread::spawn(draw).join().unwrap());
        let distinct: BTreeSet<_> = numbers.iter().collect();
        assert_eq!(distinct.len(), numbers.len());
        // No bit is stuck.
        assert_eq!(numbers.iter().fold(0, |all, n| all | n), u64::MAX);
        assert_eq!(numbers.iter().fold(u64::MAX, |all, n| all & n), 0);
    }
}
