//! The catalogue of scenarios: each pipeline against each kind of source, and each operator that keeps something, over real text.
//!
//! A scenario's model says what the output must be. It is written from the pipelines' description, as plainly as can be, and
//! shares nothing with the engine but the way a batch time is printed.

mod ends;

use crate::{
    operators::{OPERATORS, Operator, told},
    pipelines::{HOT_WORDS, IDLE_BATCHES, PIPELINES, Pipeline},
};
use highwater_core::BatchTime;
use highwater_sim::{
    scenario::{
        Batches, Feed, Figure, Figures, Limits, Load, Model, Normalize, Outcome, Scenario, simulated_options,
        socket,
    },
    source::{LineEnd, Mode},
};
use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

/// The text that the sources send, from which each seed takes a passage. `data/README.md` says where it is from.
pub const CORPUS: &str = include_str!("../data/moby-dick.txt");

fn corpus() -> Arc<Vec<String>> {
    Arc::new(CORPUS.lines().map(str::to_owned).collect())
}

/// All scenarios, in the order in which they are swept.
pub fn scenarios() -> Vec<Scenario> {
    let corpus = corpus();
    let none = Expectations::default();
    let programs = [
        ("word-count", counts_model(), Expectations { outcome: Some(Arc::new(sum)), ..none.clone() }),
        ("running-total", totals_model(), Expectations { outcome: Some(Arc::new(last)), ..none.clone() }),
        ("hot-words", hot_model(), Expectations { windows: Some(figures(hot_words)), ..none.clone() }),
        (
            "sessions",
            sessions_model(),
            Expectations { time_outs: Some(figures(ended_sessions)), ..none.clone() },
        ),
    ];
    let of_program = |(name, model, expectations): (&str, Model, Expectations)| {
        let pipeline = Pipeline::find(name).expect("it is in the catalogue of pipelines");
        let of_mode = |mode| scenario(pipeline, model.clone(), expectations.clone(), mode, corpus.clone());
        [Mode::Resume, Mode::Tcp].map(of_mode)
    };
    let programs: Vec<_> = programs.into_iter().flat_map(of_program).collect();
    let operators = OPERATORS.map(|operator| of_operator(operator, Mode::Resume, corpus.clone()));
    let ends = [ends::own_receiver, ends::text_files, ends::union, ends::cut_lines]
        .map(|scenario| scenario(corpus.clone()));
    // Nothing else has the steps of directories: one form alone has too few seeds for all their cells.
    let directories = [Mode::Resume, Mode::Tcp].map(|mode| ends::text_directories(mode, corpus.clone()));
    programs.into_iter().chain(operators).chain(ends).chain(directories).collect()
}

/// An operator as a scenario. The catalogue has each with a source that can resume alone: what the other one does differently is in what
/// comes to the operator.
fn of_operator(operator: Operator, mode: Mode, corpus: Arc<Vec<String>>) -> Scenario {
    let Operator { pipeline, model, slide, time_out } = operator;
    let windows = slide.map(|_| figures(move |batches| told::figures(batches, &model(batches))));
    let time_outs = time_out.map(|gone| {
        let of_gone = move |figures: Vec<Figure>| -> Vec<Figure> {
            figures.into_iter().filter(|(_, word, _)| word.starts_with(gone)).collect()
        };
        Figures {
            expected: Arc::new(move |batches| of_gone(told::figures(batches, &model(batches)))),
            read: Arc::new(move |text| of_gone(read(text))),
        }
    });
    let expectations = Expectations { windows, time_outs, ..Expectations::default() };
    let text: Model = Arc::new(move |batches| {
        let line = |((time, _), told): (&Input, Option<told::Counts>)| {
            told.map_or_else(String::new, |told| {
                format!("{} at time {time} {}\n", pipeline.name, rendered(&told))
            })
        };
        batches.iter().zip(model(batches)).map(line).collect()
    });
    let normalize: Normalize = Arc::new(in_order);
    Scenario { normalize: Some(normalize), ..scenario(pipeline, text, expectations, mode, corpus) }
}

