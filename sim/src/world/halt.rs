//! Processes that stand still: pauses, and the takeovers that use one.
//!
//! What holds: while a life is halted none of its tasks runs; the world goes on, and so does time. A life that is halted
//! twice goes on when the later of the two is over. Killing a life lets it go on first, so that its destructors run after
//! its end and not before. An operation that is hit before its effect is made anew when its life goes on, and counts again;
//! one that is hit inside or after it has its effect, and a disk operation tells of it then.

use super::{Life, NodeIndex, Seat, State, VirtualTime, World};
use crate::{
    clock::{Alarm, Turn},
    fault::{Due, Fault, Hit, Moment},
};
use madsim::runtime::Handle;
use std::{sync::Arc, time::Duration};

/// A life that stands still.
pub(crate) struct Halt {
    node: NodeIndex,
    life: Life,
    until: VirtualTime,
}

/// What the supervisor of the driver is to do by the plan, beside starting it again after a crash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// To start the next life while this one lives.
    Replace {
        /// The life that is taken for dead.
        life: Life,
        /// When to start the next one.
        at: VirtualTime,
    },
    /// To ask this life for an orderly stop.
    Stop {
        /// The life.
        life: Life,
        /// To start the next one so long after its end.
        restart_after: Duration,
    },
}

impl State {
    /// The driver's process stands still, or is asked for something.
    pub(super) fn strike_process(&mut self, fault: usize, node: NodeIndex, life: Life, at: VirtualTime) {
        match self.armed.fault(fault) {
            Fault::Pause(pause) => {
                let until = at.after_nanos(pause.for_ms.saturating_mul(1_000_000));
                self.halt(node, life, until);
            }
            Fault::Takeover(takeover) => {
                let after = |millis: u64| at.after_nanos(millis.saturating_mul(1_000_000));
                let (until, next) = (after(takeover.for_ms), after(takeover.after_ms));
                self.halt(node, life, until);
                self.disk.release_locks(node, life);
                self.order(Order::Replace { life, at: next });
            }
            Fault::Stop(stop) => {
                let restart_after = Duration::from_millis(stop.restart_after_ms);
                self.order(Order::Stop { life, restart_after });
            }
            _ => {}
        }
    }

    fn order(&mut self, order: Order) {
        self.orders.push_back(order);
        self.news.notify_one();
    }

    fn halt(&mut self, node: NodeIndex, life: Life, until: VirtualTime) {
        let Some(id) = self.nodes[node.0].id_of(life) else { return };
        Handle::current().pause(id);
        self.halts.push(Halt { node, life, until });
        self.halted.notify_one();
    }

    /// Strikes with those of the due faults that concern the process. The moment in which one of them halts it.
    pub(super) fn strike_due(
        &mut self,
        due: &mut Vec<Due>,
        seat: &Seat,
        at: VirtualTime,
        hit: impl Fn(&Self) -> Hit,
    ) -> Option<Moment> {
        let of_process =
            |due: &mut Due| matches!(self.armed.fault(due.fault), Fault::Pause(_) | Fault::Takeover(_));
        let mut halting: Vec<Due> = due.extract_if(.., of_process).collect();
        // Who was replaced is not replaced again.
        let is_newest = seat.life == self.nodes[seat.node.0].newest();
        halting.retain(|due| is_newest || !matches!(self.armed.fault(due.fault), Fault::Takeover(_)));
        for halting in &halting {
            let hit = hit(self);
            self.strike(halting.fault, seat.node, seat.life, at, hit);
        }
        halting.into_iter().map(|halting| halting.moment).min()
    }

    /// A life is over, and stands still no more.
    pub(super) fn forget_halts(&mut self, node: NodeIndex, life: Life) {
        self.halts.retain(|halt| (halt.node, halt.life) != (node, life));
    }

    fn is_halted(&self, seat: &Seat) -> bool {
        self.halts.iter().any(|halt| (halt.node, halt.life) == (seat.node, seat.life))
    }

    /// Lets those go on whose time has come; when to look again.
    fn end_halts(&mut self, now: VirtualTime) -> Option<VirtualTime> {
        let over: Vec<_> = self.halts.extract_if(.., |halt| halt.until <= now).collect();
        for Halt { node, life, .. } in over {
            let still = self.halts.iter().any(|halt| (halt.node, halt.life) == (node, life));
            if let Some(id) = self.nodes[node.0].id_of(life).filter(|_| !still) {
                self.trace_at(node, life, now, || "goes on".to_owned());
                Handle::current().resume(id);
            }
        }
        self.halts.iter().map(|halt| halt.until).min()
    }
}

impl World {
    /// Lets halted lives go on, for ever.
    pub(super) async fn end_halts(self: Arc<Self>) {
        let halted = self.lock().halted.clone();
        loop {
            let next = {
                let now = self.now();
                self.lock().end_halts(now)
            };
            let alarm = async {
                match next {
                    Some(next) => Alarm::at(&self, next).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                () = halted.notified() => {}
                () = alarm => {}
            }
        }
    }

    /// Completes when the plan has something for the supervisor to do. Cancel safe; each order is given once.
    pub async fn ordered(&self) -> Order {
        let news = self.lock().news.clone();
        loop {
            if let Some(order) = self.lock().orders.pop_front() {
                return order;
            }
            news.notified().await;
        }
    }
}

impl Seat {
    /// Waits until this life goes on, if it stands still: no task of it runs before.
    pub(crate) async fn go_on(&self) {
        let halted = self.world.lock().is_halted(self);
        if halted {
            Turn::default().await;
        }
    }
}
