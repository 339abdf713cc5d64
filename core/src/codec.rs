//! The one place that turns values into bytes on disk and back. Nothing else names bincode.
//!
//! Every record on disk is a *frame*: a header of 44 bytes, then the payload.
//!
//! | bytes | what |
//! |---|---|
//! | 4 | magic `HWR1` |
//! | 2 | format version |
//! | 1 | kind of the record |
//! | 1 | zero |
//! | 8 | hash of the payload's schema: bincode does not describe itself |
//! | 8 | generation that wrote it |
//! | 8 | sequence number within its file |
//! | 4 | length of the payload, bounded by [`PAYLOAD_BYTES_MAX`] |
//! | 4 | CRC-32C of the payload |
//! | 4 | CRC-32C of the 40 bytes before |
//!
//! All numbers are little endian. The header has its own checksum so that a length is known to be sound before it is used.
//!
//! Decoding never panics, and what it allocates is bounded by the input's own length: 16 times the next of a few powers of
//! two for a text of a false length, and 1 MiB for each list inside another.

use crate::ids::Generation;
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{DeserializeOwned, Visitor},
};
use std::fmt;
use xxhash_rust::xxh3::xxh3_64;

/// The version of everything that is written on disk.
pub const FORMAT_VERSION: u16 = 1;
/// The length of a frame's header in bytes.
pub const HEADER_BYTES: usize = 44;
/// The longest payload in bytes: 1 GiB.
pub const PAYLOAD_BYTES_MAX: usize = 1 << 30;
/// The first bytes of every frame.
pub const MAGIC: [u8; 4] = *b"HWR1";

/// What a frame's payload is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// The first record of a journal segment.
    SegmentHeader = 1,
    /// A block of received records.
    Block = 2,
    /// The blocks of a batch.
    Allocation = 3,
    /// A batch's output is durable.
    Completion = 4,
    /// A length up to which a journal segment is durable.
    DurableMark = 5,
    /// A metadata checkpoint.
    Checkpoint = 6,
    /// The head of a state snapshot.
    SnapshotHeader = 7,
    /// The state of one operator.
    OperatorState = 8,
    /// A generation's claim.
    Claim = 9,
}

impl Kind {
    fn from_byte(byte: u8) -> Option<Self> {
        use Kind::*;
        [
            SegmentHeader,
            Block,
            Allocation,
            Completion,
            DurableMark,
            Checkpoint,
            SnapshotHeader,
            OperatorState,
            Claim,
        ]
        .into_iter()
        .find(|kind| *kind as u8 == byte)
    }
}

/// A type that is written as the payload of a frame.
pub trait Payload: Serialize + DeserializeOwned {
    /// Its kind.
    const KIND: Kind;
    /// Its fields and their types, as a text that changes whenever they do.
    const SCHEMA: &'static str;
}

/// Why bytes are not a frame.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// The input ends inside a frame.
    #[error("it ends in the middle of a record")]
    Incomplete,
    /// These bytes do not begin a frame.
    #[error("there is no record here (wrong magic)")]
    Magic,
    /// The header was changed.
    #[error("the record's header does not match its checksum")]
    HeaderChecksum,
    /// The payload was changed.
    #[error("the record's payload does not match its checksum")]
    PayloadChecksum,
    /// Another version of the format.
    #[error("it has format version {found}, this is version {FORMAT_VERSION}: use the release that wrote it")]
    Version {
        /// The version found.
        found: u16,
    },
    /// The header is sound and says nonsense.
    #[error("the record's {field} cannot be right")]
    Header {
        /// The field.
        field: &'static str,
    },
    /// A sound record of a kind or schema that is not expected here.
    #[error("the record is not a {expected} of this release's schema")]
    Schema {
        /// The kind that is expected.
        expected: &'static str,
    },
    /// The payload does not decode.
    #[error("the record's payload does not decode: {0}")]
    Payload(String),
}

/// A frame whose checksums hold, borrowed from the bytes it stands in.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// What the payload is.
    pub kind: Kind,
    /// The generation that wrote it.
    pub generation: Generation,
    /// Its place in its file.
    pub sequence: u64,
    schema: u64,
    payload: &'a [u8],
}

/// What the decoder may count for an input of so many bytes: a `u128` that is written as one byte counts as 16.
const fn bound(input_bytes: usize) -> usize {
    input_bytes.saturating_mul(16)
}

