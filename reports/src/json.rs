//! A run's report as one line of JSON, with every field that the text leaves out.

use highwater_sim::run::RunReport;

/// One run as one line of JSON, without a line feed.
pub fn render_json(report: &RunReport) -> String {
    serde_json::to_string(report).expect("a report is strings, numbers and lists")
}
