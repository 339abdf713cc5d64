//! What the chart's script reads: marks, spans and bands with their times, and the words for each. All that can be decided here is, so
//! that the script only draws.
//!
//! Times are microseconds of virtual time: a script has no integers beyond 2^53. Numbers that may be longer stand in texts.

use super::{
    causes::effects,
    lane::{Lane, Tone},
    over::{connection_end, over_at},
};
use crate::text::{
    happening::{Line, lines},
    layout::count,
    moments::seconds,
    plan::{became, planned},
};
use highwater_core::event::Event;
use highwater_sim::{
    fault::FaultOutcome,
    run::{Connection, Detail, Happening, LifeEnd, LifeSummary, RunReport, Sent, TimelineEntry},
    world::VirtualTime,
};
use serde::Serialize;

/// The whole of it.
#[derive(Debug, Serialize)]
pub(super) struct View {
    /// The end of the run.
    pub end: u64,
    pub lanes: Vec<LaneView>,
    /// The timeline's lines in their order, then what the source sent.
    pub items: Vec<Item>,
    pub spans: Vec<Span>,
    pub bands: Vec<Band>,
    pub faults: Vec<FaultView>,
    /// The same workload without faults.
    pub calm: Vec<Mark>,
    /// Disk operations.
    pub steps: Vec<Mark>,
}

#[derive(Debug, Serialize)]
pub(super) struct LaneView {
    pub id: Lane,
    pub name: &'static str,
    pub about: &'static str,
}

/// Something that happened.
#[derive(Debug, Serialize)]
pub(super) struct Item {
    #[serde(flatten)]
    pub mark: Mark,
    pub life: u32,
    pub tone: Tone,
    /// As the report's file has it.
    pub record: String,
    /// The fault that it is, by its place in the plan.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<usize>,
}

/// A moment in a lane.
#[derive(Debug, Serialize)]
pub(super) struct Mark {
    pub t: u64,
    pub lane: Lane,
    pub verb: String,
    pub text: String,
}

/// A stretch of time in a lane.
#[derive(Debug, Serialize)]
pub(super) struct Span {
    pub lane: Lane,
    pub from: u64,
    pub to: u64,
    /// `life`, `recovery` or `connection`.
    pub kind: &'static str,
    pub label: String,
    pub about: String,
    /// Lives that overlap are drawn in rows.
    pub row: usize,
}

/// A stretch of time across all lanes.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Band {
    pub from: u64,
    pub to: u64,
    /// `down`, `recovery` or `fault`.
    pub kind: &'static str,
    pub label: String,
}

/// A planned fault.
#[derive(Debug, Serialize)]
pub(super) struct FaultView {
    /// Its item, if it fired.
    pub item: Option<usize>,
    pub title: String,
    pub became: String,
    pub effects: Vec<EffectView>,
}

/// What a fault caused.
#[derive(Debug, Serialize)]
pub(super) struct EffectView {
    /// The item that shows it.
    pub item: Option<usize>,
    pub text: String,
}

impl View {
    pub fn of(report: &RunReport) -> Self {
        let told = lines(report);
        let mut items: Vec<Item> = told.iter().map(|line| item(line, report)).collect();
        let detail = report.detail.as_ref();
        items.extend(detail.iter().flat_map(|detail| &detail.sent).map(sent));
        let faults = report.plan.iter().enumerate().map(|(n, outcome)| fault(n, outcome, &told, report));
        Self {
            end: micros(report.took).max(1),
            lanes: Lane::ALL.map(|id| LaneView { id, name: id.words().0, about: id.words().1 }).into(),
            spans: spans(report),
            bands: bands(report),
            faults: faults.collect(),
            calm: detail.map(|detail| calm(detail, report)).unwrap_or_default(),
            steps: detail.map(steps).unwrap_or_default(),
            items,
        }
    }
}

fn micros(at: VirtualTime) -> u64 {
    at.0 / 1000
}

fn item(line: &Line, report: &RunReport) -> Item {
    let entries = &report.timeline[line.entries.clone()];
    let records: Vec<String> = entries.iter().map(record).collect();
    let fault = match entries[0].happening {
        Happening::FaultFired { fault } => Some(fault),
        _ => None,
    };
    Item {
        mark: mark(line, entries),
        life: line.life.0,
        tone: Tone::of(&entries[0].happening),
        record: records.join("\n"),
        fault,
    }
}

fn mark(line: &Line, entries: &[TimelineEntry]) -> Mark {
    Mark {
        t: micros(line.at),
        lane: Lane::of(&entries[0].happening),
        verb: line.verb.to_owned(),
        text: line.details.join("\n"),
    }
}

fn record(entry: &TimelineEntry) -> String {
    serde_json::to_string_pretty(entry).expect("an entry is strings and numbers")
}

fn sent(sent: &Sent) -> Item {
    let last = sent.first.saturating_add(sent.lines.len() as u64).saturating_sub(1);
    let lines = match sent.lines.len() {
        1 => format!("line {}", sent.first),
        _ => format!("lines {} .. {last}", sent.first),
    };
    let to = sent.connection.map_or_else(String::new, |number| format!(" on connection {number}"));
    let mark = Mark {
        t: micros(sent.at),
        lane: Lane::Source,
        verb: "SEND".to_owned(),
        text: format!("{lines}{to}"),
    };
    Item { mark, life: 0, tone: Tone::Routine, record: sent.lines.join("\n"), fault: None }
}

