//! A feed in this process, so that a test knows what was sent and acknowledged.

use highwater_core::os;
use highwater_scenarios::feed::{Feed, Lines, Notice, Progress, Rate};
use highwater_tests::command::PATIENCE;
use std::sync::Arc;
use tokio::{runtime::Runtime, sync::watch};

/// A feed that serves until it is dropped.
pub struct Feeding {
    /// What `--source` takes.
    pub url: String,
    progress: watch::Receiver<Progress>,
    runtime: Runtime,
}

impl Feeding {
    /// Serves `text` at a free port.
    pub fn start(text: &str, resume: bool, lines_per_second: f64) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let feed = Feed {
            lines: Arc::new(Lines::from_bytes(text.as_bytes().to_vec())),
            rate: Some(Rate::per_second(lines_per_second).unwrap()),
            resume,
        };
        let (sender, progress) = watch::channel(Progress::default());
        let (env, listener) = runtime.block_on(async {
            let env = os::env_with_threads(1);
            let listener = env.network.listen("127.0.0.1:0").await.unwrap();
            (env, listener)
        });
        let url = format!("{}://{}", if resume { "resume" } else { "tcp" }, listener.local_address());
        runtime.spawn(async move {
            let report = |notice: Notice| eprintln!("feed: {notice}");
            feed.serve(&env, listener, &sender, &report).await
        });
        Self { url, progress, runtime }
    }

    /// Waits until the feed is so far.
    pub fn wait(&self, state: impl FnMut(&Progress) -> bool) -> Progress {
        let mut progress = self.progress.clone();
        self.runtime.block_on(async {
            let reached = tokio::time::timeout(PATIENCE, progress.wait_for(state)).await;
            *reached.unwrap_or_else(|_| panic!("the feed stays at {:?}", self.progress.borrow())).unwrap()
        })
    }

    /// How far it is.
    pub fn progress(&self) -> Progress {
        *self.progress.borrow()
    }
}
