//! `remember` and `slice`: the last batches of a stream, for whoever asks while the program runs.
//!
//! They are part of the state: a snapshot holds them, and recovery computes those that came after it again, so what is
//! remembered does not depend on crashes.

use super::{
    BatchScope, Chunk, DStream, Operator, OperatorKind, Parent, Partition, Rdd, Stateful, Stored, Stream,
    pieces::{batch_of, pieces_of_each, put},
};
use crate::{
    codec,
    ids::{BatchTime, Interval, OperatorId},
    state::KeyHasher,
};
use std::{
    any::type_name,
    collections::VecDeque,
    ops::Range,
    sync::{Arc, Mutex, MutexGuard},
};

/// Why a slice cannot be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SliceError {
    /// No batch was computed yet.
    #[error("the stream has no batches before the context is started; slice it while it runs")]
    NotStarted,
    /// The slice begins before what is remembered.
    #[error(
        "the batch of {time} is not remembered any more, the oldest one is of {oldest}; remember the stream for longer"
    )]
    Forgotten {
        /// The first batch of the slice.
        time: BatchTime,
        /// The oldest one that is remembered.
        oldest: BatchTime,
    },
    /// The slice ends in the future.
    #[error("the batch of {time} is not computed yet, the newest one is of {newest}; ask again later")]
    NotComputed {
        /// The last batch of the slice.
        time: BatchTime,
        /// The newest one, or the stream's zero time.
        newest: BatchTime,
    },
}

/// A batch, in its partitions.
type Parts<T> = Arc<Vec<Vec<T>>>;

/// A chunk of a snapshot: of which batch, of which of its partitions, and records of that. A batch without partitions has one chunk
/// that names none.
type Piece<T> = (Option<BatchTime>, BatchTime, Option<u32>, Vec<T>);

struct Kept<T> {
    zero_time: Option<BatchTime>,
    batches: VecDeque<(BatchTime, Parts<T>)>,
}

struct Remember<T> {
    id: OperatorId,
    parent: Parent<T>,
    slide: Interval,
    interval: Interval,
    kept: Mutex<Kept<T>>,
}

impl<T: Stored> Remember<T> {
    fn lock(&self) -> MutexGuard<'_, Kept<T>> {
        self.kept.lock().expect("nothing panics while it holds the lock")
    }

    /// The last time of the stream that is not after `time`; no earlier than the zero time, at which there is no batch.
    fn floor(&self, zero_time: BatchTime, time: BatchTime) -> BatchTime {
        let after_ms = time.0.saturating_sub(zero_time.0);
        BatchTime(zero_time.0 + after_ms / self.slide.millis() * self.slide.millis())
    }

    fn slice(&self, from: BatchTime, to: BatchTime) -> Result<Vec<(BatchTime, Vec<T>)>, SliceError> {
        let kept = self.lock();
        let zero_time = kept.zero_time.ok_or(SliceError::NotStarted)?;
        let first = self.floor(zero_time, from).max(zero_time.next(self.slide));
        let last = self.floor(zero_time, to);
        if last < first {
            return Ok(Vec::new());
        }
        let newest = kept.batches.back().map_or(zero_time, |(time, _)| *time);
        if newest < last {
            return Err(SliceError::NotComputed { time: last, newest });
        }
        match kept.batches.front() {
            Some((oldest, _)) if first < *oldest => {
                return Err(SliceError::Forgotten { time: first, oldest: *oldest });
            }
            _ => {}
        }
        let wanted = kept.batches.iter().filter(|(time, _)| (first..=last).contains(time));
        Ok(wanted.map(|(time, parts)| (*time, parts.concat())).collect())
    }
}

impl<T: Stored> Stateful for Remember<T> {
    fn id(&self) -> OperatorId {
        self.id
    }

