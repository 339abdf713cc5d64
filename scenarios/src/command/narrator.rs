//! A driver's events as lines for people: what was recovered, what the source does, what had to be repaired.
//!
//! Batches and blocks go without a word: their output speaks.

use highwater_core::{
    event::{Event, Recovery},
    source::SocketAddress,
};

/// What to say of an event, if anything.
pub(super) fn tell(event: &Event, source: &SocketAddress) -> Option<String> {
    Some(match event {
        Event::StartedFresh { zero_time, interval } => {
            format!("a first start: a batch every {interval}, the first one after {zero_time}")
        }
        Event::TemporaryRemoved { name } => format!("removed {name}, which a crash left unfinished"),
        Event::CandidateRejected { checkpoint, reason } => {
            format!("checkpoint {checkpoint} cannot be used ({reason}); trying the next older one")
        }
        Event::Recovered(recovery) => recovered(recovery),
        Event::SourceConnected { resume_from: Some(lines), .. } => {
            format!("{source}: connected, going on after {lines} lines")
        }
        Event::SourceConnected { resume_from: None, .. } => format!("{source}: connected"),
        Event::SourceDisconnected { reason, dropped_bytes, .. } => {
            let dropped = match dropped_bytes {
                0 => String::new(),
                bytes => format!("; {bytes} bytes of an unfinished line are dropped"),
            };
            format!("{source}: not connected ({reason}); trying again{dropped}")
        }
        Event::RecordsRepaired { cut, replaced, .. } => {
            let cut = (*cut > 0).then(|| format!("{cut} lines longer than the limit were cut"));
            let replaced = (*replaced > 0)
                .then(|| format!("{replaced} lines had bytes that are not UTF-8, replaced by U+FFFD"));
            let all: Vec<_> = cut.into_iter().chain(replaced).collect();
            format!("{source}: {}", all.join(", "))
        }
        Event::BatchesSkipped { from, count } => {
            format!("passed over {count} batch times from {from} on: more were missed than are made up for")
        }
        Event::OutputIncomplete { sink, bytes } => {
            format!("{sink}: {bytes} bytes are of batches that were not completed; they are written again")
        }
        Event::OutputMissing { sink, bytes } => {
            format!("{sink}: {bytes} bytes are missing that were there; somebody replaced or shortened it")
        }
        Event::Stopping => {
            "stopping: what was received is still processed; Ctrl-C again ends at once".to_owned()
        }
        Event::Stopped { error: None } => "stopped: all that was received is processed".to_owned(),
        // The command ends with the error, and says it last.
        Event::Stopped { error: Some(_) } => return None,
        _ => return None,
    })
}

fn recovered(recovery: &Recovery) -> String {
    let Recovery {
        generation,
        checkpoint,
        snapshot,
        journal_records,
        torn_bytes,
        completed,
        state_replays,
        ..
    } = recovery;
    let state = snapshot.map_or(String::new(), |time| format!(" with the state of {time}"));
    let pending = match &recovery.pending[..] {
        [] => "no batch to replay".to_owned(),
        [time] => format!("1 batch to replay ({time})"),
        [first, .., last] => format!("{} batches to replay ({first} to {last})", recovery.pending.len()),
    };
    let state_replays = match state_replays {
        0 => String::new(),
        count => format!(", {count} completed batches to compute into the state again"),
    };
    format!(
        "recovered from checkpoint {checkpoint}{state} as generation {generation}: {journal_records} journal records \
         replayed, {torn_bytes} torn bytes dropped, {pending}{state_replays}, {} records waiting for a batch; complete up \
         to {completed}",
        recovery.unallocated_records
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use highwater_core::{
        BatchTime,
        ids::{CheckpointId, CheckpointSequence, Generation, SourceId},
    };

    fn source() -> SocketAddress {
        "resume://127.0.0.1:8880".parse().unwrap()
    }

    #[test]
    fn a_recovery_is_told_whole() {
        let recovery = Recovery {
            generation: Generation(3),
            checkpoint: CheckpointId { sequence: CheckpointSequence(7), generation: Generation(2) },
            snapshot: Some(BatchTime(1_519_961_350_000)),
            journal_records: 41,
            torn_bytes: 12,
            completed: BatchTime(1_519_961_356_000),
            state_replays: 6,
            pending: vec![BatchTime(1_519_961_357_000), BatchTime(1_519_961_358_000)],
            unallocated_records: 90,
            digest: 1,
        };
        assert_eq!(
            tell(&Event::Recovered(recovery), &source()).unwrap(),
            "recovered from checkpoint 7.2 with the state of 2018-03-02 03:29:10 as generation 3: 41 journal records \
             replayed, 12 torn bytes dropped, 2 batches to replay (2018-03-02 03:29:17 to 2018-03-02 03:29:18), 6 \
             completed batches to compute into the state again, 90 records waiting for a batch; complete up to \
             2018-03-02 03:29:16"
        );
    }

    #[test]
    fn repaired_lines_are_told_by_what_was_done() {
        let event = |cut, replaced| Event::RecordsRepaired { source: SourceId(0), cut, replaced };
        let told = |event| tell(&event, &source()).unwrap();
        assert_eq!(told(event(2, 0)), "resume://127.0.0.1:8880: 2 lines longer than the limit were cut");
        assert!(
            told(event(2, 1)).ends_with("were cut, 1 lines had bytes that are not UTF-8, replaced by U+FFFD")
        );
    }

    #[test]
    fn a_batch_goes_without_a_word() {
        let event = Event::BatchCompleted { time: BatchTime(0), records: 1 };
        assert_eq!(tell(&event, &source()), None);
    }
}
