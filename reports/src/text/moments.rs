//! Times as a reader wants them: virtual seconds, and batches by the time of day.

use highwater_core::BatchTime;
use highwater_sim::{clock::WALL_TIME_AT_START, world::VirtualTime};

/// The day on which every run begins.
pub(crate) fn day() -> String {
    WALL_TIME_AT_START.to_string().split(' ').next().unwrap_or_default().to_owned()
}

/// Seconds since the run's start, `12.452s`. Cut, not rounded: nothing seems to come before its time.
pub(crate) fn seconds(at: VirtualTime) -> String {
    format!("{}.{:03}s", at.millis() / 1000, at.millis() % 1000)
}

/// A batch by its time of day; with the date if it is another day's.
pub(crate) fn batch(time: BatchTime) -> String {
    let (text, day) = (time.to_string(), day());
    match text.strip_prefix(&day) {
        Some(clock) => clock.trim_start().to_owned(),
        None => text,
    }
}

/// One batch, or the first and the last of several.
pub(crate) fn batches(first: BatchTime, last: BatchTime) -> String {
    match first == last {
        true => batch(first),
        false => format!("{} .. {}", batch(first), batch(last)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_has_its_date_only_on_another_day() {
        assert_eq!(batch(BatchTime(1_519_961_356_000)), "03:29:16");
        assert_eq!(batch(BatchTime(1_519_961_356_000 + 86_400_000)), "2018-03-03 03:29:16");
    }

    #[test]
    fn a_moment_is_cut_to_milliseconds() {
        assert_eq!(seconds(VirtualTime(12_452_999_999)), "12.452s");
    }
}
