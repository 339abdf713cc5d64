//! A checkpoint directory for people: first what a start would do, then what there is, by kind.

use highwater_core::{
    Interval,
    inspect::{FoundCheckpoint, FoundSegment, Inspection, PendingBatch, Start},
};
use std::fmt::Write;

/// How many pending batches are told one by one.
const PENDING_MAX: usize = 8;

pub(super) fn render(inspection: &Inspection) -> String {
    let mut page = Page(String::new());
    start(&mut page, inspection);
    checkpoints(&mut page, inspection);
    state(&mut page, inspection);
    journal(&mut page, inspection);
    for (head, lines) in [("DAMAGE", damage(inspection)), ("REMARKS", inspection.notes.clone())] {
        if !lines.is_empty() {
            page.head(head);
            lines.iter().for_each(|line| page.line(&format!("  {line}")));
        }
    }
    page.0
}

struct Page(String);

impl Page {
    fn line(&mut self, line: &str) {
        self.0.push_str(line.trim_end());
        self.0.push('\n');
    }

    fn field(&mut self, name: &str, value: &str) {
        self.line(&format!("{name:12} {value}"));
    }

    fn head(&mut self, head: &str) {
        self.line("");
        self.line(head);
    }
}

fn counted(count: u64, what: &str) -> String {
    let plural = match (count, what) {
        (1, _) => what.to_owned(),
        (_, "batch") => "batches".to_owned(),
        _ => format!("{what}s"),
    };
    format!("{count} {plural}")
}

fn start(page: &mut Page, inspection: &Inspection) {
    page.field("directory", &inspection.directory.display().to_string());
    let Start::Recover {
        checkpoint,
        completed,
        state_of,
        state_replays,
        pending,
        waiting_records,
        journal_records,
        torn_bytes,
        sources,
        sinks,
        ..
    } = &inspection.start
    else {
        let would = match &inspection.start {
            Start::Refuses { error } => format!("be refused: {error}"),
            _ => "be the first one: nothing is there to recover".to_owned(),
        };
        page.field("a start would", &would);
        return generations(page, inspection);
    };
    page.field("a start would", &format!("go on from checkpoint {checkpoint}, complete up to {completed}"));
    match (state_of, state_replays) {
        (Some(time), 0) => page.field("state", &format!("of {time}")),
        (Some(time), replays) => page.field(
            "state",
            &format!("of {time}; {} after it to compute into it again", counted(*replays, "batch")),
        ),
        (None, 0) => {}
        (None, replays) => {
            page.field("state", &format!("no snapshot; {} to compute again", counted(*replays, "batch")));
        }
    }
    page.field("pending", &pending_batches(pending));
    page.field("waiting", &format!("{} in no batch yet", counted(*waiting_records, "record")));
    let torn = match torn_bytes {
        0 => String::new(),
        bytes => {
            format!("; {} at its end, of a write that nobody was told of, to drop", counted(*bytes, "byte"))
        }
    };
    page.field("journal", &format!("{} to read{torn}", counted(*journal_records, "record")));
    generations(page, inspection);
    for source in sources {
        let position = source.position.map_or_else(String::new, |at| format!(", position {at}"));
        let waiting = source.waiting_blocks;
        page.field(
            "source",
            &format!(
                "{}: {} stored, {waiting} waiting{position}",
                source.description,
                counted(source.blocks, "block")
            ),
        );
    }
    for sink in sinks {
        let name = if sink.name.is_empty() { "without a name" } else { &sink.name };
        page.field("sink", &format!("operator {}: {name}, position {}", sink.operator, sink.position.0));
    }
}

fn generations(page: &mut Page, inspection: &Inspection) {
    let claim = |claim: &highwater_core::inspect::Claimed| match &claim.release {
        Some(release) => format!("{}, of release {release}", claim.generation),
        None => format!("{}, of an unknown release", claim.generation),
    };
    let claims: Vec<_> = inspection.generations.iter().map(claim).collect();
    let told = if claims.is_empty() { "none claimed".to_owned() } else { claims.join("; ") };
    page.field("generations", &told);
}

fn pending_batches(pending: &[PendingBatch]) -> String {
    if pending.is_empty() {
        return "no batch".to_owned();
    }
    let records = pending.iter().map(|batch| batch.records).sum();
    let mut told = format!("{}, {}:", counted(pending.len() as u64, "batch"), counted(records, "record"));
    for batch in pending.iter().take(PENDING_MAX) {
        write!(told, " {} ({})", batch.time, batch.records)
            .expect("a string takes all that is written to it");
    }
    if pending.len() > PENDING_MAX {
        told.push_str(" ..");
    }
    told
}

fn checkpoints(page: &mut Page, inspection: &Inspection) {
    page.head("CHECKPOINTS  newest first");
    if inspection.checkpoints.is_empty() {
        page.line("  none");
    }
    for found in &inspection.checkpoints {
        let id = found.id.to_string();
        let completed =
            found.completed.map_or("cannot be read".to_owned(), |time| format!("complete up to {time}"));
        page.line(&format!("  {id:8} {completed}, {}{}", age(found), restorable(found)));
    }
}

