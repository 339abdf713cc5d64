//! The feed over the loopback interface.

use super::*;
use highwater_core::os;
use std::path::Path;
use std::sync::Mutex;

struct Served {
    env: Env,
    address: String,
    progress: watch::Receiver<Progress>,
    notices: Arc<Mutex<Vec<Notice>>>,
    task: tokio::task::JoinHandle<Infallible>,
}

impl Drop for Served {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(text: &[u8], rate: Option<f64>, resume: bool) -> Served {
    let env = os::env_with_threads(1);
    let listener = env.network.listen("127.0.0.1:0").await.unwrap();
    let address = listener.local_address();
    let (sender, progress) = watch::channel(Progress::default());
    let notices = Arc::new(Mutex::new(Vec::new()));
    let (world, log) = (env.clone(), notices.clone());
    let rate = rate.map(|rate| Rate::per_second(rate).unwrap());
    let feed = Feed { lines: Arc::new(Lines::from_bytes(text.to_vec())), rate, resume };
    let task = tokio::spawn(async move {
        feed.serve(&world, listener, &sender, &|notice| log.lock().unwrap().push(notice)).await
    });
    Served { env, address, progress, notices, task }
}

impl Served {
    async fn connect(&self) -> Connection {
        self.env.network.connect(&self.address).await.unwrap()
    }

    /// Connects and says these messages.
    async fn say(&self, messages: &[u8]) -> Connection {
        let mut client = self.connect().await;
        client.writer.write_all(messages).await.unwrap();
        client
    }

