//! The ten most frequent words of the last 30 seconds, every 2 seconds. What enters the window is added and what leaves it is
//! taken off, so a longer window costs no more.
//!
//! ```sh
//! cargo run --release -- feed scenarios/data/moby-dick.txt --listen 127.0.0.1:8880 --rate 1000/s --resume
//! cargo run --release -p highwater-core --example sliding_hot_words -- resume://127.0.0.1:8880 checkpoint
//! ```

use highwater_core::prelude::*;

fn create(env: &Env, url: &str) -> Result<StreamingContext> {
    let context = StreamingContext::new(env, Options::default())?;
    let (window, slide) = (Interval::from_secs(30), Interval::from_secs(2));
    context
        .socket_text_stream(url)?
        .flat_map(Text::into_words)
        .map(|word| (word, 1u64))
        .reduce_by_key_and_window_inverse_filter(
            |a, b| a + b,
            |a, b| a - b,
            window,
            slide,
            |_, count| *count > 0,
        )
        .transform(|counts| counts.sort_by(|(word, count)| (std::cmp::Reverse(*count), word.clone())))
        .print();
    Ok(context)
}

#[tokio::main]
async fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let (Some(url), Some(directory)) = (arguments.next(), arguments.next()) else {
        eprintln!("usage: sliding_hot_words URL CHECKPOINT_DIRECTORY");
        std::process::exit(2);
    };
    let mut context = StreamingContext::get_or_create(os::env(), directory, |env| create(env, &url)).await?;
    context.start().await?;
    context.await_termination().await
}