fn age(found: &FoundCheckpoint) -> String {
    let ago = found.age_ms.and_then(Interval::from_millis);
    match (found.age_batches, ago) {
        (Some(batches), Some(ago)) => format!("{} ({ago}) before the newest, ", counted(batches, "batch")),
        (Some(0), None) => "as the newest, ".to_owned(),
        _ => String::new(),
    }
}

fn restorable(found: &FoundCheckpoint) -> String {
    match (&found.why_not, found.snapshot.is_some() && !found.snapshot_read) {
        (Some(why), _) => format!("NOT restorable: {why}"),
        (None, true) => "restorable, if its snapshot is as whole as its length".to_owned(),
        (None, false) => "restorable".to_owned(),
    }
}

fn state(page: &mut Page, inspection: &Inspection) {
    if inspection.snapshots.is_empty() {
        return;
    }
    page.head("STATE  snapshots, newest first; of the one that a start would take the size by operator");
    for snapshot in &inspection.snapshots {
        let named: Vec<_> = snapshot.named_by.iter().map(ToString::to_string).collect();
        let named = match named.is_empty() {
            true => "named by no checkpoint".to_owned(),
            false => format!("of checkpoints {}", named.join(", ")),
        };
        page.line(&format!("  {}  {}, {named}", snapshot.name, counted(snapshot.bytes, "byte")));
    }
    if let Start::Recover { state, .. } = &inspection.start {
        for operator in state {
            let (bytes, chunks) = (counted(operator.bytes, "byte"), counted(operator.chunks, "piece"));
            page.line(&format!("  {}: {bytes} in {chunks}", operator.description));
        }
    }
}

fn journal(page: &mut Page, inspection: &Inspection) {
    page.head("JOURNAL  segments, oldest first");
    if inspection.segments.is_empty() {
        return page.line("  none");
    }
    page.line("  segment.generation      bytes    durable  blocks  received  allocations  completions");
    for segment in &inspection.segments {
        let bytes = segment.bytes.map_or("missing".to_owned(), |bytes| bytes.to_string());
        page.line(&format!(
            "  {:18} {bytes:>10} {:>10} {:>7} {:>9} {:>12} {:>12}{}",
            format!("{}.{}", segment.name.segment, segment.name.generation),
            segment.durable,
            segment.blocks,
            segment.received,
            segment.allocations,
            segment.completions,
            remark(segment),
        ));
    }
}

fn remark(segment: &FoundSegment) -> String {
    match (&segment.tail, segment.needed) {
        (Some(tail), _) => format!("\n      its last {}: {tail}", counted(segment.tail_bytes, "byte")),
        (None, false) => "  not needed".to_owned(),
        (None, true) => String::new(),
    }
}

fn damage(inspection: &Inspection) -> Vec<String> {
    let line = |damage: &highwater_core::inspect::Damage| {
        format!("{} at byte {}: {}", damage.file.display(), damage.offset, damage.reason)
    };
    let mut lines: Vec<_> = inspection.damage.iter().map(line).collect();
    if lines.is_empty() && inspection.verified {
        lines.push("none: every byte was read".to_owned());
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use highwater_core::BatchTime;
    use highwater_core::ids::{CheckpointId, CheckpointSequence, Generation};

    #[test]
    fn a_checkpoint_is_told_with_its_age_and_why_it_cannot_be_restored() {
        let id = CheckpointId { sequence: CheckpointSequence(7), generation: Generation(2) };
        let mut found = FoundCheckpoint {
            id,
            bytes: 9,
            completed: Some(BatchTime(1_519_961_356_000)),
            age_batches: Some(2),
            age_ms: Some(2_000),
            pending: Some(0),
            snapshot: None,
            restorable: true,
            why_not: None,
            snapshot_read: false,
        };
        let told = |found: &FoundCheckpoint| {
            render(&Inspection { checkpoints: vec![found.clone()], ..Inspection::default() })
        };
        let line = "  7.2      complete up to 2018-03-02 03:29:16, 2 batches (2s) before the newest, ";
        assert!(told(&found).contains(&format!("{line}restorable\n")), "{}", told(&found));
        found.why_not = Some("the file is missing".into());
        assert!(told(&found).contains(&format!("{line}NOT restorable: the file is missing\n")));
    }

    #[test]
    fn many_pending_batches_are_cut_short() {
        let batch = |n: u64| PendingBatch { time: BatchTime(1000 * n), blocks: 1, records: 2 };
        let all: Vec<_> = (0..20).map(batch).collect();
        let told = pending_batches(&all);
        assert!(told.starts_with("20 batches, 40 records: 1970-01-01 00:00:00 (2) "), "{told}");
        assert!(told.ends_with(" 1970-01-01 00:00:07 (2) .."), "{told}");
        assert_eq!(pending_batches(&[]), "no batch");
    }
}
