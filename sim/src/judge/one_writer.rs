//! I10: an older driver changes nothing and emits nothing once a newer one has started.
//!
//! Verified: no emission of a life comes after a newer life's claim; files of the checkpoint directory, once a newer life has
//! found them, never change (they may be removed, and a power loss may take unsynced bytes back: then they may be shorter,
//! never longer); no two lives claim one generation, and generations grow. Not verified: the moment between an older driver's
//! check and its write when the disk has no lock; the engine says so too.

use super::{Case, Findings};
use crate::run::LifeEnd;
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
        if let Some((at, life)) = claims.iter().find(|(at, life)| *life > emission.life && *at < emission.at)
        {
            violations.push(format!(
                "life {} emitted at {}, life {life} had started at {at}",
                emission.life, emission.at
            ));
        }
    }
    let images = evidence.lives.iter().map(|life| &life.image).skip(1).chain([&evidence.last_image]);
    for (life, after) in evidence.lives.iter().zip(images) {
        let lost_power = matches!(life.end, LifeEnd::Crashed { power_loss: true, .. });
        for (path, before) in life.image.iter().filter(|(path, _)| path.starts_with("/checkpoint/")) {
            let Some(after) = after.get(path) else { continue };
            let taken_back = lost_power && after.len() <= before.len();
            if after != before && !taken_back {
                violations.push(format!("{path} changed after life {} had found it", life.life));
            }
        }
    }
    Findings { seen: format!("generations: {}", claims.len()), violations }
}