    fn advance(&self, scope: &BatchScope<'_>) {
        let newest = {
            let mut kept = self.lock();
            kept.zero_time = Some(scope.zero_time);
            kept.batches.back().map(|(time, _)| *time)
        };
        if !scope.is_due(self.slide) || newest == Some(scope.time) {
            return;
        }
        assert!(newest < Some(scope.time), "batches come in the order of their times");
        // Not under the lock: whoever slices does not wait for the computation.
        let parts = Arc::new(self.parent.compute(scope).to_vecs());
        let mut kept = self.lock();
        kept.batches.push_back((scope.time, parts));
        let is_old = |time: BatchTime| time.next(self.interval) <= scope.time;
        while kept.batches.front().is_some_and(|(time, _)| is_old(*time)) {
            kept.batches.pop_front();
        }
    }

    fn freeze(&self) -> Vec<Chunk> {
        let kept = self.lock();
        let zero_time = kept.zero_time;
        let chunks = |(time, parts): &(BatchTime, Parts<T>)| {
            let time = *time;
            if parts.is_empty() {
                let none: Piece<T> = (zero_time, time, None, Vec::new());
                return vec![Box::new(move || codec::encode(&none)) as Chunk];
            }
            let lengths: Vec<usize> = parts.iter().map(Vec::len).collect();
            let chunk = |(part, range): (u32, Range<usize>)| {
                let parts = parts.clone();
                let piece =
                    move || codec::encode(&(zero_time, time, Some(part), &parts[part as usize][range]));
                Box::new(piece) as Chunk
            };
            pieces_of_each(&lengths).map(chunk).collect()
        };
        kept.batches.iter().flat_map(chunks).collect()
    }

    fn restore(&self, chunks: &[&[u8]], _hasher: KeyHasher) -> Result<(), String> {
        let (mut zero_time, mut batches) = (None, Vec::<(BatchTime, Vec<Vec<T>>)>::new());
        for chunk in chunks {
            let (zero, time, part, records): Piece<T> =
                codec::decode(chunk).map_err(|error| error.to_string())?;
            zero_time = zero;
            let parts = batch_of(&mut batches, time, Vec::new);
            let parts = parts.ok_or("its batches are not in the order of their times")?;
            if let Some(part) = part {
                put(parts, part, records)?;
            }
        }
        let mut kept = self.lock();
        kept.zero_time = zero_time;
        kept.batches = batches.into_iter().map(|(time, parts)| (time, Arc::new(parts))).collect();
        Ok(())
    }
}

impl<T: Stored> Stream<T> for Remember<T> {
    fn compute(&self, scope: &BatchScope<'_>) -> Rdd<T> {
        self.advance(scope);
        let kept = self.lock();
        let (time, parts) = kept.batches.back().expect("a batch was computed");
        assert_eq!(*time, scope.time, "the newest batch is the one that is computed");
        scope.rdd((0..parts.len()).map(|index| Partition::of_shared(parts, index)).collect())
    }
}

/// A stream whose last batches are remembered. Made by [`DStream::remember`].
pub struct Remembered<T> {
    node: Arc<Remember<T>>,
    stream: DStream<T>,
}

impl<T> Clone for Remembered<T> {
    fn clone(&self) -> Self {
        Self { node: self.node.clone(), stream: self.stream.clone() }
    }
}

impl<T> std::fmt::Debug for Remembered<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Remembered(operator {}, for {})", self.node.id, self.node.interval)
    }
}

impl<T: Stored> Remembered<T> {
    /// The stream, for further operators and outputs. Its batches are computed once for all of them.
    pub fn stream(&self) -> DStream<T> {
        self.stream.clone()
    }

    /// The batches from `from` to `to`, both included and both rounded down to the stream's batch times, oldest first. Nothing if
    /// `to` is before `from`; the time before the first batch has none. Batches that were passed over (see
    /// [`Options::missed_batches_max`](crate::Options::missed_batches_max)) are left out.
    ///
    /// It may be asked from anywhere, at any time. The newest batch is one whose output may not be emitted yet.
    ///
    /// # Errors
    /// [`SliceError`] if no batch was computed yet, or if the slice reaches out of what is remembered.
    pub fn slice(&self, from: BatchTime, to: BatchTime) -> Result<Vec<(BatchTime, Vec<T>)>, SliceError> {
        self.node.slice(from, to)
    }
}

