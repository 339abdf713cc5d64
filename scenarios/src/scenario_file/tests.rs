//! What is read, and what is refused at which place.

use super::*;
use std::fs;

/// What becomes of a file of this text.
fn read_text(text: &str) -> Result<Scenario, String> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a-file.toml");
    fs::write(&path, text).unwrap();
    fs::write(directory.path().join("own.txt"), "one line\n").unwrap();
    fs::write(directory.path().join("blank.txt"), "\n \n").unwrap();
    read(&path).map_err(|error| error.to_string())
}

#[test]
fn a_file_that_names_a_pipeline_alone_is_the_scenario_of_the_catalogue() {
    let scenario = read_text("pipeline = 'word-count'\n").unwrap();
    let known = catalogue::find("word-count").unwrap();
    assert_eq!(scenario.name, "a-file");
    assert!(scenario.argument().ends_with("/a-file.toml"));
    assert_eq!((scenario.mode, &scenario.options), (known.mode, &known.options));
    assert_eq!((&scenario.load, &scenario.limits), (&known.load, &known.limits));
    assert_eq!(scenario.workload(3).lines, known.workload(3).lines);
}

#[test]
fn every_field_has_its_effect() {
    let scenario = read_text(
        "name = 'mine'\nabout = 'what it is'\npipeline = 'running-total'\nsource = 'tcp'\n\
         [workload]\ntext = 'own.txt'\nlines = [2, 3]\npause_ms_max = 7\nlast_line_ms_max = 9\n\
         [faults]\nkinds = ['crash', 'reset']\ncrashes_max = 1\nothers_max = 0\n\
         [engine]\nbatch_interval_ms = 500\ncheckpoint_interval_ms = 1500\nblock_bytes_max = 100\n\
         backlog_bytes_max = 2000\nsegment_bytes_max = 4096\ncheckpoints_retained = 4\nmissed_batches_max = 5\n",
    );
    let scenario = scenario.unwrap();
    assert_eq!(
        (scenario.name.as_str(), scenario.about.as_str(), scenario.mode),
        ("mine", "what it is", Mode::Tcp)
    );
    assert_eq!(*scenario.corpus, ["one line"]);
    assert_eq!(scenario.load, Load { lines: 2..=3, pause_ms_max: 7, last_line_ms_max: 9 });
    let kinds = Some(vec![FaultKind::Crash, FaultKind::Reset]);
    assert_eq!(scenario.limits, Limits { kinds, crashes_max: Some(1), others_max: Some(0) });
    let options = scenario.options;
    assert_eq!((options.batch_interval.millis(), options.snapshot_interval().millis()), (500, 1500));
    assert_eq!(
        (options.block_bytes_max, options.backlog_bytes_max, options.segment_bytes_max),
        (100, 2000, 4096)
    );
    assert_eq!((options.checkpoints_retained, options.missed_batches_max), (4, 5));
}

#[test]
fn an_error_says_where_it_is() {
    let after = |text: &str| format!("pipeline = 'word-count'\n{text}\n");
    for (text, wanted) in [
        ("pipeline = \n".to_owned(), "line 1, column 12: "),
        ("about = 'x'\n".to_owned(), "missing field `pipeline`"),
        (
            "pipeline = 'word-cout'\n".to_owned(),
            "line 1, column 12: there is no pipeline `word-cout`; there are: hot-words",
        ),
        (after("sauce = 'tcp'"), "line 2, column 1: unknown field `sauce`"),
        (after("source = 'udp'"), "line 2, column 10: there is no source `udp`"),
        (after("name = 'A b'"), "line 2, column 8: the name `A b` must be of small letters"),
        (after("name = 'sessions'"), "line 2, column 8: the name `sessions` is in the catalogue"),
        (after("[workload]\nlimes = 3"), "line 3, column 1: unknown field `limes`"),
        (after("[workload]\nlines = [5, 3]"), "line 3, column 9: give the least and the most lines"),
        (after("[workload]\nlines = 'many'"), "line 3, column 9: "),
        (after("[workload]\npause_ms_max = 0"), "line 3, column 16: 0 must be from 1 to 60000"),
        (after("[workload]\ntext = 'blank.txt'"), "line 3, column 8: it has no line but empty ones"),
        (after("[workload]\ntext = 'none.txt'"), "none.txt: No such file"),
        (after("[faults]\nkinds = ['crash', 'crush']"), "line 3, column 19: "),
        (after("[faults]\nkinds = ['lying-disk']"), "line 3, column 10: lying-disk is beyond any engine"),
        (after("[faults]\ncrashes_max = -1"), "line 3, column 15: "),
        (after("[faults]\ncrashes_max = 51"), "line 3, column 15: 51 must be from 0 to 50"),
        (after("[engine]\nbatch_interval_ms = 300\ncheckpoint_interval_ms = 1000"), "line 4, column 26: "),
        (after("[engine]\nbatch_interval_ms = 0"), "line 3, column 21: 0 must be from 50 to 10000"),
    ] {
        let error = read_text(&text).map(|scenario| scenario.name).expect_err(&text);
        assert!(error.contains(wanted), "{text}{error}");
    }
}
