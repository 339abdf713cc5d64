//! Colour for reports on a terminal.
//!
//! A report's text knows no colour: here words of it are painted, line by line, and nothing else is changed. Whether that is shown is asked
//! of the terminal and the environment (`NO_COLOR`, `CLICOLOR_FORCE`, `TERM=dumb`): in a pipe or a file there is never any.

use anstyle::{AnsiColor, Style};
use std::io::{self, Write};

const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default().bold();
const AGAIN: Style = AnsiColor::Yellow.on_default();
const QUIET: Style = Style::new().dimmed();
const HEAD: Style = Style::new().bold();

/// Where the verb of a line of the timeline stands.
const VERB: std::ops::Range<usize> = 16..26;

/// Prints a text on the standard output, painted if that is a terminal which shows colours.
pub(super) fn print(text: &str) -> io::Result<()> {
    anstream::stdout().write_all(paint(text).as_bytes())
}

fn paint(text: &str) -> String {
    text.split_inclusive('\n').map(line).collect()
}

fn line(line: &str) -> String {
    let is_head = ["PLAN", "TIMELINE", "LEDGER", "VERDICTS"].iter().any(|head| line.starts_with(head));
    if is_head {
        let end = line.find("  ").unwrap_or(line.len());
        return painted(line, 0..end, HEAD);
    }
    if line.starts_with("verdict ") {
        let is_bad = line.contains("BROKEN") || line.contains("PANIC");
        return painted(line, 11..line.trim_end().len(), if is_bad { BAD } else { GOOD });
    }
    if let Some(style) = verb_style(line) {
        return painted(line, VERB, style);
    }
    for (word, style) in [("BROKEN", BAD), ("MISSED", AGAIN), ("NONE", AGAIN), ("  held ", GOOD)] {
        if let Some(at) = line.find(word) {
            return painted(line, at..at + word.len(), style);
        }
    }
    line.to_owned()
}

/// How to paint the verb of a line of the timeline: after a time and a life.
fn verb_style(line: &str) -> Option<Style> {
    let (time, _) = line.get(..VERB.start)?.trim().split_once("s  ")?;
    time.parse::<f64>().ok()?;
    let details = line.get(VERB.end..)?.trim_start();
    Some(match line.get(VERB)?.trim_end() {
        "FAIL" | "REJECT" | "MISSING" | "CUT OFF" => BAD,
        _ if details.starts_with("fault ") => BAD,
        "RECOVER" | "INCOMPLETE" | "SKIP" => AGAIN,
        "EMIT" if details.contains("written again") => AGAIN,
        "START" => HEAD,
        "..." => QUIET,
        _ => return None,
    })
}

fn painted(line: &str, range: std::ops::Range<usize>, style: Style) -> String {
    match (line.get(..range.start), line.get(range.clone()), line.get(range.end..)) {
        (Some(before), Some(word), Some(after)) => format!("{before}{style}{word}{style:#}{after}"),
        _ => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fs, path::Path};

    #[test]
    fn nothing_but_colour_is_added_to_any_story() {
        let gallery = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/tests/snapshots");
        let mut stories = 0;
        for entry in fs::read_dir(gallery).expect("the gallery is there") {
            let path = entry.expect("an entry").path();
            if path.extension().is_some_and(|extension| extension == "snap") {
                let text = fs::read_to_string(path).expect("a story");
                assert_eq!(anstream::adapter::strip_str(&paint(&text)).to_string(), text);
                stories += 1;
            }
        }
        assert!(stories >= 12);
    }

    #[test]
    fn what_went_wrong_and_what_was_done_again_stand_out() {
        let bad = |text: &str| format!("{BAD}{text}{BAD:#}");
        let again = |text: &str| format!("{AGAIN}{text}{AGAIN:#}");
        for (line, word) in [
            (
                "verdict    2 of 14 invariants BROKEN: I1 no loss\n",
                bad("2 of 14 invariants BROKEN: I1 no loss"),
            ),
            ("    1.713s   1  CRASH       fault 1, in the middle of: sync\n", bad("CRASH     ")),
            ("    1.713s   2  EMIT        03:29:17: output written again\n", again("EMIT      ")),
            ("  I1   no loss               BROKEN  126 records\n", bad("BROKEN")),
        ] {
            assert!(paint(line).contains(&word), "{:?}", paint(line));
        }
        let plain = "    1.713s   2  EMIT        03:29:17: output written\n";
        assert_eq!(paint(plain), plain);
    }
}
