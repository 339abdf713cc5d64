//! The bytes that no start would look at: older snapshots, what does not count any more, claims, marks in the middle.
//!
//! What was published or said to be durable must be whole, whether a start needs it or not. What never was may be torn: a crash leaves
//! that behind, the next start removes it, and it is told as a remark.

use super::{Damage, Inspection, checkpoint_of, checkpoints::Read, damage_of, listing::Listing};
use crate::{
    checkpoint::outline_snapshot,
    env::Env,
    error::{Error, Result},
    journal::{MARK_BYTES, SegmentName, decode_mark},
};
use std::path::Path;

pub(super) async fn look(
    env: &Env,
    directory: &Path,
    listing: &Listing,
    read: &Read,
    inspection: &mut Inspection,
) -> Result<()> {
    for (id, _) in listing.checkpoints().into_iter().filter(|(id, _)| !read.contains_key(id)) {
        if let Err(error) = checkpoint_of(env, directory, id).await {
            inspection.damage.push(damage_of(error)?);
        }
    }
    for (name, _) in listing.snapshots() {
        let named = |reference: &&crate::checkpoint::SnapshotReference| reference.name == name;
        let reference = read.values().filter_map(|checkpoint| checkpoint.snapshot.as_ref()).find(named);
        let path = directory.join("state").join(name);
        match (outline_snapshot(&*env.disk, &path, reference).await, reference) {
            (Ok(_), Some(_)) => {}
            (Ok(_), None) => inspection.notes.push(format!("state/{name} is named by no checkpoint")),
            (Err(error), Some(_)) => inspection.damage.push(damage_of(error)?),
            (Err(error), None) => {
                let Damage { reason, .. } = damage_of(error)?;
                inspection.notes.push(format!(
                    "state/{name} is named by no checkpoint, and not whole ({reason}): a crash left it unfinished"
                ));
            }
        }
    }
    for found in inspection.checkpoints.iter_mut().filter(|found| found.snapshot.is_some()) {
        found.snapshot_read = true;
        let name = found.snapshot.as_ref().map(|snapshot| directory.join("state").join(&snapshot.name));
        let wrong = inspection.damage.iter().find(|damage| Some(&damage.file) == name.as_ref());
        if let Some(damage) = wrong.filter(|_| found.restorable) {
            found.restorable = false;
            found.why_not = Some(format!("its snapshot, at byte {}: {}", damage.offset, damage.reason));
        }
    }
    for claim in inspection.generations.iter().filter(|claim| claim.release.is_none()) {
        let generation = claim.generation;
        inspection.notes.push(format!(
            "the claim of generation {generation} cannot be read: its name is what counts, and a power loss may take the rest"
        ));
    }
    for name in listing.temporaries() {
        inspection.notes.push(format!("checkpoint/{name} was never published: a crash left it behind"));
    }
    for (name, (_, marks)) in listing.segments() {
        if marks.is_some() {
            inspection.damage.extend(marks_between(env, directory, name).await?);
        }
    }
    Ok(())
}

/// The marks that cannot be read or are not padded with zeros, but for the last one: each was synced before the next was written.
async fn marks_between(env: &Env, directory: &Path, name: SegmentName) -> Result<Vec<Damage>> {
    let file = name.marks(&directory.join("journal"));
    let bytes = match env.disk.read(&file, 0, usize::MAX).await {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        bytes => bytes.map_err(Error::disk("read", &file))?,
    };
    let slots: Vec<&[u8]> = bytes.chunks(MARK_BYTES).collect();
    let wrong = |(number, slot): (u64, &&[u8])| {
        let reason = match decode_mark(name, number, slot) {
            Err(error) => error.to_string(),
            Ok((_, padding)) if padding.iter().any(|byte| *byte != 0) => {
                "padding that is not zeros".to_owned()
            }
            Ok(_) => return None,
        };
        Some(Damage { file: file.clone(), offset: number * MARK_BYTES as u64, reason })
    };
    Ok((0..).zip(&slots[..slots.len().saturating_sub(1)]).filter_map(wrong).collect())
}
