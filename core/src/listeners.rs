//! Telling the listeners.

use crate::event::{Event, StreamingListener};
use std::sync::{Arc, Mutex};

/// The listeners of a context. Cloning shares them.
#[derive(Clone, Default)]
pub(crate) struct Listeners(Arc<Mutex<Vec<Arc<dyn StreamingListener>>>>);

impl Listeners {
    pub fn add(&self, listener: Arc<dyn StreamingListener>) {
        self.lock().push(listener);
    }

    /// Tells all of them, in the order in which they were added. Events of concurrent tasks never interleave.
    pub fn tell(&self, event: &Event) {
        self.lock().iter().for_each(|listener| listener.on_event(event));
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Arc<dyn StreamingListener>>> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
