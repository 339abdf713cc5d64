//! Windows over streams of any records.

use super::{node::WindowNode, records::Records};
use crate::{
    dstream::{DStream, Data, Key, Operator, OperatorKind, Stored},
    ids::Interval,
};
use std::any::type_name;

impl<T: Data> DStream<T> {
    /// All records of the last `window`, every `slide`: at time t those of this stream's batches in (t - `window`, t], in their
    /// order. At the start a window holds what there is.
    ///
    /// The records are kept until their last window has passed, and in snapshots, so a received line, which is a slice of
    /// its block, is mapped first: `lines.map(|line| line.to_word()).window(..)`.
    ///
    /// `window` and `slide` must be multiples of this stream's slide; otherwise `get_or_create` and `start` tell
    /// [`GraphError::NoMultiple`](crate::GraphError::NoMultiple).
    ///
    /// ```
    /// # use highwater_core::{DStream, Interval, Word};
    /// fn last_minute(words: DStream<Word>) -> DStream<Word> {
    ///     words.window(Interval::from_secs(60), Interval::from_secs(10))
    /// }
    /// ```
    pub fn window(self, window: Interval, slide: Interval) -> DStream<T>
    where
        T: Stored,
    {
        let span = self.span(OperatorKind::Window, window, slide);
        let operator =
            Operator::new(OperatorKind::Window).parameters(span.to_string()).schema(type_name::<T>());
        let windows =
            self.stateful(operator, |id, parent| WindowNode::new(id, parent.stream, span, Records::new()));
        DStream { slide, ..windows }
    }

    /// As [`window`](Self::window), with every batch of this stream: Spark's `window` with one argument.
    pub fn trailing_window(self, window: Interval) -> DStream<T>
    where
        T: Stored,
    {
        let slide = self.slide;
        self.window(window, slide)
    }

    /// The records of the last `window` combined to one by `f`, which must be associative; nothing if there are none. Every batch
    /// is combined by itself first.
    ///
    /// Of `window` and `slide` holds what [`window`](Self::window) says.
    pub fn reduce_by_window(
        self,
        f: impl Fn(T, T) -> T + Send + Sync + 'static,
        window: Interval,
        slide: Interval,
    ) -> DStream<T>
    where
        T: Stored,
    {
        let kind = OperatorKind::ReduceByWindow;
        let span = self.span(kind, window, slide);
        self.mapped(|record| ((), record)).reduced(kind, f, span, "").mapped(|((), value)| value)
    }

    /// As [`reduce_by_window`](Self::reduce_by_window), at a cost that does not grow with the window: what left is taken off with
    /// `inverse`, for which `inverse(f(a, b), b)` is `a`; then what came is added. From the first record on there is a value,
    /// neutral when the window is empty.
    pub fn reduce_by_window_inverse(
        self,
        f: impl Fn(T, T) -> T + Send + Sync + 'static,
        inverse: impl Fn(T, T) -> T + Send + Sync + 'static,
        window: Interval,
        slide: Interval,
    ) -> DStream<T>
    where
        T: Stored,
    {
        let kind = OperatorKind::ReduceByWindow;
        let span = self.span(kind, window, slide);
        let keyed = self.mapped(|record| ((), record));
        keyed.inverted(kind, f, inverse, span, |(), _| true, "inverse").mapped(|((), value)| value)
    }

    /// How many records came in the last `window`: nothing until the first ones, and 0 afterwards when there are none.
    ///
    /// Of `window` and `slide` holds what [`window`](Self::window) says.
    pub fn count_by_window(self, window: Interval, slide: Interval) -> DStream<u64> {
        self.mapped(|_| 1).reduce_by_window_inverse(|a, b| a + b, |a, b| a - b, window, slide)
    }

    /// How often each value came in the last `window`, as far as it came.
    ///
    /// Of `window` and `slide` holds what [`window`](Self::window) says.
    pub fn count_by_value_and_window(self, window: Interval, slide: Interval) -> DStream<(T, u64)>
    where
        T: Key,
    {
        let ones = self.mapped(|value| (value, 1));
        ones.reduce_by_key_and_window_inverse_filter(
            |a, b| a + b,
            |a, b| a - b,
            window,
            slide,
            |_, count| *count > 0,
        )
    }
}
