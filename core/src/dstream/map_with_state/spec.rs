//! What the author says of a `map_with_state`, and what the function sees of a key's state.

use crate::{
    dstream::{Data, Key, Stored},
    ids::{BatchTime, Interval},
};
use std::sync::Arc;

pub(super) type Function<K, V, S, U> =
    Arc<dyn Fn(BatchTime, &K, Option<V>, &mut State<S>) -> Option<U> + Send + Sync>;

/// How [`map_with_state`](crate::DStream::map_with_state) maps records and keeps a state for each key: Spark's `StateSpec`.
///
/// ```
/// use highwater_core::{DStream, Interval, State, StateSpec, Word};
///
/// /// A word's total with every record of it; it is forgotten after a minute without one.
/// fn totals(words: DStream<(Word, u64)>) -> DStream<(Word, u64)> {
///     let total = |_time, word: &Word, count: Option<u64>, total: &mut State<u64>| {
///         // There is no count when the state is timing out.
///         let sum = total.get_option().copied().unwrap_or(0) + count?;
///         total.update(sum);
///         Some((word.clone(), sum))
///     };
///     words.map_with_state(StateSpec::function(total).timeout(Interval::from_secs(60))).mapped()
/// }
/// ```
#[must_use = "a specification does nothing before it is given to `map_with_state`"]
pub struct StateSpec<K, V, S, U> {
    pub(super) function: Function<K, V, S, U>,
    pub(super) initial: Vec<(K, S)>,
    pub(super) time_out: Option<Interval>,
}

impl<K, V, S, U> std::fmt::Debug for StateSpec<K, V, S, U> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "StateSpec({} initial states, time-out {:?})", self.initial.len(), self.time_out)
    }
}

impl<K: Key, V: Data, S: Stored, U: Data> StateSpec<K, V, S, U> {
    /// Calls `function` for every record, with the batch's time, the record's key and value, and the key's state; what it returns
    /// is a record of the mapped stream, if it is something. Called without a value, it is told that the state is timing out.
    ///
    /// It must be a function of its arguments alone. If it panics, the driver ends with
    /// [`Error::Batch`](crate::Error::Batch).
    pub fn function(
        function: impl Fn(BatchTime, &K, Option<V>, &mut State<S>) -> Option<U> + Send + Sync + 'static,
    ) -> Self {
        Self { function: Arc::new(function), initial: Vec::new(), time_out: None }
    }

    /// As [`function`](Self::function), for a function that asks for no time and makes a record of each one: Spark's other form.
    pub fn mapping(function: impl Fn(&K, Option<V>, &mut State<S>) -> U + Send + Sync + 'static) -> Self {
        Self::function(move |_, key, value, state| Some(function(key, value, state)))
    }

    /// States that are there before the first batch; a time-out counts from that one. Of several for one key the last counts.
    ///
    /// Once a snapshot was written, a later start has the state from it and nothing from here; until then it begins with
    /// these again, so they must be the same at every start.
    pub fn initial_state(self, initial: impl IntoIterator<Item = (K, S)>) -> Self {
        Self { initial: initial.into_iter().collect(), ..self }
    }

    /// A key that has had no record for longer than `idle` is removed, in the first batch for which that holds, whether it has
    /// data or not: after the batch's records the function is called once more for the key, without a value.
    ///
    /// Batch times count, and nothing else, so a recovered driver removes a key in the batch in which it would have been
    /// removed without a crash. (Spark does so only in batches in which it checkpoints the state, up to ten batches later.)
    pub fn timeout(self, idle: Interval) -> Self {
        Self { time_out: Some(idle), ..self }
    }
}

/// A key's state, in the hands of the function of a [`StateSpec`].
#[derive(Debug)]
pub struct State<S> {
    value: Option<S>,
    is_removed: bool,
    is_timing_out: bool,
}

impl<S> State<S> {
    pub(super) fn of(value: Option<S>) -> Self {
        Self { value, is_removed: false, is_timing_out: false }
    }

    pub(super) fn timing_out(value: S) -> Self {
        Self { value: Some(value), is_removed: false, is_timing_out: true }
    }

    /// What is left of it.
    pub(super) fn end(self) -> Option<S> {
        self.value
    }

    /// Whether the key has a state.
    pub fn exists(&self) -> bool {
        self.value.is_some()
    }

    /// The state.
    ///
    /// # Panics
    /// `State is not set`, as in Spark, if the key has none; [`get_option`](Self::get_option) does not.
    #[track_caller]
    pub fn get(&self) -> &S {
        self.value.as_ref().expect("State is not set")
    }

    /// The state, if the key has one.
    pub fn get_option(&self) -> Option<&S> {
        self.value.as_ref()
    }

    /// Sets the state.
    ///
    /// # Panics
    /// If it was removed in this call, or is timing out.
    #[track_caller]
    pub fn update(&mut self, state: S) {
        assert!(!self.is_removed, "Cannot update the state after it has been removed");
        assert!(!self.is_timing_out, "Cannot update the state that is timing out");
        self.value = Some(state);
    }

    /// Removes the state; the key is forgotten unless it comes back.
    ///
    /// # Panics
    /// If it was removed in this call already, or is timing out, which removes it anyway.
    #[track_caller]
    pub fn remove(&mut self) {
        assert!(!self.is_timing_out, "Cannot remove the state that is timing out");
        assert!(!self.is_removed, "Cannot remove the state that has already been removed");
        self.value = None;
        self.is_removed = true;
    }

    /// Whether the key has been idle for longer than the time-out: this is the last call for it.
    pub fn is_timing_out(&self) -> bool {
        self.is_timing_out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_is_set_read_and_removed() {
        let mut state = State::of(None);
        assert_eq!((state.exists(), state.get_option()), (false, None));
        state.update(1);
        state.update(2);
        assert_eq!((state.exists(), state.get(), state.is_timing_out()), (true, &2, false));
        state.remove();
        assert_eq!((state.exists(), state.end()), (false, None));
    }

    #[test]
    #[should_panic(expected = "State is not set")]
    fn a_state_that_is_not_set_cannot_be_got() {
        State::<u64>::of(None).get();
    }

    #[test]
    #[should_panic(expected = "Cannot update the state after it has been removed")]
    fn a_removed_state_cannot_be_updated() {
        let mut state = State::of(Some(1));
        state.remove();
        state.update(2);
    }

    #[test]
    #[should_panic(expected = "Cannot remove the state that has already been removed")]
    fn a_removed_state_cannot_be_removed() {
        let mut state = State::of(Some(1));
        state.remove();
        state.remove();
    }

    #[test]
    #[should_panic(expected = "Cannot update the state that is timing out")]
    fn a_state_that_is_timing_out_cannot_be_updated() {
        State::timing_out(1).update(2);
    }

    #[test]
    #[should_panic(expected = "Cannot remove the state that is timing out")]
    fn a_state_that_is_timing_out_cannot_be_removed() {
        State::timing_out(1).remove();
    }
}