/// Decodes with a bound for what the decoder may believe, since it makes room for a text before it looks whether there is one
/// so long. It takes the bound as a constant, so the input's length is rounded up to the next of a few.
fn decode_bounded<T: DeserializeOwned>(bytes: &[u8]) -> Result<(T, usize), bincode::error::DecodeError> {
    macro_rules! within {
        ($input_bytes:expr) => {{
            let config = bincode::config::standard().with_limit::<{ bound($input_bytes) }>();
            bincode::serde::decode_from_slice(bytes, config)
        }};
    }
    match bytes.len() {
        ..=0x1000 => within!(0x1000),
        0x1001..=0x1_0000 => within!(0x1_0000),
        0x1_0001..=0x10_0000 => within!(0x10_0000),
        0x10_0001..=0x100_0000 => within!(0x100_0000),
        0x100_0001..=0x800_0000 => within!(0x800_0000),
        0x800_0001..=PAYLOAD_BYTES_MAX => within!(PAYLOAD_BYTES_MAX),
        // A value that was put together from several frames, such as a key's state.
        _ => within!(PAYLOAD_BYTES_MAX.saturating_mul(64)),
    }
}

/// Encodes a plain value, without a frame. It may be longer than a frame takes.
///
/// # Panics
/// If the value's `Serialize` fails.
pub fn encode<T: Serialize + ?Sized>(value: &T) -> Vec<u8> {
    bincode::serde::encode_to_vec(value, bincode::config::standard()).expect("the value encodes")
}

/// Decodes a plain value that takes all of `bytes`.
///
/// # Errors
/// [`FrameError::Payload`] if it does not decode or leaves bytes over.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, FrameError> {
    let (value, used) = decode_bounded(bytes).map_err(|error| FrameError::Payload(error.to_string()))?;
    if used != bytes.len() {
        return Err(FrameError::Payload(format!("{} bytes are left over", bytes.len() - used)));
    }
    Ok(value)
}

/// Appends a value to `out` as a frame.
///
/// # Panics
/// As [`encode`], and if its encoding is longer than [`PAYLOAD_BYTES_MAX`].
pub fn write_frame<T: Payload>(out: &mut Vec<u8>, generation: Generation, sequence: u64, value: &T) {
    write_frame_bytes(out, T::KIND, xxh3_64(T::SCHEMA.as_bytes()), generation, sequence, &encode(value));
}

fn write_frame_bytes(
    out: &mut Vec<u8>,
    kind: Kind,
    schema: u64,
    generation: Generation,
    sequence: u64,
    payload: &[u8],
) {
    assert!(payload.len() <= PAYLOAD_BYTES_MAX, "a payload of {} bytes is too long", payload.len());
    let start = out.len();
    out.reserve(HEADER_BYTES + payload.len());
    out.extend_from_slice(&MAGIC);
    out.extend_from_slice(&FORMAT_VERSION.to_le_bytes());
    out.push(kind as u8);
    out.push(0);
    out.extend_from_slice(&schema.to_le_bytes());
    out.extend_from_slice(&generation.0.to_le_bytes());
    out.extend_from_slice(&sequence.to_le_bytes());
    out.extend_from_slice(&u32::try_from(payload.len()).expect("bounded above").to_le_bytes());
    out.extend_from_slice(&crc32c::crc32c(payload).to_le_bytes());
    let header_checksum = crc32c::crc32c(&out[start..]);
    out.extend_from_slice(&header_checksum.to_le_bytes());
    out.extend_from_slice(payload);
}

/// Reads the frame at the start of `bytes` and returns it with its whole length.
///
/// # Errors
/// Why there is none.
pub fn read_frame(bytes: &[u8]) -> Result<(Frame<'_>, usize), FrameError> {
    let header = bytes.get(..HEADER_BYTES).ok_or(FrameError::Incomplete)?;
    if header[..4] != MAGIC {
        return Err(FrameError::Magic);
    }
    if crc32c::crc32c(&header[..40]) != u32_at(header, 40) {
        return Err(FrameError::HeaderChecksum);
    }
    let version = u16::from_le_bytes([header[4], header[5]]);
    if version != FORMAT_VERSION {
        return Err(FrameError::Version { found: version });
    }
    let kind = Kind::from_byte(header[6]).ok_or(FrameError::Header { field: "kind" })?;
    let length = u32_at(header, 32) as usize;
    if length > PAYLOAD_BYTES_MAX {
        return Err(FrameError::Header { field: "length" });
    }
    let payload = bytes.get(HEADER_BYTES..HEADER_BYTES + length).ok_or(FrameError::Incomplete)?;
    if crc32c::crc32c(payload) != u32_at(header, 36) {
        return Err(FrameError::PayloadChecksum);
    }
    let frame = Frame {
        kind,
        generation: Generation(u64_at(header, 16)),
        sequence: u64_at(header, 24),
        schema: u64_at(header, 8),
        payload,
    };
    Ok((frame, HEADER_BYTES + length))
}

