//! TCP, through tokio.
//!
//! Small messages leave at once (`TCP_NODELAY`): the engine writes what belongs together in one call, and an
//! acknowledgement must not wait for the next one. A peer that is gone without a word is found out by TCP's keep-alive, and by
//! its bound on what is not acknowledged while something is under way. There is no TLS.

use crate::env::{BoxFuture, Connection, Listener, Network, Reader, Writer, host_and_port};
use bytes::BufMut;
use std::io;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};

/// The space that a read makes in a buffer that is full: one call's worth for a socket that has much to give.
const READ_BYTES: usize = 64 * 1024;

/// The network of the machine.
pub(super) struct Tcp;

impl Network for Tcp {
    fn connect<'a>(&'a self, address: &'a str) -> BoxFuture<'a, io::Result<Connection>> {
        Box::pin(async move { open(TcpStream::connect(host_and_port(address)?).await?) })
    }

    fn listen<'a>(&'a self, address: &'a str) -> BoxFuture<'a, io::Result<Box<dyn Listener>>> {
        Box::pin(async move {
            let socket = TcpListener::bind(host_and_port(address)?).await?;
            let address = socket.local_addr()?.to_string();
            Ok(Box::new(Listening { socket, address }) as Box<dyn Listener>)
        })
    }
}

fn open(stream: TcpStream) -> io::Result<Connection> {
    stream.set_nodelay(true)?;
    keep_alive(&stream)?;
    let (reader, writer) = stream.into_split();
    Ok(Connection { reader: Box::new(Receiving(reader)), writer: Box::new(Sending(Some(writer))) })
}

/// Asks the system to find out whether the peer is still there: after half of [`KEEPALIVE`] without a word, three times.
#[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
fn keep_alive(stream: &TcpStream) -> io::Result<()> {
    use crate::env::KEEPALIVE;
    use rustix::net::sockopt;
    sockopt::set_tcp_keepidle(stream, KEEPALIVE / 2)?;
    sockopt::set_tcp_keepintvl(stream, KEEPALIVE / 6)?;
    sockopt::set_tcp_keepcnt(stream, 3)?;
    // The system sends no probes while something that was written is not acknowledged.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    sockopt::set_tcp_user_timeout(stream, KEEPALIVE.as_millis() as u32)?;
    Ok(sockopt::set_socket_keepalive(stream, true)?)
}

#[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
fn keep_alive(_stream: &TcpStream) -> io::Result<()> {
    Ok(())
}

struct Listening {
    socket: TcpListener,
    address: String,
}

impl Listener for Listening {
    fn accept(&mut self) -> BoxFuture<'_, io::Result<Connection>> {
        Box::pin(async move {
            loop {
                match self.socket.accept().await {
                    // An error of this one connection: its peer has left already, nothing that a listener need hear of.
                    Ok((stream, _)) => match open(stream) {
                        Ok(connection) => return Ok(connection),
                        Err(_) => continue,
                    },
                    Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => continue,
                    Err(error) => return Err(error),
                }
            }
        })
    }

    fn local_address(&self) -> String {
        self.address.clone()
    }
}

struct Receiving(OwnedReadHalf);

impl Reader for Receiving {
    fn read<'a>(&'a mut self, buffer: &'a mut Vec<u8>, max: usize) -> BoxFuture<'a, io::Result<usize>> {
        Box::pin(async move {
            if max == 0 {
                return Ok(0);
            }
            // Space is reserved, not zeroed: `read_buf` fills it as it is. One await, so nothing is lost if it is dropped.
            buffer.reserve(max.min(READ_BYTES));
            self.0.read_buf(&mut buffer.limit(max)).await
        })
    }
}

/// The sending half; `Some` until it is dropped.
struct Sending(Option<OwnedWriteHalf>);

impl Sending {
    fn half(&mut self) -> io::Result<&mut OwnedWriteHalf> {
        self.0.as_mut().ok_or_else(|| io::ErrorKind::NotConnected.into())
    }
}

impl Writer for Sending {
    fn write_all<'a>(&'a mut self, bytes: &'a [u8]) -> BoxFuture<'a, io::Result<()>> {
        Box::pin(async move { self.half()?.write_all(bytes).await })
    }

    fn finish(&mut self) -> BoxFuture<'_, io::Result<()>> {
        Box::pin(async move { self.half()?.shutdown().await })
    }
}

impl Drop for Sending {
    fn drop(&mut self) {
        // Tokio would end the stream in order here. Then the peer of a connection that is dropped with bytes unread would
        // see an orderly end before the reset, and would take a broken stream for a whole one. The socket is closed when
        // the other half is dropped too, and then the system chooses between an end and a reset as the contract has it.
        if let Some(half) = self.0.take() {
            half.forget();
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use crate::env::KEEPALIVE;
    use rustix::net::sockopt;

    #[test]
    fn a_peer_that_is_gone_is_found_out_within_the_promised_time_on_both_sides() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            let (connected, accepted) = tokio::join!(TcpStream::connect(address), listener.accept());
            for stream in [connected.unwrap(), accepted.unwrap().0] {
                keep_alive(&stream).unwrap();
                assert!(sockopt::socket_keepalive(&stream).unwrap());
                let idle = sockopt::tcp_keepidle(&stream).unwrap();
                let probes = sockopt::tcp_keepcnt(&stream).unwrap();
                assert_eq!(idle + sockopt::tcp_keepintvl(&stream).unwrap() * probes, KEEPALIVE);
                let user_timeout = sockopt::tcp_user_timeout(&stream).unwrap();
                assert_eq!(u128::from(user_timeout), KEEPALIVE.as_millis());
            }
        });
    }
}
