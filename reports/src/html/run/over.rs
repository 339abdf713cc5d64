//! When something was over that went on for a while.

use highwater_core::event::Event;
use highwater_sim::{
    fault::{Fault, Firing, Until},
    run::{Connection, Happening, RunReport},
    world::{Life, VirtualTime},
};

/// When a fault was over in the life that it hit; when it came, if it was but a moment. The down time after the end of a life is told as
/// that.
pub(super) fn over_at(report: &RunReport, fault: &Fault, firing: &Firing) -> VirtualTime {
    let at = firing.at;
    let after = |ms: u64| VirtualTime(at.0.saturating_add(ms.saturating_mul(1_000_000)));
    let over = match fault.until() {
        Until::Moment => at,
        Until::Lasts(ms) => after(ms),
        // A driver that gives the attempt up is not hit by it any more.
        Until::Answer(ms) => {
            let told = report.timeline.iter().find(|entry| {
                entry.life == firing.life
                    && entry.at > at
                    && matches!(
                        entry.happening,
                        Happening::Event(Event::SourceConnected { .. } | Event::SourceDisconnected { .. })
                    )
            });
            let given_up = told.map_or(end_of_life(firing.life, report), |entry| entry.at);
            after(ms).min(given_up)
        }
        Until::EndOfConnection(number) => {
            let mut connections = report.detail.iter().flat_map(|detail| &detail.connections);
            let connection = connections.find(|connection| connection.number == number);
            connection.map_or(at, |connection| connection_end(connection, report))
        }
        Until::EndOfRun => report.took,
    };
    over.min(report.took)
}

/// When a connection was over, as far as the driver's life knew.
pub(super) fn connection_end(connection: &Connection, report: &RunReport) -> VirtualTime {
    let ended = report.timeline.iter().find(|entry| {
        entry.life == connection.life
            && entry.at >= connection.opened_at
            && matches!(entry.happening, Happening::Event(Event::SourceDisconnected { .. }))
    });
    ended.map_or(end_of_life(connection.life, report), |entry| entry.at)
}

fn end_of_life(life: Life, report: &RunReport) -> VirtualTime {
    let life = report.lives.iter().find(|one| one.life == life);
    life.map_or(report.took, |life| life.ended_at)
}
