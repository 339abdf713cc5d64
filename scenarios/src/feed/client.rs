//! What a client of resume mode says: short lines, read with bounded memory, and all that can be wrong with them.

use highwater_core::env::Reader;
use std::io;

/// The longest line that a client may send, its line feed included. The longest that makes sense is 28 bytes.
const LINE_BYTES_MAX: usize = 64;

/// A client's connection failed, or the client broke the protocol and was closed.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The transport failed.
    #[error(transparent)]
    Connection(#[from] io::Error),
    /// A line without end.
    #[error("it sent a line of more than {LINE_BYTES_MAX} bytes")]
    LineTooLong,
    /// A line that is no message.
    #[error("it sent `{0}`, which is neither `RESUME n` nor `ACK n`")]
    NoMessage(String),
    /// The first message was not `RESUME`.
    #[error("it sent an ACK before it said where to RESUME")]
    ResumeExpected,
    /// A second `RESUME`.
    #[error("it sent a second RESUME; to start again it has to connect again")]
    ResumeTwice,
    /// Serving it would repeat lines that were acknowledged: whoever made them durable has lost them.
    #[error(
        "it resumes after {resume} lines, but {acknowledged} were acknowledged: the rest of them is lost to it"
    )]
    ResumeBelowAck {
        /// What the client said.
        resume: u64,
        /// The highest count acknowledged.
        acknowledged: u64,
    },
    /// It has more lines than there are: it read another file, or this one has changed.
    #[error("it resumes after {resume} lines, but there are only {lines}: it has read another file")]
    ResumeBeyondEnd {
        /// What the client said.
        resume: u64,
        /// How many lines there are.
        lines: u64,
    },
    /// It cannot have made durable what it was not sent.
    #[error("it acknowledged {ack} lines, but was sent only {sent}")]
    AckBeyondSent {
        /// What the client said.
        ack: u64,
        /// How far it was sent.
        sent: u64,
    },
    /// What is durable does not become less.
    #[error("it acknowledged {ack} lines after {acknowledged}")]
    AckWentBack {
        /// What the client said.
        ack: u64,
        /// The highest count acknowledged.
        acknowledged: u64,
    },
}

/// A message of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Message {
    /// The first: so many lines are durable, send the next.
    Resume(u64),
    /// So many lines are durable now.
    Ack(u64),
}

/// The messages of a client.
pub(super) struct Messages {
    reader: Box<dyn Reader>,
    /// What has been read of lines to come; never more than one line may have.
    buffer: Vec<u8>,
}

impl Messages {
    pub(super) fn new(reader: Box<dyn Reader>) -> Self {
        Self { reader, buffer: Vec::with_capacity(LINE_BYTES_MAX) }
    }

    /// The next message, `None` when the client has left. A line that it left unfinished is no message.
    pub(super) async fn next(&mut self) -> Result<Option<Message>, ClientError> {
        loop {
            if let Some(end) = self.buffer.iter().position(|byte| *byte == b'\n') {
                let message = parse(&self.buffer[..end]);
                self.buffer.drain(..=end);
                return message.map(Some);
            }
            let room = LINE_BYTES_MAX - self.buffer.len();
            if room == 0 {
                return Err(ClientError::LineTooLong);
            }
            if self.reader.read(&mut self.buffer, room).await? == 0 {
                return Ok(None);
            }
        }
    }
}

/// Reads a line without its line feed; a carriage return before it is forgiven, as people type with telnet.
fn parse(line: &[u8]) -> Result<Message, ClientError> {
    let no_message = || ClientError::NoMessage(line.escape_ascii().to_string());
    let text = std::str::from_utf8(line).map_err(|_| no_message())?;
    let (word, number) = text.strip_suffix('\r').unwrap_or(text).split_once(' ').ok_or_else(no_message)?;
    // `u64::from_str` would let a sign pass.
    if !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(no_message());
    }
    let lines = number.parse().map_err(|_| no_message())?;
    match word {
        "RESUME" => Ok(Message::Resume(lines)),
        "ACK" => Ok(Message::Ack(lines)),
        _ => Err(no_message()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_a_word_and_a_number() {
        assert_eq!(parse(b"RESUME 0").unwrap(), Message::Resume(0));
        assert_eq!(parse(b"ACK 18446744073709551615\r").unwrap(), Message::Ack(u64::MAX));
    }

    #[test]
    fn nonsense_is_quoted_safely() {
        for line in [
            &b""[..],
            b"RESUME",
            b"RESUME ",
            b"RESUME -1",
            b"RESUME +1",
            b"RESUME 1 ",
            b"resume 1",
            b"ACK  1",
            b"ACK 1x",
            b"ACK 18446744073709551616",
            b"GET / HTTP/1.1",
            b"\xff\xfe",
        ] {
            assert!(matches!(parse(line), Err(ClientError::NoMessage(_))), "{line:?}");
        }
        assert!(parse(b"\x1b[31m\xff").unwrap_err().to_string().contains(r"`\x1b[31m\xff`"));
    }
}
