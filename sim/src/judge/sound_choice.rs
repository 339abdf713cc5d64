//! I7: recovery uses a whole, verified checkpoint, the newest such; and where there are data it never starts afresh.
//!
//! Verified: a life that found a published checkpoint, whole by the judge's own reading of the file and its snapshot,
//! recovered from the newest whole one; a life that found anything of an earlier one did not start afresh. The choice is
//! taken from the driver's events, the expectation from the disk. Not verified: lives that crashed before they chose.

use super::{Case, Findings, image};
use highwater_core::event::Event;

pub(super) fn judge(case: &Case<'_>) -> Findings {
    let mut violations = Vec::new();
    let (mut recoveries, mut fresh) = (0, 0);
    for life in &case.evidence.lives {
        let newest_whole =
            image::checkpoints(&life.image).into_iter().rev().find_map(|(id, whole)| whole.map(|_| id));
        for (_, event) in &life.events {
            match event {
                Event::StartedFresh { .. } => {
                    fresh += 1;
                    let data = ["/checkpoint/checkpoint/", "/checkpoint/journal/", "/checkpoint/state/"];
                    let published = |path: &&String| !path.ends_with(".tmp");
                    let mut found = life.image.keys().filter(published);
                    if let Some(path) = found.find(|path| data.iter().any(|data| path.starts_with(data))) {
                        violations.push(format!("life {} started afresh where {path} was", life.life));
                    }
                }
                Event::Recovered(recovery) => {
                    recoveries += 1;
                    if Some(recovery.checkpoint) != newest_whole {
                        let newest = newest_whole.map_or("none".to_owned(), |id| id.to_string());
                        let (life, taken) = (life.life, recovery.checkpoint);
                        violations.push(format!(
                            "life {life} took checkpoint {taken}, the newest whole one was {newest}"
                        ));
                    }
                }
                _ => {}
            }
        }
    }
    Findings { seen: format!("first starts: {fresh}, recoveries: {recoveries}"), violations }
}
