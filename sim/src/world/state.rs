//! Everything behind the world's mutex, and the bookkeeping of operations: counting, hashing, tracing, and finding out
//! whether a planned fault is due.

use super::{Crashed, Event, Life, LifeRecord, NodeIndex, RollingHash, Seat, TraceEntry, VirtualTime};
use crate::{
    disk::{AtRisk, Volume},
    fault::{
        Armed, DiskOperation, Due, Fault, Hit, Moment, NetworkOperation, NetworkOperationMade, Place,
        PowerLoss, Step, StepMade,
    },
    network::{ConnectionId, Net},
    rng::{Domain, Draws, stream},
};
use madsim::task::NodeId;
use rand_chacha::{ChaCha8Rng, rand_core::Rng};
use std::{collections::VecDeque, io, time::Duration};

/// An operation that was let in.
#[derive(Clone)]
pub(crate) struct Entered {
    /// Which of its life, from 1.
    pub number: u64,
    /// The crash that hits it.
    pub crash: Option<DueCrash>,
    /// The other faults that hit it.
    pub due: Vec<Due>,
}

/// A crash that hits an operation.
#[derive(Clone, Copy)]
pub(crate) struct DueCrash {
    /// Its place in the plan.
    pub fault: usize,
    /// Where in the operation.
    pub moment: Moment,
    /// The seed of what it leaves to chance.
    pub seed: u64,
}

/// How long an operation waits, beside its effect.
#[derive(Clone, Copy)]
pub(crate) enum Pause {
    /// One turn of the scheduler.
    Turn,
    /// A latency.
    Nanos(u64),
}

pub(crate) struct NodeState {
    pub id: NodeId,
    pub name: String,
    pub alive: bool,
    pub lives: Vec<LifeRecord>,
    /// How the life that is being killed ends.
    dying: Option<Option<PowerLoss>>,
}

/// The state of a world.
pub(crate) struct State {
    pub nodes: Vec<NodeState>,
    pub disk: Volume,
    pub net: Net,
    pub armed: Armed,
    pub crashed: VecDeque<Crashed>,
    pub wall_offset_ms: i64,
    pub hash: RollingHash,
    pub trace: Option<Vec<TraceEntry>>,
    pub steps: Option<Vec<StepMade>>,
    /// The network operations of the driver, recorded where its steps are.
    pub network_operations: Vec<NetworkOperationMade>,
    /// What was at risk at each power loss that chose among it.
    pub at_risk: Vec<AtRisk>,
    pub checkpoint_dir: String,
    pub operations_max: u64,
    operations: u64,
    disk_rng: ChaCha8Rng,
    entropy: ChaCha8Rng,
}

