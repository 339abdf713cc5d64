//! The catalogue of scenarios: each pipeline against each kind of source, over real text.
//!
//! A scenario's model says what the output must be. It is written from the pipelines' description, as plainly as can be, and
//! shares nothing with the engine but the way a batch time is printed.

use crate::pipelines::Pipeline;
use highwater_sim::{
    scenario::{Model, Scenario, simulated_options},
    source::Mode,
};
use std::{collections::BTreeMap, sync::Arc};

/// The text that the sources send, from which each seed takes a passage. `data/README.md` says where it is from.
pub const CORPUS: &str = include_str!("../data/moby-dick.txt");

/// All scenarios, in the order in which they are swept.
pub fn scenarios() -> Vec<Scenario> {
    let corpus: Arc<Vec<String>> = Arc::new(CORPUS.lines().map(str::to_owned).collect());
    [("word-count", false), ("running-total", true)]
        .into_iter()
        .flat_map(|(name, keeps_state)| {
            let pipeline = Pipeline::find(name).expect("it is in the catalogue of pipelines");
            let corpus = corpus.clone();
            [Mode::Resume, Mode::Tcp].map(|mode| scenario(pipeline, keeps_state, mode, corpus.clone()))
        })
        .collect()
}

/// The scenario of this name.
pub fn find(name: &str) -> Option<Scenario> {
    scenarios().into_iter().find(|scenario| scenario.name == name)
}

fn scenario(pipeline: Pipeline, keeps_state: bool, mode: Mode, corpus: Arc<Vec<String>>) -> Scenario {
    let (name, source) = match mode {
        Mode::Resume => (pipeline.name.to_owned(), "a source that can resume: nothing is lost, end to end"),
        Mode::Tcp => (
            format!("{}-tcp", pipeline.name),
            "a source that cannot resume: nothing is lost once it is in the journal",
        ),
    };
    Scenario {
        name,
        about: format!("{}, from {source}", pipeline.about),
        mode,
        build: Arc::new(move |lines, output| pipeline.build(lines, output)),
        model: if keeps_state { totals_model() } else { counts_model() },
        outcome: if keeps_state { Arc::new(last) } else { Arc::new(sum) },
        options: simulated_options(),
        corpus,
    }
}

fn count(counts: &mut BTreeMap<String, u64>, lines: &[String]) {
    for word in lines.iter().flat_map(|line| line.split_whitespace()) {
        *counts.entry(word.to_owned()).or_default() += 1;
    }
}

fn rendered(counts: &BTreeMap<String, u64>) -> String {
    format!("{:?}", counts.iter().collect::<Vec<_>>())
}

/// Each batch's words, counted.
fn counts_model() -> Model {
    Arc::new(|batches| {
        let batch = |(time, lines): &(highwater_core::BatchTime, Vec<String>)| {
            let mut counts = BTreeMap::new();
            count(&mut counts, lines);
            format!("Counts at time {time} {}\n", rendered(&counts))
        };
        batches.iter().map(batch).collect()
    })
}

/// The words of all batches so far, counted.
fn totals_model() -> Model {
    Arc::new(|batches| {
        let mut totals = BTreeMap::new();
        let batch = |(time, lines): &(highwater_core::BatchTime, Vec<String>)| {
            count(&mut totals, lines);
            format!("Totals at time {time} {}\n", rendered(&totals))
        };
        batches.iter().map(batch).collect()
    })
}

/// The pairs of one output line, with the words as they are printed.
fn pairs(line: &str) -> impl Iterator<Item = (String, u64)> {
    let list = line.split_once(" [").map_or("", |(_, list)| list);
    list.split("), (").filter_map(|pair| {
        let (word, count) = pair.rsplit_once(", ")?;
        let count = count.trim_end_matches([')', ']', '\n']).parse().ok()?;
        Some((word.trim_start_matches('(').to_owned(), count))
    })
}

/// All batches' counts, added up.
fn sum(text: &str) -> Vec<(String, u64)> {
    let mut sums: BTreeMap<String, u64> = BTreeMap::new();
    for (word, count) in text.lines().flat_map(pairs) {
        *sums.entry(word).or_default() += count;
    }
    sums.into_iter().collect()
}

/// The last batch's totals.
fn last(text: &str) -> Vec<(String, u64)> {
    text.lines().last().map_or_else(Vec::new, |line| pairs(line).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_outcome_is_read_from_the_output() {
        let text = "Counts at time 2018-03-02 03:29:16 [(\"a\", 1), (\"\\\"b), (\\\"\", 3)]\n\
                    Counts at time 2018-03-02 03:29:17 []\n\
                    Counts at time 2018-03-02 03:29:18 [(\"a\", 2)]\n";
        assert!(sum(text).contains(&("\"a\"".into(), 3)));
        assert_eq!(last(text), [("\"a\"".to_owned(), 2)]);
        assert_eq!(last(""), []);
    }

    #[test]
    fn every_scenario_is_found_by_its_name() {
        let names: Vec<_> = scenarios().into_iter().map(|scenario| scenario.name).collect();
        assert_eq!(names, ["word-count", "word-count-tcp", "running-total", "running-total-tcp"]);
        assert!(names.iter().all(|name| find(name).is_some()));
    }
}
