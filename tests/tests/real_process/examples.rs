//! The five examples, as programs: what they print is what they say, also after a SIGKILL.
//!
//! They run for ever, so each is looked at until it has printed what it must, and is killed then.

use crate::feeding::Feeding;
use highwater_tests::command::{PATIENCE, Process, examples};
use rustix::process::Signal;
use std::{
    collections::BTreeMap,
    ffi::OsStr,
    path::Path,
    thread,
    time::{Duration, Instant},
};

/// What an example has printed of its batches, by their times: the records, as they are printed.
type Pages = BTreeMap<i64, Vec<String>>;

const RULE: &str = "-------------------------------------------\n";

/// The pages that are there in full: a time between rules, records, an empty line.
fn pages(printed: &str) -> Pages {
    let mut pages = Pages::new();
    let mut rest = printed;
    while let Some(page) = rest.strip_prefix(RULE) {
        let Some((page, after)) = page.split_once("\n\n") else { break };
        // Of a batch without records the empty line comes right after the rule.
        let (time, records) =
            page.split_once(&format!(" ms\n{}", RULE.trim_end())).expect("a time between rules");
        let time = time.strip_prefix("Time: ").and_then(|time| time.parse().ok()).expect("a time");
        let records = records.trim_start_matches('\n').lines().map(str::to_owned).collect();
        assert!(pages.insert(time, records).is_none(), "a life prints a batch once");
        rest = after;
    }
    pages
}

/// An example under way.
struct Running {
    process: Process,
    /// What earlier lives have printed.
    before: Pages,
}

impl Running {
    fn start(name: &str, directory: &Path, urls: &[&str]) -> Self {
        Self { process: Self::life(name, 1, directory, urls), before: Pages::new() }
    }

    fn life(name: &str, number: u64, directory: &Path, urls: &[&str]) -> Process {
        let checkpoint = directory.join("checkpoint");
        let mut arguments: Vec<&OsStr> = urls.iter().map(OsStr::new).collect();
        arguments.push(checkpoint.as_os_str());
        Process::start_program(&examples().join(name), directory, &format!("life-{number}"), &arguments)
    }

    /// All pages of all lives. A batch that was printed again is the same.
    fn pages(&self) -> Pages {
        let printed = self.process.stdout().expect("its output goes to a file");
        let mut all = self.before.clone();
        for (time, records) in pages(&String::from_utf8_lossy(&printed)) {
            let before = all.entry(time).or_insert_with(|| records.clone());
            assert_eq!(*before, records, "the batch of {time} was printed again with other records");
        }
        all
    }

    /// Waits until what was printed satisfies `wanted`.
    fn wait(&self, wanted: impl Fn(&Pages) -> bool) -> Pages {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let pages = self.pages();
            if wanted(&pages) {
                return pages;
            }
            assert!(
                Instant::now() < deadline,
                "it printed only {pages:?}\nand said:\n{}",
                self.process.stderr()
            );
            thread::sleep(Duration::from_millis(20));
        }
    }
}

/// So many lines of few words: all of a batch's are among the ten records that are printed.
fn few_words(lines: usize) -> String {
    (0..lines).map(|n| format!("w{} w{} w{}\n", n % 7, n % 3, n % 5)).collect()
}

/// `(word,count)`, of each word.
fn counts(text: &str) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    text.split_whitespace().for_each(|word| *counts.entry(word.to_owned()).or_default() += 1);
    counts
}

/// The counts of a text as they are printed, the most frequent first.
fn hottest(text: &str) -> Vec<String> {
    let mut counts: Vec<(String, u64)> = counts(text).into_iter().collect();
    counts.sort_by_key(|(word, count)| (std::cmp::Reverse(*count), word.clone()));
    counts.into_iter().map(|(word, count)| format!("({word},{count})")).collect()
}

