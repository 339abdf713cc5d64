//! A hash of keys that is the same on every machine and in every release.

use std::hash::{Hash, Hasher};
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// The number of key groups. It is part of the checkpoint format: it cannot change.
pub const KEY_GROUPS: usize = 128;

/// The group of a key, below [`KEY_GROUPS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyGroup(pub u8);

/// Hashes keys with the seed of a checkpoint directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyHasher {
    seed: u64,
}

impl KeyHasher {
    /// A hasher with a seed.
    pub fn new(seed: u64) -> Self {
        Self { seed }
    }

    /// The hash of a key. What its `Hash` writes is taken in one after another, in a state of 64 bits that begins with the seed: bytes
    /// by XXH3 with the state as its seed; a number, whatever its width, by one multiplication, mixed into the rotated state by the
    /// finaliser of SplitMix64, of 128 bits the lower half first. The byte 0xff as a number of its own, which ends a `str`, is left out.
    pub fn hash<K: Hash + ?Sized>(&self, key: &K) -> u64 {
        let mut state = Stable(self.seed);
        key.hash(&mut state);
        state.finish()
    }

    /// The group of a key with this hash. Its bits are neither the highest nor the lowest ones, which the table uses.
    pub fn group(hash: u64) -> KeyGroup {
        KeyGroup(((hash >> 40) as usize % KEY_GROUPS) as u8)
    }
}

struct Stable(u64);

impl Stable {
    fn number(&mut self, number: u64) {
        // The finalizer of SplitMix64: every bit of the number reaches every bit of the state.
        let mut mixed = self.0.rotate_left(23) ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        self.0 = mixed ^ (mixed >> 31);
    }
}

impl Hasher for Stable {
    fn write(&mut self, bytes: &[u8]) {
        self.0 = xxh3_64_with_seed(bytes, self.0);
    }

    // A `str` ends in this byte, so that ("a", "bc") and ("ab", "c") differ; the lengths mixed into XXH3 do that already.
    fn write_u8(&mut self, number: u8) {
        if number != 0xff {
            self.number(number.into());
        }
    }

    fn write_u16(&mut self, number: u16) {
        self.number(number.into());
    }

    fn write_u32(&mut self, number: u32) {
        self.number(number.into());
    }

    fn write_u64(&mut self, number: u64) {
        self.number(number);
    }

    fn write_u128(&mut self, number: u128) {
        self.number(number as u64);
        self.number((number >> 64) as u64);
    }

    fn write_usize(&mut self, number: usize) {
        self.number(number as u64);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_of_a_key_never_changes() {
        let hasher = KeyHasher::new(7);
        // Recorded values: a change here makes every existing checkpoint unreadable.
        assert_eq!(hasher.hash("the"), 10_654_439_178_484_303_370);
        assert_eq!(hasher.hash(&42u64), 8_379_106_108_697_949_655);
        assert_eq!(hasher.hash(&("a", 1i32)), 6_947_038_278_494_462_871);
    }

    #[test]
    fn keys_spread_over_all_groups() {
        let hasher = KeyHasher::new(1);
        let mut keys_by_group = [0u32; KEY_GROUPS];
        for key in 0..128_000u64 {
            keys_by_group[KeyHasher::group(hasher.hash(&key)).0 as usize] += 1;
        }
        assert!(keys_by_group.iter().all(|keys| (800..1200).contains(keys)), "{keys_by_group:?}");
    }
}
