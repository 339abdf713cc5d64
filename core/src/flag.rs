//! A flag that is raised once and waited for by many.
//!
//! Not tokio's `watch`: with several waiters that wakes them in an order drawn from a random state of the process, which no
//! seed of a simulation reaches. This one wakes them in the order in which they began to wait.

use std::{
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};
use tokio::sync::Notify;

/// Clones are the same flag.
#[derive(Clone, Debug, Default)]
pub(crate) struct Flag(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    raised: AtomicBool,
    notify: Notify,
}

impl Flag {
    pub fn raise(&self) {
        self.0.raised.store(true, Ordering::SeqCst);
        self.0.notify.notify_waiters();
    }

    pub fn is_raised(&self) -> bool {
        self.0.raised.load(Ordering::SeqCst)
    }

    /// Completes once it is raised.
    pub async fn raised(&self) {
        let mut notified = pin!(self.0.notify.notified());
        // From here on a raise is not missed; one before is seen by the load.
        notified.as_mut().enable();
        if !self.is_raised() {
            notified.await;
        }
    }
}