/// What is expected of a scenario beside its text.
#[derive(Clone, Default)]
struct Expectations {
    outcome: Option<Outcome>,
    windows: Option<Figures>,
    time_outs: Option<Figures>,
}

/// The scenario of this name.
pub fn find(name: &str) -> Option<Scenario> {
    scenarios().into_iter().find(|scenario| scenario.name == name)
}

/// The scenario of a pipeline with a source of this kind.
pub fn of_pipeline(pipeline: &str, mode: Mode) -> Option<Scenario> {
    let operator = OPERATORS.into_iter().find(|operator| operator.pipeline.name == pipeline);
    match operator {
        Some(operator) => Some(of_operator(operator, mode, corpus())),
        None => Pipeline::find(pipeline).and_then(|_| find(&name_of(pipeline, mode))),
    }
}

/// The names of all pipelines that there is a scenario of.
pub fn pipelines() -> impl Iterator<Item = &'static str> {
    let programs = PIPELINES.iter().map(|pipeline| pipeline.name);
    programs.chain(OPERATORS.iter().map(|operator| operator.pipeline.name))
}

fn name_of(pipeline: &str, mode: Mode) -> String {
    match mode {
        Mode::Resume => pipeline.to_owned(),
        Mode::Tcp => format!("{pipeline}-tcp"),
    }
}

fn scenario(
    pipeline: Pipeline,
    model: Model,
    expectations: Expectations,
    mode: Mode,
    corpus: Arc<Vec<String>>,
) -> Scenario {
    let source = match mode {
        Mode::Resume => "a source that can resume: nothing is lost, end to end",
        Mode::Tcp => "a source that cannot resume: nothing is lost once it is in the journal",
    };
    Scenario {
        name: name_of(pipeline.name, mode),
        about: format!("{}, from {source}", pipeline.about),
        mode,
        feed: Feed::Socket,
        receive: socket(),
        queue: Arc::default(),
        build: Arc::new(move |lines, output| pipeline.build(lines, output)),
        model,
        normalize: None,
        outcome: expectations.outcome,
        windows: expectations.windows,
        time_outs: expectations.time_outs,
        options: simulated_options(),
        corpus,
        line_end: LineEnd::Lf,
        load: Load::default(),
        limits: Limits::default(),
        file: None,
    }
}

/// A batch as the tap tells of it: its time and its lines.
type Input = (BatchTime, Vec<String>);

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
        let batch = |(time, lines): &Input| {
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
        let batch = |(time, lines): &Input| {
            count(&mut totals, lines);
            format!("Totals at time {time} {}\n", rendered(&totals))
        };
        batches.iter().map(batch).collect()
    })
}

/// The words of the last batches, counted: those of the batch that leaves the window are taken off.
fn hot_model() -> Model {
    Arc::new(|batches| {
        let window_ms = HOT_WORDS.window_batches * batches.batch_interval.millis();
        let mut window: VecDeque<(BatchTime, BTreeMap<String, u64>)> = VecDeque::new();
        let mut sums = BTreeMap::<String, u64>::new();
        let batch = |(time, lines): &Input| {
            let mut counts = BTreeMap::new();
            count(&mut counts, lines);
            counts.iter().for_each(|(word, count)| *sums.entry(word.clone()).or_default() += count);
            window.push_back((*time, counts));
            while window.front().is_some_and(|(first, _)| first.0 + window_ms <= time.0) {
                for (word, count) in window.pop_front().map(|(_, left)| left).unwrap_or_default() {
                    *sums.entry(word).or_default() -= count;
                }
            }
            sums.retain(|_, sum| *sum > 0);
            format!("Hot at time {time} {}\n", rendered(&sums))
        };
        batches.iter().map(batch).collect()
    })
}

