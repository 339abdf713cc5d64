//! The network through its seam: order, ends, resets, silence, and what a crash does to the peer.

use super::*;
use crate::{
    fault::{
        Close, Crash, Direction, Fault, HalfOpen, Hang, LateData, Latency, Partition, Plan, PowerLoss,
        Refuse, Reset, SmallBuffer, Stall, Trickle, Trigger,
    },
    simulation::{WorldOptions, run_simulation},
    world::{Node, World},
};
use highwater_core::env::Env;
use std::{io::ErrorKind, sync::Arc, time::Duration};

const ADDRESS: &str = "source:8880";

/// A driver and a source with a connection between them: driver's end, source's end.
async fn connected(world: &Arc<World>, plan: Plan) -> (Node, Node, Connection, Connection) {
    let (driver, source) = (world.add_node("driver"), world.add_node("source"));
    world.arm(&plan, &driver);
    let (near, far) = (driver.boot(), source.boot());
    let mut listener = far.network.listen(ADDRESS).await.unwrap();
    let (here, there) = tokio::join!(near.network.connect(ADDRESS), listener.accept());
    // The listener stays as long as the node: nothing here connects twice.
    std::mem::forget(listener);
    (driver, source, here.unwrap(), there.unwrap())
}

/// Reads until the end or an error.
async fn read_all(reader: &mut Box<dyn Reader>) -> (Vec<u8>, Option<ErrorKind>) {
    let mut all = Vec::new();
    loop {
        match reader.read(&mut all, 100).await {
            Ok(0) => return (all, None),
            Ok(_) => {}
            Err(error) => return (all, Some(error.kind())),
        }
    }
}

fn simulate<T: Send, F: Future<Output = T>>(seed: u64, run: impl FnOnce(Arc<World>) -> F + Send) -> T {
    run_simulation(WorldOptions::seeded(seed), run).unwrap()
}

#[test]
fn bytes_arrive_in_order_after_a_latency_and_then_the_end() {
    for seed in 0..30 {
        let (took, received) = simulate(seed, |world| async move {
            let (_d, _s, mut here, mut there) = connected(&world, Plan::calm()).await;
            let before = world.now().0;
            for n in 0..200_u32 {
                there.writer.write_all(format!("{n}\n").as_bytes()).await.unwrap();
            }
            there.writer.finish().await.unwrap();
            assert_eq!(there.writer.write_all(b"x").await.unwrap_err().kind(), ErrorKind::BrokenPipe);
            let (received, error) = read_all(&mut here.reader).await;
            assert_eq!(error, None);
            (world.now().0 - before, received)
        });
        let expected: String = (0..200).map(|n| format!("{n}\n")).collect();
        assert_eq!(received, expected.as_bytes());
        assert!((200_000..6_000_000).contains(&took), "{took} ns");
    }
}

#[test]
fn nobody_listening_is_refused_and_an_address_is_taken_once() {
    simulate(1, |world| async move {
        let env: Env = world.add_node("driver").boot();
        let kind = |result: io::Result<Connection>| result.err().unwrap().kind();
        assert_eq!(kind(env.network.connect(ADDRESS).await), ErrorKind::ConnectionRefused);
        assert_eq!(kind(env.network.connect("no port").await), ErrorKind::InvalidInput);
        let first = env.network.listen("host:0").await.unwrap();
        let second = env.network.listen("host:0").await.unwrap();
        assert_ne!(first.local_address(), second.local_address());
        let taken = env.network.listen(&first.local_address()).await.err().unwrap();
        assert_eq!(taken.kind(), ErrorKind::AddrInUse);
        let address = first.local_address();
        drop(first);
        assert_eq!(kind(env.network.connect(&address).await), ErrorKind::ConnectionRefused);
    });
}

#[test]
fn dropping_both_halves_ends_in_order_or_resets_when_something_was_unread() {
    for unread in [false, true] {
        let (received, error) = simulate(1, |world| async move {
            let (_d, _s, mut here, there) = connected(&world, Plan::calm()).await;
            let mut there = there;
            there.writer.write_all(b"last words").await.unwrap();
            if unread {
                here.writer.write_all(b"never read").await.unwrap();
            }
            world.sleep(Duration::from_millis(50)).await;
            drop(there);
            world.sleep(Duration::from_millis(50)).await;
            read_all(&mut here.reader).await
        });
        assert_eq!(error, unread.then_some(ErrorKind::ConnectionReset));
        assert_eq!(received, b"last words");
    }
}

