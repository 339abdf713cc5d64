//! The network through its seam: order, ends, resets, silence, and what a crash does to the peer.

use super::*;
use crate::{
    fault::{Close, Fault, Plan, PowerLoss, Reset, Stall},
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
    use crate::fault::{Crash, Hit, Trigger};
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