    /// Waits until some notice is of this kind.
    async fn heard(&self, kind: impl Fn(&Notice) -> bool) {
        let deadline = std::time::Instant::now() + Duration::from_secs(10);
        while !self.notices.lock().unwrap().iter().any(&kind) {
            assert!(std::time::Instant::now() < deadline, "only {:?}", self.notices.lock().unwrap());
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    async fn reached(&mut self, state: impl FnMut(&Progress) -> bool) {
        let reached = self.progress.wait_for(state);
        tokio::time::timeout(Duration::from_secs(10), reached).await.unwrap().unwrap();
    }
}

/// Reads until `count` bytes are there.
async fn read(client: &mut Connection, count: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while bytes.len() < count {
        let max = count - bytes.len();
        let reading = client.reader.read(&mut bytes, max);
        let n = tokio::time::timeout(Duration::from_secs(10), reading).await.unwrap().unwrap();
        assert!(n > 0, "the feed ended the connection after {bytes:?}");
    }
    bytes
}

/// Whether nothing comes, and no end either, for a while.
async fn is_silent(client: &mut Connection) -> bool {
    let mut bytes = Vec::new();
    let reading = client.reader.read(&mut bytes, 100);
    tokio::time::timeout(Duration::from_millis(60), reading).await.is_err()
}

/// Waits until the feed has closed the connection, in order or not.
async fn is_closed(client: &mut Connection) {
    let mut bytes = Vec::new();
    loop {
        let reading = client.reader.read(&mut bytes, 4_096);
        match tokio::time::timeout(Duration::from_secs(10), reading).await.unwrap() {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
    }
}

fn run(body: impl AsyncFnOnce()) {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap()
        .block_on(body());
}

#[test]
fn a_plain_client_gets_every_line_as_it_is_and_stays_connected() {
    run(async || {
        let mut served = serve(b"one\n\nnot \xff text\r\nlast", None, false).await;
        let mut client = served.connect().await;
        assert_eq!(read(&mut client, 22).await, b"one\n\nnot \xff text\r\nlast\n");
        assert!(is_silent(&mut client).await, "the connection stays open");
        served.reached(|progress| progress.sent == 4).await;
        drop(client);
        served.heard(|notice| matches!(notice, Notice::Left)).await;
        let mut next = served.connect().await;
        assert!(is_silent(&mut next).await, "nothing is left for it");
        assert_eq!(served.progress.borrow().acknowledged, 0);
    });
}

#[test]
fn in_plain_mode_a_line_is_sent_to_one_client_only() {
    run(async || {
        let text: String = (0..1_000).map(|n| format!("{n:03}\n")).collect();
        let mut served = serve(text.as_bytes(), Some(2_000.0), false).await;
        let mut lines = Vec::new();
        for _ in 0..3 {
            let mut client = served.connect().await;
            let bytes = read(&mut client, 200).await;
            lines.extend(bytes.chunks(4).map(|line| String::from_utf8(line.to_vec()).unwrap()));
        }
        assert_eq!(lines[0], "000\n");
        assert!(lines.is_sorted_by(|a, b| a < b), "{lines:?}");
        let _last = served.connect().await;
        served.reached(|progress| progress.sent == 1_000).await;
    });
}

#[test]
fn in_plain_mode_the_second_client_waits_until_the_first_leaves() {
    run(async || {
        let served = serve(b"one\ntwo\nthree\n", Some(20.0), false).await;
        let mut first = served.connect().await;
        assert_eq!(read(&mut first, 4).await, b"one\n");
        let mut second = served.connect().await;
        assert_eq!(read(&mut first, 10).await, b"two\nthree\n");
        assert!(is_silent(&mut second).await);
        assert_eq!(served.progress.borrow().connections, 1);
        drop(first);
        let mut served = served;
        served.reached(|progress| progress.connections == 2).await;
    });
}

#[test]
fn a_plain_client_may_talk_without_end() {
    run(async || {
        let served = serve(b"one\n", None, false).await;
        let mut client = served.connect().await;
        for _ in 0..64 {
            client.writer.write_all(&[b'x'; 65_536]).await.unwrap();
        }
        assert_eq!(read(&mut client, 4).await, b"one\n");
        assert!(is_silent(&mut client).await);
    });
}

#[test]
fn resuming_starts_with_the_line_asked_for() {
    run(async || {
        for (resume, expected) in [("RESUME 0\n", "0\n1\n2\n"), ("RESUME 2\r\n", "2\n"), ("RESUME 3\n", "")] {
            let served = serve(b"0\n1\n2", None, true).await;
            let mut client = served.say(resume.as_bytes()).await;
            assert_eq!(read(&mut client, expected.len()).await, expected.as_bytes());
            assert!(is_silent(&mut client).await, "the connection stays open after {resume:?}");
        }
    });
}

#[test]
fn a_line_is_sent_again_until_it_is_acknowledged() {
    run(async || {
        let mut served = serve(b"0\n1\n2\n", None, true).await;
        let mut client = served.say(b"RESUME 0\n").await;
        assert_eq!(read(&mut client, 6).await, b"0\n1\n2\n");
        client.writer.write_all(b"ACK 1\nACK 1\nAC").await.unwrap();
        served.reached(|progress| progress.acknowledged == 1).await;
        drop(client);
        let mut client = served.say(b"RESUME 1\n").await;
        assert_eq!(read(&mut client, 4).await, b"1\n2\n");
        drop(client);
        // Durable, but the client died before it could say so.
        let mut client = served.say(b"RESUME 2\n").await;
        assert_eq!(read(&mut client, 2).await, b"2\n");
        client.writer.write_all(b"ACK 3\n").await.unwrap();
        served.reached(|progress| progress.acknowledged == 3).await;
        assert_eq!(*served.progress.borrow(), Progress { connections: 3, sent: 3, acknowledged: 3 });
    });
}

#[test]
fn a_client_that_would_lose_lines_is_closed_and_reported() {
    run(async || {
        let mut served = serve(b"0\n1\n2\n", None, true).await;
        let mut client = served.say(b"RESUME 0\n").await;
        read(&mut client, 6).await;
        client.writer.write_all(b"ACK 2\n").await.unwrap();
        served.reached(|progress| progress.acknowledged == 2).await;
        is_closed(&mut served.say(b"RESUME 1\n").await).await;
        served
            .heard(|notice| {
                let error = ClientError::ResumeBelowAck { resume: 1, acknowledged: 2 }.to_string();
                matches!(notice, Notice::Closed(closed) if closed.to_string() == error)
            })
            .await;
        is_closed(&mut served.say(b"RESUME 4\n").await).await;
        let beyond = |notice: &Notice| {
            matches!(notice, Notice::Closed(ClientError::ResumeBeyondEnd { resume: 4, lines: 3 }))
        };
        served.heard(beyond).await;
        assert_eq!(served.progress.borrow().acknowledged, 2);
        assert_eq!(read(&mut served.say(b"RESUME 2\n").await, 2).await, b"2\n", "the next is served");
    });
}

#[test]
fn an_acknowledgement_that_cannot_be_true_is_refused() {
    run(async || {
        let mut served = serve(b"0\n1\n2\n", Some(0.001), true).await;
        let mut client = served.say(b"RESUME 1\nACK 3\n").await;
        is_closed(&mut client).await;
        served
            .heard(|notice| matches!(notice, Notice::Closed(ClientError::AckBeyondSent { ack: 3, .. })))
            .await;
        let mut client = served.say(b"RESUME 1\nACK 0\n").await;
        is_closed(&mut client).await;
        let back = ClientError::AckWentBack { ack: 0, acknowledged: 1 }.to_string();
        served.heard(|notice| matches!(notice, Notice::Closed(error) if error.to_string() == back)).await;
        served.reached(|progress| progress.acknowledged == 1).await;
    });
}

#[test]
fn the_newest_connection_wins() {
    run(async || {
        let served = serve(b"0\n1\n2\n", Some(0.001), true).await;
        let mut old = served.say(b"RESUME 0\n").await;
        assert_eq!(read(&mut old, 2).await, b"0\n");
        let mut new = served.say(b"RESUME 1\n").await;
        assert_eq!(read(&mut new, 2).await, b"1\n");
        is_closed(&mut old).await;
        served.heard(|notice| matches!(notice, Notice::Replaced)).await;
        assert!(is_silent(&mut new).await);
    });
}

#[test]
fn a_client_that_talks_nonsense_is_closed_and_the_next_is_served() {
    run(async || {
        let served = serve(b"0\n", None, true).await;
        for nonsense in [
            &b"GET / HTTP/1.1\r\n\r\n"[..],
            b"RESUME -1\n",
            b"ACK 0\n",
            b"RESUME 0\nRESUME 0\n",
            b"\n",
            &[b'x'; 64],
            &[b'9'; 1_000_000],
            b"\xff\x00\n",
        ] {
            let mut client = served.connect().await;
            // The feed may close before it has read all.
            let _ = client.writer.write_all(nonsense).await;
            is_closed(&mut client).await;
            assert_eq!(read(&mut served.say(b"RESUME 0\n").await, 2).await, b"0\n", "after {nonsense:?}");
        }
        let notices = served.notices.lock().unwrap();
        let closed = |notice: &&Notice| matches!(notice, Notice::Closed(error) if !matches!(error, ClientError::Connection(_)));
        assert_eq!(notices.iter().filter(closed).count(), 8, "{notices:?}");
    });
}

#[test]
fn a_client_that_says_nothing_keeps_nobody_waiting() {
    run(async || {
        let served = serve(b"0\n", None, true).await;
        let _silent = served.connect().await;
        assert_eq!(read(&mut served.say(b"RESUME 0\n").await, 2).await, b"0\n");
    });
}

#[test]
fn the_rate_is_kept() {
    run(async || {
        let served = serve(&b"x\n".repeat(40), Some(200.0), false).await;
        let mut client = served.connect().await;
        read(&mut client, 2).await;
        let started = std::time::Instant::now();
        read(&mut client, 78).await;
        // 39 intervals of 5 ms, less what passed before the first line was seen here.
        assert!(started.elapsed() > Duration::from_millis(150), "{:?}", started.elapsed());
    });
}

#[test]
fn the_corpus_is_served_whole() {
    run(async || {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/moby-dick.txt");
        let text = Lines::read(&os::env_with_threads(1), &path).await.unwrap();
        assert_eq!(text.count(), 21_424);
        let (_, bytes) = text.chunk(0, u64::MAX, usize::MAX);
        let mut served = serve(bytes, None, true).await;
        let mut client = served.say(b"RESUME 0\n").await;
        assert!(read(&mut client, bytes.len()).await == bytes);
        client.writer.write_all(b"ACK 21424\n").await.unwrap();
        served.reached(|progress| progress.acknowledged == 21_424).await;
    });
}
