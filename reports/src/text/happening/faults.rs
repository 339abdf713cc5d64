//! A fault that fired, as a line of the timeline: what it hit and what it does to the driver.

use super::Told;
use crate::text::fold::Weight;
use highwater_sim::fault::{Crash, Fault, FaultOutcome, Moment, PowerLoss, Trigger};

/// The line of the plan's fault number `index`, from 0.
pub(super) fn tell(index: usize, outcome: &FaultOutcome) -> Told {
    let hit = outcome.firing.as_ref().map(|firing| firing.hit.to_string()).unwrap_or_default();
    let fault = format!("fault {}", index + 1);
    match &outcome.fault {
        Fault::Crash(crash) => {
            let verb = if crash.power_loss.is_some() { "POWER LOSS" } else { "CRASH" };
            let details = vec![
                format!("{fault}, {}{hit}", moment(crash)),
                format!("{}; the next life begins {} ms later", survives(crash), crash.restart_after_ms),
            ];
            Told(verb, details, Weight::End)
        }
        Fault::Reset(_) => disturbance("RESET", format!("{fault}, {hit}: what was under way is lost")),
        Fault::Close(_) => {
            disturbance("CLOSE", format!("{fault}, {hit}: the driver sees an orderly end of stream"))
        }
        Fault::Stall(stall) => disturbance(
            "STALL",
            format!("{fault}, {hit}: nothing more arrives on it for {} ms", stall.for_ms),
        ),
    }
}

fn disturbance(verb: &'static str, text: String) -> Told {
    Told(verb, vec![text], Weight::Disturbance)
}

fn moment(crash: &Crash) -> String {
    match crash.trigger {
        Trigger::DiskOperation { moment, .. } | Trigger::NetworkOperation { moment, .. } => match moment {
            Moment::Before => "just before ".into(),
            Moment::Inside => "in the middle of ".into(),
            Moment::After => "just after ".into(),
        },
        Trigger::Time { .. } => String::new(),
    }
}

fn survives(crash: &Crash) -> String {
    match crash.power_loss {
        None => "the process dies, its completed writes survive".into(),
        Some(PowerLoss { image_seed }) => match image_seed {
            0 => "nothing unsynced survives".into(),
            1 => "everything survives, by luck".into(),
            2 => "of what was not synced, names and lengths survive and data do not".into(),
            3 => "of what was not synced, data survive and names do not".into(),
            seed => format!("what survives of the unsynced is drawn from {seed}"),
        },
    }
}