/// All batches' counts, added up.
fn added(pages: &Pages) -> BTreeMap<String, u64> {
    let mut sums = BTreeMap::new();
    for record in pages.values().flatten() {
        let (word, count) = record.trim_matches(['(', ')']).split_once(',').expect("a pair");
        *sums.entry(word.to_owned()).or_default() += count.parse::<u64>().expect("a number");
    }
    sums
}

#[test]
fn the_recoverable_word_count_counts_each_line_once_over_a_kill() {
    let directory = tempfile::tempdir().expect("a directory");
    let text = few_words(1_000);
    let feeding = Feeding::start(&text, true, 300.0);
    let name = "recoverable_network_word_count";
    let mut running = Running::start(name, directory.path(), &[&feeding.url]);
    running.wait(|pages| pages.values().flatten().count() > 0);
    running.process.signal(Signal::KILL);
    running.process.wait();
    let before = running.pages();
    assert_ne!(added(&before), counts(&text), "it was killed before it was done");
    let process = Running::life(name, 2, directory.path(), &[&feeding.url]);
    let running = Running { process, before };
    running.wait(|pages| added(pages) == counts(&text));
}

#[test]
fn running_totals_end_at_a_straight_count() {
    let directory = tempfile::tempdir().expect("a directory");
    let text = few_words(200);
    let feeding = Feeding::start(&text, true, 100.0);
    let running = Running::start("running_totals", directory.path(), &[&feeding.url]);
    running.wait(|pages| pages.values().next_back().is_some_and(|records| *records == hottest(&text)));
}

#[test]
fn sliding_hot_words_tells_the_words_of_the_window_the_hottest_first_every_two_seconds() {
    let directory = tempfile::tempdir().expect("a directory");
    let text = few_words(100);
    let feeding = Feeding::start(&text, true, 1_000.0);
    let running = Running::start("sliding_hot_words", directory.path(), &[&feeding.url]);
    let is_told = |pages: &Pages| pages.values().filter(|records| **records == hottest(&text)).count() > 1;
    let pages = running.wait(is_told);
    let times: Vec<i64> = pages.into_keys().collect();
    assert!(times.windows(2).all(|pair| pair[1] - pair[0] == 2_000), "{times:?}");
}

#[test]
fn sessions_are_told_once_when_nothing_came_for_five_seconds() {
    let directory = tempfile::tempdir().expect("a directory");
    let feeding = Feeding::start("ann in\nbob in\nann out\n", true, 1_000.0);
    let running = Running::start("sessions", directory.path(), &[&feeding.url]);
    let pages = running.wait(|pages| pages.values().flatten().count() == 2);
    let mut ended: Vec<&String> = pages.values().flatten().collect();
    ended.sort();
    assert!(ended[0].starts_with("ann: 2 events since "), "{ended:?}");
    assert!(ended[1].starts_with("bob: 1 events since "), "{ended:?}");
    let first = *pages.keys().next().expect("a batch");
    let told = pages.iter().filter(|(_, records)| !records.is_empty()).map(|(time, _)| *time);
    let early: Vec<i64> = told.filter(|time| time - first < 6_000).collect();
    assert!(early.is_empty(), "idle for longer than 5 s, at the earliest 6 s after {first}: {early:?}");
}

#[test]
fn the_join_of_two_streams_tells_of_each_order_once_whether_it_was_paid() {
    let directory = tempfile::tempdir().expect("a directory");
    let payments = Feeding::start("1 10\n2 20\n3 30\n4 40\n", true, 1_000.0);
    // The last is sent when the payments have long been there, and are in the window still.
    let orders = Feeding::start("5 rope\n1 salt\n2 oars\n3 fog horn\n", true, 1.0);
    let running = Running::start("join_of_two_streams", directory.path(), &[&orders.url, &payments.url]);
    let pages = running.wait(|pages| pages.values().flatten().count() == 4);
    let told: Vec<&String> = pages.values().flatten().collect();
    assert!(told.iter().any(|record| **record == "5: rope, not paid yet"), "{told:?}");
    assert!(told.iter().any(|record| **record == "3: fog horn, paid 30"), "{told:?}");
}
