//! Byte streams.

use super::BoxFuture;
use std::{io, time::Duration};

/// How long it takes at most until a peer that is gone without a word is found out.
pub const KEEPALIVE: Duration = Duration::from_secs(30);

/// The network seam: reliable, ordered byte streams, as TCP gives them.
///
/// Contract:
/// - Bytes arrive in order and unchanged, or the connection fails: there is no gap and no repetition inside one.
/// - A read returns between 1 and `max` bytes, `0` at the peer's orderly end, or an error. A reset is
///   `ErrorKind::ConnectionReset`; bytes that were under way when it came may or may not have been delivered.
/// - A write that succeeded says nothing about delivery.
/// - A peer that is gone without a word (its machine lost power, a cable was pulled) is found out within [`KEEPALIVE`], on both
///   sides and whether or not anything is under way: whoever reads then gets `ErrorKind::TimedOut`. A peer that is there and
///   silent is waited for.
/// - An attempt to connect may take for ever; whoever drops it has made no connection.
/// - Nobody listening is `ErrorKind::ConnectionRefused`; an address in use is `ErrorKind::AddrInUse`.
/// - Dropping both halves closes the connection: in order if everything received was read, with a reset otherwise.
/// - `address` is `HOST:PORT`. A text that is not of that form is `ErrorKind::InvalidInput`.
pub trait Network: Send + Sync {
    /// Opens a connection to `address`.
    fn connect<'a>(&'a self, address: &'a str) -> BoxFuture<'a, io::Result<Connection>>;
    /// Accepts connections at `address`; port 0 takes a free one.
    fn listen<'a>(&'a self, address: &'a str) -> BoxFuture<'a, io::Result<Box<dyn Listener>>>;
}

/// An open connection, in its two halves.
pub struct Connection {
    /// What the peer sends.
    pub reader: Box<dyn Reader>,
    /// What is sent to the peer.
    pub writer: Box<dyn Writer>,
}

/// The receiving half.
pub trait Reader: Send {
    /// Appends up to `max` bytes to `buffer` and returns how many; 0 is the orderly end (or `max == 0`).
    ///
    /// Cancel safe: dropping the future loses no byte.
    fn read<'a>(&'a mut self, buffer: &'a mut Vec<u8>, max: usize) -> BoxFuture<'a, io::Result<usize>>;
}

/// The sending half.
pub trait Writer: Send {
    /// Hands all of `bytes` to the transport. Waits while the peer reads too slowly.
    fn write_all<'a>(&'a mut self, bytes: &'a [u8]) -> BoxFuture<'a, io::Result<()>>;
    /// Ends the stream in order: the peer reads all that was written, then its end.
    fn finish(&mut self) -> BoxFuture<'_, io::Result<()>>;
}

/// A listening address.
pub trait Listener: Send {
    /// The next connection.
    fn accept(&mut self) -> BoxFuture<'_, io::Result<Connection>>;
    /// The address that is listened at, as `HOST:PORT`.
    fn local_address(&self) -> String;
}

/// Splits `HOST:PORT` into its parts. An IPv6 address stands in brackets, without which it could not be told from its port.
///
/// # Errors
/// `ErrorKind::InvalidInput` for a text that is not of that form.
pub fn host_and_port(address: &str) -> io::Result<(&str, u16)> {
    let invalid = || {
        io::Error::new(io::ErrorKind::InvalidInput, format!("`{}` is not HOST:PORT", address.escape_debug()))
    };
    let (host, port) = address.rsplit_once(':').ok_or_else(invalid)?;
    let bracketed = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let name = bracketed.unwrap_or(host);
    let in_name = |c: char| match bracketed {
        Some(_) => c.is_ascii_graphic() && c != '[' && c != ']',
        None => !c.is_whitespace() && !c.is_control() && !"[]:/".contains(c),
    };
    // `u16::from_str` would let a sign pass.
    if name.is_empty() || !name.chars().all(in_name) || !port.bytes().all(|b| b.is_ascii_digit()) {
        return Err(invalid());
    }
    Ok((name, port.parse().map_err(|_| invalid())?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_host_and_port() {
        for (address, parts) in [
            ("localhost:9999", ("localhost", 9999)),
            ("127.0.0.1:0", ("127.0.0.1", 0)),
            ("[::1]:80", ("::1", 80)),
            ("a-b.example:65535", ("a-b.example", 65535)),
        ] {
            assert_eq!(host_and_port(address).unwrap(), parts);
        }
    }

    #[test]
    fn what_is_no_address_is_invalid_input() {
        for address in [
            "",
            ":",
            "host",
            "host:",
            ":80",
            "host:65536",
            "host:+80",
            "host:-1",
            "host:8o",
            "::1:80",
            "[]:80",
            "[::1]",
            "a b:80",
            "tcp://host:80",
            "host:80\n",
            "[::1:80",
            "[a]b:80",
        ] {
            let error = host_and_port(address).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidInput, "{address:?}");
        }
    }
}
