//! A plan: the faults of one run, in a form that a file can hold.
//!
//! Plans are kept, seeds rot: the same seed draws another plan once the drawing changes, but a plan that is written down
//! stays what it is. Every fault fires at most once, so the world is well after the last.

use super::{Aim, Bounds, Class, Crash, Family, Fault, FaultKind, aimed};
use crate::rng::{Domain, Draws, stream};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The faults of one run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// The source has only so many lines of the workload, the first ones; all of them unless it is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lines: Option<u64>,
    /// In no particular order: each has its own trigger.
    #[serde(default)]
    pub faults: Vec<Fault>,
}

impl Plan {
    /// The plan of a run without faults.
    pub fn calm() -> Self {
        Self::default()
    }

    /// The plan of these faults, over the whole workload.
    pub fn of(faults: Vec<Fault>) -> Self {
        Self { lines: None, faults }
    }

    /// Draws a plan: a swarm, in which each seed switches whole families and kinds off and weighs the others wildly; in most seeds a few
    /// more are aimed at steps of the disk in turn, so that none of these is left to chance, and in others several together make a situation. At most one fault
    /// is a detectable one, and few seeds have any: it may end the run.
    pub fn draw(seed: u64, bounds: &Bounds) -> Self {
        let mut rng = stream(seed, Domain::Plan);
        // Drawn for every kind whether allowed or not, so that restricting the kinds shifts as little as can be.
        let families: Vec<Family> = Family::ALL.into_iter().filter(|_| rng.percent(60)).collect();
        let few = rng.one_in(3);
        let on: Vec<(FaultKind, usize)> = FaultKind::ALL
            .iter()
            .map(|kind| (*kind, rng.percent(if few { 20 } else { 60 }), rng.magnitude(1..=16) as usize))
            .filter(|(kind, on, _)| *on && families.contains(&kind.family()) && bounds.kinds.contains(kind))
            .map(|(kind, _, weight)| (kind, weight))
            .collect();
        let kinds: Vec<FaultKind> = on.iter().map(|(kind, _)| *kind).collect();
        let crashes = Crash::draw_all(&mut rng, &kinds, bounds);
        let ends = crashes.len() as u64 + 1;
        let mut crashes_left = bounds.crashes_max.saturating_sub(crashes.len() as u64);
        let mut faults: Vec<Fault> = crashes.into_iter().map(Fault::Crash).collect();
        let weighted = |class: Class| -> Vec<FaultKind> {
            let of_class = on.iter().filter(|(kind, _)| kind.class() == class);
            of_class.flat_map(|(kind, weight)| std::iter::repeat_n(*kind, *weight)).collect()
        };
        let mut aim = Aim { bounds, lives: ends, connections: ends };
        let (tolerated, beyond) = (weighted(Class::Tolerated), weighted(Class::Beyond));
        if !tolerated.is_empty() {
            let others = rng.between(0..=bounds.others_max);
            let mut drawn: Vec<FaultKind> = (0..others).map(|_| *rng.pick(&tolerated)).collect();
            // What makes lives and connections first: the others are aimed at these.
            drawn.sort_by_key(|kind| !(kind.ends_a_life() || kind.ends_a_connection()));
            for kind in drawn {
                // All lines can be due at once only once.
                if kind == FaultKind::FarAhead && faults.iter().any(|fault| fault.kind() == kind) {
                    continue;
                }
                // One may be drawn here, too, but no more than there may be.
                if matches!(kind, FaultKind::Crash | FaultKind::PowerLoss) && crashes_left == 0 {
                    continue;
                }
                crashes_left -= u64::from(matches!(kind, FaultKind::Crash | FaultKind::PowerLoss));
                faults.push(Fault::draw(kind, &mut rng, &aim));
                aim.lives += u64::from(kind.ends_a_life());
                aim.connections += u64::from(kind.ends_a_life() || kind.ends_a_connection());
            }
        }
        let detectable = weighted(Class::Detectable);
        // Where nothing else is allowed it is what the sweep is for.
        if !detectable.is_empty() && (rng.one_in(3) || tolerated.is_empty()) {
            faults.push(Fault::draw(*rng.pick(&detectable), &mut rng, &aim));
        }
        if !beyond.is_empty() {
            faults.push(Fault::draw(*rng.pick(&beyond), &mut rng, &aim));
        }
        aimed::add(&mut faults, &mut rng, &aim);
        Self::of(faults)
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.faults.is_empty() {
            return f.write_str("no faults");
        }
        for (n, fault) in self.faults.iter().enumerate() {
            write!(f, "{}{fault}", if n == 0 { "" } else { "\n" })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn a_plan_survives_its_file() {
        for seed in 0..200 {
            let plan = Plan::draw(seed, &Bounds::default());
            let text = toml::to_string(&plan).unwrap();
            assert_eq!(toml::from_str::<Plan>(&text).unwrap(), plan, "{text}");
        }
    }

    #[test]
    fn the_fields_of_a_plan_file_stay_as_they_are() {
        let text = "
            [[faults]]
            kind = 'crash'
            restart_after_ms = 250
            trigger = { on = 'disk-operation', life = 2, number = 37, moment = 'inside' }
            power_loss = { image_seed = 9 }
            [[faults]]
            kind = 'crash'
            restart_after_ms = 1
            trigger = { on = 'time', at_ms = 1500 }
            [[faults]]
            kind = 'stall'
            connection = 1
            after_bytes = 412
            for_ms = 3000
        ";
        let plan: Plan = toml::from_str(text).unwrap();
        let lines = "power loss inside disk operation 37 of life 2, image 9, restart after 250 ms\n\
                     crash at 1500 ms, restart after 1 ms\n\
                     stall connection 1 after 412 bytes for 3000 ms";
        assert_eq!(plan.to_string(), lines);
    }

    #[test]
    fn a_swarm_draws_calm_runs_every_kind_and_many_mixtures() {
        let mixtures: BTreeSet<BTreeSet<FaultKind>> = (0..1000)
            .map(|seed| Plan::draw(seed, &Bounds::default()).faults.iter().map(Fault::kind).collect())
            .collect();
        assert!(mixtures.contains(&BTreeSet::new()));
        for kind in FaultKind::swept() {
            assert!(mixtures.iter().any(|mixture| mixture.contains(&kind)), "{kind} is never drawn");
        }
        assert!(!mixtures.iter().any(|mixture| mixture.contains(&FaultKind::LyingDisk)));
        assert!(mixtures.len() > 300, "{} mixtures", mixtures.len());
    }

    #[test]
    fn a_forbidden_kind_is_never_drawn() {
        let bounds = Bounds { kinds: vec![FaultKind::Close, FaultKind::LyingDisk], ..Bounds::default() };
        let drawn: BTreeSet<FaultKind> =
            (0..200).flat_map(|seed| Plan::draw(seed, &bounds).faults).map(|fault| fault.kind()).collect();
        assert_eq!(drawn, BTreeSet::from([FaultKind::Close, FaultKind::LyingDisk]));
    }
}
