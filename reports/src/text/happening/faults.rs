//! A fault that fired, as a line of the timeline: its number and moment, what it hit, and the words that its kind has.

use super::Told;
use crate::text::fold::Weight;
use highwater_sim::{
    fault::{Fault, FaultOutcome, Hit, Moment, Trigger, Words},
    world::Life,
};

/// The line of the plan's fault number `index`, from 0, in a life. Where lines are not sent again, what becomes of half a line depends
/// on how the connection ends.
pub(super) fn tell(index: usize, outcome: &FaultOutcome, life: Life, lines_are_sent_once: bool) -> Told {
    let firing = outcome.firing.as_ref();
    let hit = firing.map(|firing| what(&firing.hit)).unwrap_or_default();
    let at = outcome.fault.trigger().map(|trigger| moment(&trigger)).unwrap_or_default();
    let fault = format!("fault {}", index + 1);
    let Words { verb, does } = outcome.fault.on_timeline(lines_are_sent_once);
    match &outcome.fault {
        Fault::Crash(_) => Told(verb, vec![format!("{fault}, {at}{hit}"), does], Weight::End),
        Fault::CrashLoop(crash) => {
            let is_first = firing.is_some_and(|firing| firing.life == life);
            let which = crash.which(is_first.then_some(&hit));
            Told(verb, vec![format!("{fault}, {which}"), does], Weight::End)
        }
        _ => {
            let text = match firing.map(|firing| &firing.hit) {
                None | Some(Hit::Time) => format!("{fault}: {does}"),
                Some(_) if at.is_empty() => format!("{fault}, {hit}: {does}"),
                Some(_) => format!("{fault}, {at}{hit}; {does}"),
            };
            Told(verb, vec![text], Weight::Disturbance)
        }
    }
}

/// What was hit, by the last two parts of its path: the whole path and the number stand in the plan.
fn what(hit: &Hit) -> String {
    match hit {
        Hit::Disk { number: _, step, path } => {
            let parts: Vec<&str> = path.rsplitn(3, '/').take(2).collect();
            let name: Vec<&str> = parts.into_iter().rev().filter(|part| !part.is_empty()).collect();
            format!("{} {}", step.operation, name.join("/"))
        }
        Hit::Network { number: _, operation } => format!("{operation} at the network"),
        Hit::Time | Hit::Connection { .. } | Hit::Attempt { .. } | Hit::Job { .. } => hit.to_string(),
    }
}

fn moment(trigger: &Trigger) -> String {
    match trigger {
        Trigger::DiskOperation { moment, .. }
        | Trigger::Step { moment, .. }
        | Trigger::Occurrence { moment, .. }
        | Trigger::NetworkOperation { moment, .. } => match moment {
            Moment::Before => "just before: ".into(),
            Moment::Inside => "in the middle of: ".into(),
            Moment::After => "just after: ".into(),
        },
        Trigger::Byte { .. } | Trigger::Time { .. } | Trigger::Start { .. } => String::new(),
    }
}