impl<T: Stored> DStream<T> {
    /// Remembers this stream's batches for `interval`: those whose times are less than that before the newest one's, at least the
    /// newest one. They can be asked for while the program runs, by [`Remembered::slice`], and are in the checkpoint: they are there
    /// after a recovery, too.
    ///
    /// ```
    /// # use highwater_core::{DStream, Interval, Remembered, Word};
    /// fn of_the_last_minute(counts: DStream<(Word, u64)>) -> Remembered<(Word, u64)> {
    ///     let counts = counts.remember(Interval::from_secs(60));
    ///     counts.stream().print();
    ///     counts
    /// }
    /// ```
    pub fn remember(self, interval: Interval) -> Remembered<T> {
        let (builder, slide) = (self.builder.clone(), self.slide);
        let operator = Operator::new(OperatorKind::Remember)
            .parameters(format!("for {interval}"))
            .schema(type_name::<T>());
        let mut graph = builder.lock();
        let id = graph.add(operator, &[self.id]);
        let kept = Mutex::new(Kept { zero_time: None, batches: VecDeque::new() });
        let node = Arc::new(Remember { id, parent: self.stream, slide, interval, kept });
        graph.add_stateful(node.clone());
        drop(graph);
        Remembered { stream: DStream { builder, id, slide, stream: node.clone() }, node }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dstream::in_line::{Calls, Program, workers};

    /// A program that has run for so many batches, each with its number in two partitions, and remembers 4 s.
    fn after(batches: u64) -> (Program, Remembered<u64>, Calls) {
        let program = Program::new();
        let calls = Calls::default();
        let counter = calls.clone();
        let numbers = program.stream(|time| vec![vec![time], vec![10 * time]]).map(move |n| {
            counter.count();
            n
        });
        let remembered = numbers.remember(Interval::from_secs(4));
        (1..=batches).for_each(|time| remembered.node.advance(&program.scope(time)));
        (program, remembered, calls)
    }

    fn slice(remembered: &Remembered<u64>, from: u64, to: u64) -> Result<Vec<u64>, SliceError> {
        let batches = remembered.slice(BatchTime(from), BatchTime(to))?;
        for (time, records) in &batches {
            assert_eq!(*records, [time.0 / 1000, time.0 / 100]);
        }
        Ok(batches.into_iter().map(|(time, _)| time.0).collect())
    }

    #[test]
    fn a_slice_has_the_batches_at_both_ends_rounded_down() {
        let (_, remembered, _) = after(6);
        assert_eq!(slice(&remembered, 3000, 5000).unwrap(), [3000, 4000, 5000]);
        assert_eq!(slice(&remembered, 3999, 5999).unwrap(), [3000, 4000, 5000]);
        assert_eq!(slice(&remembered, 6000, 6000).unwrap(), [6000]);
        assert_eq!(slice(&remembered, 5000, 4000).unwrap(), []);
    }

    #[test]
    fn a_slice_of_a_slow_stream_is_rounded_to_its_own_batches() {
        let program = Program::new();
        let numbers = program.stream(|time| vec![vec![time, 10 * time]]);
        let slow = DStream { slide: Interval::from_secs(2), ..numbers };
        let remembered = slow.remember(Interval::from_secs(60));
        (1..=7).for_each(|time| remembered.node.advance(&program.scope(time)));
        assert_eq!(slice(&remembered, 3000, 5000).unwrap(), [2000, 4000]);
        assert_eq!(slice(&remembered, 1000, 7999).unwrap(), [2000, 4000, 6000]);
    }

    #[test]
    fn the_time_before_the_first_batch_has_none() {
        let (_, remembered, _) = after(3);
        assert_eq!(slice(&remembered, 0, 3000).unwrap(), [1000, 2000, 3000]);
        assert_eq!(slice(&remembered, 0, 999).unwrap(), []);
    }

    #[test]
    fn a_slice_that_cannot_be_had_says_why() {
        let (_, remembered, _) = after(0);
        assert_eq!(slice(&remembered, 0, 9000), Err(SliceError::NotStarted));
        let (_, remembered, _) = after(6);
        let (two, three) = (BatchTime(2000), BatchTime(3000));
        let forgotten = slice(&remembered, 2500, 5000).unwrap_err();
        assert_eq!(forgotten, SliceError::Forgotten { time: two, oldest: three });
        let (seven, newest) = (BatchTime(7000), BatchTime(6000));
        let future = slice(&remembered, 5000, 7900).unwrap_err();
        assert_eq!(future, SliceError::NotComputed { time: seven, newest });
        assert_eq!(
            future.to_string(),
            "the batch of 1970-01-01 00:00:07 is not computed yet, the newest one is of 1970-01-01 00:00:06; ask again later"
        );
    }

    #[test]
    fn remembered_batches_are_the_same_after_a_recovery() {
        let (_, before, _) = after(5);
        let chunks: Vec<_> = before.node.freeze().into_iter().map(|chunk| chunk()).collect();
        // Two partitions of four batches.
        assert_eq!(chunks.len(), 8);
        let chunks: Vec<_> = chunks.iter().map(Vec::as_slice).collect();
        let (program, recovered, _) = after(0);
        recovered.node.restore(&chunks, workers().hasher).unwrap();
        assert_eq!(slice(&recovered, 2000, 5000), slice(&before, 2000, 5000));
        recovered.node.advance(&program.scope(6));
        assert_eq!(slice(&recovered, 3000, 6000).unwrap(), [3000, 4000, 5000, 6000]);
        let (_, other, _) = after(0);
        let order = other.node.restore(&[chunks[2], chunks[0]], workers().hasher).unwrap_err();
        assert_eq!(order, "its batches are not in the order of their times");
    }

    #[test]
    fn large_and_empty_batches_are_snapshotted_in_pieces_and_come_back() {
        let batch = |time| match time {
            1 => Vec::new(),
            2 => vec![Vec::new(), (0..3000).collect(), vec![7]],
            _ => vec![Vec::new()],
        };
        let remember = || {
            let program = Program::new();
            let remembered = program.stream(batch).remember(Interval::from_secs(9));
            (program, remembered)
        };
        let (program, before) = remember();
        (1..=3).for_each(|time| before.node.advance(&program.scope(time)));
        let chunks: Vec<_> = before.node.freeze().into_iter().map(|chunk| chunk()).collect();
        assert!(chunks.iter().all(|chunk| chunk.len() < 4096), "3 bytes a record at most");
        let (_, recovered) = remember();
        recovered
            .node
            .restore(&chunks.iter().map(Vec::as_slice).collect::<Vec<_>>(), workers().hasher)
            .unwrap();
        let parts = |remembered: &Remembered<u64>| -> Vec<Vec<Vec<u64>>> {
            remembered.node.lock().batches.iter().map(|(_, parts)| parts.to_vec()).collect()
        };
        assert_eq!(parts(&recovered), [1, 2, 3].map(batch));
        assert_eq!(parts(&recovered), parts(&before));
    }

    #[test]
    fn a_remembered_batch_is_computed_once_and_keeps_its_partitions() {
        let (program, remembered, calls) = after(2);
        let scope = program.scope(3);
        for _ in 0..2 {
            assert_eq!(remembered.stream().stream.compute(&scope).glom().collect(), [[3], [30]]);
        }
        assert_eq!(calls.get(), 6);
    }

    #[test]
    fn how_long_is_part_of_the_graph() {
        let (program, remembered, _) = after(0);
        assert_eq!(program.operators()[2], "operator 2 (Remember for 4s of u64)");
        assert_eq!(format!("{remembered:?}"), "Remembered(operator 2, for 4s)");
    }
}
