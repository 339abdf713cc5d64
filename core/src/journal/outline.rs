//! A segment without what is in its blocks: every byte is read and every checksum looked at, in bounded memory.

use super::{
    Record, Segment, SegmentName,
    reader::{decode_header, decode_next},
};
use crate::{codec::FrameError, env::Disk, error::Result, source::BlockData, window::Window};
use std::{path::Path, sync::Arc};

/// As [`decode_segment`](super::decode_segment) of the file's first `until` bytes, with the length of the whole file; the blocks that it
/// returns are empty.
pub(crate) async fn outline(
    disk: &dyn Disk,
    name: SegmentName,
    path: &Path,
    until: u64,
) -> Result<(u64, std::result::Result<Segment, FrameError>)> {
    let mut window = Window::open(disk, path, until).await?;
    let header = match window.decode(|bytes| decode_header(name, bytes)).await? {
        Ok(header) => header,
        Err(error) => return Ok((window.file_bytes(), Err(error))),
    };
    let (mut records, mut tail) = (Vec::new(), None);
    while !window.is_at_end() {
        let (at, sequence) = (window.offset(), records.len() as u64 + 1);
        match window.decode(|bytes| decode_next(name, sequence, bytes)).await? {
            Ok(record) => records.push((at, window.offset() - at, emptied(record))),
            Err(error) => {
                tail = Some(error);
                break;
            }
        }
    }
    Ok((window.file_bytes(), Ok(Segment { header, records, length: window.offset(), tail })))
}

fn emptied(record: Record) -> Record {
    match record {
        Record::Block(mut block) => {
            block.data = Arc::new(BlockData::Encoded(Vec::new()));
            Record::Block(block)
        }
        other => other,
    }
}
