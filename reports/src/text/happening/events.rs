//! The engine's events in words.

use super::{Memory, Told};
use crate::text::{
    counts::Counts,
    fold::Weight,
    layout::count,
    moments::{batch, batches},
};
use highwater_core::{
    BatchTime,
    event::{Event, Recovery},
};

/// One event, or several that go into one line.
pub(super) fn tell(events: &[&Event], memory: &mut Memory) -> Told {
    let (first, last) = (batch_of(events[0]), batch_of(events[events.len() - 1]));
    let span = first.zip(last);
    let several = events.len() as u64;
    let of_batches = |text: String| match (span, several) {
        (Some((first, last)), 2..) => format!("{}: {several} batches, {text}", batches(first, last)),
        (Some((first, _)), _) => format!("{}: {text}", batch(first)),
        (None, _) => text,
    };
    let routine = |counts: Counts| Weight::Routine(Counts { batches: span, ..counts });
    let records: u64 = events.iter().map(|event| records_of(event)).sum();
    match events[0] {
        Event::GenerationClaimed { generation } => {
            notable("CLAIM", format!("generation {generation}: older ones may write no more"))
        }
        Event::StartedFresh { zero_time, interval } => {
            memory.zero_time = Some(*zero_time);
            let text =
                format!("nothing to recover; a batch every {interval}, counted from {}", batch(*zero_time));
            notable("FRESH", text)
        }
        Event::TemporaryRemoved { name } => {
            notable("CLEAN", format!("{name}, which was never published, is removed"))
        }
        Event::CandidateRejected { checkpoint, reason } => {
            notable("REJECT", format!("checkpoint {checkpoint}: {reason}"))
        }
        Event::Recovered(recovery) => {
            memory.taken_over = recovery.pending.iter().copied().collect();
            Told("RECOVER", recovered(recovery, memory), Weight::Notable)
        }
        Event::SourceConnected { source: _, resume_from } => notable(
            "CONNECT",
            match resume_from {
                Some(line) => format!("to the source, asking for line {line} next"),
                None => "to the source, taking what comes next".to_owned(),
            },
        ),
        Event::SourceDisconnected { source: _, reason, dropped_bytes } => notable(
            "DISCONNECT",
            match dropped_bytes {
                0 => reason.clone(),
                bytes => format!("{reason}; {} of an unterminated line dropped", count(*bytes, "byte")),
            },
        ),
        Event::RecordsRepaired { source: _, cut, replaced } => notable(
            "REPAIR",
            format!("{} too long and cut, {replaced} not UTF-8 and replaced", count(*cut, "line")),
        ),
        Event::BlockStored { source: _, block, records, bytes: _ } => Told(
            "STORE",
            vec![format!("block {block}, {}: durable in the journal", count(*records, "record"))],
            routine(Counts { blocks_stored: 1, ..Counts::default() }),
        ),
        Event::BatchAllocated { .. } => {
            let blocks = events.iter().map(|event| blocks_of(event)).sum();
            let text = match blocks {
                0 => "no records".to_owned(),
                blocks => format!("{} with {}", count(blocks, "block"), count(records, "record")),
            };
            Told("ALLOCATE", vec![of_batches(text)], routine(Counts::default()))
        }
        Event::BatchEmitted { repetition: false, .. } => {
            Told("EMIT", vec![of_batches("output written".into())], routine(Counts::default()))
        }
        Event::BatchEmitted { repetition: true, .. } => {
            notable("EMIT", of_batches("output written again, since an earlier life may have done so".into()))
        }
        Event::BatchCompleted { time, .. } => {
            let weight = match memory.taken_over.contains(time) {
                true => Weight::Notable,
                false => routine(Counts { completed: several, records, ..Counts::default() }),
            };
            let text =
                format!("{}; output synced, completion written to the journal", count(records, "record"));
            Told("COMPLETE", vec![of_batches(text)], weight)
        }
        Event::SnapshotWritten { time: _, bytes } => Told(
            "SNAPSHOT",
            vec![of_batches(format!("the state after it, {}", count(*bytes, "byte")))],
            routine(Counts { snapshots: 1, ..Counts::default() }),
        ),
        Event::CheckpointPublished { checkpoint, completed, pending, snapshot } => {
            let mut text = format!("{checkpoint}: {}", completed_up_to(*completed, memory));
            if *pending > 0 {
                text.push_str(&format!(", {} allocated after that", count(*pending, "batch")));
            }
            if let Some(time) = snapshot {
                text.push_str(&format!(", state of {}", batch(*time)));
            }
            // No batch of its own: what it covers was told when it was completed.
            let weight = Weight::Routine(Counts { checkpoints: 1, ..Counts::default() });
            Told("CHECKPOINT", vec![text], weight)
        }
        Event::Trimmed { checkpoints, snapshots, segments } => {
            let parts =
                [(*checkpoints, "checkpoint"), (*snapshots, "snapshot"), (*segments, "journal segment")];
            let parts: Vec<String> =
                parts.iter().filter(|(n, _)| *n > 0).map(|(n, what)| count(*n, what)).collect();
            let files_trimmed = checkpoints + snapshots + segments;
            let text = format!("{}: not needed any more", parts.join(", "));
            Told("TRIM", vec![text], Weight::Routine(Counts { files_trimmed, ..Counts::default() }))
        }
        Event::SegmentStarted { segment } => Told(
            "SEGMENT",
            vec![format!("journal segment {segment} begins")],
            Weight::Routine(Counts { segments: 1, ..Counts::default() }),
        ),
        Event::BatchesSkipped { from, count: skipped } => notable(
            "SKIP",
            format!("{} from {} on: too many were missed", count(*skipped, "batch"), batch(*from)),
        ),
        Event::OutputIncomplete { sink, bytes } => notable(
            "INCOMPLETE",
            format!(
                "{sink}: {} of batches that were not completed, to be written again",
                count(*bytes, "byte")
            ),
        ),
        Event::OutputMissing { sink, bytes } => {
            notable("MISSING", format!("{sink}: {} that were durable are not there", count(*bytes, "byte")))
        }
        Event::Stopping => notable("STOPPING", "in order: what was received is still processed".into()),
        Event::Stopped { error: None } => notable("STOP", "the driver ended in order".into()),
        Event::Stopped { error: Some(error) } => {
            Told("STOP", vec![format!("the driver ended with an error: {error}")], Weight::End)
        }
    }
}

