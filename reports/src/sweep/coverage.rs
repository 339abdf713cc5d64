//! Coverage: which durable step was hit by which crash. A protocol is only proven where it was hit.

use highwater_sim::fault::{FaultKind, FaultOutcome, Hit, Step};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How often each step was hit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<CoverageCell>", into = "Vec<CoverageCell>")]
pub struct Coverage {
    /// By step of the disk, and what hit it; `None` is a crash at the network or between two operations.
    hits: BTreeMap<(Option<Step>, FaultKind), u64>,
}

/// A cell of the matrix, as JSON has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CoverageCell {
    /// The step of the disk; none for a crash at the network or between two operations.
    pub step: Option<Step>,
    /// What hit it.
    pub fault: FaultKind,
    /// How often.
    pub hits: u64,
}

impl From<Vec<CoverageCell>> for Coverage {
    fn from(cells: Vec<CoverageCell>) -> Self {
        let mut coverage = Self::default();
        for CoverageCell { step, fault, hits } in cells {
            *coverage.hits.entry((step, fault)).or_default() += hits;
        }
        coverage
    }
}

impl From<Coverage> for Vec<CoverageCell> {
    fn from(coverage: Coverage) -> Self {
        let cell = |((step, fault), hits)| CoverageCell { step, fault, hits };
        coverage.hits.into_iter().map(cell).collect()
    }
}

impl Coverage {
    /// Adds what the crashes of a run hit.
    pub(super) fn add(&mut self, plan: &[FaultOutcome]) {
        for outcome in plan {
            let Some(firing) = &outcome.firing else { continue };
            let step = match &firing.hit {
                Hit::Disk { step, .. } => Some(*step),
                Hit::Network { .. } | Hit::Time | Hit::Attempt { .. } | Hit::Job { .. } => None,
                Hit::Connection { .. } => continue,
            };
            *self.hits.entry((step, outcome.fault.kind())).or_default() += 1;
        }
    }

    pub(super) fn merge(&mut self, other: Self) {
        for (cell, hits) in other.hits {
            *self.hits.entry(cell).or_default() += hits;
        }
    }

    /// The durable steps that were hit, by place.
    pub(super) fn durable_steps(&self) -> Vec<&Step> {
        let steps = self.hits.keys().filter_map(|(step, _)| step.as_ref());
        let mut steps: Vec<&Step> = steps.filter(|step| step.operation.is_durable_step()).collect();
        steps.sort_by_key(|step| (&step.place, step.operation));
        steps.dedup();
        steps
    }

    /// How often a step was hit by a fault.
    pub fn hits(&self, step: &Step, fault: FaultKind) -> u64 {
        self.hits.get(&(Some(*step), fault)).copied().unwrap_or_default()
    }

    /// Hits of what is no durable step: reads, the network, between two operations.
    pub fn hits_elsewhere(&self, fault: FaultKind) -> u64 {
        let elsewhere =
            |step: &Option<Step>| !step.as_ref().is_some_and(|step| step.operation.is_durable_step());
        let hits = self.hits.iter().filter(|((step, kind), _)| *kind == fault && elsewhere(step));
        hits.map(|(_, hits)| hits).sum()
    }
}
