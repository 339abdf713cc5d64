//! The ledger: what became of the records, from the source's own book and the output.

use super::layout::Page;
use highwater_sim::run::RunReport;

pub(super) fn write(page: &mut Page, report: &RunReport) {
    page.section("LEDGER", about(report));
    for (name, count, meaning) in rows(report) {
        page.line(&format!("  {name:<20}  {count:>6}  "), meaning);
    }
}

/// What the source owes.
pub(crate) fn about(report: &RunReport) -> &'static str {
    match report.ledger.protocol.as_str() {
        "resume" => "the source sends again what was not acknowledged, so nothing may be lost",
        _ => "the source cannot send again: what no journal holds when a connection ends is gone",
    }
}

/// Each count with its name and its meaning.
pub(crate) fn rows(report: &RunReport) -> [(&'static str, u64, &'static str); 7] {
    let ledger = &report.ledger;
    let (acknowledged, died) = match ledger.protocol.as_str() {
        "resume" => (
            "the driver told the source that they are durable",
            "does not happen to a source that sends again",
        ),
        _ => (
            "are durable in the journal; this source is told nothing",
            "were sent and never reached the journal",
        ),
    };
    [
        ("to send", ledger.records, "the workload"),
        ("sent", ledger.sent, "were sent at least once"),
        ("acknowledged", ledger.acknowledged, acknowledged),
        ("processed", ledger.processed, "are in the output, each copy counted"),
        ("twice", ledger.twice, "are in the output more than once; must be 0"),
        ("lost", ledger.lost, lost_meaning(report)),
        ("died with the socket", ledger.died_with_the_socket, died),
    ]
}

/// What to make of records that were acknowledged and are not in the output.
fn lost_meaning(report: &RunReport) -> &'static str {
    match report.ledger.lost > 0 && report.held() {
        // Damage to what was durable need only be detected: the driver stopped, and took nothing for granted.
        true => "were acknowledged, and lie behind the damage that the driver stopped at",
        false => "were acknowledged and are not in the output; must be 0",
    }
}