#[test]
fn a_reset_or_a_close_after_n_bytes_delivers_exactly_n_bytes() {
    for after_bytes in [0, 1, 7, 12] {
        let reset = Fault::Reset(Reset { connection: 1, after_bytes });
        let close = Fault::Close(Close { connection: 1, after_bytes });
        for (fault, expected) in [(reset, Some(ErrorKind::ConnectionReset)), (close, None)] {
            simulate(2, |world| async move {
                let (_d, _s, mut here, mut there) = connected(&world, Plan::of(vec![fault])).await;
                there.writer.write_all(b"hello\nworld\nagain\n").await.unwrap();
                let (received, error) = read_all(&mut here.reader).await;
                assert_eq!(
                    (&received[..], error),
                    (&b"hello\nworld\nagain\n"[..after_bytes as usize], expected)
                );
                let (_, seen_by_source) = read_all(&mut there.reader).await;
                // Before the first byte, the source writes on, and its reset overtakes the orderly end.
                assert!(seen_by_source == expected || after_bytes == 0);
                let record = world.connections().remove(0);
                assert_eq!(record.delivered, after_bytes);
                let seen = if expected.is_some() { SeenEnd::Reset } else { SeenEnd::Orderly };
                assert_eq!(record.seen_end, Some(seen));
                assert!(world.fault_outcomes()[0].firing.is_some());
                let _ = there.writer.write_all(b"too late").await;
                world.sleep(Duration::from_millis(50)).await;
                assert!(there.writer.write_all(b"too late").await.is_err(), "the source learns it");
            });
        }
    }
}

#[test]
fn a_stall_delivers_nothing_until_it_is_over_and_then_everything() {
    simulate(1, |world| async move {
        let stall = Fault::Stall(Stall { connection: 1, after_bytes: 5, for_ms: 3_000 });
        let (_d, _s, mut here, mut there) = connected(&world, Plan::of(vec![stall])).await;
        there.writer.write_all(b"hello world").await.unwrap();
        there.writer.finish().await.unwrap();
        let mut received = Vec::new();
        assert_eq!(here.reader.read(&mut received, 100).await.unwrap(), 5);
        let before = world.now().millis();
        assert_eq!(here.reader.read(&mut received, 100).await.unwrap(), 6);
        assert!((2_999..3_010).contains(&(world.now().millis() - before)));
        assert_eq!(here.reader.read(&mut received, 100).await.unwrap(), 0);
    });
}

#[test]
fn a_fault_of_a_connection_that_is_never_made_is_missed() {
    simulate(1, |world| async move {
        let reset = Fault::Reset(Reset { connection: 2, after_bytes: 0 });
        let (_d, _s, mut here, mut there) = connected(&world, Plan::of(vec![reset])).await;
        there.writer.write_all(b"x").await.unwrap();
        assert_eq!(here.reader.read(&mut Vec::new(), 1).await.unwrap(), 1);
        assert_eq!(world.fault_outcomes()[0].firing, None);
    });
}

#[test]
fn a_writer_waits_while_the_buffer_is_full() {
    simulate(1, |world| async move {
        let (_d, _s, mut here, mut there) = connected(&world, Plan::calm()).await;
        let bytes = vec![b'x'; 200_000];
        let write = async {
            there.writer.write_all(&bytes).await.unwrap();
            there.writer.finish().await.unwrap();
            world.now()
        };
        let read = async {
            world.sleep(Duration::from_secs(1)).await;
            read_all(&mut here.reader).await.0.len()
        };
        let (wrote_at, received) = tokio::join!(write, read);
        assert_eq!(received, 200_000);
        assert!(wrote_at.millis() >= 1000, "it waited for the reader: {wrote_at}");
    });
}

