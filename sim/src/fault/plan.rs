//! A plan: the faults of one run, in a form that a file can hold.
//!
//! Plans are kept, seeds rot: the same seed draws another plan once the drawing changes, but a plan that is written down
//! stays what it is. Every fault fires at most once, so the world is well after the last.

use super::{Bounds, Close, Crash, Fault, FaultKind, Reset, Stall};
use crate::rng::{Domain, Draws, stream};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The faults of one run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// In no particular order: each has its own trigger.
    #[serde(default)]
    pub faults: Vec<Fault>,
}

impl Plan {
    /// The plan of a run without faults.
    pub fn calm() -> Self {
        Self::default()
    }

    /// Draws a plan: a swarm, in which each seed switches whole classes off and weighs the others wildly.
    pub fn draw(seed: u64, bounds: &Bounds) -> Self {
        let mut rng = stream(seed, Domain::Plan);
        // Drawn for every class whether allowed or not, so that restricting the classes shifts as little as can be.
        let kinds: Vec<FaultKind> = FaultKind::ALL
            .into_iter()
            .filter(|_| rng.percent(65))
            .filter(|kind| bounds.kinds.contains(kind))
            .collect();
        let mut faults: Vec<Fault> =
            Crash::draw_all(&mut rng, &kinds, bounds).into_iter().map(Fault::Crash).collect();
        let mut weighted = Vec::new();
        for kind in [FaultKind::Reset, FaultKind::Close, FaultKind::Stall] {
            let weight = rng.magnitude(1..=16) as usize;
            if kinds.contains(&kind) {
                weighted.extend(std::iter::repeat_n(kind, weight));
            }
        }
        if !weighted.is_empty() {
            for _ in 0..rng.between(0..=bounds.connection_faults_max) {
                faults.push(match rng.pick(&weighted) {
                    FaultKind::Reset => Fault::Reset(Reset::draw(&mut rng, bounds)),
                    FaultKind::Close => Fault::Close(Close::draw(&mut rng, bounds)),
                    _ => Fault::Stall(Stall::draw(&mut rng, bounds)),
                });
            }
        }
        Self { faults }
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
    fn a_swarm_draws_calm_runs_every_class_and_every_mixture() {
        let mixtures: BTreeSet<BTreeSet<FaultKind>> = (0..1000)
            .map(|seed| Plan::draw(seed, &Bounds::default()).faults.iter().map(Fault::kind).collect())
            .collect();
        assert!(mixtures.contains(&BTreeSet::new()));
        assert!(mixtures.contains(&BTreeSet::from(FaultKind::ALL)));
        assert!(FaultKind::ALL.iter().all(|kind| mixtures.contains(&BTreeSet::from([*kind]))));
        assert!(mixtures.len() > 20, "{} of 32 mixtures", mixtures.len());
    }

    #[test]
    fn a_forbidden_class_is_never_drawn() {
        let bounds = Bounds { kinds: vec![FaultKind::Close], ..Bounds::default() };
        let drawn = (0..200).flat_map(|seed| Plan::draw(seed, &bounds).faults);
        assert!(drawn.into_iter().all(|fault| fault.kind() == FaultKind::Close));
    }
}
