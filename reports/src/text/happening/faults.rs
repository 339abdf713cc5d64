//! A fault that fired, as a line of the timeline: what it hit and what it does to the driver.

use super::Told;
use crate::text::fold::Weight;
use highwater_sim::{
    fault::{Fault, FaultOutcome, FileSystem, Hit, Moment, PowerLoss, Trigger},
    world::Life,
};

/// The line of the plan's fault number `index`, from 0, in a life. Where lines are not sent again, what becomes of half a line depends
/// on how the connection ends.
pub(super) fn tell(index: usize, outcome: &FaultOutcome, life: Life, lines_are_sent_once: bool) -> Told {
    let hit = outcome.firing.as_ref().map(|firing| what(&firing.hit)).unwrap_or_default();
    let fault = format!("fault {}", index + 1);
    match &outcome.fault {
        Fault::Crash(crash) => {
            let verb = if crash.power_loss.is_some() { "POWER LOSS" } else { "CRASH" };
            let details = vec![
                format!("{fault}, {}{hit}", moment(&crash.trigger)),
                survives(crash.power_loss.as_ref()),
            ];
            Told(verb, details, Weight::End)
        }
        Fault::CrashLoop(crash) => {
            let of = match outcome.firing.as_ref().is_some_and(|firing| firing.life == life) {
                true => format!("{fault}, the first of {} lives in a row, before: {hit}", crash.lives),
                false => format!("{fault}, once more, before disk operation {}", crash.operation),
            };
            Told("CRASH LOOP", vec![of, survives(crash.power_loss.as_ref())], Weight::End)
        }
        other => {
            let (verb, does) = words(other, lines_are_sent_once);
            let at = other.trigger().map(|trigger| moment(&trigger)).unwrap_or_default();
            let text = match outcome.firing.as_ref().map(|firing| &firing.hit) {
                None | Some(Hit::Time) => format!("{fault}: {does}"),
                Some(_) if at.is_empty() => format!("{fault}, {hit}: {does}"),
                Some(_) => format!("{fault}, {at}{hit}; {does}"),
            };
            Told(verb, vec![text], Weight::Disturbance)
        }
    }
}

/// The verb of a fault that goes on in the same life, and what it does. Every kind is named: one that is added does not compile until
/// it has words.
fn words(fault: &Fault, lines_are_sent_once: bool) -> (&'static str, String) {
    match fault {
        Fault::Crash(_) => ("CRASH", String::new()),
        Fault::CrashLoop(_) => ("CRASH LOOP", String::new()),
        Fault::Pause(pause) => ("PAUSE", format!("the process stands still for {} ms", pause.for_ms)),
        Fault::Takeover(takeover) => (
            "TAKEOVER",
            format!(
                "the process stands still for {} ms, and the next life starts after {} ms without waiting for it",
                takeover.for_ms, takeover.after_ms
            ),
        ),
        Fault::Stop(_) => ("ASK", "the driver is asked to stop in the middle of the stream".into()),
        Fault::SlowStart(slow) => (
            "SLOW START",
            format!("the first {} disk operations take {} ms each", slow.operations, slow.latency_ms),
        ),
        Fault::SlowBatch(slow) => {
            ("SLOW BATCH", format!("{} computations from here on take {} ms each", slow.jobs, slow.takes_ms))
        }
        Fault::FailingJob(_) => {
            ("JOB FAILS", "the computation fails, and would succeed if tried again".into())
        }
        Fault::OtherProgram(_) => (
            "OTHER PROGRAM",
            "the life is of a program that drops lines and writes no tap: it must be refused".into(),
        ),
        Fault::IoError(_) => ("I/O ERROR", "the driver is told EIO, whatever was done".into()),
        Fault::DiskFull(full) => ("DISK FULL", format!("for {} ms nothing more fits", full.for_ms)),
        Fault::ShortWrite(short) => {
            ("SHORT", format!("{} of 1024 parts are written, and the driver is told an error", short.part))
        }
        Fault::FailedSync(failed) => {
            let pages = match failed.file_system {
                FileSystem::Ext4 => "it stays readable until a power loss shows a length without its data",
                FileSystem::Xfs => "it stays readable until a power loss shows that it is not there",
                FileSystem::Btrfs => "it is gone at once",
            };
            ("SYNC FAILS", format!("what was not synced never will be: {pages}"))
        }
        Fault::SlowDisk(slow) if slow.for_ms == 0 => {
            ("DISK HANGS", format!("the operation takes {} ms", slow.latency_ms))
        }
        Fault::SlowDisk(slow) => {
            ("SLOW DISK", format!("for {} ms every operation takes {} ms", slow.for_ms, slow.latency_ms))
        }
        Fault::BitRot(rot) => (
            "BIT ROT",
            format!(
                "a bit flips in a file of the place {}; the checksum that covers it must tell",
                rot.place
            ),
        ),
        Fault::MisdirectedWrite(_) => {
            ("MISDIRECT", "the bytes land in another file, and zeros where they should be".into())
        }
        Fault::LostWrite(_) => {
            ("LOST WRITE", "the bytes never reach the medium, and its sync says they did".into())
        }
        Fault::StaleRead(_) => ("STALE READ", "the driver sees what was there before".into()),
        Fault::LyingDisk(_) => ("LYING DISK", "from here on syncs report success and do nothing".into()),
        Fault::Refuse(refuse) => ("REFUSE", format!("{} attempts to connect are refused", refuse.times)),
        Fault::Hang(hang) => {
            ("HANG", format!("the attempt to connect gets no answer for {} ms", hang.for_ms))
        }
        Fault::Reset(_) => ("RESET", "what was under way is lost".into()),
        Fault::Close(_) => {
            let half = if lines_are_sent_once { "; half a line at the end is a record" } else { "" };
            ("CLOSE", format!("ended in order{half}"))
        }
        Fault::HalfOpen(_) => ("HALF OPEN", "the source is gone, and nobody tells the driver".into()),
        Fault::Partition(partition) => {
            ("PARTITION", format!("for {} ms nothing arrives {}", partition.for_ms, partition.direction))
        }
        Fault::Stall(stall) => ("STALL", format!("nothing arrives for {} ms", stall.for_ms)),
        Fault::Latency(latency) => {
            ("LATENCY", format!("for {} ms everything arrives {} ms later", latency.for_ms, latency.extra_ms))
        }
        Fault::Trickle(trickle) => {
            ("TRICKLE", format!("at most {} bytes at a time from here on", trickle.bytes_max))
        }
        Fault::SmallBuffer(small) => ("BUFFER", format!("it holds {} bytes in each direction", small.bytes)),
        Fault::LateData(_) => {
            ("LATE DATA", "it is cut, and what was under way arrives after the next one was made".into())
        }
        Fault::Repeat(repeat) => ("REPEAT", format!("the source sends {} lines again", repeat.lines)),
        Fault::FarAhead(_) => ("FAR AHEAD", "the source has all its lines at once".into()),
        Fault::WallStep(step) => ("WALL STEP", format!("the wall clock steps by {} ms", step.by_ms)),
        Fault::Drift(drift) => {
            ("DRIFT", format!("the wall clock is {} parts in a million fast from here on", drift.ppm))
        }
        Fault::LateTicks(late) => {
            ("LATE TICKS", format!("for {} ms sleepers wake up to {} ms late", late.for_ms, late.late_ms))
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

fn survives(power_loss: Option<&PowerLoss>) -> String {
    match power_loss {
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
