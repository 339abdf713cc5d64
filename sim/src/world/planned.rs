//! Planned faults that are due: what each does at once, and what it leaves for the disk and the network to do.

use super::{Crashed, DueCrash, Event, Life, NodeIndex, Seat, State, VirtualTime};
use crate::{
    fault::{Family, Fault, Hit},
    network::{Attempted, ConnectionId, Side},
};
use madsim::task::NodeId;
use std::time::Duration;

impl State {
    /// Whether a crash finds what it needs: the power is lost of the newest life, whichever it hits.
    pub(crate) fn can_crash(&self, crash: DueCrash, node: NodeIndex) -> bool {
        let loses_power = self.armed.crash(crash.fault).is_some_and(|crash| crash.power_loss.is_some());
        !loses_power || self.nodes[node.0].is_up()
    }

    /// A planned crash fires; killing what dies with that life must follow at once.
    pub(crate) fn crash(&mut self, fault: usize, node: NodeIndex, life: Life, at: VirtualTime, hit: Hit) {
        let Some(crash) = self.armed.crash(fault) else { return };
        let restart_after = Duration::from_millis(crash.restart_after_ms);
        let power_loss = crash.power_loss.is_some();
        let newest = self.nodes[node.0].newest();
        let ended = if power_loss { newest } else { life };
        if ended == newest {
            self.doom(node, crash.power_loss);
        }
        self.crashed.push_back(Crashed { fault, life: ended, at, restart_after, power_loss });
        self.fire(fault, node, life, at, hit);
    }

    /// What is to be killed when a crash has hit a life: the newest one, if that is doomed.
    pub(super) fn hit_by_a_crash(&self, seat: &Seat) -> Option<NodeId> {
        match self.is_doomed(seat.node) {
            true => Some(self.nodes[seat.node.0].id),
            false => self.nodes[seat.node.0].id_of(seat.life),
        }
    }

    /// Whether a fault finds nothing that it could change.
    pub(crate) fn is_pointless(&self, fault: usize) -> bool {
        matches!(self.armed.fault(fault), Fault::FarAhead(_)) && !self.schedule.has_lines_to_come()
    }

    /// A fault that is no crash fires, and does what can be done at once. One that finds nothing to strike is missed.
    pub(crate) fn strike(&mut self, fault: usize, node: NodeIndex, life: Life, at: VirtualTime, hit: Hit) {
        if !self.can_strike(fault, &hit) {
            return;
        }
        self.fire(fault, node, life, at, hit);
        match self.armed.fault(fault) {
            Fault::WallStep(step) => self.wall_offset_ms += step.by_ms,
            Fault::Drift(drift) => self.drifts.push((at, drift.ppm)),
            Fault::FarAhead(_) => self.schedule.all_due(),
            of_all @ (Fault::Partition(_) | Fault::Latency(_)) => self.net.suffer(fault, of_all, at),
            Fault::SlowStart(_) => self.strike_disk(fault, node, life),
            // The others are told to whom they concern where they strike.
            other if other.kind().family() == Family::Process => self.strike_process(fault, node, life, at),
            _ => self.strike_disk(fault, node, life),
        }
    }

    fn fire(&mut self, fault: usize, node: NodeIndex, life: Life, at: VirtualTime, hit: Hit) {
        self.note_at(Event::Fault, node, life, at, [fault as u64, 0, 0]);
        self.trace_at(node, life, at, || format!("fault {fault} fires: {hit}"));
        self.armed.fired(fault, at, life, hit);
    }

    /// A connection was made; if the driver made it, the faults planned for it wait for their byte.
    pub(crate) fn arm_connection(&mut self, id: ConnectionId, seat: &Seat, at: VirtualTime) {
        if self.armed.driver == Some(seat.node) {
            self.net.driver_connections += 1;
            let n = self.net.driver_connections;
            let faults = self.armed.of_connection(n);
            self.net.conn(id).arm(n, faults);
            self.reach_connection_faults(id, seat.life, at);
        }
    }

    /// The faults take effect that the bytes delivered so far have reached. After a crash the node must be killed at once.
    pub(crate) fn reach_connection_faults(&mut self, id: ConnectionId, life: Life, at: VirtualTime) {
        let line = self.net.line(at);
        while let Some((fault, after_bytes, what)) = self.net.conn(id).reached_fault() {
            let driver = self.armed.driver.expect("only a driver's connection has faults");
            let connection = self.net.conn(id).driver_number.expect("only a driver's connection has faults");
            let hit = Hit::Connection { connection, after_bytes };
            match what {
                // A crash is for the newest life, not for one that was taken over.
                Fault::Crash(_) if life == self.nodes[driver.0].newest() => {
                    return self.crash(fault, driver, life, at, hit);
                }
                Fault::Crash(_) => {}
                // Fires when there is something to hold back.
                Fault::LateData(_) => self.net.conn(id).expect_late_data(fault),
                // Fires when the source has something to repeat.
                Fault::Repeat(_) => {}
                what => {
                    self.strike(fault, driver, life, at, hit);
                    self.net.conn(id).suffer(fault, &what, at, line);
                }
            }
        }
    }

