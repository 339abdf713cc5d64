//! For I9: that what waits for its batch stays bounded, however far ahead the source is.
//!
//! A block holds its room from before it is stored until its batch is emitted: its bytes in whole KiB, at least one, and no more
//! than all there is. So what one life has stored and not emitted never takes more than the options have for the backlog. Counted by the
//! driver's own events, of which the judges of I1 hold that they are true; the bytes are its word alone. Not verified: blocks that an
//! earlier life has stored hold no room, so each of them that is emitted hides the oldest one that does; and where there are several sources,
//! nothing tells whose blocks a batch has, so it is taken to have the largest.

use super::Case;
use crate::run::LifeEvidence;
use highwater_core::event::Event;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

const ROOM_UNIT_BYTES: u64 = 1024;

/// The lives in which more waited than there was room for.
pub(super) fn violations(case: &Case<'_>) -> Vec<String> {
    let max = (case.scenario.options.backlog_bytes_max as u64).div_ceil(ROOM_UNIT_BYTES).max(1);
    let too_much = |life: &LifeEvidence| {
        let most = most_waiting(life.events.iter().map(|(_, event)| event), max);
        (most > max).then(|| {
            format!("life {} had blocks of {most} KiB waiting, and the backlog has room for {max}", life.life)
        })
    };
    case.evidence.lives.iter().filter_map(too_much).collect()
}

/// The most KiB of room that blocks took which a life had stored and not emitted, if one block takes `max` at most.
fn most_waiting<'a>(events: impl Iterator<Item = &'a Event>, max: u64) -> u64 {
    let (mut of_batches, mut waiting, mut most) = (BTreeMap::new(), VecDeque::new(), 0);
    let mut sources = BTreeSet::new();
    for event in events {
        match event {
            Event::BlockStored { source, bytes, .. } => {
                sources.insert(*source);
                waiting.push_back(bytes.div_ceil(ROOM_UNIT_BYTES).clamp(1, max));
                most = most.max(waiting.iter().sum());
            }
            Event::BatchAllocated { time, blocks, .. } => _ = of_batches.insert(*time, *blocks as usize),
            Event::BatchEmitted { time, .. } => {
                let blocks = of_batches.remove(time).unwrap_or(0).min(waiting.len());
                if sources.len() > 1 {
                    waiting.make_contiguous().sort_unstable_by(|one: &u64, other| other.cmp(one));
                }
                waiting.drain(..blocks);
            }
            _ => {}
        }
    }
    most
}

#[cfg(test)]
mod tests {
    use super::*;
    use highwater_core::ids::{BatchTime, BlockId, SourceId};

    #[test]
    fn a_block_takes_its_room_until_its_batch_is_emitted() {
        let stored = |bytes| {
            let (source, block) = (SourceId(0), BlockId(0));
            Event::BlockStored { source, block, records: 1, bytes }
        };
        let allocated = |time, blocks| Event::BatchAllocated { time: BatchTime(time), blocks, records: 9 };
        let emitted = |time| Event::BatchEmitted { time: BatchTime(time), repetition: false };
        let events = [
            // Of an earlier life, as are two of the next batch's blocks.
            emitted(1),
            stored(10),
            allocated(2, 3),
            stored(1025),
            emitted(2),
            stored(1 << 20),
            allocated(3, 1),
            stored(1),
        ];
        assert_eq!(most_waiting(events[..4].iter(), 8), 3);
        assert_eq!(most_waiting(events.iter(), 8), 9);
    }
}
