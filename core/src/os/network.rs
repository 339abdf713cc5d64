//! TCP, through tokio.
//!
//! Small messages leave at once (`TCP_NODELAY`): the engine writes what belongs together in one call, and an
//! acknowledgement must not wait for the next one. There is no TLS, no keep-alive and no time-out but that of
//! [`Network::connect`]: a reader that waits for a peer that is gone without a word waits on.

use crate::env::{BoxFuture, Connection, Listener, Network, Reader, Writer, host_and_port};
use bytes::BufMut;
use std::{io, time::Duration};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};

/// How long a connection attempt may take, name resolution included.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// The space that a read makes in a buffer that is full: one call's worth for a socket that has much to give.
const READ_BYTES: usize = 64 * 1024;

/// The network of the machine.
pub(super) struct Tcp;

impl Network for Tcp {
    fn connect<'a>(&'a self, address: &'a str) -> BoxFuture<'a, io::Result<Connection>> {
        Box::pin(async move {
            let target = host_and_port(address)?;
            let stream =
                tokio::time::timeout(CONNECT_TIMEOUT, TcpStream::connect(target)).await.map_err(|_| {
                    let seconds = CONNECT_TIMEOUT.as_secs();
                    io::Error::new(io::ErrorKind::TimedOut, format!("no answer within {seconds} s"))
                })??;
            open(stream)
        })
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
    let (reader, writer) = stream.into_split();
    Ok(Connection { reader: Box::new(Receiving(reader)), writer: Box::new(Sending(Some(writer))) })
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
