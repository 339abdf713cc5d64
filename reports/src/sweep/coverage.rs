//! Coverage: which step of the disk was hit by which fault. A protocol is only proven where it was hit.
//!
//! A cell of the matrix *can be hit* where some run made the step, the kind of fault strikes such steps
//! ([`FaultKind::strikes`]), and the sweep allowed the kind. One that can be hit and was not is a hole in the sweep.

use highwater_sim::{
    fault::{FaultKind, Hit, Step},
    run::RunReport,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// How often each step was hit, and which could have been.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Matrix", into = "Matrix")]
pub struct Coverage {
    /// By step of the disk, and what hit it; `None` is a fault at the network or between two operations.
    hits: BTreeMap<(Option<Step>, FaultKind), u64>,
    /// In how many runs a step was made.
    made: BTreeMap<Step, u64>,
    /// The kinds that could be drawn.
    kinds: BTreeSet<FaultKind>,
}

/// The matrix, as JSON has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Matrix {
    /// The kinds of faults that could be drawn.
    pub kinds: Vec<FaultKind>,
    /// The steps that some run made.
    pub steps: Vec<StepRuns>,
    /// The cells that were hit or could have been.
    pub cells: Vec<CoverageCell>,
}

/// A step, and in how many runs it was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepRuns {
    /// The step.
    pub step: Step,
    /// Runs.
    pub runs: u64,
}

/// A cell of the matrix.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CoverageCell {
    /// The step of the disk; none for a fault at the network or between two operations.
    pub step: Option<Step>,
    /// What hit it.
    pub fault: FaultKind,
    /// How often; zero where it could have been hit and was not.
    pub hits: u64,
}

impl From<Matrix> for Coverage {
    fn from(matrix: Matrix) -> Self {
        let hit = matrix.cells.into_iter().filter(|cell| cell.hits > 0);
        Self {
            hits: hit.map(|CoverageCell { step, fault, hits }| ((step, fault), hits)).collect(),
            made: matrix.steps.into_iter().map(|StepRuns { step, runs }| (step, runs)).collect(),
            kinds: matrix.kinds.into_iter().collect(),
        }
    }
}

impl From<Coverage> for Matrix {
    fn from(coverage: Coverage) -> Self {
        let mut hits = coverage.hits.clone();
        for (step, fault) in coverage.hittable() {
            hits.entry((Some(step), fault)).or_default();
        }
        let cell = |((step, fault), hits)| CoverageCell { step, fault, hits };
        Self {
            cells: hits.into_iter().map(cell).collect(),
            steps: coverage.made.into_iter().map(|(step, runs)| StepRuns { step, runs }).collect(),
            kinds: coverage.kinds.into_iter().collect(),
        }
    }
}

impl Coverage {
    /// Adds what the faults of a run hit, and what they could have hit.
    pub(super) fn add(&mut self, run: &RunReport) {
        for outcome in &run.plan {
            let Some(firing) = &outcome.firing else { continue };
            let step = match &firing.hit {
                Hit::Disk { step, .. } => Some(*step),
                Hit::Network { .. } | Hit::Time | Hit::Attempt { .. } | Hit::Job { .. } => None,
                Hit::Connection { .. } => continue,
            };
            *self.hits.entry((step, outcome.fault.kind())).or_default() += 1;
        }
        for step in &run.reached {
            *self.made.entry(*step).or_default() += 1;
        }
        self.kinds.extend(run.faults.iter().filter_map(|name| name.parse::<FaultKind>().ok()));
    }

    pub(super) fn merge(&mut self, other: Self) {
        for (cell, hits) in other.hits {
            *self.hits.entry(cell).or_default() += hits;
        }
        for (step, runs) in other.made {
            *self.made.entry(step).or_default() += runs;
        }
        self.kinds.extend(other.kinds);
    }

    /// The cells that could have been hit.
    pub fn hittable(&self) -> impl Iterator<Item = (Step, FaultKind)> {
        self.made
            .keys()
            .flat_map(|step| self.kinds.iter().filter(|kind| kind.strikes(*step)).map(|kind| (*step, *kind)))
    }

    /// The cells that could have been hit and were not.
    pub fn holes(&self) -> Vec<(Step, FaultKind)> {
        self.hittable().filter(|(step, kind)| self.hits(step, *kind) == 0).collect()
    }

    /// The steps that have a cell which could have been hit, by place.
    pub(crate) fn steps(&self) -> Vec<Step> {
        let steps: BTreeSet<_> =
            self.hittable().map(|(step, _)| (step.place, step.operation, step)).collect();
        steps.into_iter().map(|(_, _, step)| step).collect()
    }

    /// The kinds that have a cell which could have been hit.
    pub(crate) fn kinds(&self) -> Vec<FaultKind> {
        self.hittable().map(|(_, kind)| kind).collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// How often a step was hit by a fault.
    pub fn hits(&self, step: &Step, fault: FaultKind) -> u64 {
        self.hits.get(&(Some(*step), fault)).copied().unwrap_or_default()
    }

    /// Hits outside of the matrix: at other steps, at the network, between two operations.
    pub fn hits_elsewhere(&self, fault: FaultKind) -> u64 {
        let elsewhere = |step: &Option<Step>| !step.is_some_and(|step| fault.strikes(step));
        let hits = self.hits.iter().filter(|((step, kind), _)| *kind == fault && elsewhere(step));
        hits.map(|(_, hits)| hits).sum()
    }
}
