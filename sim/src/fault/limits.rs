//! The numbers that make sense in a plan, by the name of their field: what a plan file may say, and how small a shrinker goes.
//!
//! A name means the same in every kind of fault, so there is one table, and a new kind is in it from the start. What is in no line
//! of it is any number from 0.

use std::ops::RangeInclusive;

const DAY_MS: i64 = 86_400_000;
const CENTURY_MS: i64 = 36_525 * DAY_MS;

/// A run has a million operations at most, and each life makes some.
const LIVES_MAX: i64 = 1_000;

/// For how long the faults of a plan may go on in all, and come: a run has two hours of virtual time.
pub(crate) const PLAN_MS_MAX: u64 = 90 * 60_000;

/// The least and the greatest number of a field.
pub(crate) fn limits(field: &str) -> RangeInclusive<i64> {
    match field {
        // What is counted from 1, and how many of something.
        "life" | "number" | "nth" | "connection" | "attempt" | "job" | "operation" => 1..=i64::MAX,
        "lives" => 1..=LIVES_MAX,
        "times" | "jobs" | "operations" | "lines" | "bytes" | "bytes_max" => 1..=i64::MAX,
        "bit" => 0..=7,
        "part" => 0..=1024,
        // At -1,000,000 time stands still.
        "ppm" => -999_999..=1_000_000,
        "by_ms" => -CENTURY_MS..=CENTURY_MS,
        "restart_after_ms" => 1..=DAY_MS,
        name if name.ends_with("_ms") => 0..=DAY_MS,
        _ => 0..=i64::MAX,
    }
}
