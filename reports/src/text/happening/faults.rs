//! A fault that fired, as a line of the timeline: what it hit and what it does to the driver.

use super::Told;
use crate::text::fold::Weight;
use highwater_sim::fault::{Crash, Fault, FaultOutcome, Hit, Moment, PowerLoss, Trigger};

/// The line of the plan's fault number `index`, from 0. Where lines are not sent again, what becomes of half a line depends
/// on how the connection ends.
pub(super) fn tell(index: usize, outcome: &FaultOutcome, lines_are_sent_once: bool) -> Told {
    let hit = outcome.firing.as_ref().map(|firing| what(&firing.hit)).unwrap_or_default();
    let fault = format!("fault {}", index + 1);
    match &outcome.fault {
        Fault::Crash(crash) => {
            let verb = if crash.power_loss.is_some() { "POWER LOSS" } else { "CRASH" };
            let details = vec![format!("{fault}, {}{hit}", moment(crash)), survives(crash)];
            Told(verb, details, Weight::End)
        }
        Fault::Reset(_) => disturbance("RESET", format!("{fault}, {hit}: what was under way is lost")),
        Fault::Close(_) => {
            let half = if lines_are_sent_once { "; half a line at the end is a record" } else { "" };
            disturbance("CLOSE", format!("{fault}, {hit}: ended in order{half}"))
        }
        Fault::Stall(stall) => {
            disturbance("STALL", format!("{fault}, {hit}: nothing arrives for {} ms", stall.for_ms))
        }
        other => disturbance("FAULT", format!("{fault}, {hit}: {other}")),
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

fn disturbance(verb: &'static str, text: String) -> Told {
    Told(verb, vec![text], Weight::Disturbance)
}

fn moment(crash: &Crash) -> String {
    match &crash.trigger {
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

fn survives(crash: &Crash) -> String {
    match &crash.power_loss {
        None => "the process dies, its completed writes survive".into(),
        Some(PowerLoss { keep: Some(keep), .. }) => format!("of what was not synced, survive: {keep}"),
        Some(PowerLoss { image_seed, .. }) => match image_seed {
            0 => "nothing unsynced survives".into(),
            1 => "everything survives, by luck".into(),
            2 => "of what was not synced, names and lengths survive, data do not".into(),
            3 => "of what was not synced, data survive and names do not".into(),
            seed => format!("what survives of the unsynced is drawn from {seed}"),
        },
    }
}
