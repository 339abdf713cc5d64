//! The journal's segments, one by one, as far as each can be read by itself.
//!
//! What of them is damage depends on what says that it was durable: the marks, and the header of the segment that followed. What a
//! start needs is looked at with the checkpoints; the rest only where every byte is read.

use super::{Damage, FoundSegment, Inspection, checkpoints::Read, listing::Listing};
use crate::{
    codec::FrameError,
    env::Env,
    error::{Error, Result},
    ids::SegmentId,
    journal::{Marks, Record, Segment, SegmentName, outline, read_marks},
};
use std::{collections::BTreeMap, path::Path};

pub(super) async fn look(
    env: &Env,
    directory: &Path,
    listing: &Listing,
    read: &Read,
    inspection: &mut Inspection,
) -> Result<()> {
    let journal = directory.join("journal");
    let needed_from = read.values().map(|checkpoint| checkpoint.journal_from).min();
    let mut closed_at: BTreeMap<SegmentName, u64> = BTreeMap::new();
    let mut decoded = Vec::new();
    for (name, (bytes, _)) in listing.segments() {
        let marks = match read_marks(env, &journal, name).await {
            Ok(marks) => marks,
            Err(error) => {
                inspection.damage.push(super::damage_of(error)?);
                Marks::default()
            }
        };
        let segment = match bytes {
            None => None,
            Some(_) => match outline(&*env.disk, name, &name.wal(&journal), u64::MAX).await {
                Ok(outlined) => Some(outlined),
                // Removed meanwhile.
                Err(Error::Damaged { .. }) => continue,
                Err(error) => return Err(error),
            },
        };
        if let Some((_, Ok(segment))) = &segment {
            closed_at.extend(segment.header.predecessors.iter().copied());
        }
        decoded.push((name, marks, segment));
    }
    for (name, marks, segment) in decoded {
        let found = told(name, marks, segment.as_ref(), needed_from);
        if inspection.verified {
            let durable = marks.length.max(closed_at.get(&name).copied().unwrap_or(0));
            inspection.damage.extend(damage(name, &journal, &found, durable));
        }
        inspection.segments.push(found);
    }
    Ok(())
}

fn told(
    name: SegmentName,
    marks: Marks,
    segment: Option<&(u64, std::result::Result<Segment, FrameError>)>,
    needed_from: Option<SegmentId>,
) -> FoundSegment {
    let mut found = FoundSegment {
        name,
        bytes: segment.map(|(bytes, _)| *bytes),
        durable: marks.length,
        records: 0,
        blocks: 0,
        allocations: 0,
        completions: 0,
        received: 0,
        tail_bytes: 0,
        tail: None,
        needed: needed_from.is_some_and(|from| name.segment >= from),
    };
    match segment {
        None => {}
        Some((bytes, Err(error))) => (found.tail_bytes, found.tail) = (*bytes, Some(error.to_string())),
        Some((bytes, Ok(segment))) => {
            found.records = segment.records.len() as u64;
            found.tail_bytes = bytes - segment.length;
            found.tail = segment.tail.as_ref().map(FrameError::to_string);
            for (_, _, record) in &segment.records {
                match record {
                    Record::Block(block) => {
                        found.blocks += 1;
                        found.received += block.records;
                    }
                    Record::Allocation(_) => found.allocations += 1,
                    Record::Completion(_) => found.completions += 1,
                }
            }
        }
    }
    found
}

/// What is not there of the bytes that were durable.
fn damage(name: SegmentName, journal: &Path, found: &FoundSegment, durable: u64) -> Option<Damage> {
    let Some(bytes) = found.bytes else {
        let reason = "the file is missing".to_owned();
        return (durable > 0).then(|| Damage { file: name.wal(journal), offset: 0, reason });
    };
    let valid = bytes - found.tail_bytes;
    let reason = match &found.tail {
        Some(tail) => tail.clone(),
        None => format!("it ends here, but was durable up to byte {durable}"),
    };
    (valid < durable).then(|| Damage { file: name.wal(journal), offset: valid, reason })
}
