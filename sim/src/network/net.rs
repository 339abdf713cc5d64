//! All connections and listening addresses of a world. Pure state.

use super::connection::{Conn, Line, SeenEnd, Side};
use crate::{
    fault::Fault,
    rng::{Domain, Draws, stream},
    world::{Life, NodeIndex, Seat, VirtualTime},
};
use highwater_core::env::host_and_port;
use rand_chacha::ChaCha8Rng;
use std::{
    collections::{BTreeMap, VecDeque},
    io::{self, ErrorKind},
    task::Waker,
};

/// Which connection of the world, in the order in which they were made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ConnectionId(pub(crate) usize);

/// What the world knows of a connection that the driver made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectionRecord {
    /// The n-th that the driver made in the run, from 1.
    pub number: u32,
    /// In which of its lives.
    pub life: Life,
    /// Where to.
    pub address: String,
    /// When it was made.
    pub opened_at: VirtualTime,
    /// All that was written towards the driver.
    pub written: Vec<u8>,
    /// So many bytes of `written` the driver has read.
    pub delivered: u64,
    /// How the driver learned of its end; `None` while it has not, also when it crashed before.
    pub seen_end: Option<SeenEnd>,
}

/// An address that somebody listens at.
struct Listening {
    node: NodeIndex,
    life: Life,
    backlog: VecDeque<ConnectionId>,
    waker: Option<Waker>,
}

/// The network.
pub(crate) struct Net {
    listeners: BTreeMap<Box<str>, Listening>,
    connections: Vec<Conn>,
    rng: ChaCha8Rng,
    latency_nanos: u64,
    pub send_buffer_bytes: usize,
    next_free_port: u16,
    pub driver_connections: u32,
    /// How often the driver tried to connect.
    pub driver_attempts: u64,
    /// No connection can be made before this.
    pub unreachable_until: VirtualTime,
    /// Why not: the fault, by its place in the plan.
    pub unreachable_by: Option<usize>,
    /// Until when everything takes how much longer.
    slow: Vec<(VirtualTime, u64)>,
    /// Connections whose late data wait for the source to hear of a newer one.
    late: Vec<ConnectionId>,
}

impl Net {
    pub(crate) fn new(seed: u64) -> Self {
        let mut rng = stream(seed, Domain::Network);
        let latency_nanos = rng.magnitude(200_000..=5_000_000);
        Self {
            listeners: BTreeMap::new(),
            connections: Vec::new(),
            rng,
            latency_nanos,
            send_buffer_bytes: 64 * 1024,
            next_free_port: 49_152,
            driver_connections: 0,
            driver_attempts: 0,
            unreachable_until: VirtualTime::default(),
            unreachable_by: None,
            slow: Vec::new(),
            late: Vec::new(),
        }
    }

    /// The world's latency with a little jitter, as one write or one answer meets it.
    pub(crate) fn line(&mut self, now: VirtualTime) -> Line {
        let jitter = self.rng.below(self.latency_nanos / 8 + 1);
        let mut latency_nanos = self.latency_nanos + jitter;
        if !self.slow.is_empty() {
            self.slow.retain(|(until, _)| *until > now);
            latency_nanos += self.slow.iter().map(|(_, nanos)| nanos).sum::<u64>();
        }
        Line { latency_nanos, send_buffer_bytes: self.send_buffer_bytes }
    }

    /// A fault that strikes the whole network; `index` is its place in the plan.
    pub(crate) fn suffer(&mut self, index: usize, fault: &Fault, now: VirtualTime) {
        let nanos = |millis: u64| millis.saturating_mul(1_000_000);
        match fault {
            Fault::Partition(partition) => {
                let until = now.after_nanos(nanos(partition.for_ms));
                if self.unreachable_until < until {
                    (self.unreachable_until, self.unreachable_by) = (until, Some(index));
                }
                let line = self.line(now);
                for conn in &mut self.connections {
                    conn.break_off(index, partition.direction, now, until, line);
                }
            }
            Fault::Latency(latency) => {
                self.slow.push((now.after_nanos(nanos(latency.for_ms)), nanos(latency.extra_ms)));
            }
            _ => {}
        }
    }

    /// What the driver writes into a connection is held back until the source has heard of a newer one.
    pub(crate) fn hold_back(&mut self, id: ConnectionId) {
        self.late.push(id);
    }

    /// The source has read from a connection: what was held back of older ones arrives.
    pub(crate) fn heard_of(&mut self, id: ConnectionId, now: VirtualTime) {
        if self.late.iter().any(|late| *late < id) {
            let line = self.line(now);
            for late in self.late.extract_if(.., |late| *late < id) {
                self.connections[late.0].release_late_data(now, line);
            }
        }
    }

