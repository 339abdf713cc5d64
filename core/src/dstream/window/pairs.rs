//! Windows over streams of `(key, value)`.

use super::{
    inverse::{InverseWindow, State},
    keyed::Keyed,
    node::WindowNode,
    span::Span,
};
use crate::{
    dstream::{
        DStream, Data, Key, Operator, OperatorKind, Stored,
        rdd::{Group, Reduce},
    },
    ids::Interval,
};
use std::{
    any::type_name,
    sync::{Arc, Mutex},
};

impl<K: Data, V: Data> DStream<(K, V)> {
    /// Each key of the last `window` once, with all its values combined by `f`, which must be associative. Every batch is combined
    /// by itself first, and values in the order in which they came; keys come by key group, then in the order of their first
    /// appearance in the window.
    ///
    /// It costs by the window's length: see
    /// [`reduce_by_key_and_window_inverse`](Self::reduce_by_key_and_window_inverse). Of `window` and `slide` holds what
    /// [`window`](Self::window) says.
    pub fn reduce_by_key_and_window(
        self,
        f: impl Fn(V, V) -> V + Send + Sync + 'static,
        window: Interval,
        slide: Interval,
    ) -> DStream<(K, V)>
    where
        K: Key,
        V: Stored,
    {
        let kind = OperatorKind::ReduceByKeyAndWindow;
        let span = self.span(kind, window, slide);
        self.reduced(kind, f, span, "")
    }

    /// As [`reduce_by_key_and_window`](Self::reduce_by_key_and_window), at a cost that does not grow with the window: of every
    /// key that left or came, what left is taken off with `inverse`, for which `inverse(f(a, b), b)` is `a`; then what
    /// came is added.
    ///
    /// A key that is in the window no more stays at its neutral value for ever, as in Spark; see
    /// [`reduce_by_key_and_window_inverse_filter`](Self::reduce_by_key_and_window_inverse_filter). Keys come by key group, then in the
    /// order of their first appearance.
    ///
    /// If `slide` is longer than `window`, no two windows have anything in common, and some batches are in none: Spark takes
    /// values off that it never added. Here each window is computed for itself, as without the inverse, so no key stays.
    pub fn reduce_by_key_and_window_inverse(
        self,
        f: impl Fn(V, V) -> V + Send + Sync + 'static,
        inverse: impl Fn(V, V) -> V + Send + Sync + 'static,
        window: Interval,
        slide: Interval,
    ) -> DStream<(K, V)>
    where
        K: Key,
        V: Stored,
    {
        let kind = OperatorKind::ReduceByKeyAndWindow;
        let span = self.span(kind, window, slide);
        self.inverted(kind, f, inverse, span, |_, _| true, "inverse")
    }

    /// As [`reduce_by_key_and_window_inverse`](Self::reduce_by_key_and_window_inverse), and keeps only keys for which `filter` says
    /// yes. It must say no to the neutral value for keys to be forgotten.
    ///
    /// A key is forgotten when it is in the window no more and `filter` says no. One to which `filter` says no while it is in the
    /// window, since its values cancel, is not in the stream and not forgotten; Spark forgets it, and fails or errs when
    /// its values leave.
    ///
    /// ```
    /// # use highwater_core::{DStream, Interval, Word};
    /// fn hot_words(ones: DStream<(Word, u64)>) -> DStream<(Word, u64)> {
    ///     let (window, slide) = (Interval::from_secs(60), Interval::from_secs(10));
    ///     ones.reduce_by_key_and_window_inverse_filter(
    ///         |a, b| a + b,
    ///         |a, b| a - b,
    ///         window,
    ///         slide,
    ///         |_, count| *count > 0,
    ///     )
    /// }
    /// ```
    pub fn reduce_by_key_and_window_inverse_filter(
        self,
        f: impl Fn(V, V) -> V + Send + Sync + 'static,
        inverse: impl Fn(V, V) -> V + Send + Sync + 'static,
        window: Interval,
        slide: Interval,
        filter: impl Fn(&K, &V) -> bool + Send + Sync + 'static,
    ) -> DStream<(K, V)>
    where
        K: Key,
        V: Stored,
    {
        let kind = OperatorKind::ReduceByKeyAndWindow;
        let span = self.span(kind, window, slide);
        self.inverted(kind, f, inverse, span, filter, "inverse, filter")
    }

    /// Each key of the last `window` once, with all its values in the order in which they came.
    ///
    /// Of `window` and `slide` holds what [`window`](Self::window) says.
    pub fn group_by_key_and_window(self, window: Interval, slide: Interval) -> DStream<(K, Vec<V>)>
    where
        K: Key,
        V: Stored,
    {
        let kind = OperatorKind::GroupByKeyAndWindow;
        let span = self.span(kind, window, slide);
        let windows = self.stateful(operator::<K, V>(kind, span, ""), |id, parent| {
            WindowNode::new(id, parent.stream, span, Keyed::new(Group))
        });
        DStream { slide, ..windows }
    }

    /// A plain window of reduced batches. `means` is what a checkpoint remembers of it beside its span.
    pub(super) fn reduced(
        self,
        kind: OperatorKind,
        f: impl Fn(V, V) -> V + Send + Sync + 'static,
        span: Span,
        means: &str,
    ) -> DStream<(K, V)>
    where
        K: Key,
        V: Stored,
    {
        let windows = self.stateful(operator::<K, V>(kind, span, means), |id, parent| {
            WindowNode::new(id, parent.stream, span, Keyed::new(Reduce(f)))
        });
        DStream { slide: span.slide, ..windows }
    }

    /// A window by an inverse, if its slide lets it be one.
    pub(super) fn inverted(
        self,
        kind: OperatorKind,
        f: impl Fn(V, V) -> V + Send + Sync + 'static,
        inverse: impl Fn(V, V) -> V + Send + Sync + 'static,
        span: Span,
        filter: impl Fn(&K, &V) -> bool + Send + Sync + 'static,
        means: &str,
    ) -> DStream<(K, V)>
    where
        K: Key,
        V: Stored,
    {
        if span.lies_apart() {
            let filter = Arc::new(move |(key, value): &(K, V)| filter(key, value));
            return self.reduced(kind, f, span, means).part(move |rdd| rdd.filter_shared(&filter));
        }
        let windows = self.stateful(operator::<K, V>(kind, span, means), |id, parent| InverseWindow {
            id,
            parent: parent.stream,
            span,
            add: f,
            take_off: inverse,
            filter: Arc::new(filter),
            state: Mutex::new(State::new()),
        });
        DStream { slide: span.slide, ..windows }
    }
}

fn operator<K, V>(kind: OperatorKind, span: Span, means: &str) -> Operator {
    let parameters = if means.is_empty() { span.to_string() } else { format!("{span}, {means}") };
    Operator::new(kind).parameters(parameters).schema(format!("{} -> {}", type_name::<K>(), type_name::<V>()))
}
