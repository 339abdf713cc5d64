//! The timeline: a line an event, the uneventful stretches folded, an empty line before each life.

use super::{
    fold::fold,
    happening::lines,
    layout::Page,
    moments::{day, seconds},
};
use highwater_sim::run::RunReport;

pub(super) fn write(page: &mut Page, report: &RunReport) {
    let about = format!(
        "virtual time, life, what; batches have the time of day of {}; checkpoint S.G is number S of the directory, \
         written by generation G; output/out is the pipeline's output, output/tap the testbed's list of each \
         batch's lines",
        day()
    );
    page.section("TIMELINE", &about);
    for line in fold(lines(report)) {
        if line.begins_life {
            page.blank();
        }
        let lead = format!("{:>10}  {:>2}  {:<10}  ", seconds(line.at), line.life.0, line.verb);
        let indent = " ".repeat(lead.len());
        for (n, text) in line.details.iter().enumerate() {
            page.line(if n == 0 { &lead } else { &indent }, text);
        }
    }
}