#[test]
fn a_dead_process_ends_in_order_or_resets_and_a_machine_without_power_says_nothing() {
    let after = |unread: bool, power_loss: Option<PowerLoss>| {
        simulate(1, |world| async move {
            let (driver, _source, here, mut there) = connected(&world, Plan::calm()).await;
            if unread {
                there.writer.write_all(b"never read").await.unwrap();
                world.sleep(Duration::from_millis(50)).await;
            }
            match power_loss {
                Some(power_loss) => driver.lose_power(power_loss),
                None => driver.kill(),
            }
            // What a destructor of the dead does late is heard by nobody.
            drop(here);
            let end = tokio::select! {
                (_, error) = read_all(&mut there.reader) => Some(error),
                () = world.sleep(Duration::from_secs(60)) => None,
            };
            let first_write = there.writer.write_all(b"anybody?").await.map_err(|error| error.kind());
            (end, first_write, read_all(&mut there.reader).await.1)
        })
    };
    let reset = ErrorKind::ConnectionReset;
    assert_eq!(after(false, None), (Some(None), Ok(()), Some(reset)));
    assert_eq!(after(true, None), (Some(Some(reset)), Err(reset), Some(reset)));
    let dark = Some(PowerLoss::image(0));
    assert_eq!(after(false, dark.clone()), (None, Ok(()), Some(reset)));
    assert_eq!(after(true, dark), (None, Ok(()), Some(reset)));
}

#[test]
fn a_crash_at_network_operation_n_fires_exactly_there() {
    let written = |moment| {
        let trigger = Trigger::NetworkOperation { life: crate::world::Life(1), number: 2, moment };
        let crash = Fault::Crash(Crash { restart_after_ms: 1, trigger, power_loss: None });
        simulate(1, |world| async move {
            let (driver, _s, here, mut there) = connected(&world, Plan::of(vec![crash])).await;
            let Connection { mut writer, .. } = here;
            tokio::select! {
                _ = writer.write_all(b"RESUME 12\n") => panic!("the driver saw a result"),
                crashed = world.crashed() => assert_eq!(crashed.fault, 0),
            }
            assert!(!driver.is_alive());
            let hit = world.fault_outcomes().remove(0).firing.unwrap().hit;
            assert_eq!(hit, Hit::Network { number: 2, operation: NetworkOperation::Write });
            read_all(&mut there.reader).await.0
        })
    };
    assert_eq!(written(Moment::Before), b"");
    assert_eq!(written(Moment::Inside), b"RESUM");
    assert_eq!(written(Moment::After), b"RESUME 12\n");
}

/// A plan of one fault.
fn only(fault: Fault) -> Plan {
    Plan::of(vec![fault])
}

/// The hit of the only fault, if it fired.
fn hit(world: &World) -> Option<Hit> {
    world.fault_outcomes().remove(0).firing.map(|firing| firing.hit)
}

async fn kind_of<T>(result: impl Future<Output = io::Result<T>>) -> Option<ErrorKind> {
    result.await.err().map(|error| error.kind())
}

#[test]
fn refused_attempts_are_counted_over_the_whole_run() {
    simulate(1, |world| async move {
        let refuse = Fault::Refuse(Refuse { attempt: 2, times: 3 });
        let (driver, _s, _here, _there) = connected(&world, only(refuse)).await;
        assert_eq!(hit(&world), None);
        let refused = Some(ErrorKind::ConnectionRefused);
        assert_eq!(kind_of(driver.env().network.connect(ADDRESS)).await, refused);
        driver.kill();
        let env = driver.boot();
        assert_eq!(kind_of(env.network.connect(ADDRESS)).await, refused);
        let error = env.network.connect(ADDRESS).await.err().unwrap();
        assert_eq!(error.to_string(), "connection refused (injected by fault 1)");
        assert_eq!(kind_of(env.network.connect(ADDRESS)).await, None);
        assert_eq!(hit(&world), Some(Hit::Attempt { number: 2 }));
    });
}