fn notable(verb: &'static str, text: String) -> Told {
    Told(verb, vec![text], Weight::Notable)
}

fn recovered(recovery: &Recovery, memory: &Memory) -> Vec<String> {
    let Recovery {
        generation,
        checkpoint,
        snapshot,
        journal_records,
        torn_bytes,
        completed,
        state_replays,
        pending,
        unallocated_records,
        // For comparing recoveries, which a judge does.
        digest: _,
    } = recovery;
    let state = match snapshot {
        Some(time) => format!("with the state of {}", batch(*time)),
        None => "with no snapshot of a state".to_owned(),
    };
    let torn = match torn_bytes {
        0 => "no torn write at its end".to_owned(),
        bytes => format!("{} of a torn write at its end dropped", count(*bytes, "byte")),
    };
    let again = match (state_replays, pending.as_slice()) {
        (0, []) => "no batch to run again".to_owned(),
        (replays, pending) => {
            let mut parts = Vec::new();
            if *replays > 0 {
                parts.push(format!(
                    "{} computed again for the state alone",
                    count(*replays, "completed batch")
                ));
            }
            if let (Some(first), Some(last)) = (pending.first(), pending.last()) {
                let span = batches(*first, *last);
                parts.push(format!(
                    "{} run and emitted: {span}",
                    count(pending.len() as u64, "incomplete batch")
                ));
            }
            parts.join("; ")
        }
    };
    vec![
        format!("generation {generation} goes on from checkpoint {checkpoint}, {state}"),
        format!("journal: {} read, {torn}", count(*journal_records, "record")),
        format!("{}; {again}", completed_up_to(*completed, memory)),
        format!("{} durable and not in a batch yet", count(*unallocated_records, "record")),
    ]
}

fn completed_up_to(time: BatchTime, memory: &Memory) -> String {
    match memory.zero_time == Some(time) {
        true => "no batch completed yet".to_owned(),
        false => format!("completed up to {}", batch(time)),
    }
}

fn batch_of(event: &Event) -> Option<BatchTime> {
    match event {
        Event::BatchAllocated { time, .. }
        | Event::BatchEmitted { time, .. }
        | Event::BatchCompleted { time, .. }
        | Event::SnapshotWritten { time, .. } => Some(*time),
        _ => None,
    }
}

fn records_of(event: &Event) -> u64 {
    match event {
        Event::BatchAllocated { records, .. } | Event::BatchCompleted { records, .. } => *records,
        _ => 0,
    }
}

fn blocks_of(event: &Event) -> u64 {
    match event {
        Event::BatchAllocated { blocks, .. } => *blocks,
        _ => 0,
    }
}
