//! Everything behind the world's mutex, and the bookkeeping of operations: counting, hashing, tracing, and finding out
//! whether a planned fault is due.

use super::{
    Crashed, Event, Halt, Life, LifeRecord, NodeIndex, Order, RollingHash, Seat, TraceEntry, VirtualTime,
};
use crate::{
    disk::{AtRisk, Volume},
    fault::{
        Armed, DiskOperation, Due, Hit, Moment, NetworkOperation, NetworkOperationMade, Place, PowerLoss,
        Step, StepMade, StepSet,
    },
    network::Net,
    rng::{Domain, Draws, stream},
    source::Schedule,
};
use madsim::task::NodeId;
use rand_chacha::{ChaCha8Rng, rand_core::Rng};
use std::{collections::VecDeque, io, sync::Arc};
use tokio::sync::Notify;

/// An operation that was let in.
#[derive(Clone)]
pub(crate) struct Entered {
    /// Which of its life, from 1.
    pub number: u64,
    /// The crash that hits it.
    pub crash: Option<DueCrash>,
    /// The other faults that hit it.
    pub due: Vec<Due>,
    /// Its life stands still from here on; before the operation has its effect, or after.
    pub halted: Option<Moment>,
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
    /// What madsim knows the newest life by.
    pub id: NodeId,
    pub name: String,
    pub lives: Vec<LifeRecord>,
    /// Older lives that were replaced while they lived, and live.
    pub zombies: Vec<Zombie>,
    /// How the newest life ends, which is being killed.
    dying: Option<Option<PowerLoss>>,
}

/// A life that was replaced while it lived.
pub(crate) struct Zombie {
    pub life: Life,
    pub id: NodeId,
    /// It ends with the power of its machine.
    loses_power: bool,
}

impl NodeState {
    /// Whether the newest life is under way.
    pub fn is_up(&self) -> bool {
        self.lives.last().is_some_and(|life| life.ended.is_none())
    }

    pub fn newest(&self) -> Life {
        Life(u32::try_from(self.lives.len()).expect("fewer lives than that"))
    }

    /// What madsim knows a life by that is under way.
    pub fn id_of(&self, life: Life) -> Option<NodeId> {
        if life == self.newest() {
            return self.is_up().then_some(self.id);
        }
        self.zombies.iter().find(|zombie| zombie.life == life).map(|zombie| zombie.id)
    }
}

