//! A node: a machine of the world, whose process can die and be started again.

use super::{Life, NodeIndex, Seat, VirtualTime, World, counted};
use crate::{
    clock::SimClock, disk::SimDisk, executor::SimExecutor, fault::PowerLoss, network::SimNetwork,
    random::SimRandom,
};
use highwater_core::env::Env;
use madsim::{
    runtime::{Handle, NodeHandle},
    task::{JoinHandle, NodeId},
};
use std::{future::Future, sync::Arc, time::Duration};

/// A node of the world. It does nothing until it is started; cloning it gives the same node.
#[derive(Clone)]
pub struct Node {
    pub(super) world: Arc<World>,
    pub(super) index: NodeIndex,
}

impl Node {
    /// Begins the next life, without a task in it: its world. A life that is under way is killed first.
    pub fn boot(&self) -> Env {
        self.begin().env()
    }

    /// Begins the next life with a task in it, which gets its world. A life that is under way is killed first.
    ///
    /// The returned handle gives the task's result, or an error when the life ended before it.
    pub fn start<F>(&self, task: impl FnOnce(Env) -> F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let task = task(self.begin().env());
        self.handle().spawn(counted(self.world.clone(), task))
    }

    /// The same, and the life that is under way lives on: two processes where there should be one.
    pub fn start_beside<F>(&self, task: impl FnOnce(Env) -> F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        if !self.is_alive() {
            return self.start(task);
        }
        let name = {
            let mut state = self.world.lock();
            state.replacing = Some(self.index);
            state.nodes[self.index.0].name.clone()
        };
        Handle::current().create_node().name(name).build();
        let life = self.world.begin_life(self.index);
        let seat = Seat { world: self.world.clone(), node: self.index, life };
        self.handle().spawn(counted(self.world.clone(), task(seat.env())))
    }

    pub(crate) fn begin(&self) -> Seat {
        if self.is_alive() {
            self.kill();
        }
        if self.life().is_some() {
            Handle::current().restart(self.id());
        }
        let life = self.world.begin_life(self.index);
        Seat { world: self.world.clone(), node: self.index, life }
    }

    /// Ends a life whose program has ended, as the operating system does; also one that was replaced.
    pub(crate) fn end(&self, life: Life) {
        let id = self.world.lock().nodes[self.index.0].id_of(life);
        if let Some(id) = id {
            self.world.kill(id, None);
        }
    }

    /// Ends the life that is under way, as a crash of the process: all its tasks stop where they are. No fault of the plan.
    pub fn kill(&self) {
        self.world.kill(self.id(), None);
    }

    /// The same as a loss of power: what was not synced goes as the image seed draws it.
    pub fn lose_power(&self, power_loss: PowerLoss) {
        self.world.kill(self.id(), Some(power_loss));
    }

    /// Stops all tasks of the node without ending its life, as a long pause of a virtual machine does.
    pub fn pause(&self) {
        Handle::current().pause(self.id());
    }

    /// Lets a paused node go on.
    pub fn resume(&self) {
        Handle::current().resume(self.id());
    }

    /// The world as the current life sees it.
    ///
    /// # Panics
    /// If the node was never started.
    pub fn env(&self) -> Env {
        let life = self.life().expect("a node that was started has a life");
        Seat { world: self.world.clone(), node: self.index, life }.env()
    }

    /// The current life, or the last one; `None` before the first.
    pub fn life(&self) -> Option<Life> {
        self.world.lock().nodes[self.index.0].lives.len().try_into().ok().filter(|n| *n > 0).map(Life)
    }

    /// Whether a life is under way.
    pub fn is_alive(&self) -> bool {
        self.world.lock().nodes[self.index.0].is_up()
    }

    /// How many operations each life made so far, in order.
    pub fn lives(&self) -> Vec<LifeRecord> {
        self.world.lock().nodes[self.index.0].lives.clone()
    }

    /// Which node of the world this is.
    pub fn index(&self) -> NodeIndex {
        self.index
    }

    fn handle(&self) -> NodeHandle {
        Handle::current().get_node(self.id()).expect("a node is never removed")
    }

    fn id(&self) -> NodeId {
        self.world.lock().nodes[self.index.0].id
    }
}

/// What the world counted in one life of a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LifeRecord {
    /// When it began.
    pub began: VirtualTime,
    /// When it ended; `None` while it is under way.
    pub ended: Option<VirtualTime>,
    /// Its disk operations.
    pub disk_operations: u64,
    /// Its network operations.
    pub network_operations: u64,
    /// Its computations.
    pub computations: u64,
}

/// A crash of the driver that was planned and has happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Crashed {
    /// The fault's place in the plan.
    pub fault: usize,
    /// The life that it ended.
    pub life: Life,
    /// When.
    pub at: VirtualTime,
    /// The supervisor should start the next life after this long.
    pub restart_after: Duration,
    /// Whether the machine lost power.
    pub power_loss: bool,
}

impl Seat {
    /// The world, as the engine sees it from here.
    pub(crate) fn env(&self) -> Env {
        Env {
            clock: Arc::new(SimClock::new(self.clone())),
            network: Arc::new(SimNetwork::new(self.clone())),
            disk: Arc::new(SimDisk::new(self.clone())),
            executor: Arc::new(SimExecutor::new(self.clone())),
            random: Arc::new(SimRandom::new(self.clone())),
        }
    }
}