impl State {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            nodes: Vec::new(),
            disk: Volume::new(),
            net: Net::new(seed),
            armed: Armed::default(),
            crashed: VecDeque::new(),
            wall_offset_ms: 0,
            hash: RollingHash::default(),
            trace: None,
            steps: None,
            network_operations: Vec::new(),
            at_risk: Vec::new(),
            checkpoint_dir: String::new(),
            operations_max: u64::MAX,
            operations: 0,
            disk_rng: stream(seed, Domain::Disk),
            entropy: stream(seed, Domain::Entropy),
        }
    }

    pub(crate) fn add_node(&mut self, id: NodeId) {
        let name = if self.nodes.is_empty() { "supervisor".to_owned() } else { String::new() };
        self.nodes.push(NodeState { id, name, alive: false, lives: Vec::new(), dying: None });
    }

    pub(crate) fn is_alive(&self, seat: &Seat) -> bool {
        let node = &self.nodes[seat.node.0];
        node.alive && node.lives.len() == seat.life.0 as usize
    }

    pub(crate) fn begin_life(&mut self, node: NodeIndex, at: VirtualTime) -> Life {
        let state = &mut self.nodes[node.0];
        assert!(!state.alive, "{} is alive already", state.name);
        state.alive = true;
        state.lives.push(LifeRecord { began: at, ended: None, disk_operations: 0, network_operations: 0 });
        let life = Life(u32::try_from(state.lives.len()).expect("fewer lives than that"));
        if self.armed.driver == Some(node) {
            for fault in self.armed.begin_life(life) {
                self.strike(fault, node, life, at, Hit::Time);
            }
        }
        self.note_at(Event::Began, node, life, at, [0; 3]);
        self.trace_at(node, life, at, || "begins".to_owned());
        life
    }

    /// Says how a life will end when its node is killed, which must follow at once.
    pub(crate) fn doom(&mut self, node: NodeIndex, how: Option<PowerLoss>) {
        self.nodes[node.0].dying.get_or_insert(how);
    }

    /// The moment of a crash. Killing a node that is down does nothing.
    pub(crate) fn end_life(&mut self, id: NodeId, at: VirtualTime) {
        let Some(index) = self.nodes.iter().position(|node| node.id == id) else { return };
        let node = &mut self.nodes[index];
        let power_loss = node.dying.take().flatten();
        if !std::mem::replace(&mut node.alive, false) {
            return;
        }
        let life = Life(node.lives.len() as u32);
        node.lives.last_mut().expect("it has a life").ended = Some(at);
        let node = NodeIndex(index);
        self.disk.release_locks(node, life);
        self.net.end_life(node, life, power_loss.is_some(), at);
        if let Some(power_loss) = &power_loss {
            if power_loss.keep.is_some() {
                self.at_risk.push(self.disk.at_risk());
            }
            self.disk.lose_power(power_loss, crate::disk::Actor { node, life, at });
        }
        self.note_at(Event::Ended, node, life, at, [u64::from(power_loss.is_some()), 0, 0]);
        self.trace_at(node, life, at, || match &power_loss {
            Some(power_loss) => format!("loses power, {power_loss}"),
            None => "dies".to_owned(),
        });
    }

    fn count(&mut self) {
        self.operations += 1;
        assert!(
            self.operations <= self.operations_max,
            "more than {} operations: the run does not come to an end",
            self.operations_max
        );
    }

    /// Lets a disk operation in; `None` if its life is over.
    pub(crate) fn enter_disk(
        &mut self,
        seat: &Seat,
        operation: DiskOperation,
        path: impl FnOnce(&Volume) -> String,
    ) -> Option<Entered> {
        if !self.is_alive(seat) {
            return None;
        }
        self.count();
        let life = &mut self.nodes[seat.node.0].lives[seat.life.0 as usize - 1];
        life.disk_operations += 1;
        let number = life.disk_operations;
        let due = match self.is_driver(seat) {
            true => {
                let (disk, checkpoint_dir) = (&self.disk, &self.checkpoint_dir);
                self.armed.due_at_disk(number, || step_of(disk, checkpoint_dir, operation, &path(disk)))
            }
            false => Vec::new(),
        };
        Some(self.entered(number, due))
    }

    /// Lets a network operation in; `None` if its life is over.
    pub(crate) fn enter_network(&mut self, seat: &Seat) -> Option<Entered> {
        if !self.is_alive(seat) {
            return None;
        }
        self.count();
        let life = &mut self.nodes[seat.node.0].lives[seat.life.0 as usize - 1];
        life.network_operations += 1;
        let number = life.network_operations;
        let due = match self.is_driver(seat) {
            true => self.armed.due_at_network(number),
            false => Vec::new(),
        };
        Some(self.entered(number, due))
    }

    /// Whether this is the driver's newest life: the one that the plan's faults are for.
    pub(crate) fn is_driver(&self, seat: &Seat) -> bool {
        self.armed.driver == Some(seat.node) && self.nodes[seat.node.0].lives.len() == seat.life.0 as usize
    }

    fn entered(&self, number: u64, mut due: Vec<Due>) -> Entered {
        let crash = due.iter().find_map(|due| {
            let seed = self.armed.crash(due.fault)?.seed;
            Some(DueCrash { fault: due.fault, moment: due.moment, seed })
        });
        due.retain(|due| self.armed.crash(due.fault).is_none());
        Entered { number, crash, due }
    }

    /// The step that a disk operation on a path is.
    pub(crate) fn step(&self, operation: DiskOperation, path: &str) -> Step {
        step_of(&self.disk, &self.checkpoint_dir, operation, path)
    }

    /// A planned crash fires; killing the node must follow at once.
    pub(crate) fn crash(&mut self, fault: usize, node: NodeIndex, life: Life, at: VirtualTime, hit: Hit) {
        let Some(crash) = self.armed.crash(fault) else { return };
        let restart_after = Duration::from_millis(crash.restart_after_ms);
        let power_loss = crash.power_loss.is_some();
        self.doom(node, crash.power_loss);
        self.crashed.push_back(Crashed { fault, life, at, restart_after, power_loss });
        self.fire(fault, node, life, at, hit);
    }

    /// A fault that is no crash fires, and does what can be done at once.
    pub(crate) fn strike(&mut self, fault: usize, node: NodeIndex, life: Life, at: VirtualTime, hit: Hit) {
        self.fire(fault, node, life, at, hit);
        match self.armed.fault(fault) {
            Fault::WallStep(step) => self.wall_offset_ms += step.by_ms,
            // The others are told to whom they concern where they strike.
            _ => {}
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

    pub(crate) fn reach_connection_faults(&mut self, id: ConnectionId, life: Life, at: VirtualTime) {
        let line = self.net.line();
        for (fault, hit) in self.net.conn(id).reached_faults(at, line) {
            let driver = self.armed.driver.expect("only a driver's connection has faults");
            self.fire(fault, driver, life, at, hit);
        }
    }

    /// Whatever has not fired never will, and silences are over.
    pub(crate) fn heal(&mut self) {
        self.armed.disarm();
        self.net.heal();
    }

    /// How long a disk operation takes, and whether that comes after its effect.
    pub(crate) fn disk_pause(&mut self, operation: DiskOperation) -> (Pause, bool) {
        let draw = self.disk_rng.next_u64();
        let after = draw & 1 == 1;
        let pause = match operation {
            _ if (draw >> 1).is_multiple_of(100) => Pause::Nanos(self.disk_rng.between(100_000..=20_000_000)),
            DiskOperation::Sync | DiskOperation::SyncDir => Pause::Nanos(50_000 + (draw >> 8) % 3_950_000),
            _ => Pause::Turn,
        };
        (pause, after)
    }

    pub(crate) fn entropy(&mut self, seat: &Seat, at: VirtualTime) -> u64 {
        let number = self.entropy.next_u64();
        self.note(Event::Entropy, seat, at, [number, 0, 0]);
        number
    }

    pub(crate) fn note(&mut self, event: Event, seat: &Seat, at: VirtualTime, what: [u64; 3]) {
        self.note_at(event, seat.node, seat.life, at, what);
    }

    fn note_at(&mut self, event: Event, node: NodeIndex, life: Life, at: VirtualTime, what: [u64; 3]) {
        let who = (event as u64) << 56 | (node.0 as u64) << 32 | u64::from(life.0);
        self.hash.add([who, at.0, what[0], what[1], what[2]]);
    }

    /// Whether anybody wants to know the paths of operations.
    pub(crate) fn is_observed(&self) -> bool {
        self.trace.is_some() || self.steps.is_some()
    }

    pub(crate) fn trace_at(
        &mut self,
        node: NodeIndex,
        life: Life,
        at: VirtualTime,
        text: impl FnOnce() -> String,
    ) {
        if let Some(trace) = &mut self.trace {
            let node = self.nodes[node.0].name.clone();
            trace.push(TraceEntry { at, node, life, text: text(), hash: self.hash });
        }
    }

    pub(crate) fn trace_disk(
        &mut self,
        seat: &Seat,
        at: VirtualTime,
        number: u64,
        operation: DiskOperation,
        path: &str,
        error: Option<io::ErrorKind>,
    ) {
        let step = self.step(operation, path);
        if let Some(steps) = &mut self.steps
            && self.armed.driver == Some(seat.node)
        {
            steps.push(StepMade { life: seat.life, number, at, step });
        }
        self.trace_at(seat.node, seat.life, at, || match error {
            Some(error) => format!("disk {number}: {operation} {path}: {error}"),
            None => format!("disk {number}: {operation} {path}"),
        });
    }

    pub(crate) fn trace_network(
        &mut self,
        seat: &Seat,
        at: VirtualTime,
        number: u64,
        operation: NetworkOperation,
    ) {
        if self.steps.is_some() && self.armed.driver == Some(seat.node) {
            self.network_operations.push(NetworkOperationMade { life: seat.life, number, at, operation });
        }
        self.trace_at(seat.node, seat.life, at, || format!("network {number}: {operation}"));
    }
}

fn step_of(disk: &Volume, checkpoint_dir: &str, operation: DiskOperation, path: &str) -> Step {
    let place = match disk.record.watches_output(path) {
        true => Place::Output,
        false => Place::of(path, checkpoint_dir),
    };
    Step { operation, place }
}
