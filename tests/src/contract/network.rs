//! The network: bytes in order, an orderly end told from a reset, errors of the right kind.
//!
//! Connecting and accepting always run side by side: whether a connection is there before it is accepted is not promised.

use super::World;
use highwater_core::env::{Connection, Listener, Reader};
use std::io::ErrorKind;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

async fn listen(world: &World) -> Box<dyn Listener> {
    world.env.network.listen(&(world.listen)()).await.expect("the address is free")
}

/// A connection's two ends: the one that connected and the one that accepted.
async fn pair(world: &World) -> (Connection, Connection) {
    let mut listener = listen(world).await;
    let address = listener.local_address();
    let (connected, accepted) = tokio::join!(world.env.network.connect(&address), listener.accept());
    (connected.expect("somebody listens"), accepted.expect("somebody connects"))
}

/// Reads until there are `count` bytes.
async fn read_exactly(reader: &mut dyn Reader, count: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while bytes.len() < count {
        let max = count - bytes.len();
        let read = reader.read(&mut bytes, max).await.expect("the connection holds");
        assert!(read > 0, "the stream ended after {} of {count} bytes", bytes.len());
    }
    bytes
}

/// Reads to the orderly end.
async fn read_to_end(reader: &mut dyn Reader) -> Vec<u8> {
    let mut bytes = Vec::new();
    while reader.read(&mut bytes, 4_096).await.expect("the connection ends in order") > 0 {}
    bytes
}

pub(super) async fn a_refused_connection_says_so(world: World) {
    let listener = listen(&world).await;
    let address = listener.local_address();
    drop(listener);
    let error = world.env.network.connect(&address).await.err().expect("nobody listens");
    assert_eq!(error.kind(), ErrorKind::ConnectionRefused, "{error}");
}

pub(super) async fn an_address_in_use_says_so(world: World) {
    let listener = listen(&world).await;
    let error = world.env.network.listen(&listener.local_address()).await.err().expect("it is in use");
    assert_eq!(error.kind(), ErrorKind::AddrInUse, "{error}");
}

pub(super) async fn what_is_no_address_is_invalid_input(world: World) {
    for address in
        ["", "host", "host:", ":80", "host:65536", "host:+80", "host:http", "tcp://host:80", "a b:80"]
    {
        let error = world.env.network.connect(address).await.err().expect("it is no address");
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "connect to {address:?}: {error}");
        let error = world.env.network.listen(address).await.err().expect("it is no address");
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "listen at {address:?}: {error}");
    }
}

pub(super) async fn port_zero_takes_a_free_port(world: World) {
    let address = (world.listen)();
    let (host, _) = address.rsplit_once(':').expect("HOST:PORT");
    let any = format!("{host}:0");
    let one = world.env.network.listen(&any).await.expect("a port is free");
    let two = world.env.network.listen(&any).await.expect("another one is free");
    let port = |listener: &dyn Listener| -> u16 {
        let address = listener.local_address();
        address.rsplit_once(':').expect("HOST:PORT").1.parse().expect("a port")
    };
    assert_ne!(port(&*one), 0);
    assert_ne!(port(&*two), 0);
    assert_ne!(port(&*one), port(&*two));
}

pub(super) async fn a_dropped_listener_frees_its_address(world: World) {
    // Used before it is dropped, because a used address may rest for a while.
    let mut listener = listen(&world).await;
    let address = listener.local_address();
    let (connected, accepted) = tokio::join!(world.env.network.connect(&address), listener.accept());
    drop((connected, accepted));
    drop(listener);
    let mut listener = world.env.network.listen(&address).await.expect("it is free again");
    assert_eq!(listener.local_address(), address);
    let (connected, accepted) = tokio::join!(world.env.network.connect(&address), listener.accept());
    assert!(connected.is_ok() && accepted.is_ok());
}

pub(super) async fn bytes_arrive_in_order(world: World) {
    const BYTES: usize = 300_000;
    let (mut left, mut right) = pair(&world).await;
    let pattern = |salt: usize| (0..BYTES).map(|i| (i * 7 + i / 256 + salt) as u8).collect::<Vec<u8>>();
    let (to_right, to_left) = (pattern(1), pattern(2));
    let (_, _, at_right, at_left) = tokio::join!(
        async {
            for chunk in to_right.chunks(1_777) {
                left.writer.write_all(chunk).await.expect("the connection holds");
            }
        },
        async {
            for chunk in to_left.chunks(65_537) {
                right.writer.write_all(chunk).await.expect("the connection holds");
            }
        },
        read_exactly(&mut *right.reader, BYTES),
        read_exactly(&mut *left.reader, BYTES),
    );
    assert!(at_right == to_right, "from left to right");
    assert!(at_left == to_left, "from right to left");
}

pub(super) async fn connections_do_not_mix(world: World) {
    let (mut a, mut a_peer) = pair(&world).await;
    let (mut b, mut b_peer) = pair(&world).await;
    b.writer.write_all(b"from b").await.expect("the connection holds");
    a.writer.write_all(b"from a").await.expect("the connection holds");
    assert_eq!(read_exactly(&mut *a_peer.reader, 6).await, b"from a");
    drop((a, a_peer));
    b.writer.write_all(b", still").await.expect("the connection holds");
    assert_eq!(read_exactly(&mut *b_peer.reader, 13).await, b"from b, still");
}

