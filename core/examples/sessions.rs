//! A session for every user: it begins with the first event and ends when there was none for 5 seconds. A line is `USER WHAT..`.
//!
//! ```sh
//! cargo run --release -- feed scenarios/data/moby-dick.txt --listen 127.0.0.1:8880 --rate 100/s --resume
//! cargo run --release -p highwater-core --example sessions -- resume://127.0.0.1:8880 checkpoint
//! ```

use highwater_core::prelude::*;
use serde::{Deserialize, Serialize};

/// What is kept of a session.
#[derive(Clone, Serialize, Deserialize)]
struct Session {
    began: BatchTime,
    events: u64,
}

fn create(env: &Env, url: &str) -> Result<StreamingContext> {
    let context = StreamingContext::new(env, Options::default())?;
    let session = |time, user: &Word, event: Option<()>, session: &mut State<Session>| {
        let so_far = session.get_option().cloned();
        if event.is_some() {
            let mut going_on = so_far.unwrap_or(Session { began: time, events: 0 });
            going_on.events += 1;
            session.update(going_on);
            return None;
        }
        // No event: it is timing out, and this is the last that is heard of it.
        let ended = so_far?;
        Some(format!("{user}: {} events since {}", ended.events, ended.began))
    };
    context
        .socket_text_stream(url)?
        .flat_map(|line| line.into_words().next())
        .map(|user| (user, ()))
        .map_with_state(StateSpec::function(session).timeout(Interval::from_secs(5)))
        .mapped()
        .print();
    Ok(context)
}

#[tokio::main]
async fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let (Some(url), Some(directory)) = (arguments.next(), arguments.next()) else {
        eprintln!("usage: sessions URL CHECKPOINT_DIRECTORY");
        std::process::exit(2);
    };
    let mut context = StreamingContext::get_or_create(os::env(), directory, |env| create(env, &url)).await?;
    context.start().await?;
    context.await_termination().await
}
