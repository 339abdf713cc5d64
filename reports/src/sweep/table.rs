//! A sweep as a table: what each scenario came to, what the faults cost, which steps were hit, and how to see each failure again.

use super::{Distribution, Price, ScenarioSummary, SweepSummary};
use comfy_table::{CellAlignment, Table, TableComponent, presets};
use highwater_sim::fault::{Class, DiskOperation, FaultKind, Step};

/// The table of a sweep, the price of the faults, what of the disk they hit, and the failures with their replay commands last.
pub fn render_table(summary: &SweepSummary) -> String {
    let mut text = scenarios(summary);
    text.push_str("\n\n");
    text.push_str(&prices(summary));
    text.push_str("\n\n");
    text.push_str(&coverage(summary));
    text.push('\n');
    let totals = summary.total().totals;
    let hittable = summary.coverage.hittable().count();
    text.push_str(&format!(
        "\ncells: {} of {hittable} that can be hit were hit\n",
        hittable - summary.coverage.holes().len()
    ));
    text.push_str(&format!(
        "missed: {} of {} planned faults ({} %) never fired, because nothing that they strike came to their triggers\n",
        totals.missed,
        totals.planned,
        percent(totals.missed, totals.planned)
    ));
    text.push_str(&format!(
        "detected: of {} with damage {} stopped with an error that names file and offset\n",
        match totals.damaged {
            1 => "1 run".to_owned(),
            damaged => format!("{damaged} runs"),
        },
        totals.detected
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
    let ScenarioSummary { seeds, totals, wall_seconds, .. } = scenario;
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

/// By kind of fault, then by class: how many, and of the restarts that they made necessary the median (the lower of two) and the most.
fn prices(summary: &SweepSummary) -> String {
    let mut table = new_table([
        "fault (median / most)",
        "planned",
        "fired",
        "restarts",
        "batches\nagain",
        "records\nagain",
        "recovery\nvirtual ms",
        "since the\ncheckpoint ms",
    ]);
    for (kind, price) in &summary.prices.0 {
        table.add_row(price_row(kind.name(), price));
    }
    for class in [Class::Tolerated, Class::Detectable] {
        if let Some(price) = summary.prices.of_class(class) {
            table.add_row(price_row(&format!("all {class}"), &price));
        }
    }
    finish(&table)
}

fn price_row(name: &str, price: &Price) -> Vec<String> {
    let Price { planned, fired, duplicates, records_replayed, recovery_ms, checkpoint_lag_ms } = price;
    let restarts = duplicates.count();
    let mut row = vec![name.to_owned(), planned.to_string(), fired.to_string(), shown(restarts)];
    row.extend([duplicates, records_replayed, recovery_ms, checkpoint_lag_ms].map(middle_and_most));
    row
}

fn middle_and_most(values: &Distribution) -> String {
    match (values.median(), values.max()) {
        (Some(median), Some(max)) => format!("{median} / {max}"),
        _ => ".".to_owned(),
    }
}

fn shown(count: u64) -> String {
    if count == 0 { ".".to_owned() } else { count.to_string() }
}

fn percent(part: u64, whole: u64) -> u64 {
    (100 * part).checked_div(whole).unwrap_or_default()
}

fn coverage(summary: &SweepSummary) -> String {
    let coverage = &summary.coverage;
    let kinds = coverage.kinds();
    let mut header = vec!["hit: step of the disk"];
    header.extend(kinds.iter().map(|kind| short(*kind)));
    let mut table = new_table(header);
    for step in coverage.steps() {
        let mut row = vec![step_name(&step)];
        row.extend(kinds.iter().map(|kind| match (coverage.hits(&step, *kind), kind.strikes(step)) {
            (0, true) => "NONE".to_owned(),
            (_, false) => ".".to_owned(),
            (hits, true) => hits.to_string(),
        }));
        table.add_row(row);
    }
    let mut row = vec!["elsewhere".to_owned()];
    row.extend(kinds.iter().map(|kind| shown(coverage.hits_elsewhere(*kind))));
    table.add_row(row);
    finish(&table)
}

pub(crate) fn step_name(step: &Step) -> String {
    match step.operation {
        DiskOperation::CreateDir => format!("{}: create dir", step.place),
        DiskOperation::SyncDir => format!("{}: sync dir", step.place),
        operation => format!("{}: {operation}", step.place),
    }
}

/// The head of a narrow column.
fn short(kind: FaultKind) -> &'static str {
    match kind {
        FaultKind::PowerLoss => "power\nloss",
        FaultKind::Takeover => "take-\nover",
        FaultKind::IoError => "I/O\nerror",
        FaultKind::DiskFull => "disk\nfull",
        FaultKind::ShortWrite => "short\nwrite",
        FaultKind::FailedSync => "fail.\nsync",
        FaultKind::SlowDisk => "slow\ndisk",
        FaultKind::MisdirectedWrite => "misd.\nwrite",
        FaultKind::LostWrite => "lost\nwrite",
        FaultKind::StaleRead => "stale\nread",
        other => other.name(),
    }
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
pub(crate) fn new_table(header: impl IntoIterator<Item = &'static str>) -> Table {
    let header: Vec<_> = header.into_iter().collect();
    let columns = header.len();
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_style(TableComponent::HeaderLines, '-').set_header(header);
    for (n, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, if n + 1 == columns { 0 } else { 1 }));
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
