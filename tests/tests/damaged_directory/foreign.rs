//! A directory of another program or another release, and lines that are no text.

use super::{
    damage::{Damage, borders},
    every_file::assert_refused,
    workshop::{INTERVAL_MS, PROGRAM, Program, Workshop},
};
use highwater_core::{Error, event::Event};
use highwater_tests::output::{self, Counts, assert_same};

#[test]
fn a_checkpoint_of_another_pipeline_is_refused_by_the_name_of_the_operator() {
    let (workshop, image) = Workshop::at_work();
    let fewer = Program { pipelines: &["word-count"], ..PROGRAM };
    let other = Program { pipelines: &["running-total", "word-count"], ..PROGRAM };
    let slower = Program { interval_ms: 2 * INTERVAL_MS, ..PROGRAM };
    for (program, named) in
        [(fewer, "operator 5"), (other, "UpdateStateByKey"), (slower, "batch interval is 10ms")]
    {
        let error = workshop.start(program, None).err().expect("it is refused");
        assert!(matches!(error, Error::OtherPipeline { .. }), "{program:?}: {error}");
        assert!(error.to_string().contains(named), "{program:?}: {error}");
        assert_refused(&workshop, &image, &error, named);
    }
    workshop.finish().unwrap();
    workshop.assert_all_processed_once("with its own program");
}

#[test]
fn a_record_of_another_format_version_is_never_taken_for_damage() {
    let (workshop, image) = Workshop::at_work();
    let mut refused = 0;
    let folders = ["checkpoint", "state", "journal", "generation"].map(|folder| image.folder(folder));
    for path in folders.into_iter().flatten() {
        let borders = borders(&image.0[&path]);
        // Cut off before its first record was written: there is nothing to change.
        let Some(last) = borders.len().checked_sub(2) else { continue };
        for at in [borders[0], borders[last]] {
            let damaged = Damage::Version(at).done_to(&image, &path);
            damaged.write(workshop.root());
            let what = format!("version 2 at byte {at} of {}", path.display());
            match workshop.finish() {
                Err(error) => {
                    assert!(matches!(error, Error::OtherVersion { found: 2, .. }), "{what}: {error}");
                    assert!(error.to_string().contains(path.file_name().unwrap().to_str().unwrap()));
                    assert_refused(&workshop, &damaged, &error, &what);
                    refused += 1;
                }
                // Of a claim the name is all that counts; of a segment that is not needed any more, nothing.
                Ok(events) => {
                    let folder = path.iter().nth(1).unwrap();
                    assert!(folder == "generation" || folder == "journal" || folder == "state", "{what}");
                    assert!(
                        !events.iter().any(|event| matches!(event, Event::CandidateRejected { .. })),
                        "{what}"
                    );
                    workshop.assert_all_processed_once(&what);
                }
            }
        }
    }
    assert!(refused >= 8, "only {refused} were refused");
}

#[test]
fn lines_that_are_too_long_or_no_text_are_repaired_and_counted() {
    const LIMIT: usize = 1 << 20;
    let long = "x".repeat(LIMIT + 500_000);
    let bytes = [&b"one \xff two\n"[..], long.as_bytes(), b"\nthree\r\n\xc3\n"].concat();
    let workshop = Workshop::new("");
    let mut life = workshop.start_bytes(PROGRAM, None, bytes).unwrap();
    let events = life.finish(4).unwrap();
    let (mut cuts, mut replacements) = (0, 0);
    for event in events {
        if let Event::RecordsRepaired { cut, replaced, .. } = event {
            cuts += cut;
            replacements += replaced;
        }
    }
    assert_eq!((cuts, replacements), (1, 2));
    let words = ["one", "\u{fffd}", "two", &"x".repeat(LIMIT), "three", "\u{fffd}"];
    let mut expected = Counts::new();
    for word in words {
        *expected.entry(format!("{word:?}")).or_default() += 1;
    }
    assert_same(&output::sum(&workshop.output("word-count")), &expected, "the sum over all batches");
}