/// The state of a world.
pub(crate) struct State {
    pub nodes: Vec<NodeState>,
    pub disk: Volume,
    pub net: Net,
    pub armed: Armed,
    pub schedule: Schedule,
    pub crashed: VecDeque<Crashed>,
    pub orders: VecDeque<Order>,
    pub news: Arc<Notify>,
    pub halts: Vec<Halt>,
    pub halted: Arc<Notify>,
    /// The node whose next life is to have a madsim node of its own, because an older one lives.
    pub replacing: Option<NodeIndex>,
    pub wall_offset_ms: i64,
    /// Since when the wall clock gains so many millionths.
    pub(super) drifts: Vec<(VirtualTime, i64)>,
    pub hash: RollingHash,
    pub trace: Option<Vec<TraceEntry>>,
    pub steps: Option<Vec<StepMade>>,
    /// The network operations of the driver, recorded where its steps are.
    pub network_operations: Vec<NetworkOperationMade>,
    /// What was at risk at each power loss that chose among it.
    pub at_risk: Vec<AtRisk>,
    /// The steps that the driver made at all.
    pub reached: StepSet,
    /// Those of them that were refused at least once, because the name was taken.
    pub refused: StepSet,
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
            schedule: Schedule::default(),
            crashed: VecDeque::new(),
            orders: VecDeque::new(),
            news: Arc::default(),
            halts: Vec::new(),
            halted: Arc::default(),
            replacing: None,
            wall_offset_ms: 0,
            drifts: Vec::new(),
            hash: RollingHash::default(),
            trace: None,
            steps: None,
            network_operations: Vec::new(),
            at_risk: Vec::new(),
            reached: StepSet::default(),
            refused: StepSet::default(),
            checkpoint_dir: String::new(),
            operations_max: u64::MAX,
            operations: 0,
            disk_rng: stream(seed, Domain::Disk),
            entropy: stream(seed, Domain::Entropy),
        }
    }

    pub(crate) fn add_node(&mut self, id: NodeId) {
        if let Some(index) = self.replacing.take() {
            let node = &mut self.nodes[index.0];
            let zombie = Zombie { life: node.newest(), id: node.id, loses_power: false };
            node.zombies.push(zombie);
            node.id = id;
            return;
        }
        let name = if self.nodes.is_empty() { "supervisor".to_owned() } else { String::new() };
        self.nodes.push(NodeState { id, name, lives: Vec::new(), zombies: Vec::new(), dying: None });
    }

    pub(crate) fn is_alive(&self, seat: &Seat) -> bool {
        let life = &self.nodes[seat.node.0].lives[seat.life.0 as usize - 1];
        life.ended.is_none()
    }

    pub(crate) fn begin_life(&mut self, node: NodeIndex, at: VirtualTime) -> Life {
        let state = &mut self.nodes[node.0];
        let replaced = state.zombies.iter().any(|zombie| zombie.life == state.newest());
        assert!(!state.is_up() || replaced, "{} is alive already", state.name);
        state.lives.push(LifeRecord {
            began: at,
            ended: None,
            disk_operations: 0,
            network_operations: 0,
            computations: 0,
        });
        let life = state.newest();
        // The lease of whoever was replaced is over, also one that was taken since.
        let replaced: Vec<Life> = state.zombies.iter().map(|zombie| zombie.life).collect();
        replaced.into_iter().for_each(|older| self.disk.release_locks(node, older));
        if self.armed.driver == Some(node) {
            if life > Life::FIRST {
                self.sabotage_restart();
            }
            for fault in self.armed.begin_life(life) {
                self.strike(fault, node, life, at, Hit::Time);
            }
        }
        self.note_at(Event::Began, node, life, at, [0; 3]);
        self.trace_at(node, life, at, || "begins".to_owned());
        life
    }

    /// Says how the newest life will end when its node is killed, which must follow at once.
    pub(crate) fn doom(&mut self, node: NodeIndex, how: Option<PowerLoss>) {
        self.nodes[node.0].dying.get_or_insert(how);
    }

    /// Whether that was said of its newest life.
    pub(crate) fn is_doomed(&self, node: NodeIndex) -> bool {
        self.nodes[node.0].dying.is_some()
    }

    /// What is to be killed with this: where the machine loses power, the older lives before the newest one.
    pub(crate) fn doomed_with(&mut self, id: NodeId, how: Option<PowerLoss>) -> Vec<NodeId> {
        let Some(index) = self.nodes.iter().position(|node| node.id == id && node.is_up()) else {
            return vec![id];
        };
        self.doom(NodeIndex(index), how);
        let node = &mut self.nodes[index];
        if node.dying.as_ref().is_none_or(Option::is_none) {
            return vec![id];
        }
        node.zombies.iter_mut().for_each(|zombie| zombie.loses_power = true);
        node.zombies.iter().map(|zombie| zombie.id).chain([id]).collect()
    }

    /// The moment of a crash. Killing a node that is down does nothing.
    pub(crate) fn end_life(&mut self, id: NodeId, at: VirtualTime) {
        let of_newest = self.nodes.iter().position(|node| node.id == id);
        let of_zombie = || {
            let zombie_of = |node: &NodeState| node.zombies.iter().position(|zombie| zombie.id == id);
            self.nodes.iter().enumerate().find_map(|(index, node)| Some((index, zombie_of(node)?)))
        };
        let (node, life, lost_power, power_loss) = match (of_newest, of_zombie()) {
            (Some(index), _) => {
                let node = &mut self.nodes[index];
                let power_loss = node.dying.take().flatten();
                if !node.is_up() {
                    return;
                }
                (NodeIndex(index), node.newest(), power_loss.is_some(), power_loss)
            }
            (None, Some((index, zombie))) => {
                let zombie = self.nodes[index].zombies.remove(zombie);
                (NodeIndex(index), zombie.life, zombie.loses_power, None)
            }
            (None, None) => return,
        };
        self.nodes[node.0].lives[life.0 as usize - 1].ended = Some(at);
        self.forget_halts(node, life);
        self.disk.release_locks(node, life);
        self.net.end_life(node, life, lost_power, at);
        if let Some(power_loss) = &power_loss {
            if power_loss.keep.is_some() {
                self.at_risk.push(self.disk.at_risk());
            }
            self.disk.lose_power(power_loss, crate::disk::Actor { node, life, at });
        }
        self.disk.end_life(node, life);
        self.note_at(Event::Ended, node, life, at, [u64::from(lost_power), 0, 0]);
        self.trace_at(node, life, at, || match &power_loss {
            Some(power_loss) => format!("loses power, {power_loss}"),
            None => "dies".to_owned(),
        });
    }

    /// Counts what the programs of the nodes do at the seams, and the turns of their tasks: whatever goes in circles does one or the other.
    pub(crate) fn count(&mut self) {
        self.operations += 1;
        assert!(
            // What unwinds has told already.
            self.operations <= self.operations_max || std::thread::panicking(),
            "more than {} operations and turns: the run goes in circles and does not come to an end",
            self.operations_max
        );
    }

    /// Lets a disk operation in; `None` if its life is over.
    pub(crate) fn enter_disk(
        &mut self,
        seat: &Seat,
        operation: DiskOperation,
        at: VirtualTime,
        path: impl Fn(&Volume) -> String,
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
                let step = self.step(operation, &path(&self.disk));
                self.reached.insert(step);
                self.armed.due_at_disk(seat.life, number, step)
            }
            false => Vec::new(),
        };
        let hit = |state: &Self| {
            let path = path(&state.disk);
            Hit::Disk { number, step: state.step(operation, &path), path }
        };
        Some(self.entered(number, due, seat, at, hit))
    }

    /// Lets a network operation in; `None` if its life is over.
    pub(crate) fn enter_network(
        &mut self,
        seat: &Seat,
        operation: NetworkOperation,
        at: VirtualTime,
    ) -> Option<Entered> {
        if !self.is_alive(seat) {
            return None;
        }
        self.count();
        let life = &mut self.nodes[seat.node.0].lives[seat.life.0 as usize - 1];
        life.network_operations += 1;
        let number = life.network_operations;
        let due = match self.is_driver(seat) {
            true => self.armed.due_at_network(seat.life, number),
            false => Vec::new(),
        };
        Some(self.entered(number, due, seat, at, |_| Hit::Network { number, operation }))
    }

    /// Whether this is a life of the driver: what the plan's faults are for.
    pub(crate) fn is_driver(&self, seat: &Seat) -> bool {
        self.armed.driver == Some(seat.node)
    }

    fn entered(
        &mut self,
        number: u64,
        mut due: Vec<Due>,
        seat: &Seat,
        at: VirtualTime,
        hit: impl Fn(&Self) -> Hit,
    ) -> Entered {
        let crash = due.iter().find_map(|due| {
            let seed = self.armed.crash(due.fault)?.seed;
            let crash = DueCrash { fault: due.fault, moment: due.moment, seed };
            self.can_crash(crash, seat.node).then_some(crash)
        });
        if crash.is_some() {
            // Whoever dies of an operation meets nothing else in it.
            due.clear();
        }
        let halted = self.strike_due(&mut due, seat, at, hit);
        Entered { number, crash, due, halted }
    }

    /// The step that a disk operation on a path is.
    pub(crate) fn step(&self, operation: DiskOperation, path: &str) -> Step {
        step_of(&self.disk, &self.checkpoint_dir, operation, path)
    }

    /// How far the wall clock is from the monotonic one, beside its start.
    pub(crate) fn wall_offset_ms(&self, now: VirtualTime) -> i64 {
        let drifted = |(since, ppm): &(VirtualTime, i64)| {
            let millis = i128::from(now.0.saturating_sub(since.0)) / 1_000_000;
            millis * i128::from(*ppm) / 1_000_000
        };
        let drifted: i128 = self.drifts.iter().map(drifted).sum();
        self.wall_offset_ms.saturating_add(i64::try_from(drifted).unwrap_or(i64::MAX))
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
        self.count();
        let number = self.entropy.next_u64();
        self.note(Event::Entropy, seat, at, [number, 0, 0]);
        number
    }

    pub(crate) fn note(&mut self, event: Event, seat: &Seat, at: VirtualTime, what: [u64; 3]) {
        self.note_at(event, seat.node, seat.life, at, what);
    }

    pub(super) fn note_at(
        &mut self,
        event: Event,
        node: NodeIndex,
        life: Life,
        at: VirtualTime,
        what: [u64; 3],
    ) {
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
