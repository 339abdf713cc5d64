//! Runs the pipeline for real: `cargo run --release -- resume://127.0.0.1:8880 checkpoint output.txt`

use highwater_core::{Error, Options, StreamingContext};
use std::{path::PathBuf, process::ExitCode};

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [source, checkpoint, output] = &arguments[..] else {
        eprintln!("usage: ship-log SOURCE CHECKPOINT_DIRECTORY OUTPUT_FILE");
        return ExitCode::from(2);
    };
    match run(source, checkpoint, output.into()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Goes on where the last start was, or begins.
async fn run(source: &str, checkpoint: &str, output: PathBuf) -> Result<(), Error> {
    let mut context =
        StreamingContext::get_or_create(highwater_core::os::env(), checkpoint, |env| {
            let context = StreamingContext::new(env, Options::default())?;
            ship_log::build(context.socket_text_stream(source)?, &output);
            Ok(context)
        })
        .await?;
    context.start().await?;
    context.await_termination().await
}