/// The sessions that end in a batch.
fn sessions_model() -> Model {
    Arc::new(|batches| {
        let mut ended: BTreeMap<String, BTreeMap<String, u64>> = BTreeMap::new();
        for (time, word, count) in ended_sessions(batches) {
            ended.entry(time).or_default().insert(word, count);
        }
        let batch = |(time, _): &Input| {
            let ended = ended.remove(&time.to_string()).unwrap_or_default();
            format!("Ended at time {time} {}\n", rendered(&ended))
        };
        batches.iter().map(batch).collect()
    })
}

/// What a session is: a word's batches; it ends in the first batch without the word whose time is so many intervals after the
/// last of them, also where times between were passed over.
fn ended_sessions(batches: &Batches) -> Vec<Figure> {
    let idle_ms = IDLE_BATCHES * batches.batch_interval.millis();
    let mut of_words: BTreeMap<String, Vec<(usize, u64)>> = BTreeMap::new();
    for (number, (_, lines)) in batches.iter().enumerate() {
        let mut counts = BTreeMap::new();
        count(&mut counts, lines);
        counts.into_iter().for_each(|(word, count)| of_words.entry(word).or_default().push((number, count)));
    }
    // Of a session whose last batch is this one.
    let end = |last: usize| {
        last + batches[last..].partition_point(|(time, _)| time.0 < batches[last].0.0 + idle_ms)
    };
    let mut ended = Vec::new();
    for (word, came) in of_words {
        for session in came.chunk_by(|(one, _), (next, _)| *next <= end(*one)) {
            let last = session.last().map_or(0, |(number, _)| *number);
            if let Some((time, _)) = batches.get(end(last)) {
                let total = session.iter().map(|(_, count)| count).sum();
                ended.push((time.to_string(), word.clone(), total));
            }
        }
    }
    ended
}

/// Gathered anew for every window.
fn hot_words(batches: &Batches) -> Vec<Figure> {
    told::figures(batches, &told::of_windows(batches, HOT_WORDS, |window| told::counts(window.concat())))
}

fn figures(expected: impl Fn(&Batches) -> Vec<Figure> + Send + Sync + 'static) -> Figures {
    Figures { expected: Arc::new(expected), read: Arc::new(read) }
}

/// `Ended at time 2018-03-02 03:29:16 [("a", 1)]`, line by line.
fn read(text: &str) -> Vec<Figure> {
    let line = |line: &str| {
        let time = line.split_once(" at time ").and_then(|(_, rest)| rest.split_once(" ["));
        let time = time.map_or_else(String::new, |(time, _)| time.to_owned());
        pairs(line)
            .filter_map(|(word, count)| Some((time.clone(), unescaped(&word)?, count)))
            .collect::<Vec<_>>()
    };
    text.lines().flat_map(line).collect()
}

