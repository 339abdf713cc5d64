//! The system's clocks and tokio's timer.

use crate::env::{BoxFuture, Clock, Monotonic, WallTime};
use std::sync::LazyLock;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The origin of [`Monotonic`]: one for the process, so that the times of two environments compare.
static ORIGIN: LazyLock<Instant> = LazyLock::new(Instant::now);

/// The clock of the machine.
pub(super) struct OsClock;

impl Clock for OsClock {
    fn monotonic(&self) -> Monotonic {
        // The origin first: read after the present it could lie later.
        let origin = *ORIGIN;
        Monotonic::default().after(Instant::now().saturating_duration_since(origin))
    }

    fn wall(&self) -> WallTime {
        // A clock that is set before 1970 reads as 1970: wall time names things, it orders nothing.
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        WallTime(u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX))
    }

    fn sleep_until(&self, deadline: Monotonic) -> BoxFuture<'static, ()> {
        // Made inside the future: a timer needs the runtime, the caller of this function need not be in it.
        Box::pin(async move {
            match ORIGIN.checked_add(Duration::from_nanos(deadline.0)) {
                Some(instant) => tokio::time::sleep_until(instant.into()).await,
                None => std::future::pending().await,
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_clocks_share_an_origin() {
        let earlier = OsClock.monotonic();
        assert!(OsClock.monotonic() >= earlier);
    }

    #[test]
    fn wall_time_is_of_this_century() {
        let year_2020 = WallTime(1_577_836_800_000);
        let year_2100 = WallTime(4_102_444_800_000);
        assert!((year_2020..year_2100).contains(&OsClock.wall()));
    }
}
