//! For I9: the parts of the journal that nothing goes on from, and of batches that never came to their place, that were not removed.
//!
//! A life that dies right after it has begun a segment leaves one that no later segment names. The next life owes its removal before its
//! first batch: retention comes to it only when the journal goes on, and a crash loop would leave ever more of them. So what is left
//! of older generations when a life that has recovered and completed a batch is over must be named by one of its own
//! segments. Not verified: what a power loss or a failed sync of the journal's directory may have brought back, and what was to be trimmed, which is looked at in the end.

use super::image;
use crate::{
    fault::Place,
    run::{Evidence, Image, LifeEnd, LifeEvidence},
};
use highwater_core::{
    event::Event,
    ids::{Generation, SegmentId},
    journal::{SegmentName, decode_segment},
};
use std::collections::BTreeSet;

/// What each life left behind.
pub(super) fn left_behind(evidence: &Evidence) -> impl Iterator<Item = String> {
    let failed_sync = evidence.lost_names(Place::Journal).next().is_some();
    let found_after = evidence.lives.iter().skip(1).map(|life| &life.image);
    let lives = evidence.lives.iter().zip(found_after.chain([&evidence.last_image]));
    lives.filter(move |_| !failed_sync).flat_map(|(life, found)| {
        let own = life.claim().filter(|_| has_removed(life));
        let left = own.map(|(_, own)| orphans(found, own)).unwrap_or_default();
        left.into_iter().map(|path| format!("life {} left {path} of an older one behind", life.life))
    })
}

/// Files that were to be put in the place of a batch's ones, and are there in the end: whoever emits the batch again removes them. One that was
/// put in its place, by a rename that a failed sync gave up, may come back when the batch is complete.
pub(super) fn left_in_batches(evidence: &Evidence) -> impl Iterator<Item = String> {
    let given_up: BTreeSet<&str> =
        evidence.lost_names(Place::Output).map(|failure| failure.path.as_str()).collect();
    let is_given_up =
        move |path: &str| path.rsplit_once('/').is_some_and(|(directory, _)| given_up.contains(directory));
    let hidden = evidence.last_image.keys().filter(|path| evidence.hides_in_batch(path));
    let hidden = hidden.filter(move |path| !is_given_up(path));
    hidden.map(|path| format!("{path} was not put in its place, nor removed"))
}

/// Whether it must have removed what its journal does not go on from.
fn has_removed(life: &LifeEvidence) -> bool {
    let said = |wanted: fn(&Event) -> bool| life.events.iter().any(|(_, event)| wanted(event));
    !matches!(life.end, LifeEnd::Crashed { power_loss: true, .. })
        && said(|event| matches!(event, Event::Recovered(_)))
        && said(|event| matches!(event, Event::BatchCompleted { .. }))
}

/// The files of the journal by generations before `own` that none of its segments names.
fn orphans(found: &Image, own: Generation) -> Vec<&str> {
    let files =
        || found.iter().filter_map(|(path, bytes)| Some((path.as_str(), image::journal_file(path)?, bytes)));
    let of_own = files().filter(|(path, name, _)| name.generation == own && path.ends_with(".wal"));
    let mut headers =
        of_own.filter_map(|(_, name, bytes)| Some(decode_segment(name, bytes).ok()?.header)).peekable();
    if headers.peek().is_none() {
        return Vec::new();
    }
    let named: BTreeSet<SegmentName> =
        headers.flat_map(|header| header.predecessors).map(|(name, _)| name).collect();
    let whole = image::checkpoints(found).into_values().flatten();
    let first = whole.map(|checkpoint| checkpoint.journal_from).min().unwrap_or(SegmentId(0));
    let is_left =
        |name: &SegmentName| name.generation < own && name.segment >= first && !named.contains(name);
    files().filter(|(_, name, _)| is_left(name)).map(|(path, _, _)| path).collect()
}
