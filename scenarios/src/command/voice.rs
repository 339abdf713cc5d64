//! Telling people things without ever waiting for them.
//!
//! A thread of its own writes to the terminal. Where nobody reads (a pipe that is full), what does not fit into the queue is
//! left out and counted: the driver must not stand still because its output is not looked at. Where nobody can read any more
//! (a closed pipe), all is left out.

use std::{
    io::Write,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
        mpsc::{Receiver, Sender, channel},
    },
    time::Duration,
};

/// How much may wait to be written.
const QUEUE_BYTES_MAX: usize = 16 << 20;

/// A place to write lines to. Cloning it shares the place.
#[derive(Clone)]
pub(super) struct Voice {
    messages: Sender<Message>,
    queue: Arc<Queue>,
}

#[derive(Default)]
struct Queue {
    bytes: AtomicUsize,
    left_out: AtomicU64,
}

enum Message {
    Text(Vec<u8>),
    /// All before has been written.
    Done(Sender<()>),
}

impl Voice {
    pub(super) fn new(out: impl Write + Send + 'static) -> Self {
        let (messages, inbox) = channel();
        let queue = Arc::new(Queue::default());
        let shared = queue.clone();
        std::thread::spawn(move || write(out, &inbox, &shared));
        Self { messages, queue }
    }

    /// Says whole lines, each with its line feed. Never waits.
    pub(super) fn say_bytes(&self, lines: &[u8]) {
        let waiting = self.queue.bytes.fetch_add(lines.len(), Relaxed);
        // One that is longer than the queue is written if it is the only one.
        if waiting > 0 && waiting.saturating_add(lines.len()) > QUEUE_BYTES_MAX {
            self.queue.bytes.fetch_sub(lines.len(), Relaxed);
            self.queue.left_out.fetch_add(1, Relaxed);
            return;
        }
        // The thread has ended if nobody can read any more.
        let _ = self.messages.send(Message::Text(lines.to_vec()));
    }

    /// Says a line.
    pub(super) fn say(&self, line: impl std::fmt::Display) {
        self.say_bytes(format!("{line}\n").as_bytes());
    }

    /// Waits until all that was said is written, but not longer than `patience`.
    pub(super) fn finish(&self, patience: Duration) {
        let (done, written) = channel();
        let _ = self.messages.send(Message::Done(done));
        let _ = written.recv_timeout(patience);
    }
}

fn write(mut out: impl Write, inbox: &Receiver<Message>, queue: &Queue) {
    while let Ok(message) = inbox.recv() {
        let written = match message {
            Message::Text(lines) => {
                let written = out.write_all(&lines).and_then(|()| out.flush());
                queue.bytes.fetch_sub(lines.len(), Relaxed);
                written
            }
            Message::Done(done) => {
                let _ = done.send(());
                Ok(())
            }
        };
        let told = match queue.left_out.swap(0, Relaxed) {
            0 => Ok(()),
            count => writeln!(out, "({count} lines were not shown here: nobody read them)"),
        };
        if written.and(told).is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{self, Read};

    #[test]
    fn what_is_said_is_written_in_order() {
        let (mut reader, writer) = io::pipe().unwrap();
        let voice = Voice::new(writer);
        voice.say("one");
        voice.say_bytes(b"two\n");
        voice.finish(Duration::from_secs(10));
        drop(voice);
        let mut written = String::new();
        reader.read_to_string(&mut written).unwrap();
        assert_eq!(written, "one\ntwo\n");
    }

    #[test]
    fn a_reader_who_sleeps_holds_nobody_up_and_is_told_what_it_missed() {
        let (mut reader, writer) = io::pipe().unwrap();
        let voice = Voice::new(writer);
        let line = [&vec![b'x'; 1 << 20][..], b"\n"].concat();
        for _ in 0..40 {
            voice.say_bytes(&line);
        }
        voice.finish(Duration::from_millis(1));
        drop(voice);
        let mut written = Vec::new();
        reader.read_to_end(&mut written).unwrap();
        let whole =
            written.split(|byte| *byte == b'\n').filter(|found| found.len() == line.len() - 1).count();
        assert!((1..=16).contains(&whole), "{whole}");
        let missed = format!("({} lines were not shown here: nobody read them)\n", 40 - whole);
        assert!(written.windows(missed.len()).any(|at| at == missed.as_bytes()));
    }

    #[test]
    fn a_reader_who_has_left_is_no_error() {
        let (reader, writer) = io::pipe().unwrap();
        drop(reader);
        let voice = Voice::new(writer);
        for _ in 0..100 {
            voice.say("nobody");
        }
        voice.finish(Duration::from_secs(10));
    }
}
