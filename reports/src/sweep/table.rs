//! A sweep as a table: what each scenario came to, which steps were hit, and how to see each failure again.

use super::{ScenarioSummary, SweepSummary};
use comfy_table::{CellAlignment, Table, TableComponent, presets};
use highwater_sim::fault::FaultKind;

/// The faults that hit steps; the others hit connections.
const CRASHES: [FaultKind; 2] = [FaultKind::Crash, FaultKind::PowerLoss];

/// The table of a sweep, the coverage of faults, and the failures with their replay commands last.
pub fn render_table(summary: &SweepSummary) -> String {
    let mut text = scenarios(summary);
    text.push_str("\n\n");
    text.push_str(&coverage(summary));
    text.push('\n');
    let missed = summary.total().totals.missed;
    text.push_str(&format!(
        "\nmissed: {missed} planned faults never fired, because a run never came to their trigger\n"
    ));
    text.push_str(&failures(summary));
    text
}

fn scenarios(summary: &SweepSummary) -> String {
    let mut table = new_table([
        "scenario",
        "seeds",
        "lives",
        "crashes",
        "torn\nwrites",
        "drops",
        "replayed\nbatches",
        "dupli-\ncates",
        "losses",
        "viola-\ntions",
        "seeds/s",
        "virtual\ns per s",
    ]);
    for (name, scenario) in &summary.scenarios {
        table.add_row(row(name, scenario));
    }
    if summary.scenarios.len() > 1 {
        table.add_row(row("all", &summary.total()));
    }
    finish(&table)
}

fn row(name: &str, scenario: &ScenarioSummary) -> Vec<String> {
    let ScenarioSummary { seeds, failures: _, totals, wall_seconds } = scenario;
    let counts = [
        *seeds,
        totals.lives,
        totals.crashes,
        totals.torn_writes,
        totals.drops,
        totals.replayed_batches,
        totals.duplicates,
        totals.losses,
        totals.violations,
    ];
    let per_second = |what: f64| match *wall_seconds > 0.0 {
        true => format!("{:.0}", what / wall_seconds),
        false => "-".to_owned(),
    };
    let mut row = vec![name.to_owned()];
    row.extend(counts.map(|count| count.to_string()));
    row.push(per_second(*seeds as f64));
    row.push(per_second(totals.virtual_nanos as f64 / 1e9));
    row
}

fn coverage(summary: &SweepSummary) -> String {
    let mut table = new_table(["hit: durable step", "crash", "power-loss"]);
    let shown = |hits: u64| if hits == 0 { ".".to_owned() } else { hits.to_string() };
    for step in summary.coverage.durable_steps() {
        let mut row = vec![format!("{}: {}", step.place, step.operation)];
        row.extend(CRASHES.map(|fault| shown(summary.coverage.hits(step, fault))));
        table.add_row(row);
    }
    let mut row = vec!["elsewhere (a read, the network, idle)".to_owned()];
    row.extend(CRASHES.map(|fault| shown(summary.coverage.hits_elsewhere(fault))));
    table.add_row(row);
    finish(&table)
}

fn failures(summary: &SweepSummary) -> String {
    let mut text = String::new();
    for scenario in summary.scenarios.values() {
        for failure in scenario.failures.values() {
            text.push_str(&format!(
                "\nBROKEN: {}\n  replay: {}\n",
                failure.broken.join(", "),
                failure.replay
            ));
        }
    }
    text
}

/// A table without borders, whose first column is text and whose others are numbers.
pub(crate) fn new_table<const N: usize>(header: [&str; N]) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_style(TableComponent::HeaderLines, '-').set_header(header);
    for (n, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, if n + 1 == N { 0 } else { 1 }));
        if n > 0 {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

pub(crate) fn finish(table: &Table) -> String {
    let lines: Vec<String> = table.lines().map(|line| line.trim_end().to_owned()).collect();
    lines.join("\n")
}
