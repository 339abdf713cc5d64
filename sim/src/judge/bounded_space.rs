//! I9: journal, checkpoints, snapshots and temporary files stay bounded, and so does what waits for its batch.
//!
//! Verified: the most bytes and files that were on the disk at any time, against a bound that follows from the options, the
//! input, the number of lives, and how many of them came to no end of their start; and that after an orderly end no temporary
//! file is left, and, in a run without damage or a second driver, no claim but the newest one, no part of the journal before
//! the first segment that a checkpoint names, and no snapshot that none names; that each life removes the segments that nothing goes on from, and what never came to its place in a batch's directory ([`orphans`]), takes the
//! snapshots that are due ([`snapshots_due`]), and has no more blocks waiting than it has room for ([`backlog`]). Excused: one
//! temporary file of a driver that still lived when a newer one had claimed its generation. It may write that file after the newer
//! one has removed what it found, and end in the middle, because another of its tasks finds the claim first; the next start removes
//! it. Not verified: the space that one file system needs for them.

use super::{Case, Findings, backlog, image, orphans, snapshots_due};
use crate::{
    fault::Class,
    run::{Evidence, LifeEnd, LifeEvidence},
    source::DIRECTORY,
};
use highwater_core::{event::Event, ids::Generation};
use std::collections::BTreeSet;

/// The files that a quiet directory has: lock, claim, up to five checkpoints, three snapshots, two segments with their marks,
/// two outputs, and one or two that are about to be removed.
const FILES_MAX: u64 = 18;
/// The outputs among them.
const OUTPUTS: u64 = 2;
/// What a life that came to an end of its start leaves behind when it dies: a segment with its marks, or a temporary file.
const FILES_A_LIFE_MAX: u64 = 2;
/// What a life makes before it may remove the first file: a claim, a segment with its marks, and the checkpoint without which what
/// is there is needed. A crash loop that comes no further adds up.
const FILES_A_START_MAX: u64 = 4;
const CLAIMS: &str = "/checkpoint/generation/";
const SNAPSHOTS: &str = "/checkpoint/state/";

pub(super) fn judge(case: &Case<'_>) -> Findings {
    let evidence = case.evidence;
    let lives = evidence.lives.len() as u64;
    let outputs: Vec<u64> = evidence
        .last_image
        .iter()
        .filter(|(path, _)| path.starts_with("/output/") || path.starts_with(DIRECTORY))
        .map(|(_, bytes)| bytes.len() as u64)
        .collect();
    // A directory a batch, or files of input.
    let more_outputs = (outputs.len() as u64).saturating_sub(OUTPUTS);
    let outputs: u64 = outputs.into_iter().sum();
    // Input waits in the journal for two snapshots at most; a snapshot holds no more than the input, of which two or three are
    // kept; each of a few checkpoints and each batch take a small constant.
    let segments = 4 * case.scenario.options.segment_bytes_max;
    let bytes_max = 2 * outputs + segments + 6 * case.input_bytes() + (64 + 8 * lives) * 1024;
    let left = evidence.lives.iter().map(|life| match has_removed(life) {
        true => FILES_A_LIFE_MAX,
        false => FILES_A_START_MAX,
    });
    let files_max = FILES_MAX
        + more_outputs
        + left.sum::<u64>()
        + 2 * case.input_bytes() / case.scenario.options.segment_bytes_max;
    let usage = evidence.usage;
    let mut violations = Vec::new();
    if usage.bytes_peak > bytes_max {
        violations.push(format!("{} bytes at the peak, at most {bytes_max} were expected", usage.bytes_peak));
    }
    if usage.files_peak > files_max {
        violations.push(format!("{} files at the peak, at most {files_max} were expected", usage.files_peak));
    }
    if evidence.lives.last().is_some_and(|life| life.end == LifeEnd::Stopped) {
        violations.extend(left_behind(case).map(|path| format!("{path} was left behind")));
    }
    violations.extend(backlog::violations(case));
    // An older driver may write again what a newer one has removed, and of damage nobody knows what it took with it.
    if !evidence.had_two_drivers() && evidence.class() == Class::Tolerated {
        violations.extend(orphans::left_behind(evidence));
        violations.extend(orphans::left_in_batches(evidence));
        violations.extend(snapshots_due::missing(case));
    }
    Findings {
        seen: format!("at most {} files and {} KiB", usage.files_peak, usage.bytes_peak.div_ceil(1024)),
        violations,
    }
}

/// Whether it came so far that it removes what is not needed any more.
fn has_removed(life: &LifeEvidence) -> bool {
    let after_that = |event: &Event| matches!(event, Event::Trimmed { .. } | Event::BatchCompleted { .. });
    life.events.iter().any(|(_, event)| after_that(event))
}

/// The files that nothing needs after an orderly end.
fn left_behind<'a>(case: &Case<'a>) -> impl Iterator<Item = &'a String> {
    let image = &case.evidence.last_image;
    let whole: Vec<_> = image::checkpoints(image).into_values().flatten().collect();
    let retained = image::retained(image);
    let newest = retained.iter().max().copied();
    let first_segment = whole.iter().map(|checkpoint| checkpoint.journal_from).min();
    let snapshots = whole.into_iter().filter_map(|checkpoint| checkpoint.snapshot);
    let named: BTreeSet<String> = snapshots.map(|snapshot| format!("{SNAPSHOTS}{}", snapshot.name)).collect();
    // An older driver that stood still may have claimed what is over, and what it wrote last is swept by the next start. Of a checkpoint
    // that is damaged nobody knows what it needs.
    let alone = !case.evidence.had_two_drivers() && case.evidence.class() == Class::Tolerated;
    let newest_claim = image.keys().rfind(|path| path.starts_with(CLAIMS));
    let mut excused = replaced(case.evidence);
    let is_left = move |path: &&String| {
        let segment = image::journal_file(path).map(|name| name.segment);
        let is_over = first_segment.is_some_and(|first| segment.is_some_and(|segment| segment < first));
        let is_claim = path.starts_with(CLAIMS) && Some(*path) != newest_claim;
        let is_nobodys = path.starts_with(SNAPSHOTS) && !named.contains(*path);
        let is_removed =
            image::checkpoint_id(path).is_some_and(|id| Some(id) < newest && !retained.contains(&id));
        match temporary_of(path) {
            Some(generation) => !excused.remove(&generation),
            None => alone && (is_over || is_claim || is_nobodys || is_removed),
        }
    };
    image.keys().filter(is_left)
}

/// The generations that a newer one replaced while they lived.
fn replaced(evidence: &Evidence) -> BTreeSet<Generation> {
    let claims = || evidence.lives.iter().filter_map(|life| Some((life, life.claim()?)));
    let is_replaced = |ended_at, own| claims().any(|(_, (at, newer))| newer > own && at < ended_at);
    claims().filter(|(life, (_, own))| is_replaced(life.ended_at, *own)).map(|(_, (_, own))| own).collect()
}

/// The generation that wrote a temporary file.
fn temporary_of(path: &str) -> Option<Generation> {
    let (_, generation) = path.strip_suffix(".tmp")?.rsplit_once('-')?;
    Some(Generation(generation.parse().ok()?))
}
