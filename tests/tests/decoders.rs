//! Decoders on bytes that nobody wrote: no panic, and no more memory than the input's length allows.
//!
//! Checksums would keep most of such bytes out, so the payloads also come in frames whose checksums hold: what is tested is
//! what stands behind them.

use allocation_counter::measure;
use highwater_core::{
    checkpoint::Checkpoint,
    codec::{self, HEADER_BYTES, Payload, decode, read_frame, write_frame},
    ids::{BatchTime, Generation, SegmentId},
    journal::{Allocation, Block, Completion, SegmentHeader, SegmentName, decode_segment},
};
use proptest::prelude::*;

const NAME: SegmentName = SegmentName { segment: SegmentId(3), generation: Generation(2) };

/// For a list inside a list serde makes room for 1 MiB each, on trust.
const LISTS_BYTES: u64 = 4 << 20;
/// A text may say that it is 16 times as long as the next power of 16 above its payload.
const EXPANSION: u64 = 256;

/// Runs a decoder and holds it to the bound.
fn bounded(input: &[u8], decoder: impl FnOnce(&[u8])) {
    let used = measure(|| decoder(input));
    let allowed = LISTS_BYTES + EXPANSION * input.len() as u64;
    assert!(used.bytes_max <= allowed, "{} bytes for an input of {}", used.bytes_max, input.len());
}

/// A frame of the kind and schema of `T` around any payload, with sound checksums.
fn framed<T: Payload>(like: &T, sequence: u64, payload: &[u8]) -> Vec<u8> {
    let mut frame = Vec::new();
    write_frame(&mut frame, NAME.generation, sequence, like);
    frame.truncate(HEADER_BYTES);
    frame[32..36].copy_from_slice(&(payload.len() as u32).to_le_bytes());
    frame[36..40].copy_from_slice(&crc32c::crc32c(payload).to_le_bytes());
    let checksum = crc32c::crc32c(&frame[..40]);
    frame[40..].copy_from_slice(&checksum.to_le_bytes());
    frame.extend_from_slice(payload);
    frame
}

fn header_frame() -> Vec<u8> {
    let mut frame = Vec::new();
    write_frame(
        &mut frame,
        NAME.generation,
        0,
        &SegmentHeader { name: NAME, predecessors: vec![], carried: 0 },
    );
    frame
}

fn allocation() -> Allocation {
    Allocation { time: BatchTime(1), previous: BatchTime(0), blocks: vec![] }
}

/// Bytes that are often lengths: small ones, and the markers of 2, 4 and 8 byte numbers.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![3 => 0u8..4, 1 => 249u8..=254, 2 => any::<u8>()];
    prop::collection::vec(byte, 0..600)
}

fn any_payload(payload: &[u8]) {
    let _ = decode::<SegmentHeader>(payload);
    let _ = decode::<Block>(payload);
    let _ = decode::<Allocation>(payload);
    let _ = decode::<Completion>(payload);
    let _ = decode::<Checkpoint>(payload);
    let _ = decode::<String>(payload);
    let _ = decode::<Vec<(String, u64)>>(payload);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_a_frame_or_an_error(bytes in bytes()) {
        bounded(&bytes, |bytes| {
            let _ = read_frame(bytes);
            let _ = decode_segment(NAME, bytes);
        });
    }

    #[test]
    fn any_payload_is_a_value_or_an_error(payload in bytes()) {
        bounded(&payload, any_payload);
    }

    #[test]
    fn a_segment_of_sound_records_with_any_payloads_is_decoded_as_far_as_it_holds(payloads in prop::collection::vec(bytes(), 1..4)) {
        let mut segment = header_frame();
        for (sequence, payload) in (1..).zip(&payloads) {
            segment.extend(framed(&allocation(), sequence, payload));
        }
        bounded(&segment, |segment| {
            let decoded = decode_segment(NAME, segment).expect("the header is sound");
            assert!(decoded.length <= segment.len() as u64);
            assert_eq!(decoded.length == segment.len() as u64, decoded.tail.is_none());
        });
    }

    #[test]
    fn a_true_payload_with_a_changed_byte_is_a_value_or_an_error(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let blocks = (0..20).map(|n| highwater_core::journal::BlockRange {
            source: highwater_core::ids::SourceId(n),
            from: highwater_core::ids::BlockId(u64::from(n) * 1000),
            until: highwater_core::ids::BlockId(u64::from(n) * 1000 + 7),
        });
        let mut payload = codec::encode(&Allocation { time: BatchTime(1_519_961_356_000), previous: BatchTime(0), blocks: blocks.collect() });
        let at = at.index(payload.len());
        payload[at] = byte;
        bounded(&payload, any_payload);
    }
}

#[test]
fn a_text_that_says_it_is_huge_gets_no_room() {
    for length in [1u64 << 20, 1 << 29, 1 << 40, u64::MAX] {
        let mut payload = codec::encode(&length);
        payload.extend([b'x'; 100]);
        bounded(&payload, |payload| assert!(decode::<String>(payload).is_err(), "{length}"));
    }
}
