//! The turns of tasks, counted: a task that is always ready again, and does nothing at the seams, comes to no end either.
//!
//! Virtual time hardly passes meanwhile, so a limit of it would be of no help. Left out: a computation without an end in one turn,
//! which nothing here sees.

use super::World;
use std::{
    future::{Future, poll_fn},
    pin::pin,
    sync::Arc,
};

/// The task, each of whose turns counts as an operation.
pub(crate) async fn counted<F: Future>(world: Arc<World>, task: F) -> F::Output {
    let mut task = pin!(task);
    let turn = poll_fn(|context| {
        world.lock().count();
        task.as_mut().poll(context)
    });
    turn.await
}
