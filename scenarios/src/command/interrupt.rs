//! Ctrl-C for the commands that compute: the first one is a wish, which they grant when what is under way is done; the second one ends
//! the process at once.

use super::{Failure, INTERRUPTED, signals::Signals, tell};
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering::Relaxed},
    mpsc,
};

/// Whether somebody wants it to end.
#[derive(Clone)]
pub(super) struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Listens from now on: SIGINT and SIGTERM do not end the process by themselves any more.
    pub(super) fn listen() -> Result<Self, Failure> {
        let asked = Arc::new(AtomicBool::new(false));
        let (ready, listening) = mpsc::channel();
        let wish = asked.clone();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let runtime = match runtime {
                Ok(runtime) => runtime,
                Err(error) => {
                    return ready.send(Err(Failure::failed(format!("cannot listen for signals: {error}"))));
                }
            };
            runtime.block_on(async {
                let mut signals = match Signals::listen() {
                    Ok(signals) => signals,
                    Err(failure) => return ready.send(Err(failure)),
                };
                ready.send(Ok(()))?;
                signals.next().await;
                wish.store(true, Relaxed);
                tell("stopping: what is under way is finished and told; Ctrl-C again ends at once");
                signals.next().await;
                std::process::exit(i32::from(INTERRUPTED))
            })
        });
        listening.recv().map_err(|_| Failure::failed("cannot listen for signals"))??;
        Ok(Self(asked))
    }

    /// Whether Ctrl-C was pressed.
    pub(super) fn asked(&self) -> bool {
        self.0.load(Relaxed)
    }
}
