//! The world of a run: its nodes and their lives, the one mutex behind which everything is, and the moment of a crash.
//!
//! The world is a madsim simulator, so that killing a node reaches it: `reset_node` is the moment in which locks fall,
//! connections end, and the disk loses what a power loss takes. madsim calls it with its own locks held, so nothing below
//! it may call back into madsim.
//!
//! What holds: every handle carries its [`Life`]. Once that is over, no operation of the handle has an effect or comes to
//! an end, also when the handle is used by destructors that run after the crash. A crash that hits an operation of the
//! driver kills its node without the mutex being held, and the operation never returns.
//!
//! A node may have several lives at once: the newest, and older ones that were replaced while they lived (*zombies*), each on a
//! madsim node of its own. A fault of the plan that names a life strikes that life, also when it has been replaced; what comes at a point
//! of time strikes the newest.
//!
//! Left out: who restarts the driver, and when. [`World::crashed`] tells the supervisor; a runner is on top of it.

mod halt;
mod node;
mod planned;
mod state;
mod time;
mod trace;
mod turns;

pub(crate) use halt::Halt;
pub use halt::Order;
pub use node::{Crashed, LifeRecord, Node};
pub(crate) use state::{DueCrash, Entered, Pause, State};
pub use time::{Life, NodeIndex, VirtualTime};
pub(crate) use trace::Event;
pub use trace::{RollingHash, TraceEntry};
use turns::counted;

use crate::{
    clock::{Alarm, WALL_TIME_AT_START},
    disk::{Actor, AtRisk, Buried, Damage, FailedOperation, Published, RecordedChange, Usage},
    fault::{
        Armed, DiskOperation, Family, Fault, FaultOutcome, Hit, NetworkOperationMade, Plan, PowerLoss,
        StepMade, StepSet,
    },
    network::{ConnectionId, ConnectionRecord},
    sabotage::Sabotage,
    simulation::WorldOptions,
};
use highwater_core::env::{BoxFuture, WallTime};
use madsim::{
    Config,
    plugin::{self, Simulator},
    rand::GlobalRng,
    runtime::Handle,
    task::{JoinHandle, NodeId},
    time::{Sleep, TimeHandle},
};
use std::{
    collections::BTreeMap,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};
use tokio::sync::Notify;

/// The world of a run.
pub struct World {
    time: TimeHandle,
    origin: Instant,
    state: Mutex<State>,
    crash_happened: Notify,
}

/// Where a handle was opened: by whom, in which life.
#[derive(Clone)]
pub(crate) struct Seat {
    pub world: Arc<World>,
    pub node: NodeIndex,
    pub life: Life,
}

impl Seat {
    /// Makes a directory on the disk, without an operation of the disk's.
    pub(crate) fn make_directory(&self, path: &str) {
        self.world.lock().disk.create_dir(path).expect("no file has its name");
    }

    /// Makes a file appear on the disk, whole and durable, without an operation of the disk's.
    pub(crate) fn place(&self, path: &str, bytes: &[u8]) {
        let actor = Actor { node: self.node, life: self.life, at: self.world.now() };
        let mut state = self.world.lock();
        let inode = state.disk.create_new(path, actor).expect("it is new in a directory that is there");
        state.disk.write(inode, 0, bytes, actor);
        state.disk.sync(inode);
        let directory = path.rsplit_once('/').map_or("", |(directory, _)| directory);
        state.disk.sync_dir(directory).expect("the file is in it");
    }
}

impl Simulator for World {
    fn new(_: &GlobalRng, time: &TimeHandle, _: &Config) -> Self {
        Self {
            time: time.clone(),
            origin: time.now_instant() - time.elapsed(),
            state: Mutex::new(State::new(0)),
            crash_happened: Notify::new(),
        }
    }

    fn create_node(&self, id: NodeId) {
        self.lock().add_node(id);
    }

    fn reset_node(&self, id: NodeId) {
        let now = self.now();
        self.lock().end_life(id, now);
    }
}

impl World {
    /// The world of the run that is under way on this thread.
    ///
    /// # Panics
    /// Outside of a run, and inside of what madsim calls with its locks held.
    pub fn current() -> Arc<Self> {
        plugin::simulator::<Self>()
    }