impl Frame<'_> {
    /// Decodes the payload.
    ///
    /// # Errors
    /// [`FrameError::Schema`] for another kind or schema, [`FrameError::Payload`] if it does not decode.
    pub fn decode<T: Payload>(&self) -> Result<T, FrameError> {
        if self.kind != T::KIND || self.schema != xxh3_64(T::SCHEMA.as_bytes()) {
            return Err(FrameError::Schema { expected: kind_name(T::KIND) });
        }
        decode(self.payload)
    }
}

/// Bytes that are encoded at once; a `Vec<u8>` is encoded one by one, to the same result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Bytes(pub Vec<u8>);

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Whole;
        impl Visitor<'_> for Whole {
            type Value = Bytes;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("bytes")
            }

            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Bytes, E> {
                Ok(Bytes(bytes.to_vec()))
            }

            fn visit_byte_buf<E>(self, bytes: Vec<u8>) -> Result<Bytes, E> {
                Ok(Bytes(bytes))
            }
        }
        deserializer.deserialize_byte_buf(Whole)
    }
}

fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::SegmentHeader => "segment header",
        Kind::Block => "block",
        Kind::Allocation => "allocation",
        Kind::Completion => "completion",
        Kind::DurableMark => "durable mark",
        Kind::Checkpoint => "checkpoint",
        Kind::SnapshotHeader => "snapshot header",
        Kind::OperatorState => "operator state",
        Kind::Claim => "claim",
    }
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"))
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Sample {
        number: u64,
        bytes: Vec<u8>,
    }

    impl Payload for Sample {
        const KIND: Kind = Kind::Claim;
        const SCHEMA: &'static str = "number u64, bytes vec u8";
    }

    fn sample() -> (Sample, Vec<u8>) {
        let value = Sample { number: 300, bytes: vec![7; 600] };
        let mut out = Vec::new();
        write_frame(&mut out, Generation(3), 9, &value);
        (value, out)
    }

    #[test]
    fn a_frame_reads_back() {
        let (value, bytes) = sample();
        let (frame, length) = read_frame(&bytes).unwrap();
        assert_eq!(length, bytes.len());
        assert_eq!((frame.generation, frame.sequence), (Generation(3), 9));
        assert_eq!(frame.decode::<Sample>().unwrap(), value);
    }

    #[test]
    fn one_changed_bit_anywhere_is_an_error() {
        let (_, bytes) = sample();
        for bit in 0..bytes.len() * 8 {
            let mut changed = bytes.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert!(read_frame(&changed).is_err(), "bit {bit}");
        }
    }

    #[test]
    fn every_shorter_input_is_incomplete() {
        let (_, bytes) = sample();
        for length in 0..bytes.len() {
            assert_eq!(read_frame(&bytes[..length]).unwrap_err(), FrameError::Incomplete, "{length} bytes");
        }
    }

    #[test]
    fn a_payload_of_another_schema_is_refused() {
        #[derive(Debug, Serialize, Deserialize)]
        struct Other(u64);
        impl Payload for Other {
            const KIND: Kind = Kind::Claim;
            const SCHEMA: &'static str = "u64";
        }
        let (_, bytes) = sample();
        assert!(matches!(read_frame(&bytes).unwrap().0.decode::<Other>(), Err(FrameError::Schema { .. })));
    }

    #[test]
    fn what_is_small_when_written_and_large_when_read_is_read_at_every_length() {
        for length in [0, 1, 0xfff, 0x1000, 0x1001, 0x1_0000, 0x1_0001, 0x10_0001] {
            let numbers = vec![7u128; length];
            assert!(decode::<Vec<u128>>(&encode(&numbers)) == Ok(numbers), "{length}");
        }
    }

    #[test]
    fn bytes_are_encoded_as_a_list_of_them_is() {
        for length in [0, 1, 250, 251, 70_000] {
            let bytes: Vec<u8> = (0..length).map(|at| at as u8).collect();
            let encoded = encode(&Bytes(bytes.clone()));
            assert_eq!(encoded, encode(&bytes));
            assert_eq!(decode(&encoded), Ok(Bytes(bytes)));
        }
    }

    #[test]
    fn a_length_inside_the_payload_allocates_nothing() {
        // A vector that says it has 2^60 elements.
        let mut bytes = encode(&(1u64 << 60));
        bytes.push(0);
        assert!(decode::<Vec<u8>>(&bytes).is_err());
        assert!(decode::<Bytes>(&bytes).is_err());
        assert!(decode::<Vec<u64>>(&bytes).is_err());
        assert!(decode::<String>(&bytes).is_err());
    }
}
