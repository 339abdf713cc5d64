//! The driver dies: its process alone, or its machine's power with it.
//!
//! What it does: at the trigger the driver's node is killed. Without a power loss the page cache survives; the operation
//! that was hit is done, not done, or (an append) done in part, by its [`Moment`]. With a power loss what was not synced
//! is lost or torn as the image seed draws it, or as the plan says unit by unit. Locks are released and connections die as the operating system would
//! kill them. The supervisor is told, and starts the next life after the delay.
//!
//! Left out: a crash of the source; a machine that comes back with a broken disk.

use super::super::{Aim, Bounds, DiskOperation, FaultKind, Kind, Moment, PowerLoss, Trigger, Until, Words};
use crate::{rng::Draws, world::Life};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A crash of the driver.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Crash {
    /// The supervisor starts the next life after so many milliseconds.
    pub restart_after_ms: u64,
    /// When.
    pub trigger: Trigger,
    /// The machine loses power; `None` is a crash of the process alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub power_loss: Option<PowerLoss>,
}

impl Crash {
    /// The seed of all that the crash leaves to chance; a function of the fault alone, so that a plan replays.
    pub(crate) fn image_seed(&self) -> u64 {
        match (&self.power_loss, &self.trigger) {
            (Some(power_loss), _) => power_loss.image_seed,
            (
                None,
                Trigger::DiskOperation { life, number, .. } | Trigger::NetworkOperation { life, number, .. },
            ) => number << 8 | u64::from(life.0),
            (None, Trigger::Step { life, operation, nth, .. }) => {
                (nth << 8 | u64::from(life.0)) ^ ((*operation as u64) << 32)
            }
            (None, Trigger::Occurrence { operation, nth, .. }) => nth << 8 ^ ((*operation as u64) << 32),
            (None, Trigger::Byte { connection, after_bytes }) => after_bytes << 8 | u64::from(*connection),
            (None, Trigger::Time { at_ms }) => *at_ms,
            (None, Trigger::Start { life }) => u64::from(life.0),
        }
    }

    /// Draws the crashes of a plan: some in consecutive lives from the first on, many of those after few operations,
    /// which is a crash in recovery, and some at any time.
    pub(crate) fn draw_all(rng: &mut ChaCha8Rng, kinds: &[FaultKind], bounds: &Bounds) -> Vec<Self> {
        let power_loss_percent =
            match (kinds.contains(&FaultKind::Crash), kinds.contains(&FaultKind::PowerLoss)) {
                (false, false) => return Vec::new(),
                (true, false) => 0,
                (false, true) => 100,
                (true, true) => *rng.pick(&[10, 50, 90]),
            };
        let count = rng.between(0..=bounds.crashes_max);
        // How often a crash comes right after a start: never in a calm seed, mostly in one that bursts.
        let early_percent = *rng.pick(&[0, 20, 50, 90]);
        let network_percent = *rng.pick(&[0, 10, 40]);
        let time_percent = *rng.pick(&[0, 20, 50]);
        let step_percent = *rng.pick(&[0, 50, 100]);
        let patience_ms = *rng.pick(&[50, 500, 3_000]);
        let mut life = Life::FIRST;
        // What is left of the operations of the run without faults: a later life has less to do than the first.
        let (mut disk_left, mut network_left) = (bounds.disk_operations, bounds.network_operations);
        (0..count)
            .map(|_| {
                let trigger = if rng.percent(time_percent) {
                    Trigger::Time { at_ms: rng.between(0..=bounds.horizon_ms) }
                } else {
                    let moment = *rng.pick(&Moment::ALL);
                    let network = rng.percent(network_percent);
                    let by_step = !network && !bounds.steps.is_empty() && rng.percent(step_percent);
                    let early = rng.percent(early_percent);
                    let left = if network { &mut network_left } else { &mut disk_left };
                    let number = match early {
                        true => rng.between(1..=(*left).clamp(1, 40)),
                        false => rng.magnitude(1..=(*left).max(if network { 3 } else { 40 })),
                    };
                    let hit = life;
                    life = life.next();
                    if by_step {
                        let (step, made) = rng.pick(&bounds.steps);
                        let share = (made.len() as u64 * disk_left / bounds.disk_operations.max(1)).max(1);
                        let nth = rng.magnitude(1..=share);
                        disk_left -= disk_left.min(made[nth as usize - 1]);
                        let (operation, place) = (step.operation, step.place);
                        Trigger::Step { life: hit, operation, place, nth, moment }
                    } else {
                        *left -= number.min(*left);
                        match network {
                            true => Trigger::NetworkOperation { life: hit, number, moment },
                            false => Trigger::DiskOperation { life: hit, number, moment },
                        }
                    }
                };
                let power_loss = rng.percent(power_loss_percent).then(|| PowerLoss::image(drawn_image(rng)));
                Self { restart_after_ms: rng.between(1..=patience_ms), trigger, power_loss }
            })
            .collect()
    }
}

