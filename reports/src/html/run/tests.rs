//! What stands in a run's page, from runs that are made up here. What its script does, a browser tells.

use super::{render, view::View};
use highwater_core::{BatchTime, event::Event, ids::SourceId};
use highwater_sim::{
    fault::{Drift, Fault, FaultOutcome, Firing, Hang, Hit, Reset, Trickle},
    judge::{Invariant, Verdict},
    run::{Connection, Detail, Happening, LifeEnd, LifeSummary, RunReport, Sent, TimelineEntry},
    world::{Life, VirtualTime},
};

const ATTACK: &str = "</script><img src=x onerror=alert(1)>\u{2028}";

fn at(millis: u64) -> VirtualTime {
    VirtualTime::from_millis(millis)
}

fn entry(millis: u64, life: u32, happening: Happening) -> TimelineEntry {
    TimelineEntry { at: at(millis), life: Life(life), happening }
}

/// A connection is reset, and the next life finds that there is nothing to do.
fn report() -> RunReport {
    let source = SourceId(0);
    let disconnected = Event::SourceDisconnected { source, reason: ATTACK.to_owned(), dropped_bytes: 3 };
    RunReport {
        scenario: "word-count".to_owned(),
        seed: u64::MAX,
        took: at(3000),
        plan: vec![
            FaultOutcome {
                fault: Fault::Reset(Reset { connection: 1, after_bytes: 82 }),
                firing: Some(Firing {
                    at: at(500),
                    life: Life(1),
                    hit: Hit::Connection { connection: 1, after_bytes: 82 },
                }),
            },
            FaultOutcome { fault: Fault::Reset(Reset { connection: 9, after_bytes: 1 }), firing: None },
        ],
        lives: vec![LifeSummary {
            life: Life(1),
            began_at: at(0),
            ended_at: at(2000),
            end: LifeEnd::Failed { error: ATTACK.to_owned(), cause: highwater_sim::run::Cause::Other },
            generation: None,
            disk_operations: 1,
            network_operations: 2,
        }],
        timeline: vec![
            entry(0, 1, Happening::LifeBegan),
            entry(100, 1, Happening::Event(Event::SourceConnected { source, resume_from: Some(0) })),
            entry(500, 1, Happening::FaultFired { fault: 0 }),
            entry(503, 1, Happening::Event(disconnected)),
            entry(560, 1, Happening::Event(Event::SourceConnected { source, resume_from: Some(4) })),
            entry(
                900,
                1,
                Happening::Event(Event::BatchCompleted { time: BatchTime(1_519_961_356_000), records: 4 }),
            ),
            entry(2000, 1, Happening::LifeFailed { error: ATTACK.to_owned() }),
        ],
        verdicts: vec![Verdict {
            invariant: Invariant::I1,
            seen: "nothing".to_owned(),
            violations: vec![ATTACK.to_owned()],
        }],
        detail: Some(Detail {
            sent: vec![Sent { at: at(200), connection: Some(1), first: 0, lines: vec![ATTACK.to_owned()] }],
            ..Detail::default()
        }),
        ..RunReport::default()
    }
}

#[test]
fn no_record_becomes_markup_wherever_it_stands() {
    let page = render(&report());
    assert!(!page.contains("<img"), "{page}");
    // Of the view, and of the page's own script.
    assert_eq!(page.matches("</script>").count(), 2);
    assert_eq!(page.matches("<script").count(), 2);
    assert!(page.contains("&lt;/script&gt;&lt;img src=x onerror=alert(1)&gt;"), "{page}");
}

#[test]
fn a_page_asks_nobody_for_anything() {
    let page = render(&report());
    for reference in ["http:", "https:", "src=\"", "@import", "url(", "fetch(", "XMLHttp"] {
        assert!(!page.contains(reference), "{reference}");
    }
    assert!(page.contains("default-src 'none'"));
}

#[test]
fn a_fault_tells_what_it_caused_and_where_that_is_seen() {
    let view = View::of(&report());
    let told: Vec<_> =
        view.faults[0].effects.iter().map(|effect| (effect.item, effect.text.as_str())).collect();
    let noticed = format!("the driver noticed after 3 ms: {ATTACK}; 3 bytes of half a line dropped");
    let expected =
        [(Some(3), noticed.as_str()), (Some(4), "connected again 60 ms after the fault, asking for line 4")];
    assert_eq!(told, expected);
    assert_eq!(view.faults[0].item, Some(2));
    assert!(view.faults[1].item.is_none() && view.faults[1].effects.is_empty());
    assert_eq!(view.items[2].fault, Some(0));
    assert!(view.items[3].record.contains("dropped_bytes"));
}

#[test]
fn what_goes_on_for_a_while_is_drawn_as_long_as_it_does() {
    let fired = |fault| {
        let hit = Hit::Connection { connection: 1, after_bytes: 0 };
        FaultOutcome { fault, firing: Some(Firing { at: at(400), life: Life(1), hit }) }
    };
    let connection = Connection {
        number: 1,
        life: Life(1),
        opened_at: at(100),
        resumed_from: None,
        acknowledged: 0,
        written_bytes: 0,
        delivered_bytes: 0,
        seen_end: None,
    };
    let detail = Some(Detail { connections: vec![connection], ..Detail::default() });
    let over_after = |fault: Fault| {
        let view = View::of(&RunReport { plan: vec![fired(fault)], detail: detail.clone(), ..report() });
        let mut bands = view.bands.into_iter().filter(|band| band.kind == "fault");
        bands.next().map(|band| band.to - band.from)
    };
    assert_eq!(over_after(Fault::Hang(Hang { attempt: 1, for_ms: 70 })), Some(70_000));
    assert_eq!(
        over_after(Fault::Hang(Hang { attempt: 1, for_ms: 99_000 })),
        Some(103_000),
        "until it is given up"
    );
    assert_eq!(over_after(Fault::Drift(Drift { at_ms: 400, ppm: 1 })), Some(2_600_000));
    let trickle = Trickle { connection: 1, after_bytes: 0, bytes_max: 1 };
    assert_eq!(over_after(Fault::Trickle(trickle)), Some(103_000), "until the connection is over");
    assert_eq!(over_after(Fault::Reset(Reset { connection: 1, after_bytes: 0 })), None);
}

#[test]
fn what_stands_in_the_page_is_there_without_its_script() {
    let page = render(&report());
    let (page, _script) = page.split_once("<script").expect("it has a script");
    for text in
        ["18446744073709551615", "1 of 1 invariants BROKEN", "MISSED", "died with the socket", "replay: "]
    {
        assert!(page.contains(text), "{text}");
    }
}

#[test]
fn the_same_report_is_the_same_page() {
    assert_eq!(render(&report()), render(&report()));
}
