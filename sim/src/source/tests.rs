//! What a source sends, to whom, and what it writes down.

use super::*;
use crate::{
    fault::{Close, FarAhead, Fault, LateData, Plan, Repeat},
    network::SeenEnd,
    sabotage::Sabotage,
    simulation::{WorldOptions, run_simulation},
};
use highwater_core::env::{Connection, Env, Reader};
use std::{collections::BTreeSet, time::Duration};

fn script(lines: u64) -> Script {
    Script::new((0..lines).map(|n| Line::new(n * 10, format!("{n}"))).collect())
}

fn start(world: &Arc<World>, mode: Mode, script: Script) -> (Ledger, Node) {
    let ledger = Source { address: Source::ADDRESS.into(), mode, script }.start(world);
    (ledger, world.add_node("driver"))
}

async fn connect(env: &Env) -> Connection {
    loop {
        match env.network.connect(Source::ADDRESS).await {
            Ok(connection) => return connection,
            Err(_) => env.clock.sleep(Duration::from_millis(5)).await,
        }
    }
}

async fn read_lines(reader: &mut Box<dyn Reader>, lines: usize) -> String {
    let mut bytes = Vec::new();
    while bytes.iter().filter(|byte| **byte == b'\n').count() < lines {
        if !reader.read(&mut bytes, 3).await.is_ok_and(|read| read > 0) {
            break;
        }
    }
    String::from_utf8(bytes).unwrap()
}

fn simulate<T: Send, F: Future<Output = T>>(run: impl FnOnce(Arc<World>) -> F + Send) -> T {
    run_simulation(WorldOptions::seeded(4), run).unwrap()
}

#[test]
fn a_tcp_source_never_sends_a_line_twice_and_the_ledger_tells_what_arrived() {
    let report = simulate(|world| async move {
        let (ledger, driver) = start(&world, Mode::Tcp, script(20));
        world.arm(&Plan::of(vec![Fault::Close(Close { connection: 1, after_bytes: 5 })]), &driver);
        let env = driver.boot();
        let Connection { mut reader, writer: _first } = connect(&env).await;
        assert_eq!(read_lines(&mut reader, 10).await, "0\n1\n2");
        let Connection { mut reader, writer: _second } = connect(&env).await;
        let rest = read_lines(&mut reader, 17).await;
        assert!(rest.ends_with("18\n19\n") && !rest.starts_with("2\n"), "line 2 is gone: {rest}");
        assert!(ledger.all_sent() && ledger.all_delivered());
        ledger.report()
    });
    let first = report.connections[0].record.as_ref().unwrap();
    assert_eq!((first.delivered, first.seen_end), (5, Some(SeenEnd::Orderly)));
    assert!(first.written.starts_with(b"0\n1\n2\n"));
    let sent: Vec<usize> =
        report.connections.iter().flat_map(|c| c.lines.iter().map(|sent| sent.line)).collect();
    assert_eq!(sent, (0..20).collect::<Vec<_>>(), "each line once, in order");
    assert!(report.connections[1].lines[0].at.millis() >= 20);
}

#[test]
fn lines_are_not_sent_before_their_time_and_the_end_can_be_cut_and_orderly() {
    simulate(|world| async move {
        let script = Script { last_is_terminated: false, at_end: AtEnd::Finish, ..script(4) };
        let (_ledger, driver) = start(&world, Mode::Tcp, script);
        let Connection { mut reader, writer: _writer } = connect(&driver.boot()).await;
        assert_eq!(read_lines(&mut reader, 100).await, "0\n1\n2\n3");
        assert!(world.now().millis() >= 30);
    });
}