/// A word as it was before it was printed with Rust's string escapes.
fn unescaped(printed: &str) -> Option<String> {
    let mut chars = printed.strip_prefix('"')?.strip_suffix('"')?.chars();
    let mut word = String::new();
    while let Some(c) = chars.next() {
        word.push(match (c, chars.clone().next()) {
            ('\\', Some('u')) => {
                let code: String = chars.by_ref().skip(2).take_while(|c| *c != '}').collect();
                char::from_u32(u32::from_str_radix(&code, 16).ok()?)?
            }
            ('\\', _) => match chars.next()? {
                't' => '\t',
                'n' => '\n',
                'r' => '\r',
                '0' => '\0',
                other => other,
            },
            (c, _) => c,
        });
    }
    Some(word)
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

/// Lines of words with numbers, each with its words in order. A line that is anything else stays what it is.
fn in_order(text: &str) -> String {
    let line = |line: &str| -> Option<String> {
        let (heading, _) = line.strip_suffix("]\n")?.split_once(" [")?;
        let pairs: Option<Vec<_>> =
            pairs(line).map(|(word, count)| Some((unescaped(&word)?, count))).collect();
        let mut pairs = pairs?;
        pairs.sort_unstable();
        Some(format!("{heading} {pairs:?}\n")).filter(|sorted| sorted.len() == line.len())
    };
    text.split_inclusive('\n').map(|text| line(text).unwrap_or_else(|| text.to_owned())).collect()
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
    use highwater_core::Interval;

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
    fn words_are_brought_into_order_and_nothing_else_is_changed() {
        let text = "join at time 2018-03-02 03:29:16 [(\"b, \\\"(\", 3), (\"a\", 1)]\n";
        assert_eq!(in_order(text), "join at time 2018-03-02 03:29:16 [(\"a\", 1), (\"b, \\\"(\", 3)]\n");
        for strange in
            ["join at time 1 [(\"b\", 3), \"a\", (\"a\", 1)]\n", "join at time 1 [(\"b\", 3), (\"a\n", "\n"]
        {
            assert_eq!(in_order(strange), strange);
            assert_eq!(in_order(&format!("{strange}{text}")), format!("{strange}{}", in_order(text)));
        }
    }

    #[test]
    fn a_figure_is_read_as_it_was_printed() {
        let word = "a\"\\\u{1b}\u{e9}'";
        let line = format!("Hot at time 2018-03-02 03:29:16 {:?}\n", [(word, 3)]);
        assert_eq!(read(&line), [("2018-03-02 03:29:16".to_owned(), word.to_owned(), 3)]);
    }

    /// Batches of these lines, a second apart.
    fn batches(lines: &[&str]) -> Batches {
        at((0..).zip(lines.iter().copied()))
    }

    fn at<'a>(lines: impl IntoIterator<Item = (u64, &'a str)>) -> Batches {
        let batch = |(second, line): (u64, &str)| (BatchTime(second * 1000), vec![line.to_owned()]);
        Batches::new(BatchTime(0), Interval::from_secs(1), lines.into_iter().map(batch).collect())
    }

    #[test]
    fn a_window_holds_its_batches_and_no_other() {
        let batches = batches(&["a", "b", "", "", "a", "", ""]);
        let text = hot_model()(&batches).concat();
        let of_a: Vec<_> =
            read(&text).into_iter().filter(|(_, word, _)| word == "a").map(|(_, _, count)| count).collect();
        assert_eq!(of_a, [1, 1, 1, 1, 2, 1, 1]);
        assert_eq!(hot_words(&batches), read(&text));
    }

    #[test]
    fn a_session_ends_in_the_third_batch_without_the_word() {
        let ended = |lines: &[&str]| ended_sessions(&batches(lines));
        let second = |second: u64| BatchTime(second * 1000).to_string();
        assert_eq!(ended(&["a", "", ""]), []);
        assert_eq!(ended(&["a", "", "a a", "", "", ""]), [(second(5), "a".into(), 3)]);
        assert_eq!(
            ended(&["a", "", "", "", "a", "", "", ""]),
            [(second(3), "a".into(), 1), (second(7), "a".into(), 1)]
        );
    }

    #[test]
    fn a_session_ends_in_the_first_batch_after_times_that_were_passed_over_unless_the_word_is_in_it() {
        let ended = |lines: &[(u64, &str)]| ended_sessions(&at(lines.iter().copied()));
        let second = |second: u64| BatchTime(second * 1000).to_string();
        assert_eq!(ended(&[(1, "a b"), (90, "b")]), [(second(90), "a".into(), 1)]);
        assert_eq!(ended(&[(1, "a b"), (90, "a"), (93, "")]).len(), 2);
    }

    #[test]
    fn every_scenario_is_found_by_its_name() {
        let names: Vec<_> = scenarios().into_iter().map(|scenario| scenario.name).collect();
        let pipelines = ["word-count", "running-total", "hot-words", "sessions"];
        let mut expected = pipelines.map(|name| [name.to_owned(), format!("{name}-tcp")]).concat();
        expected.extend(OPERATORS.map(|operator| operator.pipeline.name.to_owned()));
        let directories = ["save-as-text-files", "save-as-text-files-tcp"];
        let ends =
            [&["receiver-stream", "text-file-stream", "union", "cut-lines-tcp"], &directories[..]].concat();
        expected.extend(ends.into_iter().map(str::to_owned));
        assert_eq!(names, expected);
        assert!(names.iter().all(|name| find(name).is_some()));
    }
}