#[test]
fn a_connect_hangs_until_its_time_or_the_patience_is_over_or_it_is_dropped() {
    for (for_ms, took_ms, error) in
        [(3_000, 3_000..3_050, None), (200_000, 130_000..130_001, Some(ErrorKind::TimedOut))]
    {
        simulate(1, |world| async move {
            let hang = Fault::Hang(Hang { attempt: 2, for_ms });
            let (driver, _s, _here, _there) = connected(&world, only(hang)).await;
            let before = world.now().millis();
            assert_eq!(kind_of(driver.env().network.connect(ADDRESS)).await, error);
            let took = world.now().millis() - before;
            assert!(took_ms.contains(&took), "{took} ms");
            assert_eq!(hit(&world), Some(Hit::Attempt { number: 2 }));
        });
    }
    simulate(1, |world| async move {
        let hang = Fault::Hang(Hang { attempt: 2, for_ms: 60_000 });
        let (driver, _s, _here, _there) = connected(&world, only(hang)).await;
        let network = driver.env().network;
        tokio::select! {
            _ = network.connect(ADDRESS) => panic!("it was answered"),
            () = world.sleep(Duration::from_secs(5)) => {}
        }
        let before = world.now().millis();
        assert_eq!(kind_of(network.connect(ADDRESS)).await, None);
        assert!(world.now().millis() - before < 50, "the next attempt is an attempt of its own");
    });
}

#[test]
fn both_ends_of_a_half_open_connection_learn_it_from_keep_alive_alone() {
    simulate(1, |world| async move {
        let half_open = Fault::HalfOpen(HalfOpen { connection: 1, after_bytes: 5 });
        let (_d, _s, mut here, mut there) = connected(&world, only(half_open)).await;
        there.writer.write_all(b"hello world").await.unwrap();
        let mut received = Vec::new();
        assert_eq!(here.reader.read(&mut received, 100).await.unwrap(), 5);
        let before = world.now().millis();
        // Swallowed by the send buffers, which hold so much and no more.
        here.writer.write_all(b"ACK 1\n").await.unwrap();
        let (large, mut unheard) = (vec![b'x'; 100_000], Vec::new());
        let (near, far, blocked) = tokio::join!(
            kind_of(here.reader.read(&mut received, 100)),
            kind_of(there.reader.read(&mut unheard, 100)),
            kind_of(there.writer.write_all(&large)),
        );
        let timed_out = Some(ErrorKind::TimedOut);
        assert_eq!((near, far, blocked), (timed_out, timed_out, timed_out));
        assert!((29_990..30_010).contains(&(world.now().millis() - before)));
        assert_eq!(kind_of(here.writer.write_all(b"ACK 2\n")).await, timed_out);
        let error = here.writer.write_all(b"ACK 2\n").await.unwrap_err();
        assert_eq!(error.to_string(), "timed out (injected by fault 1)");
        assert_eq!((&received[..], &unheard[..]), (&b"hello"[..], &b""[..]));
        let record = world.connections().remove(0);
        assert_eq!((record.delivered, record.seen_end), (5, Some(SeenEnd::TimedOut)));
    });
}

fn partition(direction: Direction, for_ms: u64) -> Plan {
    only(Fault::Partition(Partition { at_ms: 1_000, for_ms, direction }))
}

#[test]
fn what_is_sent_in_a_partition_arrives_after_it_in_its_direction_alone() {
    for direction in [Direction::ToDriver, Direction::ToSource, Direction::Both] {
        simulate(1, |world| async move {
            let (driver, _s, mut here, mut there) = connected(&world, partition(direction, 4_000)).await;
            world.sleep_until(VirtualTime::from_millis(2_000)).await;
            here.writer.write_all(b"ACK 1\n").await.unwrap();
            there.writer.write_all(b"line\n").await.unwrap();
            let network = driver.env().network;
            let arrival = async |reader: &mut Box<dyn Reader>| {
                reader.read(&mut Vec::new(), 100).await.unwrap();
                world.now().millis()
            };
            let connect = async {
                network.connect(ADDRESS).await.unwrap();
                world.now().millis()
            };
            let (to_driver, to_source, connected) =
                tokio::join!(arrival(&mut here.reader), arrival(&mut there.reader), connect);
            let (soon, late) = (2_000..2_050, 5_000..5_050);
            let expected = |cut: bool| if cut { late.clone() } else { soon.clone() };
            assert!(expected(direction != Direction::ToSource).contains(&to_driver), "{to_driver}");
            assert!(expected(direction != Direction::ToDriver).contains(&to_source), "{to_source}");
            assert!(late.contains(&connected), "a connect needs both directions: {connected}");
        });
    }
}

