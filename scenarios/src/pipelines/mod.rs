//! The catalogue of pipelines: graphs from lines of text to a text file, one line for each batch of the output.
//!
//! They are the same for a real run and for a simulated one: what feeds them and where they run is not known here.

mod echo;
mod hot_words;
mod running_total;
mod sessions;
mod word_count;

pub use echo::Echo;
pub use hot_words::WINDOW as HOT_WORDS;
pub use sessions::IDLE_BATCHES;

use highwater_core::{
    DStream, Text, Word,
    sink::{Batch, TextFile},
};
use std::path::Path;

/// A pipeline that can be run by its name.
#[derive(Clone, Copy, Debug)]
pub struct Pipeline {
    /// What it is called on the command line.
    pub name: &'static str,
    /// What it does, in a line.
    pub about: &'static str,
    graph: fn(DStream<Text>) -> DStream<(Word, u64)>,
    /// What a line of its output begins with.
    title: &'static str,
    /// Whether a line has its words in order; else they stand as the batch has them, so that a batch that is emitted again shows whether
    /// it still has that order.
    sorted: bool,
}

/// A window in batches.
#[derive(Clone, Copy, Debug)]
pub struct Sliding {
    /// How many batches it is long.
    pub window_batches: u64,
    /// How many batches it slides at once.
    pub slide_batches: u64,
}

/// All pipelines that `highwater run` takes, by name.
pub const PIPELINES: [Pipeline; 4] =
    [hot_words::PIPELINE, running_total::PIPELINE, sessions::PIPELINE, word_count::PIPELINE];

impl Pipeline {
    /// One whose lines begin with its name, with the words as the batch has them.
    pub(crate) const fn new(
        name: &'static str,
        about: &'static str,
        graph: fn(DStream<Text>) -> DStream<(Word, u64)>,
    ) -> Self {
        Self { name, about, graph, title: name, sorted: false }
    }

    /// The pipeline of this name.
    pub fn find(name: &str) -> Option<Self> {
        PIPELINES.into_iter().find(|pipeline| pipeline.name == name)
    }

    /// Builds the graph that reads `lines` and appends a line for each batch to the file at `output`.
    pub fn build(&self, lines: DStream<Text>, output: &Path) {
        (self.graph)(lines).output(self.file(output));
    }

    /// As [`build`](Self::build), and hands each line to `echo` too, once it is emitted. The graph is the same, as far as a
    /// checkpoint sees it.
    pub fn build_with_echo(
        &self,
        lines: DStream<Text>,
        output: &Path,
        echo: impl Fn(&[u8]) + Send + Sync + 'static,
    ) {
        (self.graph)(lines).output(Echo::new(self.file(output), echo));
    }

    fn file(&self, path: &Path) -> TextFile<impl Fn(&Batch<(Word, u64)>) -> String + Send + Sync + use<>> {
        let (title, sorted) = (self.title, self.sorted);
        TextFile::new(path.to_owned(), move |batch: &Batch<(Word, u64)>| line(title, sorted, batch))
    }
}

/// `Counts at time 2018-03-02 03:29:16 [("a", 1), ("the", 3)]`, in UTC, with Rust's string escapes; by word, if it is `sorted`.
fn line(title: &str, sorted: bool, batch: &Batch<(Word, u64)>) -> String {
    let mut words: Vec<_> = batch.records.iter().map(|(word, count)| (word.as_str(), *count)).collect();
    if sorted {
        words.sort_unstable();
    }
    format!("{title} at time {} {words:?}\n", batch.time())
}

#[cfg(test)]
mod tests {
    use super::*;
    use highwater_core::{BatchTime, ids::Generation, sink::BatchInfo};

    fn batch(records: &[(&str, u64)]) -> Batch<(Word, u64)> {
        let info =
            BatchInfo { time: BatchTime(1_519_961_356_000), generation: Generation(1), repetition: false };
        Batch { info, records: records.iter().map(|(word, count)| (Word::from(*word), *count)).collect() }
    }

    #[test]
    fn a_line_has_the_time_in_utc_and_the_words_in_order_or_as_they_are() {
        assert_eq!(
            line("Counts", true, &batch(&[("the", 3), ("a", 1)])),
            "Counts at time 2018-03-02 03:29:16 [(\"a\", 1), (\"the\", 3)]\n"
        );
        assert_eq!(
            line("Counts", false, &batch(&[("the", 3), ("a", 1)])),
            "Counts at time 2018-03-02 03:29:16 [(\"the\", 3), (\"a\", 1)]\n"
        );
    }

    #[test]
    fn a_word_that_could_break_the_line_is_escaped() {
        assert_eq!(
            line("Counts", true, &batch(&[("say\"", 1), ("\u{1b}", 2), ("\\", 1)])),
            "Counts at time 2018-03-02 03:29:16 [(\"\\u{1b}\", 2), (\"\\\\\", 1), (\"say\\\"\", 1)]\n"
        );
    }

    #[test]
    fn a_batch_without_data_is_an_empty_list() {
        assert_eq!(line("Totals", true, &batch(&[])), "Totals at time 2018-03-02 03:29:16 []\n");
    }

    #[test]
    fn every_pipeline_is_found_by_its_name() {
        for pipeline in PIPELINES {
            assert_eq!(Pipeline::find(pipeline.name).unwrap().about, pipeline.about);
        }
        assert!(PIPELINES.is_sorted_by_key(|pipeline| pipeline.name));
        assert!(Pipeline::find("nonsense").is_none());
    }
}
