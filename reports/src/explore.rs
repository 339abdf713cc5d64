//! An exploration as text: what there was to hit, how much of it was hit, operation by operation, and how to see each failure again.

use crate::{
    replay::shell_word,
    sweep::table::{finish, new_table},
    text::layout::count,
};
use highwater_sim::explore::{Counts, Depth, Exploration, Failure};

/// The text of an exploration. `files` are those that hold the plans of its failures, in their order.
pub fn render(exploration: &Exploration, files: &[String]) -> String {
    let calm = &exploration.calm;
    let mut text = format!(
        "{}, seed {}: {} in {}, with {}, {}, {}, {};\nwithout a crash {} and {}\n",
        exploration.scenario,
        exploration.seed,
        count(calm.lines, "line"),
        count(calm.batches, "batch"),
        count(calm.checkpoints, "checkpoint"),
        count(calm.snapshots, "snapshot"),
        count(calm.segments, "journal segment"),
        count(calm.removed, "removal"),
        count(calm.disk_operations, "disk operation"),
        count(calm.network_operations, "network operation"),
    );
    if !exploration.sabotage.is_empty() {
        text.push_str(&format!("sabotaged: {}\n", exploration.sabotage.join(", ")));
    }
    for depth in &exploration.depths {
        text.push_str(&of_depth(depth, exploration.images_max));
    }
    if exploration.cut_short {
        text.push_str("\ncut short: what is told is of the points that were explored\n");
    }
    for (n, failure) in exploration.failures.iter().enumerate() {
        text.push_str(&of_failure(exploration, failure, files.get(n)));
    }
    let more = exploration.violations - exploration.failures.len() as u64;
    if more > 0 {
        text.push_str(&format!("\nand {} more broke an invariant\n", count(more, "run")));
    }
    text
}

fn of_depth(depth: &Depth, images_max: usize) -> String {
    let Counts { bounded, images, deduplicated, runs, missed, violations, .. } = depth.counts;
    let mut text = format!("\ndepth {}: {}\n", depth.depth, points_of(depth));
    text.push_str(&format!(
        "  {}, {deduplicated} of them left before, {runs} lived through to the end and judged; {violations} broke an invariant\n",
        count(images, "image"),
    ));
    if bounded > 0 {
        text.push_str(&format!(
            "  at {} more was at risk than {} tell: not every subset was tried\n",
            count(bounded, "point"),
            count(images_max as u64, "image"),
        ));
    }
    if missed > 0 {
        text.push_str(&format!(
            "  {} never came to its last crash: a bug of the testbed\n",
            count(missed, "run")
        ));
    }
    let mut table = new_table(["operation", "points", "images", "dedupli-\ncated", "runs", "viola-\ntions"]);
    let row = |name: &str, counts: &Counts| {
        let Counts { points, images, deduplicated, runs, violations, .. } = *counts;
        let mut row = vec![name.to_owned()];
        row.extend([points, images, deduplicated, runs, violations].map(|count| count.to_string()));
        row
    };
    for (name, counts) in &depth.operations {
        table.add_row(row(name, counts));
    }
    table.add_row(row("all", &depth.counts));
    text.push('\n');
    text.push_str(&finish(&table));
    text.push('\n');
    text
}

/// How much of the space was explored, said so that nobody takes a part for the whole.
fn points_of(depth: &Depth) -> String {
    let (points, total) = (depth.counts.points, depth.points_total);
    match points == total {
        true => format!("all {total} points"),
        false => format!("explored {points} of {total} points, spread over all of them"),
    }
}

fn of_failure(exploration: &Exploration, failure: &Failure, file: Option<&String>) -> String {
    let mut text = "\nBROKEN:\n".to_owned();
    for broken in &failure.broken {
        text.push_str(&format!("  {broken}\n"));
    }
    for fault in &failure.plan.faults {
        text.push_str(&format!("  {fault}\n"));
    }
    if let Some(file) = file {
        let mut command = format!(
            "highwater replay {} --seed {} --plan {}",
            shell_word(&exploration.scenario),
            exploration.seed,
            shell_word(file)
        );
        if !exploration.sabotage.is_empty() {
            command.push_str(&format!(" --sabotage {}", exploration.sabotage.join(",")));
        }
        text.push_str(&format!("  replay: {command}\n"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use highwater_sim::{explore::Calm, fault::Plan};
    use std::collections::BTreeMap;

    fn exploration(points: u64) -> Exploration {
        let counts =
            Counts { points, bounded: 1, images: 30, deduplicated: 20, runs: 10, missed: 0, violations: 2 };
        let operations = BTreeMap::from([("journal: append".to_owned(), counts)]);
        let failure = Failure { plan: Plan::calm(), broken: vec!["I1 no loss: line 3 is lost".into()] };
        Exploration {
            scenario: "word-count".into(),
            seed: 7,
            sabotage: vec!["file-sync-does-nothing".into()],
            images_max: 16,
            calm: Calm::default(),
            depths: vec![Depth { depth: 1, points_total: 12, counts, operations }],
            cut_short: points < 12,
            violations: 2,
            failures: vec![failure],
        }
    }

    #[test]
    fn a_part_is_never_told_as_the_whole() {
        let whole = render(&exploration(12), &[]);
        assert!(whole.contains("depth 1: all 12 points\n") && !whole.contains("cut short"), "{whole}");
        let part = render(&exploration(5), &[]);
        assert!(part.contains("depth 1: explored 5 of 12 points, spread over all of them\n"), "{part}");
        assert!(part.contains("\ncut short: "), "{part}");
    }

    #[test]
    fn a_failure_ends_with_the_command_that_replays_it() {
        let text = render(&exploration(12), &["plans/1.toml".into()]);
        let command = "replay: highwater replay word-count --seed 7 --plan plans/1.toml --sabotage file-sync-does-nothing";
        assert!(text.contains(command), "{text}");
        assert!(text.contains("I1 no loss: line 3 is lost") && text.contains("and 1 run more broke"));
        assert!(text.contains("at 1 point more was at risk than 16 images tell"));
        assert!(text.contains("journal: append"), "{text}");
    }
}