    pub(crate) fn conn(&mut self, id: ConnectionId) -> &mut Conn {
        &mut self.connections[id.0]
    }

    pub(crate) fn listen(&mut self, address: &str, seat: &Seat) -> io::Result<Box<str>> {
        let (host, mut port) = host_and_port(address)?;
        while port == 0 {
            let candidate = self.next_free_port;
            self.next_free_port += 1;
            if !self.listeners.contains_key(format!("{host}:{candidate}").as_str()) {
                port = candidate;
            }
        }
        let address: Box<str> = format!("{host}:{port}").into();
        if self.listeners.contains_key(&address) {
            return Err(ErrorKind::AddrInUse.into());
        }
        let listening = Listening { node: seat.node, life: seat.life, backlog: VecDeque::new(), waker: None };
        self.listeners.insert(address.clone(), listening);
        Ok(address)
    }

    pub(crate) fn connect(
        &mut self,
        address: &str,
        seat: &Seat,
        at: VirtualTime,
    ) -> io::Result<ConnectionId> {
        let id = ConnectionId(self.connections.len());
        let listening = self.listeners.get_mut(address).ok_or(ErrorKind::ConnectionRefused)?;
        let acceptor = (listening.node, listening.life);
        listening.backlog.push_back(id);
        if let Some(waker) = listening.waker.take() {
            waker.wake();
        }
        self.connections.push(Conn::new(address, (seat.node, seat.life), acceptor, at));
        Ok(id)
    }

    pub(crate) fn has_backlog(&self, address: &str) -> bool {
        self.listeners.get(address).is_some_and(|listening| !listening.backlog.is_empty())
    }

    pub(crate) fn accept(&mut self, address: &str) -> Option<ConnectionId> {
        self.listeners.get_mut(address)?.backlog.pop_front()
    }

    pub(crate) fn wait_to_accept(&mut self, address: &str, waker: &Waker) {
        if let Some(listening) = self.listeners.get_mut(address) {
            listening.waker = Some(waker.clone());
        }
    }

    /// Nobody listens there any more; who waits to be accepted is turned away.
    pub(crate) fn close_listener(&mut self, address: &str, seat: &Seat, now: VirtualTime) {
        if self
            .listeners
            .get(address)
            .is_none_or(|listening| (listening.node, listening.life) != (seat.node, seat.life))
        {
            return;
        }
        let listening = self.listeners.remove(address).expect("it was found");
        let line = self.line(now);
        for id in listening.backlog {
            self.connections[id.0].close(Side::Acceptor, now, line);
        }
    }

    /// The operating system ends what a process held; a machine without power tells nobody.
    pub(crate) fn end_life(&mut self, node: NodeIndex, life: Life, lost_power: bool, now: VirtualTime) {
        let line = self.line(now);
        self.listeners.retain(|_, listening| (listening.node, listening.life) != (node, life));
        for conn in &mut self.connections {
            for side in [Side::Connector, Side::Acceptor] {
                match conn.sits(side, node, life) {
                    true if lost_power => conn.vanish(side),
                    true => conn.close(side, now, line),
                    false => {}
                }
            }
        }
    }

    /// The connection of the driver, as the judges see it; `None` for any other.
    pub(crate) fn record(&self, id: ConnectionId) -> Option<ConnectionRecord> {
        let conn = &self.connections[id.0];
        Some(ConnectionRecord {
            number: conn.driver_number?,
            life: conn.connector().1,
            address: conn.address.to_string(),
            opened_at: conn.opened_at,
            written: conn.written.clone(),
            delivered: conn.delivered(Side::Connector),
            seen_end: conn.seen_end(Side::Connector),
        })
    }

    /// Who made a connection.
    pub(crate) fn connector(&self, id: ConnectionId) -> (NodeIndex, Life) {
        self.connections[id.0].connector()
    }

    pub(crate) fn delivered_to_driver(&self, id: ConnectionId) -> u64 {
        self.connections[id.0].delivered(Side::Connector)
    }

    pub(crate) fn records(&self) -> Vec<ConnectionRecord> {
        (0..self.connections.len()).filter_map(|n| self.record(ConnectionId(n))).collect()
    }

    pub(crate) fn heal(&mut self, now: VirtualTime) {
        (self.unreachable_until, self.slow, self.late) = Default::default();
        let line = self.line(now);
        self.connections.iter_mut().for_each(|conn| conn.heal(now, line));
    }

    pub(crate) fn forget_wakers(&mut self) {
        self.connections.iter_mut().for_each(Conn::forget_wakers);
        self.listeners.values_mut().for_each(|listening| listening.waker = None);
    }
}
