//! A part of a batch.

use std::sync::Arc;

/// A part of a batch: a function that pushes its records, in order, each time it is called. One that is known to be empty has
/// no function, so that an empty batch passes a chain of operators for nearly nothing.
pub(crate) struct Partition<T>(Option<Arc<Each<T>>>);

type Each<T> = dyn Fn(&mut dyn FnMut(T)) + Send + Sync;

impl<T> Clone for Partition<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T: 'static> Partition<T> {
    pub fn new(each: impl Fn(&mut dyn FnMut(T)) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(each)))
    }

    /// A part without records.
    pub fn empty() -> Self {
        Self(None)
    }

    /// Whether it is known to be empty. One of which that is not known may be empty too.
    pub fn is_known_empty(&self) -> bool {
        self.0.is_none()
    }

    pub fn each(&self, emit: &mut dyn FnMut(T)) {
        if let Some(each) = &self.0 {
            each(emit);
        }
    }

    /// Its records.
    pub fn to_vec(&self) -> Vec<T> {
        let mut records = Vec::new();
        self.each(&mut |record| records.push(record));
        records
    }
}

impl<T: Clone + Send + Sync + 'static> Partition<T> {
    /// A part that was computed already.
    pub fn of(records: Vec<T>) -> Self {
        if records.is_empty() {
            return Self::empty();
        }
        Self::new(move |emit| records.iter().cloned().for_each(&mut *emit))
    }

    /// One of the parts that were computed together.
    pub fn of_shared(parts: &Arc<Vec<Vec<T>>>, index: usize) -> Self {
        if parts[index].is_empty() {
            return Self::empty();
        }
        let parts = parts.clone();
        Self::new(move |emit| parts[index].iter().cloned().for_each(&mut *emit))
    }
}
