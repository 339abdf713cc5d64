//! What there is of sources and outputs beside the programs and the operators: each as a scenario of a pipeline that is known already, or of
//! one that does as little as it can.

use super::{Expectations, Input, counts_model, last, name_of, of_operator, scenario, totals_model};
use crate::{
    operators::{OPERATORS, ResumingLines},
    pipelines::Pipeline,
};
use highwater_core::{DStream, Text};
use highwater_sim::{
    scenario::{Batches, Feed, Receive, Scenario},
    source::{LineEnd, Mode, Source},
};
use std::{path::Path, sync::Arc};

/// `word-count` with lines from a receiver of one's own.
pub(super) fn own_receiver(corpus: Arc<Vec<String>>) -> Scenario {
    let pipeline = Pipeline::find("word-count").expect("it is in the catalogue of pipelines");
    let receive: Receive = Arc::new(|context, _| {
        let lines = context.receiver_stream(ResumingLines { address: Source::ADDRESS.to_owned() });
        Ok(lines.map(|line| Text::from(line.as_str())))
    });
    Scenario {
        name: "receiver-stream".into(),
        about:
            "counts the words of each batch, from a receiver of one's own that acknowledges what is durable"
                .into(),
        receive,
        ..scenario(pipeline, counts_model(), Expectations::default(), Mode::Resume, corpus)
    }
}

/// `running-total` with lines from the files of a directory: each is in one batch, and a batch that is run again has the same.
pub(super) fn text_files(corpus: Arc<Vec<String>>) -> Scenario {
    let pipeline = Pipeline::find("running-total").expect("it is in the catalogue of pipelines");
    let expectations = Expectations { outcome: Some(Arc::new(last)), ..Expectations::default() };
    Scenario {
        name: "text-file-stream".into(),
        about: "counts the words of all batches so far, from files that appear in a directory".into(),
        feed: Feed::Directory,
        receive: Arc::new(|context, directory| Ok(context.text_file_stream(directory))),
        ..scenario(pipeline, totals_model(), expectations, Mode::Resume, corpus)
    }
}

/// How many elements the queue has: it lasts for about as long as lines come.
const QUEUED_BATCHES: usize = 16;

/// `update-state-by-key` over lines and a queue. Its snapshots are written in many pieces.
pub(super) fn union(corpus: Arc<Vec<String>>) -> Scenario {
    let operator = OPERATORS.into_iter().find(|operator| operator.pipeline.name == "update-state-by-key");
    let mut scenario = of_operator(operator.expect("it is in the catalogue"), Mode::Resume, corpus);
    // A word that comes in every element, one that comes in it alone, and one that is forgotten and comes back.
    let element = |number: usize| {
        let comes_back = if number.is_multiple_of(6) { "now and then" } else { "" };
        vec![format!("of the queue {comes_back}"), format!("element-{number}")]
    };
    scenario.queue = Arc::new((0..QUEUED_BATCHES).map(element).collect());
    // Its elements have room beside the lines.
    scenario.options.backlog_bytes_max = 64 << 10;
    scenario.options.snapshot_piece_bytes = 256;
    Scenario {
        name: "union".into(),
        about: "counts the words of two sources, united: a socket that can resume, and a queue of which each batch takes an element"
            .into(),
        ..scenario
    }
}

/// The longest line in bytes where lines are cut.
const CUT_LINE_BYTES: usize = 32;

/// `word-count` of lines that end in a carriage return and a line feed, some of which are longer than a line may be.
pub(super) fn cut_lines(corpus: Arc<Vec<String>>) -> Scenario {
    let shorter = |(number, line): (usize, &String)| match number % 2 {
        0 => line.clone(),
        _ => line.chars().take(CUT_LINE_BYTES / 2).collect(),
    };
    let corpus = Arc::new(corpus.iter().enumerate().map(shorter).collect());
    let pipeline = Pipeline::find("word-count").expect("it is in the catalogue of pipelines");
    let mut scenario = scenario(pipeline, counts_model(), Expectations::default(), Mode::Tcp, corpus);
    scenario.options.line_bytes_max = CUT_LINE_BYTES;
    Scenario {
        name: "cut-lines-tcp".into(),
        about: "counts the words of each batch, of lines that end in CR LF and are cut where they are too long, from a source that cannot \
                resume"
            .into(),
        line_end: LineEnd::CrLf,
        ..scenario
    }
}

/// The shortest line that is saved, in bytes: so that some batches have records and save none.
const SAVED_BYTES_MIN: usize = 40;

/// Lines saved in a directory a batch.
pub(super) fn text_directories(mode: Mode, corpus: Arc<Vec<String>>) -> Scenario {
    let build = |lines: DStream<Text>, output: &Path| {
        let long = lines.filter(|line| line.len() >= SAVED_BYTES_MIN);
        long.save_as_text_files(output.display().to_string(), "");
    };
    let batch = |(time, lines): &Input| {
        let long: Vec<&String> = lines.iter().filter(|line| line.len() >= SAVED_BYTES_MIN).collect();
        let mut text = format!("out-{}/_SUCCESS:\nrecords: {}\n", time.0, long.len());
        if !long.is_empty() {
            text += &format!("out-{}/part-00000:\n", time.0);
        }
        long.into_iter().for_each(|line| text += &format!("{line}\n"));
        text
    };
    let model = move |batches: &Batches| batches.iter().map(batch).collect();
    Scenario {
        about: "saves the longer lines of each batch in a directory of its own".into(),
        mode,
        corpus,
        ..Scenario::new(name_of("save-as-text-files", mode), build, model)
    }
}
