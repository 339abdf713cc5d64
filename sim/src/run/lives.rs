//! A life of the driver as a report has it: when it was, how it ended, and what of the world it used.

use super::{LifeEnd, LifeEvidence};
use crate::world::{Life, VirtualTime};
use highwater_core::ids::Generation;
use serde::{Deserialize, Serialize};

/// A life of the driver.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LifeSummary {
    /// Which one.
    pub life: Life,
    /// When it began.
    pub began_at: VirtualTime,
    /// When it ended.
    pub ended_at: VirtualTime,
    /// How.
    pub end: LifeEnd,
    /// The generation that it claimed, if it came so far.
    pub generation: Option<Generation>,
    /// Its disk operations.
    pub disk_operations: u64,
    /// Its network operations.
    pub network_operations: u64,
}

impl LifeSummary {
    pub(super) fn of(life: &LifeEvidence) -> Self {
        Self {
            life: life.life,
            began_at: life.began_at,
            ended_at: life.ended_at,
            end: life.end.clone(),
            generation: life.claim().map(|(_, generation)| generation),
            disk_operations: life.disk_operations,
            network_operations: life.network_operations,
        }
    }
}
