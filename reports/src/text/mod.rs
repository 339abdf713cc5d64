//! One run's story as text: for a terminal, for a snapshot, for a reviewer who has not seen the code.
//!
//! The first ten lines tell the story; then come the plan, the timeline, the ledger, the verdicts, the file of a
//! plan that was given, and last the command that replays the run. What holds: the text is a function of the report alone, ASCII, under 100 columns wide, without blanks at
//! the ends of lines. Long texts wrap at words and go on below, indented.
//!
//! - `head` is the story in ten lines; `plan`, `timeline`, `ledger` and `verdicts` are the sections.
//! - `happening` puts each thing that can happen into words; `counts` and `fold` make one line of an uneventful stretch.
//! - `layout` wraps.
//!
//! Left out: colour, which is the command's, and what only a program would read (digests, hashes): that is in the JSON.

mod counts;
mod fold;
pub(crate) mod happening;
pub(crate) mod head;
pub(crate) mod layout;
pub(crate) mod ledger;
pub(crate) mod moments;
pub(crate) mod plan;
mod plan_file;
mod timeline;
mod verdicts;

use crate::replay::replay_command;
use highwater_sim::run::RunReport;
use layout::Page;

/// The recovery report of a run.
pub fn render(report: &RunReport) -> String {
    let mut page = Page::default();
    head::write(&mut page, report);
    plan::write(&mut page, report);
    timeline::write(&mut page, report);
    ledger::write(&mut page, report);
    verdicts::write(&mut page, report);
    plan_file::write(&mut page, report);
    page.blank();
    // Not wrapped, however long: it is there to be copied.
    page.raw(&format!("replay: {}", replay_command(report)));
    page.into_text()
}
