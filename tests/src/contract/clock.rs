//! The clock: monotonic time orders, sleeping is never too short. Wall time promises nothing, so nothing is asked of it.

use super::World;
use highwater_core::env::Monotonic;
use std::time::Duration;

pub(super) async fn monotonic_never_goes_back(world: World) {
    let clock = &world.env.clock;
    let mut last = clock.monotonic();
    for round in 0..1_000 {
        if round % 100 == 0 {
            clock.sleep(Duration::from_micros(50)).await;
        }
        let now = clock.monotonic();
        assert!(now >= last, "{now:?} after {last:?}");
        last = now;
    }
}

pub(super) async fn sleep_never_completes_early(world: World) {
    let clock = &world.env.clock;
    for micros in [0, 1, 999, 1_000, 1_001, 3_300, 20_000] {
        let duration = Duration::from_micros(micros);
        let before = clock.monotonic();
        clock.sleep(duration).await;
        let slept = clock.monotonic().since(before);
        assert!(slept >= duration, "slept {slept:?} instead of {duration:?}");

        let deadline = clock.monotonic().after(duration);
        clock.sleep_until(deadline).await;
        assert!(clock.monotonic() >= deadline, "woke before {deadline:?}");
    }
}

pub(super) async fn a_deadline_in_the_past_completes(world: World) {
    let clock = &world.env.clock;
    clock.sleep(Duration::from_millis(2)).await;
    clock.sleep_until(Monotonic(0)).await;
    clock.sleep_until(clock.monotonic()).await;
}

pub(super) async fn a_long_sleep_keeps_nobody_from_running(world: World) {
    let clock = &world.env.clock;
    tokio::select! {
        biased;
        () = clock.sleep_until(Monotonic(u64::MAX)) => panic!("the end of time has come"),
        () = clock.sleep(Duration::from_secs(1_000_000)) => panic!("a long sleep was a short one"),
        () = clock.sleep(Duration::from_millis(5)) => {}
    }
}