fn fault(n: usize, outcome: &FaultOutcome, told: &[Line], report: &RunReport) -> FaultView {
    let item_of = |entry: usize| told.iter().position(|line| line.entries.contains(&entry));
    let fired = |entry: &TimelineEntry| entry.happening == Happening::FaultFired { fault: n };
    let effects = effects(report, n)
        .into_iter()
        .map(|effect| EffectView { item: effect.entry.and_then(item_of), text: effect.text });
    FaultView {
        item: report.timeline.iter().position(fired).and_then(item_of),
        title: planned(outcome),
        became: became(outcome),
        effects: effects.collect(),
    }
}

/// Lives with their recoveries, and connections.
fn spans(report: &RunReport) -> Vec<Span> {
    let mut spans = Vec::new();
    for life in &report.lives {
        let overlaps = |other: &&LifeSummary| other.life < life.life && other.ended_at > life.began_at;
        let row = usize::from(report.lives.iter().filter(overlaps).count() % 2 == 1);
        let span = |from, to, kind, label: String, about| Span {
            lane: Lane::Lives,
            from: micros(from),
            to: micros(to),
            kind,
            label,
            about,
            row,
        };
        let about = format!(
            "life {}, {}: {}, {}",
            life.life,
            end_of(&life.end),
            count(life.disk_operations, "disk operation"),
            count(life.network_operations, "network operation")
        );
        spans.push(span(life.began_at, life.ended_at, "life", format!("life {}", life.life), about));
        if let Some(recovered) = recovered_at(report, life) {
            let took_ms = recovered.millis() - life.began_at.millis();
            let about = format!("recovery of life {}: {took_ms} ms until it was ready", life.life);
            spans.push(span(life.began_at, recovered, "recovery", String::new(), about));
        }
    }
    let connections = report.detail.iter().flat_map(|detail| &detail.connections);
    spans.extend(connections.map(|connection| connection_span(connection, report)));
    spans
}

fn end_of(end: &LifeEnd) -> String {
    match end {
        LifeEnd::Crashed { fault, power_loss: true } => format!("ended by a power loss, fault {}", fault + 1),
        LifeEnd::Crashed { fault, power_loss: false } => format!("ended by a crash, fault {}", fault + 1),
        LifeEnd::Failed { error, .. } => format!("ended by an error: {error}"),
        LifeEnd::Stopped => "stopped in order".to_owned(),
        LifeEnd::CutOff => "not ended when the run was over".to_owned(),
    }
}

fn connection_span(connection: &Connection, report: &RunReport) -> Span {
    let resumed = connection.resumed_from.map_or_else(String::new, |line| format!(", from line {line} on"));
    Span {
        lane: Lane::Connection,
        from: micros(connection.opened_at),
        to: micros(connection_end(connection, report)),
        kind: "connection",
        label: connection.number.to_string(),
        about: format!(
            "connection {} of life {}{resumed}: {} of {} delivered",
            connection.number,
            connection.life,
            connection.delivered_bytes,
            count(connection.written_bytes, "byte")
        ),
        row: 0,
    }
}

fn first_of(report: &RunReport, life: &LifeSummary, wanted: fn(&Event) -> bool) -> Option<VirtualTime> {
    let mut of_life = report.timeline.iter().filter(|entry| entry.life == life.life);
    let found = of_life.find(|entry| matches!(&entry.happening, Happening::Event(event) if wanted(event)));
    found.map(|entry| entry.at)
}

fn recovered_at(report: &RunReport, life: &LifeSummary) -> Option<VirtualTime> {
    first_of(report, life, |event| matches!(event, Event::Recovered(_)))
}

/// When no driver was up, when one was recovering, and when a fault went on.
fn bands(report: &RunReport) -> Vec<Band> {
    let mut bands = Vec::new();
    let mut up_until = VirtualTime(0);
    for life in &report.lives {
        if life.began_at > up_until {
            let ms = life.began_at.millis() - up_until.millis();
            let (from, to) = (micros(up_until), micros(life.began_at));
            bands.push(Band { from, to, kind: "down", label: format!("no driver for {ms} ms") });
        }
        up_until = up_until.max(life.ended_at);
        if recovered_at(report, life).is_some() || life.life.0 > 1 {
            let completed = first_of(report, life, |event| matches!(event, Event::BatchCompleted { .. }));
            let (until, how) = match completed {
                Some(at) => (at, "until its first batch was complete"),
                None => (life.ended_at, "and completed no batch"),
            };
            let ms = until.millis() - life.began_at.millis();
            let label = format!("life {} recovered for {ms} ms {how}", life.life);
            bands.push(Band { from: micros(life.began_at), to: micros(until), kind: "recovery", label });
        }
    }
    for (n, outcome) in report.plan.iter().enumerate() {
        let Some(firing) = &outcome.firing else { continue };
        let (from, to) = (micros(firing.at), micros(over_at(report, &outcome.fault, firing)));
        if from < to {
            let ms = (to - from).div_ceil(1000);
            let label = format!("fault {}, for {ms} ms from {}", n + 1, seconds(firing.at));
            bands.push(Band { from, to, kind: "fault", label });
        }
    }
    bands
}

/// The run without faults, in the words of the run with them.
fn calm(detail: &Detail, report: &RunReport) -> Vec<Mark> {
    let timeline = detail.without_faults.clone();
    let calm = RunReport { timeline, ledger: report.ledger.clone(), ..RunReport::default() };
    lines(&calm).iter().map(|line| mark(line, &calm.timeline[line.entries.clone()])).collect()
}

fn steps(detail: &Detail) -> Vec<Mark> {
    let step = |made: &highwater_sim::fault::StepMade| Mark {
        t: micros(made.at),
        lane: Lane::of_place(made.step.place),
        verb: made.step.to_string(),
        text: format!("disk operation {} of life {}", made.number, made.life),
    };
    detail.steps.iter().map(step).collect()
}
