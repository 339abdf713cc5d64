//! Time: a monotonic clock that orders, and a wall clock that names.

use super::BoxFuture;
use serde::{Deserialize, Serialize};
use std::{fmt, time::Duration};

/// A point of monotonic time: nanoseconds since an origin that is fixed for the life of the process and means nothing
/// outside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Monotonic(pub u64);

impl Monotonic {
    /// This point plus a duration, saturating at the end of time (584 years).
    pub fn after(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)))
    }

    /// The time from `earlier` to here, zero if `earlier` is later.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

/// A point of wall time: milliseconds since 1970-01-01T00:00:00 UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct WallTime(pub u64);

impl fmt::Display for WallTime {
    /// `2018-03-02 03:29:16`, in UTC, with milliseconds only where there are any.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = i64::try_from(self.0).unwrap_or(i64::MAX);
        let timestamp = jiff::Timestamp::from_millisecond(millis).unwrap_or(jiff::Timestamp::MAX);
        let civil = jiff::tz::Offset::UTC.to_datetime(timestamp);
        write!(f, "{} {}", civil.date(), civil.time())
    }
}

/// The clock seam.
///
/// Contract:
/// - `monotonic` never goes back within a life of the process. Its origin may differ from life to life.
/// - `wall` may step forward or back at any moment, by any amount.
/// - `sleep_until` completes no earlier than its deadline; how much later is not promised. A deadline in the past
///   completes at the next opportunity.
pub trait Clock: Send + Sync {
    /// The time that orders events in this process.
    fn monotonic(&self) -> Monotonic;
    /// The time that people read.
    fn wall(&self) -> WallTime;
    /// Completes once `monotonic() >= deadline`.
    fn sleep_until(&self, deadline: Monotonic) -> BoxFuture<'static, ()>;

    /// Completes after `duration`.
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        self.sleep_until(self.monotonic().after(duration))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wall_time_reads_as_the_demo_prints_it() {
        assert_eq!(WallTime(1_519_961_356_000).to_string(), "2018-03-02 03:29:16");
        assert_eq!(WallTime(1_519_961_356_250).to_string(), "2018-03-02 03:29:16.25");
        assert_eq!(WallTime(0).to_string(), "1970-01-01 00:00:00");
    }
}