#[test]
fn a_partition_that_outlasts_keep_alive_is_found_out_by_each_end_for_itself() {
    // The source sends a line at 20 s and waits for an answer; nothing of the driver arrives.
    let ended = |direction| {
        simulate(1, |world| async move {
            let (_d, _s, mut here, mut there) = connected(&world, partition(direction, 40_000)).await;
            world.sleep_until(VirtualTime::from_millis(20_000)).await;
            there.writer.write_all(b"line\n").await.unwrap();
            let end = async |reader: &mut Box<dyn Reader>| {
                let (bytes, error) = read_all(reader).await;
                (bytes.len(), error.unwrap(), world.now().millis())
            };
            tokio::join!(end(&mut here.reader), end(&mut there.reader))
        })
    };
    let (timed_out, reset) = (ErrorKind::TimedOut, ErrorKind::ConnectionReset);
    assert_eq!(ended(Direction::Both), ((0, timed_out, 31_000), (0, timed_out, 31_000)));
    assert_eq!(ended(Direction::ToDriver), ((0, timed_out, 31_000), (0, timed_out, 31_000)));
    // The driver heard the line, so it takes the connection for sound until the partition is over and its probe is answered.
    assert_eq!(ended(Direction::ToSource), ((5, reset, 46_000), (0, timed_out, 31_000)));
}

#[test]
fn what_is_sent_while_the_network_is_slow_takes_longer_and_is_not_overtaken() {
    simulate(1, |world| async move {
        let latency = Fault::Latency(Latency { at_ms: 1_000, for_ms: 500, extra_ms: 2_000 });
        let (_d, _s, mut here, mut there) = connected(&world, only(latency)).await;
        let mut received = Vec::new();
        for (at, line) in [(500, b"a"), (1_200, b"b"), (1_600, b"c")] {
            world.sleep_until(VirtualTime::from_millis(at)).await;
            there.writer.write_all(line).await.unwrap();
        }
        here.reader.read(&mut received, 100).await.unwrap();
        assert_eq!(received, b"a");
        here.reader.read(&mut received, 100).await.unwrap();
        assert_eq!(received, b"abc");
        assert!((3_200..3_250).contains(&world.now().millis()));
    });
}

#[test]
fn a_trickle_gives_and_takes_few_bytes_at_a_time() {
    simulate(1, |world| async move {
        let trickle = Fault::Trickle(Trickle { connection: 1, after_bytes: 4, bytes_max: 3 });
        let (_d, _s, mut here, mut there) = connected(&world, only(trickle)).await;
        there.writer.write_all(b"whole").await.unwrap();
        let mut received = Vec::new();
        assert_eq!(here.reader.read(&mut received, 100).await.unwrap(), 4);
        assert_eq!(here.reader.read(&mut received, 100).await.unwrap(), 1);
        // A write that is dropped on its way leaves a part: here the first bytes alone.
        tokio::select! {
            biased;
            _ = there.writer.write_all(b"in parts") => panic!("it went as a whole"),
            () = world.sleep(Duration::ZERO) => {}
        }
        world.sleep(Duration::from_millis(50)).await;
        assert_eq!(here.reader.read(&mut received, 100).await.unwrap(), 3);
        assert_eq!(received, b"wholein ");
        here.writer.write_all(b"RESUME 7\n").await.unwrap();
        let mut heard = Vec::new();
        while heard.len() < 9 {
            there.reader.read(&mut heard, 100).await.unwrap();
        }
        assert_eq!(heard, b"RESUME 7\n");
    });
}

#[test]
fn a_small_buffer_makes_writers_wait_for_their_readers() {
    simulate(1, |world| async move {
        let small = Fault::SmallBuffer(SmallBuffer { connection: 1, bytes: 4 });
        let (_d, _s, mut here, mut there) = connected(&world, only(small)).await;
        tokio::select! {
            biased;
            _ = there.writer.write_all(b"hello world") => panic!("nobody read it"),
            () = world.sleep(Duration::from_secs(1)) => {}
        }
        let mut received = Vec::new();
        assert_eq!(here.reader.read(&mut received, 100).await.unwrap(), 4);
        let read = async {
            while received.len() < 10 {
                here.reader.read(&mut received, 100).await.unwrap();
            }
        };
        let (written, ()) = tokio::join!(there.writer.write_all(b" again"), read);
        written.unwrap();
        assert_eq!(received, b"hell again");
        assert_eq!(hit(&world), Some(Hit::Connection { connection: 1, after_bytes: 0 }));
    });
}