    /// Makes the world what a run wants; before anything happens in it.
    pub(crate) fn configure(&self, options: &WorldOptions) {
        let mut state = self.lock();
        let nodes = std::mem::take(&mut state.nodes);
        *state = State::new(options.seed);
        state.nodes = nodes;
        state.trace = options.trace.then(Vec::new);
        state.steps = options.record_steps.then(Vec::new);
        state.checkpoint_dir = options.checkpoint_dir.trim_end_matches('/').to_owned();
        state.operations_max = options.operations_max;
        state.net.send_buffer_bytes = options.send_buffer_bytes;
        state.disk.sabotage = options.sabotage.clone();
        state.disk.record.keep_removed = options.keep_removed.clone();
        state.disk.record.outputs = options.outputs.clone();
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        // A panic fails the run; what is read afterwards is for its report.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a node. Names are for people and for traces.
    pub fn add_node(self: &Arc<Self>, name: &str) -> Node {
        let id = Handle::current().create_node().name(name).build().id();
        let mut state = self.lock();
        let index = state.nodes.iter().position(|node| node.id == id).expect("madsim told of the node");
        state.nodes[index].name = name.to_owned();
        drop(state);
        Node { world: self.clone(), index: NodeIndex(index) }
    }

    /// Arms the faults of a plan for a node, the driver. Once in a run, before the driver's first life.
    ///
    /// # Panics
    /// If a plan is armed already, or the driver has lived.
    pub fn arm(self: &Arc<Self>, plan: &Plan, driver: &Node) {
        let timed = {
            let mut state = self.lock();
            assert!(state.armed.driver.is_none(), "a plan is armed already");
            assert!(
                state.nodes[driver.index.0].lives.is_empty(),
                "the driver has lived before its plan was armed"
            );
            state.armed = Armed::new(driver.index, plan);
            state.armed.timed()
        };
        let halts = plan.faults.iter().any(|fault| matches!(fault, Fault::Pause(_) | Fault::Takeover(_)));
        if timed.is_empty() && !halts {
            return;
        }
        // A node of their own, because the end of a run stops the tasks of every node but the supervisor's.
        let faults = self.add_node("faults").begin();
        if halts {
            let _detached = faults.spawn(Box::pin(self.clone().end_halts()));
        }
        for (fault, at_ms) in timed {
            let (world, driver) = (self.clone(), driver.clone());
            let _detached = faults.spawn(Box::pin(async move {
                Alarm::at(&world, VirtualTime::from_millis(at_ms)).await;
                world.strike_now(fault, driver.index);
            }));
        }
    }

    /// A fault at a point of time. One that is aimed at a driver is missed while there is none.
    fn strike_now(&self, fault: usize, driver: NodeIndex) {
        let at = self.now();
        let id = {
            let mut state = self.lock();
            let node = &state.nodes[driver.0];
            let (alive, life, id) = (node.is_up(), node.newest(), node.id);
            if state.armed.is_disarmed() || state.is_pointless(fault) {
                return;
            }
            if state.armed.crash(fault).is_none() {
                let family = state.armed.fault(fault).kind().family();
                if alive || family != Family::Process {
                    state.strike(fault, driver, life, at, Hit::Time);
                }
                return;
            }
            if !alive {
                return;
            }
            state.crash(fault, driver, life, at, Hit::Time);
            id
        };
        self.kill(id, None);
    }

    /// Kills a node. What was said of its death before goes before `how`.
    pub(crate) fn kill(&self, id: NodeId, how: Option<PowerLoss>) {
        let doomed = self.lock().doomed_with(id, how);
        let handle = Handle::current();
        for id in doomed {
            // Or madsim would drop its tasks before it tells us of the end.
            handle.resume(id);
            handle.kill(id);
        }
        self.crash_happened.notify_one();
    }

    pub(crate) fn begin_life(&self, node: NodeIndex) -> Life {
        let now = self.now();
        self.lock().begin_life(node, now)
    }

    /// Completes when a planned crash has ended a life of the driver. Cancel safe; each crash is told once.
    pub async fn crashed(&self) -> Crashed {
        loop {
            if let Some(crashed) = self.lock().crashed.pop_front() {
                return crashed;
            }
            self.crash_happened.notified().await;
        }
    }

    /// The world heals: faults that have not fired never will, and connections that are silent go on. For a runner that
    /// wants to see the driver converge after the plan's horizon.
    pub fn heal(&self) {
        let now = self.now();
        self.lock().heal(now);
    }

    /// What became of each fault of the plan so far, in the plan's order.
    pub fn fault_outcomes(&self) -> Vec<FaultOutcome> {
        self.lock().armed.outcomes().to_vec()
    }

    /// Whether a life of the driver is of another program by a fault of the plan.
    pub(crate) fn is_other_program(&self, life: Life) -> bool {
        let is_of = |outcome: &FaultOutcome| {
            matches!(outcome.fault, Fault::OtherProgram(_))
                && outcome.firing.as_ref().is_some_and(|firing| firing.life == life)
        };
        self.lock().armed.outcomes().iter().any(is_of)
    }

    /// The virtual time.
    pub fn now(&self) -> VirtualTime {
        VirtualTime(u64::try_from(self.time.elapsed().as_nanos()).unwrap_or(u64::MAX))
    }

    /// The wall clock of every node.
    pub fn wall(&self) -> WallTime {
        let now = self.now();
        let millis = i128::from(WALL_TIME_AT_START.0 + now.millis());
        let millis = millis + i128::from(self.lock().wall_offset_ms(now));
        WallTime(u64::try_from(millis.max(0)).unwrap_or(u64::MAX))
    }

    /// Steps the wall clock of every node, forward or back.
    pub fn step_wall_clock_ms(&self, by: i64) {
        self.lock().wall_offset_ms += by;
    }

    /// Waits, outside of any node: for supervisors and tests.
    pub async fn sleep(self: &Arc<Self>, duration: Duration) {
        Alarm::after_duration(self, duration).await;
    }

    /// Waits until a point of virtual time, outside of any node.
    pub async fn sleep_until(self: &Arc<Self>, deadline: VirtualTime) {
        Alarm::at(self, deadline).await;
    }

    /// The hash of everything that happened so far.
    pub fn rolling_hash(&self) -> RollingHash {
        self.lock().hash
    }

    /// The trace so far, which it takes; empty unless the options asked for one.
    pub fn take_trace(&self) -> Vec<TraceEntry> {
        self.lock().trace.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// The disk operations of the driver so far; empty unless the options asked for them.
    pub fn steps(&self) -> Vec<StepMade> {
        self.lock().steps.clone().unwrap_or_default()
    }

    /// The network operations of the driver so far; empty unless the options asked for its steps.
    pub fn network_operations(&self) -> Vec<NetworkOperationMade> {
        self.lock().network_operations.clone()
    }

    /// What was at risk at each power loss of the plan that chose what survives, in order.
    pub fn at_risk(&self) -> Vec<AtRisk> {
        self.lock().at_risk.clone()
    }

    /// A hash of the disk as it is now: what is cached and what of it is durable.
    pub(crate) fn disk_fingerprint(&self) -> u64 {
        self.lock().disk.fingerprint()
    }

    /// The steps that the driver made so far, whichever life.
    pub fn reached(&self) -> StepSet {
        self.lock().reached
    }

    /// Those of them that were refused at least once, because the name was taken.
    pub fn refused(&self) -> StepSet {
        self.lock().refused
    }

    /// Every file with its content, as a reader sees it now: with the damage that faults did to it.
    pub fn files(&self) -> BTreeMap<String, Vec<u8>> {
        self.lock().disk.files().map(|(path, file)| (path, file.content.clone())).collect()
    }

    /// The same without any damage.
    pub fn pristine_files(&self) -> BTreeMap<String, Vec<u8>> {
        self.lock().disk.files().map(|(path, file)| (path, file.pristine().to_vec())).collect()
    }

    /// The operations of the driver that failed by a fault of the plan, in order.
    pub fn failed_operations(&self) -> Vec<FailedOperation> {
        self.lock().disk.record.failures.clone()
    }

    /// Of the files that a reader sees damaged now, how they were written.
    pub fn pristine_of_damaged_files(&self) -> BTreeMap<String, Vec<u8>> {
        let state = self.lock();
        let damaged = state.disk.files().filter(|(_, file)| file.content != file.pristine());
        damaged.map(|(path, file)| (path, file.pristine().to_vec())).collect()
    }

    /// The damage that a reader could meet so far, also in files that are gone by now.
    pub fn damaged_files(&self) -> Vec<Damage> {
        self.lock().disk.damages()
    }

    /// The content of one file, as a reader sees it now.
    pub fn file(&self, path: &str) -> Option<Vec<u8>> {
        self.lock().disk.read(path, 0, usize::MAX).ok()
    }

    /// What of a file would be left by a power loss that spares nothing unsynced.
    pub fn durable_file(&self, path: &str) -> Option<Vec<u8>> {
        let state = self.lock();
        let inode = state.disk.find(path).ok()?;
        Some(state.disk.inode(inode).durable())
    }

    /// The space that files take.
    pub fn usage(&self) -> Usage {
        self.lock().disk.usage()
    }

    /// The lives that hold a lock of a file.
    pub fn lock_holders(&self) -> Vec<Life> {
        self.lock().disk.lock_holders()
    }

    /// The files that were given their names by renames, in order.
    pub fn published(&self) -> Vec<Published> {
        self.lock().disk.record.published.clone()
    }

    /// The removed files that the options asked to keep, in the order of their removal.
    pub fn graveyard(&self) -> Vec<Buried> {
        self.lock().disk.record.graveyard.clone()
    }

    /// Every change of the output files that the options asked to record, in order.
    pub fn output_changes(&self) -> Vec<RecordedChange> {
        self.lock().disk.record.changes.clone()
    }

    /// The connections that the driver made, in order.
    pub fn connections(&self) -> Vec<ConnectionRecord> {
        self.lock().net.records()
    }

    pub(crate) fn connection(&self, id: ConnectionId) -> Option<ConnectionRecord> {
        self.lock().net.record(id)
    }

    /// A source has accepted a connection and has sent lines before: how many of them it repeats there.
    pub(crate) fn lines_repeated(&self, id: ConnectionId) -> u64 {
        let at = self.now();
        self.lock().lines_repeated(id, at)
    }

    /// Whether a connection was made by one of several lives: by a replaced one, or while one of those lives.
    pub(crate) fn is_of_several(&self, id: ConnectionId) -> bool {
        let state = self.lock();
        let (node, life) = state.net.connector(id);
        let node = &state.nodes[node.0];
        life != node.newest() || !node.zombies.is_empty()
    }

    pub(crate) fn delivered(&self, id: ConnectionId) -> u64 {
        self.lock().net.delivered_to_driver(id)
    }

    pub(crate) fn is_sabotaged(&self, sabotage: Sabotage) -> bool {
        self.lock().disk.is_sabotaged(sabotage)
    }

    pub(crate) fn disk_pause(&self, operation: DiskOperation) -> (Pause, bool) {
        self.lock().disk_pause(operation)
    }

    pub(crate) fn sleep_of_madsim(&self, deadline: VirtualTime) -> Sleep {
        let mut sleep = self.time.sleep(Duration::ZERO);
        // Lifts madsim's minimum of one millisecond.
        Pin::new(&mut sleep).reset(self.origin + Duration::from_nanos(deadline.0));
        sleep
    }

    pub(crate) fn node_ids(&self) -> Vec<NodeId> {
        // All but the supervisor, which madsim cannot kill.
        let of_node = |node: &state::NodeState| {
            let zombies: Vec<_> = node.zombies.iter().map(|zombie| zombie.id).collect();
            zombies.into_iter().chain([node.id])
        };
        self.lock().nodes.iter().skip(1).flat_map(of_node).collect()
    }

    /// Lets go of every task that waits for the world, so that the run's memory can be freed.
    pub(crate) fn forget_wakers(&self) {
        let mut state = self.lock();
        state.net.forget_wakers();
        state.schedule.forget_waker();
    }
}

impl Seat {
    /// A planned crash has hit an operation of this life: kills the node. Never returns.
    pub(crate) async fn die<T>(&self) -> T {
        let id = self.world.lock().hit_by_a_crash(self);
        if let Some(id) = id {
            self.world.kill(id, None);
        }
        std::future::pending().await
    }

    pub(crate) fn spawn(&self, task: BoxFuture<'static, ()>) -> Option<JoinHandle<()>> {
        let id = {
            let mut state = self.world.lock();
            state.count();
            state.nodes[self.node.0].id_of(self.life)?
        };
        let task = counted(self.world.clone(), task);
        Some(Handle::current().get_node(id).expect("a node is never removed").spawn(task))
    }

    pub(crate) fn entropy(&self) -> u64 {
        let at = self.world.now();
        self.world.lock().entropy(self, at)
    }
}

#[cfg(test)]
mod tests;