    /// The driver is about to write: if late data are planned, this and what follows is held back.
    pub(crate) fn hold_back_late_data(&mut self, id: ConnectionId, life: Life, at: VirtualTime) {
        let conn = self.net.conn(id);
        let (Some(fault), Some(connection)) = (conn.late_data(at), conn.driver_number) else { return };
        let after_bytes = conn.delivered(Side::Connector);
        let driver = self.armed.driver.expect("only a driver's connection has faults");
        self.strike(fault, driver, life, at, Hit::Connection { connection, after_bytes });
        let line = self.net.line(at);
        self.net.conn(id).suffer(fault, self.armed.fault(fault), at, line);
        self.net.hold_back(id);
    }

    /// A source that has sent lines before has accepted a connection: how many of them it repeats there.
    pub(crate) fn lines_repeated(&mut self, id: ConnectionId, at: VirtualTime) -> u64 {
        let (Some(driver), Some(number)) = (self.armed.driver, self.net.conn(id).driver_number) else {
            return 0;
        };
        let repeats: Vec<(usize, u64)> = self
            .armed
            .waiting()
            .filter_map(|(fault, what)| match what {
                Fault::Repeat(repeat) if repeat.connection == number => Some((fault, repeat.lines)),
                _ => None,
            })
            .collect();
        let life = self.nodes[driver.0].newest();
        for (fault, _) in &repeats {
            self.strike(*fault, driver, life, at, Hit::Connection { connection: number, after_bytes: 0 });
        }
        repeats.into_iter().map(|(_, lines)| lines).max().unwrap_or(0)
    }

    /// An attempt to connect starts; what the plan has for it.
    pub(crate) fn attempt_to_connect(&mut self, seat: &Seat, at: VirtualTime) -> Attempted {
        let mut attempted = Attempted::default();
        if self.armed.driver != Some(seat.node) {
            return attempted;
        }
        self.net.driver_attempts += 1;
        let number = self.net.driver_attempts;
        for (fault, first) in self.armed.of_attempt(number) {
            if first {
                self.strike(fault, seat.node, seat.life, at, Hit::Attempt { number });
            }
            match self.armed.fault(fault) {
                Fault::Hang(hang) if attempted.hangs_ms < hang.for_ms => {
                    (attempted.hangs_ms, attempted.hangs_by) = (hang.for_ms, Some(fault));
                }
                Fault::Hang(_) => {}
                _ => attempted.refused = Some(fault),
            }
        }
        attempted
    }

    /// How much longer a sleep of the driver lasts that begins now, in milliseconds.
    pub(crate) fn late_ms(&mut self, seat: &Seat, now: VirtualTime) -> u64 {
        if !self.is_driver(seat) {
            return 0;
        }
        let late = |(_, fault, until): (usize, &Fault, VirtualTime)| match fault {
            // It goes on until the last of its sleepers is awake.
            Fault::LateTicks(late) if until.millis() > now.millis() + late.late_ms => Some(late.late_ms),
            _ => None,
        };
        self.armed.going_on(now).filter_map(late).max().unwrap_or(0)
    }

    /// A computation of a life begins: how long it takes, in milliseconds, and the fault that it fails by.
    pub(crate) fn enter_computation(&mut self, seat: &Seat, at: VirtualTime) -> (u64, Option<usize>) {
        self.count();
        let life = &mut self.nodes[seat.node.0].lives[seat.life.0 as usize - 1];
        life.computations += 1;
        let number = life.computations;
        if !self.is_driver(seat) {
            return (0, None);
        }
        let (mut takes_ms, mut fails) = (0, None);
        for (fault, has_fired) in self.armed.at_computation(seat.life, number) {
            match self.armed.fault(fault) {
                Fault::SlowBatch(slow) => takes_ms += slow.takes_ms,
                _ => fails = Some(fault),
            }
            if !has_fired {
                self.strike(fault, seat.node, seat.life, at, Hit::Job { number });
            }
        }
        (takes_ms, fails)
    }

    /// Whatever has not fired never will, and what the network suffers is over.
    pub(crate) fn heal(&mut self, now: VirtualTime) {
        self.armed.disarm();
        self.disk.struck.heal();
        self.net.heal(now);
    }
}
