//! Counts the words of all batches so far: a state for every word, kept in the checkpoint.
//!
//! ```sh
//! cargo run --release -- feed scenarios/data/moby-dick.txt --listen 127.0.0.1:8880 --rate 1000/s --resume
//! cargo run --release -p highwater-core --example running_totals -- resume://127.0.0.1:8880 checkpoint
//! ```

use highwater_core::prelude::*;

fn create(env: &Env, url: &str) -> Result<StreamingContext> {
    let context = StreamingContext::new(env, Options::default())?;
    context
        .socket_text_stream(url)?
        .flat_map(Text::into_words)
        .map(|word| (word, 1u64))
        .update_state_by_key(|counts, total| Some(total.unwrap_or(0u64) + counts.into_iter().sum::<u64>()))
        .transform(|totals| totals.sort_by(|(word, total)| (std::cmp::Reverse(*total), word.clone())))
        .print();
    Ok(context)
}

#[tokio::main]
async fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let (Some(url), Some(directory)) = (arguments.next(), arguments.next()) else {
        eprintln!("usage: running_totals URL CHECKPOINT_DIRECTORY");
        std::process::exit(2);
    };
    let mut context = StreamingContext::get_or_create(os::env(), directory, |env| create(env, &url)).await?;
    context.start().await?;
    context.await_termination().await
}
