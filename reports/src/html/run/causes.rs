//! What a fault caused, as far as it can be told: each effect in words, with the entry of the timeline that shows it.
//!
//! An effect is claimed where the run says so: a life whose end names the fault, an error that names it, the end of the very connection
//! that was hit, damage that was found after some was done. After the end of a life that it caused come the down time and what the
//! next life did again. Of a fault that goes on for a while the events in that while are counted; they need not be its doing, and
//! the words say so.
//!
//! Left out: effects of effects. Of two faults that meet, each claims what names it.

use super::over::over_at;
use crate::text::{
    layout::count,
    moments::{batches, seconds},
};
use highwater_core::{BatchTime, event::Event};
use highwater_sim::{
    fault::{Class, FaultKind, Firing, injected_by},
    run::{Happening, LifeEnd, LifeSummary, RunReport, TimelineEntry},
    world::VirtualTime,
};

/// Something that a fault caused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Effect {
    /// The entry of the timeline that shows it.
    pub entry: Option<usize>,
    /// What.
    pub text: String,
}

/// The effects of the plan's fault number `fault`, from 0, in the order of their times.
pub(super) fn effects(report: &RunReport, fault: usize) -> Vec<Effect> {
    let Some(outcome) = report.plan.get(fault) else { return Vec::new() };
    let Some(firing) = &outcome.firing else { return Vec::new() };
    let mut told = Effects { report, fault, effects: Vec::new() };
    told.errors(firing);
    told.connection(outcome.fault.kind(), firing);
    told.lives(outcome.fault.kind(), firing);
    if outcome.fault.kind().class() != Class::Tolerated {
        told.damage(firing);
    }
    told.while_it_lasted(firing.at, over_at(report, &outcome.fault, firing));
    if told.effects.is_empty() {
        told.add(None, "nothing that the driver tells of: it went on as if nothing had happened".to_owned());
    }
    told.effects
}

struct Effects<'a> {
    report: &'a RunReport,
    fault: usize,
    effects: Vec<Effect>,
}

impl<'a> Effects<'a> {
    fn add(&mut self, entry: Option<usize>, text: String) {
        self.effects.push(Effect { entry, text });
    }

