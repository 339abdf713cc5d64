//! For I1: what a connection gave that the source ended in order.
//!
//! An orderly end is the source's word that this was all. So each line that a `tcp` source sent until then is a record, the unterminated
//! last one included, if the life that read them lived on: it stores them before it connects again. They stand in the journal one
//! after the other, as they were delivered. Not verified: connections after which their life made no other, and runs with damage. A `resume` source sends
//! again what is not acknowledged, and ends each of its lines.

use super::Case;
use crate::{fault::Class, network::SeenEnd};

/// The connections that ended in order and of which the journal never held all.
pub(super) fn violations(case: &Case<'_>, journalled: &[String]) -> Vec<String> {
    let evidence = case.evidence;
    if evidence.class() != Class::Tolerated {
        return Vec::new();
    }
    let went_on = evidence.connections.windows(2).filter(|two| two[0].life == two[1].life);
    let ended = went_on.map(|two| &two[0]).filter(|one| matches!(one.seen_end, Some(SeenEnd::Orderly)));
    let missing = ended.filter_map(|connection| {
        let lines = lines(&connection.written[..connection.delivered as usize]);
        let lines: Vec<String> = lines.into_iter().map(|line| case.received(line)).collect();
        let is_there = lines.is_empty() || journalled.windows(lines.len()).any(|some| *some == lines[..]);
        (!is_there).then(|| {
            let (number, count, last) = (connection.number, lines.len(), lines.last());
            format!("connection {number} ended in order after {count} lines, and they were not all stored; the last one: {last:?}")
        })
    });
    missing.collect()
}

/// The lines of a stream that is over.
fn lines(bytes: &[u8]) -> Vec<&[u8]> {
    let lines = bytes.strip_suffix(b"\n").unwrap_or(bytes).split(|byte| *byte == b'\n');
    lines.filter(|_| !bytes.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_of_a_stream_that_is_over_needs_no_end() {
        let cases: [(&[u8], &[&[u8]]); 4] =
            [(b"", &[]), (b"a\nb\n", &[b"a", b"b"]), (b"a\nb", &[b"a", b"b"]), (b"\n", &[b""])];
        for (bytes, expected) in cases {
            assert_eq!(lines(bytes), expected);
        }
    }
}
