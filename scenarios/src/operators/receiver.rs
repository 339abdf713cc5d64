//! A source of an author's own: a [`Receiver`] that speaks what `resume://` speaks, as plainly as that can be done.
//!
//! It acknowledges what is stored, and asks for what comes after it when it connects; and it makes sure that it was not replaced
//! before it asks, since asking acknowledges, too.

use highwater_core::{
    env::Connection,
    source::{Receiver, ReceiverContext, ReceiverError},
};
use std::{io, time::Duration};

/// Lines from `HOST:PORT`, by number.
#[derive(Clone, Debug)]
pub struct ResumingLines {
    /// `HOST:PORT`
    pub address: String,
}

/// How long it waits for more before it stores what it has, and before it connects again.
const PAUSE: Duration = Duration::from_millis(200);

/// How long an attempt to connect may take.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);

/// Why a connection is given up.
enum End {
    /// It is over, or the driver is stopping.
    Connection,
    /// There is no point in another one.
    Receiver(highwater_core::Error),
}

impl From<io::Error> for End {
    fn from(_: io::Error) -> Self {
        Self::Connection
    }
}

impl From<highwater_core::Error> for End {
    fn from(error: highwater_core::Error) -> Self {
        Self::Receiver(error)
    }
}

impl Receiver for ResumingLines {
    type Record = String;
    type Position = u64;

    async fn receive(&self, context: &mut ReceiverContext<Self>) -> Result<(), ReceiverError> {
        while !context.is_stopping() {
            if let Err(End::Receiver(error)) = self.connection(context).await {
                return Err(error.into());
            }
            context.sleep(PAUSE).await;
        }
        Ok(())
    }
}

impl ResumingLines {
    /// From connecting to the end of the connection.
    async fn connection(&self, context: &mut ReceiverContext<Self>) -> Result<(), End> {
        let mut lines = context.position()?.unwrap_or(0);
        context.check_fence().await?;
        let env = context.env().clone();
        let connecting = env.network.connect(&self.address);
        let Connection { mut reader, mut writer } = tokio::select! {
            biased;
            () = context.stopping() => return Ok(()),
            // An attempt that nobody answers may take for ever.
            () = context.sleep(CONNECT_WITHIN) => return Ok(()),
            connected = connecting => connected?,
        };
        writer.write_all(format!("RESUME {lines}\n").as_bytes()).await?;
        let mut bytes = Vec::new();
        loop {
            let (stopping, pause) = (context.stopping(), context.sleep(PAUSE));
            let mut stop = false;
            tokio::select! {
                biased;
                () = stopping => stop = true,
                () = pause => {}
                ended = read_on(&mut *reader, &mut bytes) => ended?,
            }
            let mut records: Vec<String> = Vec::new();
            while let Some(end) = bytes.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = bytes.drain(..=end).collect();
                records.push(String::from_utf8_lossy(&line[..end]).into_owned());
            }
            if !records.is_empty() {
                lines += records.len() as u64;
                context.store(records, lines).await?;
                writer.write_all(format!("ACK {lines}\n").as_bytes()).await?;
            }
            if stop {
                return Ok(());
            }
        }
    }
}

/// Reads until the connection ends.
async fn read_on(reader: &mut dyn highwater_core::env::Reader, bytes: &mut Vec<u8>) -> Result<(), End> {
    while reader.read(bytes, 4096).await? > 0 {}
    Err(End::Connection)
}