pub(super) async fn a_read_appends_no_more_than_max(world: World) {
    let (mut left, mut right) = pair(&world).await;
    left.writer.write_all(b"0123456789").await.expect("the connection holds");
    let mut buffer = b"kept ".to_vec();
    assert_eq!(right.reader.read(&mut buffer, 0).await.expect("the connection holds"), 0);
    assert_eq!(right.reader.read(&mut buffer, 1).await.expect("the connection holds"), 1);
    let read = right.reader.read(&mut buffer, 3).await.expect("the connection holds");
    assert!((1..=3).contains(&read), "{read}");
    assert_eq!(buffer, b"kept 0123456789"[..6 + read]);
    let read_now = right.reader.read(&mut buffer, usize::MAX).await.expect("the connection holds");
    assert!((1..=9 - read).contains(&read_now), "{read_now}");
    assert_eq!(buffer, b"kept 0123456789"[..6 + read + read_now]);
}

pub(super) async fn finish_is_an_orderly_end(world: World) {
    let (mut left, mut right) = pair(&world).await;
    left.writer.write_all(b"all of it").await.expect("the connection holds");
    left.writer.finish().await.expect("the connection holds");
    assert_eq!(read_to_end(&mut *right.reader).await, b"all of it");
    assert_eq!(read_to_end(&mut *right.reader).await, b"", "an end stays an end");
}

pub(super) async fn a_finished_side_still_reads(world: World) {
    let (mut left, mut right) = pair(&world).await;
    left.writer.finish().await.expect("the connection holds");
    assert_eq!(read_to_end(&mut *right.reader).await, b"");
    right.writer.write_all(b"answer").await.expect("the other direction is open");
    right.writer.finish().await.expect("the other direction is open");
    assert_eq!(read_to_end(&mut *left.reader).await, b"answer");
}

pub(super) async fn dropping_both_halves_is_an_orderly_end_if_all_was_read(world: World) {
    let (mut left, mut right) = pair(&world).await;
    right.writer.write_all(b"question").await.expect("the connection holds");
    assert_eq!(read_exactly(&mut *left.reader, 8).await, b"question");
    left.writer.write_all(b"answer").await.expect("the connection holds");
    // The writer first: it is no end as long as the reader is there, and no end is lost with it.
    let Connection { reader, writer } = left;
    drop(writer);
    drop(reader);
    assert_eq!(read_to_end(&mut *right.reader).await, b"answer");
}

pub(super) async fn dropping_both_halves_with_bytes_unread_is_a_reset(world: World) {
    for writer_first in [true, false] {
        let (mut left, mut right) = pair(&world).await;
        right.writer.write_all(b"a question").await.expect("the connection holds");
        // The first byte is read so that the rest is known to have arrived with it.
        assert_eq!(read_exactly(&mut *left.reader, 1).await, b"a");
        let Connection { reader, writer } = left;
        if writer_first {
            drop(writer);
            drop(reader);
        } else {
            drop(reader);
            drop(writer);
        }
        let outcome = right.reader.read(&mut Vec::new(), 1).await;
        let error = outcome.expect_err("what was not read was lost, so this is no orderly end");
        assert_eq!(error.kind(), ErrorKind::ConnectionReset, "{error}");
    }
}

pub(super) async fn a_dropped_read_loses_no_byte(world: World) {
    const BYTES: usize = 200;
    let (mut left, mut right) = pair(&world).await;
    let sent: Vec<u8> = (0..BYTES).map(|i| i as u8).collect();
    let clock = world.env.clock.clone();
    let sending = async {
        for byte in sent.chunks(1) {
            left.writer.write_all(byte).await.expect("the connection holds");
            clock.sleep(Duration::from_micros(300)).await;
        }
    };
    let receiving = async {
        let mut received = Vec::new();
        while received.len() < BYTES {
            tokio::select! {
                biased;
                outcome = right.reader.read(&mut received, 3) => {
                    assert!(outcome.expect("the connection holds") > 0);
                }
                () = world.env.clock.sleep(Duration::from_micros(100)) => {}
            }
        }
        received
    };
    let ((), received) = tokio::join!(sending, receiving);
    assert_eq!(received, sent);
}

pub(super) async fn a_slow_reader_holds_the_writer_back(world: World) {
    const CHUNK: usize = 1 << 20;
    const CHUNKS: usize = 32;
    let (left, mut right) = pair(&world).await;
    let written = Arc::new(AtomicUsize::new(0));
    let count = written.clone();
    let mut writer = left.writer;
    let _task = world.env.executor.spawn(
        "contract",
        Box::pin(async move {
            let chunk = vec![7; CHUNK];
            for _ in 0..CHUNKS {
                writer.write_all(&chunk).await.expect("the connection holds");
                count.fetch_add(1, SeqCst);
            }
            writer.finish().await.expect("the connection holds");
        }),
    );
    let mut before = None;
    // Until it has come to a halt: as long as it gets on, it gets more time.
    while before != Some(written.load(SeqCst)) {
        before = Some(written.load(SeqCst));
        world.env.clock.sleep(Duration::from_millis(300)).await;
    }
    assert!(
        written.load(SeqCst) < CHUNKS,
        "{CHUNKS} MiB fitted between a writer and a reader that reads nothing"
    );
    assert_eq!(read_to_end(&mut *right.reader).await.len(), CHUNK * CHUNKS);
    // The reader of the other side is kept until here, or closing it might be a reset.
    drop(left.reader);
}

pub(super) async fn writing_to_a_peer_that_is_gone_fails_in_the_end(world: World) {
    let (mut left, right) = pair(&world).await;
    drop(right);
    while left.writer.write_all(b"hello?").await.is_ok() {
        world.env.clock.sleep(Duration::from_millis(10)).await;
    }
    assert!(left.writer.write_all(b"hello?").await.is_err(), "an error stays an error");
}
