//! The verdicts: a line a judge, with what it looked at; what it objects to below it.

use super::layout::Page;
use highwater_sim::{judge::Verdict, run::RunReport};

/// An error that ended a life is told whole in the timeline.
const VIOLATION_LINES_MAX: usize = 3;

pub(super) fn write(page: &mut Page, report: &RunReport) {
    page.section("VERDICTS", "by judges that see the source, the disk, the output, and a run without faults");
    for Verdict { invariant, seen, violations } in &report.verdicts {
        let word = if violations.is_empty() { "held" } else { "BROKEN" };
        let lead = format!("  {:<4} {:<20}  {word:<6}  ", invariant.to_string(), invariant.name());
        page.line(&lead, seen);
        for violation in violations {
            page.lines_at_most(VIOLATION_LINES_MAX, "         - ", violation);
        }
    }
}