#[test]
fn late_data_arrive_when_the_source_has_heard_of_a_newer_connection() {
    simulate(1, |world| async move {
        let (driver, source) = (world.add_node("driver"), world.add_node("source"));
        world.arm(&only(Fault::LateData(LateData { connection: 1, after_bytes: 5 })), &driver);
        let (near, far) = (driver.boot(), source.boot());
        let mut listener = far.network.listen(ADDRESS).await.unwrap();
        let (here, there) = tokio::join!(near.network.connect(ADDRESS), listener.accept());
        let (mut here, mut there) = (here.unwrap(), there.unwrap());
        there.writer.write_all(b"line\n").await.unwrap();
        here.writer.write_all(b"RESUME 0\n").await.unwrap();
        let mut heard = Vec::new();
        there.reader.read(&mut heard, 100).await.unwrap();
        assert_eq!(here.reader.read(&mut Vec::new(), 100).await.unwrap(), 5);
        assert_eq!(hit(&world), None, "nothing is held back yet");
        here.writer.write_all(b"ACK 1\n").await.unwrap();
        assert_eq!(hit(&world), Some(Hit::Connection { connection: 1, after_bytes: 5 }));
        assert_eq!(read_all(&mut here.reader).await.1, Some(ErrorKind::ConnectionReset));
        drop(here);
        // The source writes on and hears nothing of it.
        there.writer.write_all(b"line\n").await.unwrap();
        tokio::select! {
            _ = there.reader.read(&mut heard, 100) => panic!("the source heard {heard:?}"),
            () = world.sleep(Duration::from_secs(100)) => {}
        }
        let (here, newer) = tokio::join!(near.network.connect(ADDRESS), listener.accept());
        let (mut here, mut newer) = (here.unwrap(), newer.unwrap());
        here.writer.write_all(b"RESUME 1\n").await.unwrap();
        newer.reader.read(&mut Vec::new(), 100).await.unwrap();
        assert_eq!(
            read_all(&mut there.reader).await,
            (b"ACK 1\n".to_vec(), Some(ErrorKind::ConnectionReset))
        );
    });
}

#[test]
fn late_data_of_a_driver_that_says_nothing_are_missed() {
    simulate(1, |world| async move {
        let late = Fault::LateData(LateData { connection: 1, after_bytes: 0 });
        let (_d, _s, mut here, mut there) = connected(&world, only(late)).await;
        there.writer.write_all(b"line\n").await.unwrap();
        assert_eq!(here.reader.read(&mut Vec::new(), 100).await.unwrap(), 5);
        here.writer.finish().await.unwrap();
        assert_eq!(read_all(&mut there.reader).await, (Vec::new(), None));
        assert_eq!(hit(&world), None);
    });
}

#[test]
fn a_crash_at_a_byte_kills_the_driver_that_never_sees_it() {
    for (after_bytes, power_loss) in [(0, None), (5, None), (5, Some(PowerLoss::image(0)))] {
        let trigger = Trigger::Byte { connection: 1, after_bytes };
        let loses_power = power_loss.is_some();
        let crash = Fault::Crash(Crash { restart_after_ms: 7, trigger, power_loss });
        simulate(1, |world| async move {
            let (driver, source) = (world.add_node("driver"), world.add_node("source"));
            world.arm(&only(crash), &driver);
            let mut listener = source.boot().network.listen(ADDRESS).await.unwrap();
            let serving = async {
                let mut there = listener.accept().await.unwrap();
                let _ = there.writer.write_all(b"hello world").await;
                std::future::pending::<()>().await;
            };
            let job = driver.start(move |env| async move {
                let mut here = env.network.connect(ADDRESS).await.unwrap();
                assert!(after_bytes > 0, "the driver saw the connection");
                let mut received = Vec::new();
                let _ = here.reader.read(&mut received, 100).await;
                panic!("the driver saw {received:?}");
            });
            tokio::select! {
                () = serving => {}
                result = job => assert!(result.is_err(), "killed"),
            }
            let crashed = world.crashed().await;
            assert_eq!((crashed.fault, crashed.power_loss), (0, loses_power));
            assert!(!driver.is_alive());
            assert_eq!(hit(&world), Some(Hit::Connection { connection: 1, after_bytes }));
            assert_eq!(world.connections()[0].delivered, after_bytes);
        });
    }
}
