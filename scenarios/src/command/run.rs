//! `highwater run`: a pipeline for real, from a socket to a file.

use super::{Failure, INTERRUPTED, interval, narrator, runtime, signals::Signals, supervise, voice::Voice};
use clap::{Args, builder::PossibleValuesParser};
use highwater_core::{Interval, Options, StreamingContext, event::Event, os, source::SocketAddress};
use highwater_scenarios::pipelines::{PIPELINES, Pipeline};
use std::{path::PathBuf, time::Duration};

const AFTER_HELP: &str = "\
Examples:
  highwater feed words.txt --listen 127.0.0.1:8880 --rate 1000/s
  highwater run word-count --source tcp://127.0.0.1:8880 --checkpoint c --output counts.txt

  highwater feed words.txt --listen 127.0.0.1:8880 --resume
  highwater run running-total --source resume://127.0.0.1:8880 --checkpoint t \\
      --output totals.txt --batch-interval 200ms --supervise

Each batch appends a line to the output and to the terminal. Kill it at any moment and start the same command again: it says \
what it recovered, and goes on. Ctrl-C stops in order: what was received is processed first.";

/// Runs a pipeline for real, or goes on with it where it was
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Run {
    /// The pipeline; `highwater scenarios` lists them
    #[arg(value_parser = PossibleValuesParser::new(PIPELINES.map(|pipeline| pipeline.name)))]
    pipeline: String,
    /// Where the lines come from: tcp://HOST:PORT, or resume://HOST:PORT for a source that can repeat what was not yet durable
    #[arg(long, value_name = "URL")]
    source: SocketAddress,
    /// The directory of the checkpoints; made if it is not there
    #[arg(long, value_name = "DIR")]
    checkpoint: PathBuf,
    /// The file that each batch's line is appended to
    #[arg(long, value_name = "FILE")]
    output: PathBuf,
    /// The time from batch to batch; fixed at the first start
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = interval::parse)]
    batch_interval: Interval,
    /// The time between two snapshots of the state [default: the least multiple of the batch interval that is at least 10s]
    #[arg(long, value_name = "TIME", value_parser = interval::parse)]
    checkpoint_interval: Option<Interval>,
    /// Starts the pipeline in a process of its own, and again whenever it dies
    #[arg(long)]
    supervise: bool,
    /// The process that supervises this one.
    #[arg(long, hide = true, conflicts_with = "supervise")]
    supervised_by: Option<i32>,
}

/// How long the end waits for a terminal that does not take what is to be shown.
const LAST_WORDS: Duration = Duration::from_secs(1);

impl Run {
    pub(super) fn main(self) -> Result<(), Failure> {
        // A child has the defaults of the same file as its supervisor.
        if self.supervise && self.supervised_by.is_none() {
            return supervise::supervise();
        }
        if let Some(supervisor) = self.supervised_by {
            supervise::tie_to(supervisor)?;
        }
        let runtime = runtime()?;
        let (terminal, log) = (Voice::new(std::io::stdout()), Voice::new(std::io::stderr()));
        let ended = runtime.block_on(self.drive(&terminal, &log));
        terminal.finish(LAST_WORDS);
        log.finish(LAST_WORDS);
        // A disk that hangs must not keep a driver that has ended.
        runtime.shutdown_timeout(LAST_WORDS);
        ended
    }

    async fn drive(&self, terminal: &Voice, log: &Voice) -> Result<(), Failure> {
        let mut signals = Signals::listen()?;
        let mut context = tokio::select! {
            started = self.start(terminal, log) => started?,
            _ = signals.next() => {
                log.say("stopped before the start was done: nothing was received");
                return Ok(());
            }
        };
        let stopper = context.stopper()?;
        let stop_at_once = async {
            signals.next().await;
            stopper.stop();
            signals.next().await;
        };
        tokio::select! {
            ended = context.await_termination() => Ok(ended?),
            () = stop_at_once => Err(Failure {
                status: INTERRUPTED,
                message: "ended at once; the next start recovers what was not processed".to_owned(),
            }),
        }
    }

    async fn start(&self, terminal: &Voice, log: &Voice) -> Result<StreamingContext, Failure> {
        let pipeline = Pipeline::find(&self.pipeline)
            .ok_or_else(|| Failure::unusable(format!("there is no pipeline '{}'", self.pipeline)))?;
        let mut options = Options::with_batch_interval(self.batch_interval);
        options.checkpoint_interval = self.checkpoint_interval;
        let (source, log, terminal) = (self.source.clone(), log.clone(), terminal.clone());
        let mut context = StreamingContext::get_or_create(os::env(), &self.checkpoint, move |env| {
            let context = StreamingContext::new(env, options)?;
            let lines = context.socket_text_stream(&source.to_string())?;
            context.add_listener(move |event: &Event| {
                if let Some(line) = narrator::tell(event, &source) {
                    log.say(line);
                }
            });
            pipeline.build_with_echo(lines, &self.output, move |lines| terminal.say_bytes(lines));
            Ok(context)
        })
        .await?;
        context.start().await?;
        Ok(context)
    }
}
