//! I10: an older driver changes nothing and emits nothing once a newer one has started.
//!
//! Verified: no emission of a life comes after a newer life's claim; files of the checkpoint directory, once a newer life has
//! found them, never change (they may be removed); no two lives claim one generation, and generations grow. Not verified:
//! the moment between an older driver's check and its write when the disk has no lock; the engine says so too.

use super::{Case, Findings};
use highwater_core::{event::Event, ids::Generation};

pub(super) fn judge(case: &Case<'_>) -> Findings {
    let evidence = case.evidence;
    let mut violations = Vec::new();
    let mut newest = Generation(0);
    let mut claims = Vec::new();
    for (at, life, event) in evidence.events() {
        if let Event::GenerationClaimed { generation } = event {
            if *generation <= newest {
                violations.push(format!("life {life} claimed generation {generation} after {newest}"));
            }
            newest = *generation;
            claims.push((at, life));
        }
    }
    for emission in &evidence.emissions {
        if let Some((at, life)) = claims.iter().find(|(at, life)| *life > emission.life && *at < emission.at) {
            violations.push(format!("life {} emitted at {}, life {life} had started at {at}", emission.life, emission.at));
        }
    }
    let images: Vec<_> = evidence.lives.iter().map(|life| &life.image).chain([&evidence.last_image]).collect();
    for pair in images.windows(2) {
        for (path, before) in pair[0].iter().filter(|(path, _)| path.starts_with("/checkpoint/")) {
            if pair[1].get(path).is_some_and(|after| after != before) {
                violations.push(format!("{path} changed after a newer driver had found it"));
            }
        }
    }
    Findings { seen: format!("{} generations", claims.len()), violations }
}