    /// The entries at or after a moment, with their places.
    fn from(&self, at: VirtualTime) -> impl Iterator<Item = (usize, &'a TimelineEntry)> + use<'a> {
        self.report.timeline.iter().enumerate().filter(move |(_, entry)| entry.at >= at)
    }

    /// What the driver said because of an error that names the fault.
    fn errors(&mut self, firing: &Firing) {
        let named: Vec<_> = self
            .from(firing.at)
            .filter_map(|(place, entry)| match &entry.happening {
                Happening::Event(Event::SourceDisconnected { reason, .. }) => Some((place, reason)),
                Happening::Event(Event::CandidateRejected { reason, .. }) => Some((place, reason)),
                _ => None,
            })
            .filter(|(_, why)| injected_by(why) == Some(self.fault))
            .collect();
        for (place, why) in named {
            self.add(Some(place), format!("the driver was told: {why}"));
        }
    }

    /// The end of the connection that was hit, and the next one.
    fn connection(&mut self, kind: FaultKind, firing: &Firing) {
        let ends = [
            FaultKind::Reset,
            FaultKind::Close,
            FaultKind::HalfOpen,
            FaultKind::LateData,
            FaultKind::Partition,
        ];
        if !ends.contains(&kind) {
            return;
        }
        let after = |at: VirtualTime| at.millis().saturating_sub(firing.at.millis());
        let mut of_life = self.from(firing.at).filter(|(_, entry)| entry.life == firing.life);
        let ended = of_life.find_map(|(place, entry)| match &entry.happening {
            Happening::Event(Event::SourceDisconnected { reason, dropped_bytes, .. }) => {
                Some((place, entry.at, reason, *dropped_bytes))
            }
            _ => None,
        });
        let Some((place, at, reason, dropped_bytes)) = ended else { return };
        let dropped = match dropped_bytes {
            0 => String::new(),
            bytes => format!("; {} of half a line dropped", count(bytes, "byte")),
        };
        self.add(Some(place), format!("the driver noticed after {} ms: {reason}{dropped}", after(at)));
        let again = of_life.find_map(|(place, entry)| match &entry.happening {
            Happening::Event(Event::SourceConnected { resume_from, .. }) => {
                Some((place, entry.at, *resume_from))
            }
            _ => None,
        });
        if let Some((place, at, resume_from)) = again {
            let line = resume_from.map_or_else(String::new, |line| format!(", asking for line {line}"));
            self.add(Some(place), format!("connected again {} ms after the fault{line}", after(at)));
        }
    }

    /// The lives that it ended, and what came after each.
    fn lives(&mut self, kind: FaultKind, firing: &Firing) {
        let report = self.report;
        for life in &report.lives {
            let ended = match &life.end {
                LifeEnd::Crashed { fault, .. } => *fault == self.fault,
                LifeEnd::Failed { error, .. } => injected_by(error) == Some(self.fault),
                LifeEnd::Stopped => kind == FaultKind::Stop && life.life == firing.life,
                LifeEnd::CutOff => false,
            };
            if ended {
                self.restart(life);
            }
        }
        if kind == FaultKind::Takeover {
            let newer =
                report.lives.iter().find(|life| life.life > firing.life && life.began_at >= firing.at);
            if let Some(newer) = newer {
                self.recovery(newer);
            }
            let older = report.lives.iter().find(|life| life.life == firing.life);
            if let Some(LifeSummary { life, ended_at, end: LifeEnd::Failed { error, .. }, .. }) = older {
                let place = self.place_of_end(*ended_at);
                self.add(place, format!("life {life}, which was replaced, ended: {error}"));
            }
        }
    }

    fn place_of_end(&self, at: VirtualTime) -> Option<usize> {
        let is_end = |entry: &TimelineEntry| matches!(entry.happening, Happening::LifeFailed { .. });
        self.from(at).find(|(_, entry)| entry.at == at && is_end(entry)).map(|(place, _)| place)
    }

    fn restart(&mut self, ended: &LifeSummary) {
        let text = match &ended.end {
            LifeEnd::Failed { error, .. } => format!("life {} ended itself: {error}", ended.life),
            LifeEnd::Stopped => format!("life {} stopped in order", ended.life),
            LifeEnd::Crashed { .. } | LifeEnd::CutOff => {
                format!("life {} ended at {}", ended.life, seconds(ended.ended_at))
            }
        };
        self.add(self.place_of_end(ended.ended_at), text);
        let next =
            self.report.lives.iter().find(|life| life.life > ended.life && life.began_at >= ended.ended_at);
        match next {
            Some(next) => self.recovery(next),
            None => self.add(None, "no life came after it".to_owned()),
        }
    }

    /// What a life did to take over from the one before.
    fn recovery(&mut self, life: &LifeSummary) {
        let report = self.report;
        let before =
            report.lives.iter().filter(|other| other.life < life.life).map(|other| other.ended_at).max();
        let down_ms = before.map_or(0, |ended| life.began_at.millis().saturating_sub(ended.millis()));
        let place = |wanted: &dyn Fn(&Happening) -> bool| {
            report.timeline.iter().position(|entry| entry.life == life.life && wanted(&entry.happening))
        };
        let down =
            if down_ms == 0 { String::new() } else { format!(", after {down_ms} ms without a driver") };
        self.add(place(&|it| *it == Happening::LifeBegan), format!("life {} started{down}", life.life));
        let of_life = || report.timeline.iter().enumerate().filter(|(_, entry)| entry.life == life.life);
        let recovered = of_life().find_map(|(place, entry)| match &entry.happening {
            Happening::Event(Event::Recovered(recovery)) => Some((place, recovery)),
            _ => None,
        });
        if let Some((place, recovery)) = recovered {
            let again = recovery.pending.len() as u64 + recovery.state_replays;
            let text = format!(
                "it recovered from checkpoint {}: {} read, {} to run again",
                recovery.checkpoint,
                count(recovery.journal_records, "journal record"),
                count(again, "batch")
            );
            self.add(Some(place), text);
        }
        let repeated: Vec<(usize, BatchTime)> = of_life()
            .filter_map(|(place, entry)| match entry.happening {
                Happening::Event(Event::BatchEmitted { time, repetition: true }) => Some((place, time)),
                _ => None,
            })
            .collect();
        if let (Some((place, first)), Some((_, last))) = (repeated.first(), repeated.last()) {
            let text = format!(
                "{} emitted again: {}",
                count(repeated.len() as u64, "batch"),
                batches(*first, *last)
            );
            self.add(Some(*place), text);
        }
        let completed = of_life()
            .find(|(_, entry)| matches!(entry.happening, Happening::Event(Event::BatchCompleted { .. })));
        match completed {
            Some((place, entry)) => {
                let after_ms = entry.at.millis() - life.began_at.millis();
                self.add(Some(place), format!("its first batch was complete {after_ms} ms after its start"));
            }
            None => self.add(None, format!("life {} completed no batch", life.life)),
        }
    }

    /// Where damage was found after it.
    fn damage(&mut self, firing: &Firing) {
        let found: Vec<_> = self
            .from(firing.at)
            .filter_map(|(place, entry)| match &entry.happening {
                Happening::Event(Event::CandidateRejected { checkpoint, reason }) => {
                    Some((place, format!("checkpoint {checkpoint} was rejected: {reason}")))
                }
                Happening::LifeFailed { error } if error.contains(" is damaged at byte ") => {
                    Some((place, format!("life {} ended itself: {error}", entry.life)))
                }
                _ => None,
            })
            .collect();
        for (place, text) in found {
            self.add(Some(place), text);
        }
    }

    /// What happened while it went on.
    fn while_it_lasted(&mut self, at: VirtualTime, until: VirtualTime) {
        if until <= at {
            return;
        }
        let (mut blocks, mut completed) = (0, 0);
        for (_, entry) in self.from(at).filter(|(_, entry)| entry.at < until) {
            match &entry.happening {
                Happening::Event(Event::BlockStored { .. }) => blocks += 1,
                Happening::Event(Event::BatchCompleted { .. }) => completed += 1,
                _ => {}
            }
        }
        let end = match until < self.report.took {
            true => format!("until {}", seconds(until)),
            false => "to the end of the run".to_owned(),
        };
        let text = format!(
            "it went on {end}; in that time {} were stored and {} completed",
            count(blocks, "block"),
            count(completed, "batch")
        );
        self.add(None, text);
    }
}