#[test]
fn a_resuming_driver_gets_the_line_it_asks_for() {
    let report = simulate(|world| async move {
        let (ledger, driver) = start(&world, Mode::Resume, script(10));
        let env = driver.boot();
        let mut connection = connect(&env).await;
        connection.writer.write_all(b"RESUME 0\n").await.unwrap();
        assert_eq!(read_lines(&mut connection.reader, 6).await, "0\n1\n2\n3\n4\n5\n");
        connection.writer.write_all(b"ACK 3\n").await.unwrap();
        // The newest connection wins, though the first was never closed.
        let mut second = connect(&env).await;
        second.writer.write_all(b"RESUME 4\n").await.unwrap();
        assert_eq!(read_lines(&mut second.reader, 6).await, "4\n5\n6\n7\n8\n9\n");
        second.writer.write_all(b"ACK 8\nACK 10\n").await.unwrap();
        world.sleep(Duration::from_millis(50)).await;
        assert!(ledger.all_acknowledged());
        ledger.report()
    });
    assert_eq!((report.acknowledged, &report.violations[..]), (10, &[][..]));
    assert_eq!(report.connections[1].resumed_from, Some(4));
}

#[test]
fn a_driver_that_breaks_the_protocol_is_written_down() {
    let violations = simulate(|world| async move {
        let (ledger, driver) = start(&world, Mode::Resume, script(10));
        let env = driver.boot();
        for messages in
            ["RESUME 0\n", "RESUME 1\nACK 5\nACK 4\nACK 11\n", "RESUME 2\nwhat?\n", "RESUME 99\n", "hello\n"]
        {
            let mut connection = connect(&env).await;
            connection.writer.write_all(messages.as_bytes()).await.unwrap();
            world.sleep(Duration::from_millis(200)).await;
        }
        ledger.report().violations
    });
    assert_eq!(
        violations,
        [
            Violation::AcknowledgementWentBack { from: 5, to: 4 },
            Violation::AcknowledgedUnsent { acknowledged: 11, sent: 10 },
            Violation::ResumedBelowAcknowledged { resumed: 2, acknowledged: 5 },
            Violation::Malformed { message: "what?".into() },
            Violation::ResumedUnsent { resumed: 99, sent: 10 },
            Violation::Malformed { message: "hello".into() },
        ]
    );
}

#[test]
fn an_acknowledgement_before_the_sync_makes_the_source_forget_what_was_only_read() {
    let options = WorldOptions {
        sabotage: BTreeSet::from([Sabotage::AcknowledgeBeforeSync]),
        ..WorldOptions::seeded(4)
    };
    let run = run_simulation(options, |world| async move {
        let (ledger, driver) = start(&world, Mode::Resume, script(6));
        world.arm(&Plan::calm(), &driver);
        let env = driver.boot();
        let mut connection = connect(&env).await;
        connection.writer.write_all(b"RESUME 0\n").await.unwrap();
        assert_eq!(read_lines(&mut connection.reader, 3).await, "0\n1\n2\n");
        driver.kill();
        let mut connection = connect(&driver.boot()).await;
        connection.writer.write_all(b"RESUME 0\n").await.unwrap();
        assert_eq!(read_lines(&mut connection.reader, 3).await, "3\n4\n5\n");
        ledger.report().violations
    });
    assert_eq!(run.unwrap(), [Violation::ResumedBelowAcknowledged { resumed: 0, acknowledged: 3 }]);
}

fn plan(faults: impl IntoIterator<Item = Fault>) -> Plan {
    Plan::of(faults.into_iter().collect())
}

fn fired(world: &World) -> Vec<bool> {
    world.fault_outcomes().iter().map(|outcome| outcome.firing.is_some()).collect()
}

#[test]
fn a_tcp_source_repeats_its_last_lines_on_the_connection_of_the_plan_and_a_resuming_one_does_not() {
    for (mode, hello, repeated) in [(Mode::Tcp, "", "4\n5\n"), (Mode::Resume, "RESUME 6\n", "")] {
        simulate(|world| async move {
            let (ledger, driver) = start(&world, mode, script(6));
            let repeats = [1, 2, 4].map(|connection| Fault::Repeat(Repeat { connection, lines: 2 }));
            world.arm(&plan(repeats), &driver);
            let env = driver.boot();
            let mut connection = connect(&env).await;
            if mode == Mode::Resume {
                connection.writer.write_all(b"RESUME 0\n").await.unwrap();
            }
            read_lines(&mut connection.reader, 6).await;
            // The first connection had nothing to repeat, and a fourth is never made.
            for expected in [repeated, ""] {
                let mut connection = connect(&env).await;
                connection.writer.write_all(hello.as_bytes()).await.unwrap();
                let mut received = Vec::new();
                tokio::select! {
                    () = async { while connection.reader.read(&mut received, 100).await.is_ok_and(|n| n > 0) {} } => {}
                    () = world.sleep(Duration::from_millis(100)) => {}
                }
                assert_eq!(String::from_utf8(received).unwrap(), expected);
            }
            assert_eq!(fired(&world), [false, mode == Mode::Tcp, false]);
            let report = ledger.report();
            assert_eq!((report.sent, report.lines, &report.violations[..]), (6, 6, &[][..]));
            let lines: Vec<usize> = report.connections[1].lines.iter().map(|sent| sent.line).collect();
            assert_eq!(lines, if mode == Mode::Tcp { vec![4, 5] } else { vec![] });
        });
    }
}

