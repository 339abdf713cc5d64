//! Time in a simulation: virtual, and only as fast as its events.
//!
//! The monotonic clock is the virtual time since the run's start. The wall clock is that on top of a fixed date, plus an
//! offset that the world can step either way, and a drift. Sleeps may be made to last longer, never shorter. `Alarm` is madsim's sleep without its two habits: it adds one timer
//! however often it is polled, and it may be shorter than a millisecond. `Turn` lets every other ready task run.

use crate::world::{Seat, VirtualTime, World};
use highwater_core::env::{BoxFuture, Clock, Monotonic, WallTime};
use madsim::time::Sleep;
use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker},
    time::Duration,
};

/// The wall clock at the start of every run: 2018-03-02T03:29:15.300Z.
pub const WALL_TIME_AT_START: WallTime = WallTime(1_519_961_355_300);

/// The clock that one life of a node sees.
pub struct SimClock {
    seat: Seat,
}

impl SimClock {
    pub(crate) fn new(seat: Seat) -> Self {
        Self { seat }
    }
}

impl Clock for SimClock {
    fn monotonic(&self) -> Monotonic {
        self.seat.world.lock().count();
        Monotonic(self.seat.world.now().0)
    }

    fn wall(&self) -> WallTime {
        self.seat.world.lock().count();
        self.seat.world.wall()
    }

    fn sleep_until(&self, deadline: Monotonic) -> BoxFuture<'static, ()> {
        let world = &self.seat.world;
        let now = world.now();
        if deadline.0 <= now.0 {
            return Box::pin(Turn::default());
        }
        let late_ms = world.lock().late_ms(&self.seat, now);
        let deadline = VirtualTime(deadline.0).after_nanos(late_ms.saturating_mul(1_000_000));
        Box::pin(Alarm::at(world, deadline))
    }
}

/// Completes at a point of virtual time.
pub(crate) struct Alarm {
    world: Arc<World>,
    deadline: VirtualTime,
    sleep: Sleep,
    registered: Option<Waker>,
}

impl Alarm {
    pub(crate) fn at(world: &Arc<World>, deadline: VirtualTime) -> Self {
        Self { world: world.clone(), deadline, sleep: world.sleep_of_madsim(deadline), registered: None }
    }

    pub(crate) fn after(world: &Arc<World>, nanos: u64) -> Self {
        Self::at(world, VirtualTime(world.now().0.saturating_add(nanos)))
    }

    pub(crate) fn after_duration(world: &Arc<World>, duration: Duration) -> Self {
        Self::after(world, u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX))
    }

    pub(crate) fn deadline(&self) -> VirtualTime {
        self.deadline
    }
}

impl Future for Alarm {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.world.now() >= self.deadline {
            return Poll::Ready(());
        }
        if !self.registered.as_ref().is_some_and(|waker| waker.will_wake(context.waker())) {
            self.registered = Some(context.waker().clone());
            return Pin::new(&mut self.sleep).poll(context);
        }
        Poll::Pending
    }
}

/// Completes at its task's next turn, after other ready tasks may have had theirs.
#[derive(Default)]
pub(crate) struct Turn {
    taken: bool,
}

impl Future for Turn {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if std::mem::replace(&mut self.taken, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulation::{WorldOptions, run_simulation};

    #[test]
    fn sleeping_takes_virtual_time_and_the_wall_clock_can_step_either_way() {
        let walls = run_simulation(WorldOptions::seeded(1), |world| async move {
            let env = world.add_node("driver").boot();
            env.clock.sleep(Duration::from_secs(3600)).await;
            let after_an_hour = env.clock.wall();
            let monotonic = env.clock.monotonic();
            world.step_wall_clock_ms(-7_200_000);
            assert!(env.clock.monotonic() >= monotonic);
            (after_an_hour, env.clock.wall())
        });
        let (after_an_hour, stepped) = walls.unwrap();
        assert!((3_600_000..3_600_005).contains(&(after_an_hour.0 - WALL_TIME_AT_START.0)));
        assert!(after_an_hour.0 - stepped.0 >= 7_199_990);
    }

    #[test]
    fn an_alarm_can_be_shorter_than_a_millisecond() {
        let nanos = run_simulation(WorldOptions::seeded(1), |world| async move {
            let before = world.now().0;
            Alarm::after(&world, 20_000).await;
            world.now().0 - before
        });
        assert!((20_000..21_000).contains(&nanos.unwrap()));
    }
}
