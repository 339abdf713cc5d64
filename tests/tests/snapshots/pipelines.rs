//! The pipelines that the stories are told about, on a text of their own.

use highwater_core::{BatchTime, Text};
use highwater_sim::{
    scenario::{Scenario, simulated_options},
    source::Mode,
};
use std::{collections::BTreeMap, sync::Arc};

/// The words of each batch.
pub fn word_count(mode: Mode) -> Scenario {
    scenario("word-count", mode, false)
}

/// The words of all batches so far.
pub fn running_total(mode: Mode) -> Scenario {
    scenario("running-total", mode, true)
}

type Counts = BTreeMap<String, u64>;

fn scenario(name: &str, mode: Mode, total: bool) -> Scenario {
    Scenario {
        name: match mode {
            Mode::Resume => name.to_owned(),
            Mode::Tcp => format!("{name}-tcp"),
        },
        about: String::new(),
        mode,
        build: Arc::new(move |lines, output| {
            let pairs = lines.flat_map(Text::into_words).map(|word| (word, 1u64));
            let counts = match total {
                true => pairs.update_state_by_key(|values, total| {
                    Some(total.unwrap_or(0) + values.iter().sum::<u64>())
                }),
                false => pairs.reduce_by_key(|a, b| a + b),
            };
            counts.write_text(output, |batch| {
                let counts = batch.records.iter().map(|(word, n)| (word.to_string(), *n));
                render(&counts.collect())
            });
        }),
        model: Arc::new(move |batches| model(batches, total)),
        outcome: Arc::new(|_| Vec::new()),
        options: simulated_options(),
        corpus: Arc::new((0..1000).map(|n| format!("line {n} of the corpus, word{}", n % 7)).collect()),
    }
}

fn render(counts: &Counts) -> String {
    format!("{counts:?}\n")
}

fn model(batches: &[(BatchTime, Vec<String>)], total: bool) -> Vec<String> {
    let mut counts = Counts::new();
    let batch = |(_, lines): &(BatchTime, Vec<String>)| {
        if !total {
            counts.clear();
        }
        for word in lines.iter().flat_map(|line| line.split_whitespace()) {
            *counts.entry(word.to_owned()).or_default() += 1;
        }
        render(&counts)
    };
    batches.iter().map(batch).collect()
}