impl Kind for Crash {
    fn draw(rng: &mut ChaCha8Rng, aim: &Aim<'_>) -> Self {
        let trigger = match rng.one_in(4) {
            true => {
                let (connection, after_bytes) = aim.byte(rng);
                Trigger::Byte { connection, after_bytes }
            }
            false => aim.disk(rng, DiskOperation::is_durable_step),
        };
        let may = |kind: FaultKind| aim.bounds.kinds.contains(&kind);
        let loses_power = match (may(FaultKind::Crash), may(FaultKind::PowerLoss)) {
            (true, false) => false,
            (false, true) => true,
            _ => rng.one_in(2),
        };
        let power_loss = loses_power.then(|| PowerLoss::image(drawn_image(rng)));
        Self { restart_after_ms: rng.magnitude(1..=3_000), trigger, power_loss }
    }

    fn trigger(&self) -> Option<Trigger> {
        Some(self.trigger.clone())
    }

    fn lasts_ms(&self) -> u64 {
        self.restart_after_ms
    }

    fn on_timeline(&self, _: bool) -> Words {
        let verb = if self.power_loss.is_some() { "POWER LOSS" } else { "CRASH" };
        Words::new(verb, what_survives(self.power_loss.as_ref()))
    }

    fn until(&self) -> Until {
        Until::Moment
    }
}

/// What a crash leaves of what was written, on the timeline of a report.
pub(super) fn what_survives(power_loss: Option<&PowerLoss>) -> String {
    match power_loss {
        None => "the process dies, its completed writes survive".into(),
        Some(power_loss) => power_loss.what_survives(),
    }
}

/// Often one of the plain images, each of which is a bug of its own.
fn drawn_image(rng: &mut ChaCha8Rng) -> u64 {
    match rng.one_in(4) {
        true => rng.below(4),
        false => rng.below(1 << 32),
    }
}

impl fmt::Display for Crash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.power_loss.is_some() { "power loss " } else { "crash " })?;
        self.trigger.fmt(f)?;
        if let Some(power_loss) = &self.power_loss {
            write!(f, ", {power_loss}")?;
        }
        write!(f, ", restart after {} ms", self.restart_after_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Domain, stream};

    #[test]
    fn a_crash_reads_as_one_line() {
        let trigger = Trigger::DiskOperation { life: Life(2), number: 37, moment: Moment::Inside };
        let crash = Crash { restart_after_ms: 250, trigger, power_loss: Some(PowerLoss::image(9)) };
        let line = "power loss inside disk operation 37 of life 2, image 9, restart after 250 ms";
        assert_eq!(crash.to_string(), line);
    }

    #[test]
    fn drawn_crashes_hit_consecutive_lives_within_the_bounds() {
        let bounds = Bounds::default();
        let mut bursts = 0;
        for seed in 0..300 {
            let crashes = Crash::draw_all(&mut stream(seed, Domain::Plan), FaultKind::ALL, &bounds);
            assert!(crashes.len() <= 6);
            let hits: Vec<(Life, u64)> = crashes
                .iter()
                .filter_map(|crash| match crash.trigger {
                    Trigger::DiskOperation { life, number, .. } => Some((life, number)),
                    Trigger::NetworkOperation { life, number, .. } => Some((life, number)),
                    Trigger::Time { at_ms } => {
                        assert!(at_ms <= bounds.horizon_ms);
                        None
                    }
                    _ => None,
                })
                .collect();
            assert!(hits.iter().zip(1..).all(|((life, number), n)| *life == Life(n) && *number <= 1500));
            bursts += usize::from(hits.windows(3).any(|three| three.iter().all(|(_, number)| *number <= 40)));
        }
        assert!(bursts > 30, "{bursts} of 300 seeds crash three lives in a row in recovery");
    }

    #[test]
    fn a_class_that_is_off_is_not_drawn() {
        for seed in 0..50 {
            let mut rng = stream(seed, Domain::Plan);
            let process_only = Crash::draw_all(&mut rng, &[FaultKind::Crash], &Bounds::default());
            assert!(process_only.iter().all(|crash| crash.power_loss.is_none()));
            assert!(Crash::draw_all(&mut rng, &[FaultKind::Reset], &Bounds::default()).is_empty());
        }
    }

    #[test]
    fn on_the_timeline_it_is_a_moment_with_what_survives_it() {
        let trigger = Trigger::Time { at_ms: 10 };
        let crash = Crash { restart_after_ms: 250, trigger, power_loss: None };
        let words = Words::new("CRASH", "the process dies, its completed writes survive");
        assert_eq!(crash.on_timeline(false), words);
        let power_loss = Crash { power_loss: Some(PowerLoss::image(0)), ..crash };
        assert_eq!(power_loss.on_timeline(false), Words::new("POWER LOSS", "nothing unsynced survives"));
        assert_eq!(power_loss.until(), Until::Moment);
    }
}