#[test]
fn a_source_that_is_far_ahead_sends_all_its_lines_at_once() {
    simulate(|world| async move {
        let script = Script::new((0..10).map(|n| Line::new(n * 1_000, format!("{n}"))).collect());
        let (_ledger, driver) = start(&world, Mode::Tcp, script);
        let ahead = [2_500, 3_000].map(|at_ms| Fault::FarAhead(FarAhead { at_ms }));
        world.arm(&plan(ahead), &driver);
        let Connection { mut reader, writer: _writer } = connect(&driver.boot()).await;
        assert_eq!(read_lines(&mut reader, 3).await, "0\n1\n2\n");
        assert!(world.now().millis() < 2_500);
        assert_eq!(read_lines(&mut reader, 7).await, "3\n4\n5\n6\n7\n8\n9\n");
        assert!((2_500..2_600).contains(&world.now().millis()));
        world.sleep(Duration::from_secs(1)).await;
        assert_eq!(fired(&world), [true, false]);
    });
}

/// Two connections, of which the first says something late: the source's books in the end.
fn late(first: &'static str, second: &'static str, after_bytes: u64) -> SourceReport {
    simulate(|world| async move {
        let (ledger, driver) = start(&world, Mode::Resume, script(6));
        world.arm(&plan([Fault::LateData(LateData { connection: 1, after_bytes })]), &driver);
        let env = driver.boot();
        let mut connection = connect(&env).await;
        if after_bytes > 0 {
            connection.writer.write_all(b"RESUME 0\n").await.unwrap();
            read_lines(&mut connection.reader, 6).await;
        }
        connection.writer.write_all(first.as_bytes()).await.unwrap();
        world.sleep(Duration::from_millis(100)).await;
        let mut newer = connect(&env).await;
        newer.writer.write_all(second.as_bytes()).await.unwrap();
        world.sleep(Duration::from_millis(500)).await;
        assert_eq!(fired(&world), [true]);
        ledger.report()
    })
}

#[test]
fn what_arrives_late_on_an_older_connection_still_counts() {
    let report = late("ACK 2\nACK 3\n", "RESUME 4\n", 12);
    assert_eq!((report.acknowledged, &report.violations[..]), (4, &[][..]));
    assert_eq!(report.connections[1].lines[0].line, 4);
    let forgotten = Violation::ResumedBelowAcknowledged { resumed: 2, acknowledged: 3 };
    let report = late("ACK 3\n", "RESUME 2\n", 12);
    assert_eq!((report.acknowledged, &report.violations[..]), (3, &[forgotten][..]));
    assert_eq!(report.connections[1].lines[0].line, 2, "the newest is served what it asked for");
    let back = Violation::AcknowledgementWentBack { from: 3, to: 2 };
    assert_eq!(late("ACK 3\nACK 2\n", "RESUME 4\n", 12).violations, [back]);
}

#[test]
fn a_late_resume_is_not_served() {
    let report = late("RESUME 0\n", "RESUME 0\n", 0);
    assert_eq!(report.violations, []);
    assert_eq!(report.connections.iter().map(|c| c.resumed_from).collect::<Vec<_>>(), [Some(0), Some(0)]);
    assert_eq!(report.connections.iter().map(|c| c.lines.len()).collect::<Vec<_>>(), [0, 6]);
}
